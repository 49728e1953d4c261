"""Cells of multiple signal messages as an observation table, and an observation table as MSM7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import (
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    carrier_hz,
    glonass_carrier_hz,
)
from zhidao.positioning.wire.rinex.times import gpst_ns_of
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
# A cell's phase may lie 1171 m from the rough range (24 bits of 2^-31 ms).
_APART_M_MAX: Final = 500.0
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
    time_ms = table.time + shift_ms
    turns = np.rint((now_ms - time_ms) / _WEEK_MS).astype(np.int64)
    at_ns: Ints = (time_ms + turns * _WEEK_MS) * _MS_NS
    glonass = lead == 108
    # GLONASS counts milliseconds of the Moscow day, and so UTC: leap seconds come in after that.
    utc_ms = (table.time[glonass] & ((1 << 27) - 1)) - _MOSCOW_MS
    now_utc_ms = near.unix_ns // _MS_NS - _GPST_EPOCH_UNIX_MS
    utc_ms += np.rint((now_utc_ms - utc_ms) / _DAY_MS).astype(np.int64) * _DAY_MS
    at_ns[glonass] = gpst_ns_of(utc_ms * _MS_NS, "UTC")
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


def epoch_messages(
    seen: Observations, *, station: int = 0, channels: Mapping[int, int] | None = None
) -> Iterator[list[bytes]]:
    """MSM7 payloads of each epoch, of all systems whose signals have a place in the masks.

    channels: of GLONASS slots (-7 to 6), as ephemerides tell them; a satellite without one is left
    out, since its phase is in cycles of that channel. The lock indicator counts from the first
    epoch on and after each loss of lock. A phase farther than 500 m from its range, which has no
    place in a cell, is moved by a whole number of cycles, one and the same for as long as it is
    locked. Satellites beyond 64 cells are spread over messages.
    """
    told = channels or {}
    arcs = [
        _Arcs.of(table, seen.gpst_ns, told)
        for system, table in sorted(seen.systems.items())
        if system in _NUMBER_OF
    ]
    for epoch, at_ns in enumerate(seen.gpst_ns.tolist()):
        stamp = _Stamp(at_ns, station, told)
        parts = [part for each in arcs for part in _epoch_tables(each, epoch, stamp)]
        for index, part in enumerate(parts):
            part.more[:] = index < len(parts) - 1
        yield [encode_msm(part, 0) for part in parts]


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What all messages of an epoch share."""

    gpst_ns: int
    station: int
    channels: Mapping[int, int]

    def time(self, system: str) -> int:
        """The epoch as the system's messages count it; GLONASS: day of week and Moscow's time."""
        ms = self.gpst_ns // _MS_NS
        if system == "C":
            return (ms - _BDT_BEHIND_GPST_MS) % _WEEK_MS
        if system != "R":
            return ms % _WEEK_MS
        moscow_ms = Gpst(self.gpst_ns).to_utc().unix_ns // _MS_NS + _MOSCOW_MS
        # Day 0 is Sunday; 1970-01-01 was a Thursday.
        return (moscow_ms // _DAY_MS + 4) % 7 << 27 | moscow_ms % _DAY_MS


@dataclass(frozen=True, slots=True)
class _Arcs:
    """A system's table with what holds for as long as a phase is locked, by columns of the table.

    lock_ms (n, k): since a phase was first seen or last lost. shift (n, k): whole cycles that bring
    it near its range. wave_m (n, k): of phase and Doppler columns.
    """

    table: SystemObservations
    lock_ms: Ints
    shift: Floats
    wave_m: Floats

    @classmethod
    def of(cls, table: SystemObservations, gpst_ns: Ints, channels: Mapping[int, int]) -> _Arcs:
        """The arcs of a table; channels: of GLONASS slots."""
        shape = table.values.shape
        arcs = cls(table, np.zeros(shape, np.int64), np.zeros(shape), np.ones(shape))
        channel = np.array([channels.get(prn, 0) for prn in table.prn.tolist()], np.int64)
        named = set(SIGNALS[table.system].values())
        for column, code in enumerate(table.codes):
            if code[0] in "LD" and code[1:] in named:
                if table.system == "R":
                    hertz = glonass_carrier_hz(code, channel)
                else:
                    hertz = np.full(len(table.prn), carrier_hz(table.system, code))
                arcs.wave_m[:, column] = SPEED_OF_LIGHT_MPS / hertz
            if code[0] == "L" and code[1:] in named:
                arcs._follow(column, gpst_ns[table.epoch] // _MS_NS)
        return arcs

    def _follow(self, column: int, at_ms: Ints) -> None:
        """Fills the columns of one phase."""
        table = self.table
        order = np.lexsort((table.epoch, table.prn))
        phase = table.values[order, column]
        new = np.append(True, np.diff(table.prn[order]) != 0)
        new |= (table.lost_lock[order, column] & 1).astype(bool)
        # After a gap the count of cycles starts anew, as far as anybody can know.
        new |= np.append(False, np.isnan(phase[:-1]))
        since = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
        self.lock_ms[order, column] = at_ms[order] - at_ms[order][since]
        ranges_m = table.column("C" + table.codes[column][1:])
        if ranges_m is not None:
            wave_m = self.wave_m[order, column]
            apart = np.nan_to_num(ranges_m[order] / wave_m - phase)
            far = np.abs(apart) * wave_m > _APART_M_MAX
            self.shift[order, column] = np.where(far, np.rint(apart), 0.0)[since]


def lock_indicator(lock_ms: Ints) -> Ints:
    """The 10-bit indicator DF407 of times of lock, (n,): exact to 64 ms, then by powers of two."""
    held = np.clip(lock_ms, 0, (1 << 26) - 1)
    rank = np.maximum(np.floor(np.log2(np.maximum(held, 32) / 32)), 0).astype(np.int64)
    indicator: Ints = (held >> rank) + 32 * rank
    return indicator


def _epoch_tables(arcs: _Arcs, epoch: int, stamp: _Stamp) -> list[MsmTable]:
    table = arcs.table
    first, last = np.searchsorted(table.epoch, (epoch, epoch + 1))
    rows = np.arange(first, last)
    prn = table.prn[rows] - _PRN_SHIFT.get(table.system, 0)
    rows = rows[(prn >= 1) & (prn <= 64)]
    if table.system == "R":
        rows = rows[np.isin(table.prn[rows], list(stamp.channels))]
    named = set(SIGNALS[table.system].values())
    names = sorted({c[1:] for c in table.codes if c[0] == "C" and c[1:] in named})
    if not names or not len(rows):
        return []
    each = max(1, 64 // len(names))
    found = (
        _msm_table(arcs, rows[start : start + each], names, stamp)
        for start in range(0, len(rows), each)
    )
    return [part for part in found if len(part.message)]


def _msm_table(arcs: _Arcs, rows: Ints, names: list[str], stamp: _Stamp) -> MsmTable:
    table, system = arcs.table, arcs.table.system
    signals = {name: signal for signal, name in SIGNALS[system].items()}
    parts = [_cells(arcs, rows, name, signals[name]) for name in names]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    satellite = table.prn[joined["row"]]
    channel = np.array([stamp.channels.get(prn, 0) + 7 for prn in satellite.tolist()], np.int64)
    zeros = np.zeros(len(satellite), np.int64)
    return MsmTable(
        message=zeros,
        satellite=satellite - _PRN_SHIFT.get(system, 0),
        signal=joined["signal"],
        range_m=joined["C"],
        phase_m=joined["L"],
        rate_mps=joined["D"],
        lock=joined["lock"],
        half=joined["half"],
        strength_dbhz=np.clip(np.nan_to_num(joined["S"]), 0, 63.9),
        extended=channel if system == "R" else zeros - 1,
        number=np.array([_NUMBER_OF[system]]),
        station=np.array([stamp.station]),
        time=np.array([stamp.time(system)]),
        more=np.array([False]),
    )


def _cells(arcs: _Arcs, rows: Ints, name: str, signal: int) -> dict[str, Any]:
    """Columns of one signal's cells: those rows that have its range or phase."""
    table = arcs.table
    places = {k: table.codes.index(k + name) for k in "CLDS" if k + name in table.codes}
    found = {k: table.values[rows, places[k]] for k in places}
    nothing = np.full(len(rows), np.nan)
    here = np.isfinite(found["C"]) | np.isfinite(found.get("L", nothing))
    kept = rows[here]
    out: dict[str, Any] = {k: found.get(k, nothing)[here] for k in "CLDS"}
    out |= {"row": kept, "signal": np.full(len(kept), signal)}
    out |= {"lock": np.zeros(len(kept), np.int64), "half": np.zeros(len(kept), bool)}
    if "L" in places:
        at = (kept, np.full(len(kept), places["L"]))
        out["L"] = (out["L"] + arcs.shift[at]) * arcs.wave_m[at]
        out["lock"] = lock_indicator(arcs.lock_ms[at])
        out["half"] = table.lost_lock[at] & _HALF > 0
    if "D" in places:
        out["D"] = -out["D"] * arcs.wave_m[kept, places["D"]]
    return out
