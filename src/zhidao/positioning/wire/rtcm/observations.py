"""Cells of multiple signal messages as an observation table, and an observation table as MSM7."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observations import (
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.signals import SPEED_OF_LIGHT_MPS, carrier_hz, glonass_carrier_hz
from zhidao.positioning.wire.rtcm.msm import SYSTEM_OF, MsmTable, encode_msm

_NS: Final = 1_000_000_000
_MS_NS: Final = 1_000_000
_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_BDT_BEHIND_GPST_MS: Final = 14_000
_GPST_EPOCH_UNIX_MS: Final = 315_964_800_000
_MOSCOW_MS: Final = 3 * 3_600_000
_L5: Final = {22: "5I", 23: "5Q", 24: "5X"}
_L1C: Final = {30: "1S", 31: "1L", 32: "1X"}
_L2C: Final = {15: "2S", 16: "2L", 17: "2X"}
# RINEX band and attribute of each signal of the mask; RTCM 10403.3 tables 3.5-91 and following.
SIGNALS: Final = {
    "G": {2: "1C", 3: "1P", 4: "1W", 8: "2C", 9: "2P", 10: "2W"} | _L2C | _L5 | _L1C,
    "R": {2: "1C", 3: "1P", 8: "2C", 9: "2P"},
    "E": {2: "1C", 3: "1A", 4: "1B", 5: "1X", 6: "1Z", 8: "6C", 9: "6A", 10: "6B", 11: "6X"}
    | {12: "6Z", 14: "7I", 15: "7Q", 16: "7X", 18: "8I", 19: "8Q", 20: "8X"}
    | _L5,
    "S": {2: "1C"} | _L5,
    "J": {2: "1C", 9: "6S", 10: "6L", 11: "6X"} | _L2C | _L5 | _L1C,
    "C": {2: "2I", 3: "2Q", 4: "2X", 8: "6I", 9: "6Q", 10: "6X", 14: "7I", 15: "7Q", 16: "7X"}
    | {22: "5D", 23: "5P", 24: "5X", 25: "7D", 30: "1D", 31: "1P", 32: "1X"},
    "I": {8: "9A", 22: "5A"},
}
_NUMBER_OF: Final = {system: 10 * lead + 7 for lead, system in SYSTEM_OF.items()}
# SBAS satellites start at PRN 120, which RINEX calls S20.
_PRN_SHIFT: Final = {"S": 19}
_HALF: Final = 2  # RINEX: bit 1 of the loss-of-lock digit is an open half cycle.


def observations_of(table: MsmTable, *, near: Utc) -> Observations:
    """The cells as observations. near: any instant within half a week of all of them.

    Phases of GLONASS need the channel, which MSM5 and MSM7 carry; without it they are left out.
    A lock indicator that falls is a loss of lock, as is an open half cycle.
    """
    at_ns = epoch_gpst_ns(table, near)
    epochs, index = np.unique(at_ns, return_inverse=True)
    epoch_of = index[table.message]
    systems = {}
    for lead, system in sorted(SYSTEM_OF.items(), key=lambda item: item[1]):
        rows = np.flatnonzero((table.number // 10 == lead)[table.message])
        rows = rows[np.isin(table.signal[rows], list(SIGNALS[system]))]
        if len(rows):
            systems[system] = _system(table, rows, system, epoch_of[rows])
    header = ObservationHeader(marker="RTCM")
    return Observations(header, epochs, np.zeros(len(epochs), bool), systems)


def epoch_gpst_ns(table: MsmTable, near: Utc) -> Ints:
    """Epoch of each message, (m,): the one within half a week (GLONASS: half a day) of `near`."""
    now_ms = Gpst.from_utc(near).ns // _MS_NS
    lead = table.number // 10
    shift_ms = np.where(lead == 112, _BDT_BEHIND_GPST_MS, 0)
    glonass = lead == 108
    # GLONASS counts milliseconds of the Moscow day; GPST runs ahead of UTC by whole seconds.
    leap_ms = now_ms - (near.unix_ns // _MS_NS - _GPST_EPOCH_UNIX_MS)
    day_ms = table.time & ((1 << 27) - 1)
    time_ms = np.where(glonass, day_ms - _MOSCOW_MS + leap_ms, table.time + shift_ms)
    cycle_ms = np.where(glonass, _DAY_MS, _WEEK_MS)
    turns = np.rint((now_ms - time_ms) / cycle_ms).astype(np.int64)
    at_ns: Ints = (time_ms + turns * cycle_ms) * _MS_NS
    return at_ns


def _system(table: MsmTable, rows: Ints, system: str, epoch: Ints) -> SystemObservations:
    prn = table.satellite[rows] + _PRN_SHIFT.get(system, 0)
    identity, place = np.unique(epoch * 100 + prn, return_inverse=True)
    signals = np.unique(table.signal[rows])
    codes = tuple(kind + SIGNALS[system][s] for s in signals.tolist() for kind in "CLDS")
    column = 4 * np.searchsorted(signals, table.signal[rows])
    values = np.full((len(identity), len(codes)), np.nan)
    marks = np.zeros(values.shape, np.uint8)
    cycles = 1 / _wavelength_m(table, rows, system)
    values[place, column] = table.range_m[rows]
    values[place, column + 1] = table.phase_m[rows] * cycles
    values[place, column + 2] = -table.rate_mps[rows] * cycles
    strength = table.strength_dbhz[rows]
    values[place, column + 3] = np.where(strength > 0, strength, np.nan)
    lost = _lock_lost(table, rows, epoch)
    marks[place, column + 1] = lost + _HALF * table.half[rows]
    none = np.zeros(values.shape, np.uint8)
    return SystemObservations(system, codes, identity // 100, identity % 100, values, marks, none)


def _wavelength_m(table: MsmTable, rows: Ints, system: str) -> Floats:
    out = np.full(len(rows), np.nan)
    for signal in np.unique(table.signal[rows]).tolist():
        here = table.signal[rows] == signal
        code = "C" + SIGNALS[system][signal]
        if system == "R":
            channel = table.extended[rows][here]
            hertz = glonass_carrier_hz(code, channel - 7)
            out[here] = np.where(channel >= 0, SPEED_OF_LIGHT_MPS / hertz, np.nan)
        else:
            out[here] = SPEED_OF_LIGHT_MPS / carrier_hz(system, code)
    return out


def _lock_lost(table: MsmTable, rows: Ints, epoch: Ints) -> Ints:
    """1 where the lock indicator fell against the last epoch of the same signal, else 0."""
    key = table.satellite[rows] * 64 + table.signal[rows]
    order = np.lexsort((epoch, key))
    lost = np.zeros(len(rows), np.int64)
    lock = table.lock[rows][order]
    same = key[order][1:] == key[order][:-1]
    lost[order[1:]] = same & (lock[1:] < lock[:-1])
    return lost


def messages_of(seen: Observations, *, station: int = 0) -> list[bytes]:
    """MSM7 payloads of all epochs and systems whose signals have a place in the masks.

    GLONASS is left out: its phases need channels, which an observation table does not hold.
    Satellites beyond 64 cells a message are spread over several.
    """
    out = []
    for epoch in range(len(seen.gpst_ns)):
        parts = [
            part
            for system, table in sorted(seen.systems.items())
            if system in "GECJ"
            for part in _epoch_tables(table, epoch, int(seen.gpst_ns[epoch]), station)
        ]
        for index, part in enumerate(parts):
            part.more[:] = index < len(parts) - 1
            out.append(encode_msm(part, 0))
    return out


def _epoch_tables(
    table: SystemObservations, epoch: int, gpst_ns: int, station: int
) -> list[MsmTable]:
    rows = np.flatnonzero(table.epoch == epoch)
    named = {name: signal for signal, name in SIGNALS[table.system].items()}
    names = sorted({c[1:] for c in table.codes if c[0] == "C" and c[1:] in named})
    if not names or not len(rows):
        return []
    each = max(1, 64 // len(names))
    shift_ms = _BDT_BEHIND_GPST_MS if table.system == "C" else 0
    time_ms = (gpst_ns // _MS_NS - shift_ms) % _WEEK_MS
    return [
        _msm_table(table, rows[start : start + each], names, named, time_ms, station)
        for start in range(0, len(rows), each)
    ]


def _msm_table(
    table: SystemObservations,
    rows: Ints,
    names: list[str],
    named: dict[str, int],
    time_ms: int,
    station: int,
) -> MsmTable:
    nothing = np.full(len(rows), np.nan)
    prn: list[Ints] = []
    signal: list[Ints] = []
    columns: dict[str, list[Floats]] = {k: [] for k in "CLDS"}
    for name in names:
        wave_m = SPEED_OF_LIGHT_MPS / carrier_hz(table.system, "C" + name)
        found = {}
        for kind in "CLDS":
            values = table.column(kind + name)
            found[kind] = nothing if values is None else values[rows]
        here = np.isfinite(found["C"]) | np.isfinite(found["L"])
        prn.append(table.prn[rows][here])
        signal.append(np.full(int(here.sum()), named[name]))
        for kind, scale in (("C", 1.0), ("L", wave_m), ("D", -wave_m), ("S", 1.0)):
            columns[kind].append(found[kind][here] * scale)
    joined = {k: np.concatenate(v) for k, v in columns.items()}
    count = len(joined["C"])
    zeros = np.zeros(count, np.int64)
    one = np.array([_NUMBER_OF[table.system]])
    return MsmTable(
        message=zeros,
        satellite=np.concatenate(prn),
        signal=np.concatenate(signal),
        range_m=joined["C"],
        phase_m=joined["L"],
        rate_mps=joined["D"],
        lock=zeros,
        half=zeros > 0,
        strength_dbhz=np.clip(np.nan_to_num(joined["S"]), 0, 63.9),
        extended=zeros - 1,
        number=one,
        station=np.array([station]),
        time=np.array([time_ms]),
        more=np.array([False]),
    )
