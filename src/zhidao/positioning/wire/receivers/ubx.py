"""u-blox UBX: frames, raw measurements (RXM-RAWX) and broadcast subframes (RXM-SFRBX).

Source: u-blox F9 HPG 1.32 interface description, UBX-22008968 (not at hand).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)

SYNC: Final = b"\xb5\x62"
RAWX: Final = (0x02, 0x15)
SFRBX: Final = (0x02, 0x13)
# No message of a receiver is longer; a longer claim is damage.
_PAYLOAD_BYTES_MAX: Final = 16_384
_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
# From week 15,250 on, in the year 2272, the nanoseconds do not fit in 64 bits.
_WEEKS_MAX: Final = 15_000
_SYSTEMS: Final = {0: "G", 1: "S", 2: "E", 3: "C", 5: "J", 6: "R", 7: "I"}
_IDS: Final = {system: number for number, system in _SYSTEMS.items()}
# RINEX band and attribute by system and signal number.
_SIGNALS: Final = {
    "G": {0: "1C", 3: "2L", 4: "2S", 6: "5I", 7: "5Q"},
    "S": {0: "1C"},
    "E": {0: "1C", 1: "1B", 3: "5I", 4: "5Q", 5: "7I", 6: "7Q"},
    "C": {
        0: "2I",
        1: "2I",
        2: "7I",
        3: "7I",
        4: "6I",
        10: "6I",
        5: "1P",
        6: "1D",
        7: "5P",
        8: "5D",
    },
    "J": {0: "1C", 1: "1Z", 4: "2S", 5: "2L", 8: "5I", 9: "5Q"},
    "R": {0: "1C", 2: "2C"},
    "I": {0: "5A"},
}
_PRN_SHIFT: Final = {"S": -100}
# The number that stands for GLONASS channel 0.
_CHANNEL_ZERO: Final = 7
_RAW: Final = np.dtype(
    [
        ("range_m", "<f8"),
        ("phase", "<f8"),
        ("doppler_hz", "<f4"),
        ("gnss", "u1"),
        ("satellite", "u1"),
        ("signal", "u1"),
        ("channel", "u1"),
        ("lock_ms", "<u2"),
        ("strength_dbhz", "u1"),
        ("range_deviation", "u1"),
        ("phase_deviation", "u1"),
        ("doppler_deviation", "u1"),
        ("tracking", "u1"),
        ("reserved", "u1"),
    ]
)
_RANGE_VALID, _PHASE_VALID, _HALF_RESOLVED = 1, 2, 4
_LOCK_MS_TOP: Final = 64_500


@dataclass(frozen=True, slots=True)
class UbxMessage:
    """One message: class and number, and its payload."""

    kind: tuple[int, int]
    payload: bytes

    def encode(self) -> bytes:
        """The message in its frame."""
        body = bytes(self.kind) + struct.pack("<H", len(self.payload)) + self.payload
        return SYNC + body + _checksum(body)


def _checksum(body: bytes) -> bytes:
    """Fletcher's two sums: of the bytes, and of the first sum after each byte."""
    return bytes((sum(body) & 0xFF, sum(accumulate(body)) & 0xFF))


@dataclass(slots=True)
class UbxReader:
    """Takes a byte stream in pieces and gives its whole messages; damage costs only itself.

    `skipped` counts bytes of no message.
    """

    skipped: int = 0
    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[UbxMessage]:
        """The messages that are complete now."""
        stream, at = self._rest + data, 0
        while True:
            found = stream.find(SYNC, at)
            if found < 0:
                # A first byte of a later pair may stand at the end.
                keep = len(stream) - 1 if stream[at:].endswith(SYNC[:1]) else len(stream)
                self.skipped += keep - at
                self._rest = stream[keep:]
                return
            self.skipped += found - at
            at = found
            if len(stream) < at + 6:
                break
            length = stream[at + 4] | stream[at + 5] << 8
            end = at + 8 + length
            if length <= _PAYLOAD_BYTES_MAX:
                if len(stream) < end:
                    break
                if _checksum(stream[at + 2 : end - 2]) == stream[end - 2 : end]:
                    kind = (stream[at + 2], stream[at + 3])
                    yield UbxMessage(kind, stream[at + 6 : end - 2])
                    at = end
                    continue
            self.skipped += 1
            at += 1
        self._rest = stream[at:]

    def close(self) -> Iterator[UbxMessage]:
        """The stream has ended: messages that stood behind a false, unfinished one."""
        while self._rest:
            rest, self._rest = self._rest[1:], b""
            self.skipped += 1
            yield from self.feed(rest)


def ubx_messages(data: bytes) -> list[UbxMessage]:
    """All good messages of a recording."""
    reader = UbxReader()
    return [*reader.feed(data), *reader.close()]


@dataclass(frozen=True, slots=True)
class Subframe:
    """Words of a broadcast message as the receiver gives them; `channel` is GLONASS's, -7 to 6."""

    system: str
    prn: int
    signal: int
    words: tuple[int, ...]
    channel: int = 0

    def encode(self) -> UbxMessage:
        """RXM-SFRBX, version 2."""
        slot = self.channel + _CHANNEL_ZERO if self.system == "R" else 0
        head = bytes((_IDS[self.system], self.prn, self.signal, slot, len(self.words), 0, 2, 0))
        return UbxMessage(SFRBX, head + struct.pack(f"<{len(self.words)}I", *self.words))

    @classmethod
    def decode(cls, message: UbxMessage) -> Subframe:
        """Raises MalformedInput for another or a cut message."""
        data = message.payload
        if message.kind != SFRBX or len(data) < 8 or len(data) != 8 + 4 * data[4]:
            raise MalformedInput("this is no whole UBX-RXM-SFRBX")
        system = _SYSTEMS.get(data[0])
        if system is None:
            raise MalformedInput(f"UBX: no satellite system {data[0]}")
        words = struct.unpack(f"<{data[4]}I", data[8:])
        channel = data[3] - _CHANNEL_ZERO if system == "R" else 0
        return cls(system, data[1] + _PRN_SHIFT.get(system, 0), data[2], words, channel)


def read_raw(messages: Iterable[UbxMessage]) -> Observations:
    """All RXM-RAWX as an observation table; epochs that do not rise are passed over.

    Raises MalformedInput for a message whose length is wrong.
    """
    times: list[int] = []
    parts: list[NDArray[Any]] = []
    for message in messages:
        if message.kind != RAWX:
            continue
        at_ns, rows = _raw(message.payload)
        if not times or at_ns > times[-1]:
            times.append(at_ns)
            parts.append(rows)
    epoch = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    rows = np.concatenate(parts) if parts else np.zeros(0, _RAW)
    systems = {}
    for number, system in sorted(_SYSTEMS.items(), key=lambda item: item[1]):
        use = (rows["gnss"] == number) & np.isin(rows["signal"], list(_SIGNALS[system]))
        if use.any():
            systems[system] = _system(system, epoch[use], rows[use])
    gpst_ns = np.array(times, np.int64)
    header = ObservationHeader(marker="UBX", receiver="u-blox")
    return Observations(header, gpst_ns, np.zeros(len(gpst_ns), bool), systems)


def _raw(data: bytes) -> tuple[int, NDArray[Any]]:
    if len(data) < 16 or len(data) != 16 + _RAW.itemsize * data[11]:
        raise MalformedInput(f"UBX-RXM-RAWX of {len(data)} bytes")
    return raw_time_ns(data), np.frombuffer(data, _RAW, offset=16)


def raw_time_ns(data: bytes) -> int:
    """GPST of the payload of an RXM-RAWX. Raises MalformedInput for a cut one or no such time."""
    if len(data) < 16:
        raise MalformedInput(f"UBX-RXM-RAWX of {len(data)} bytes")
    second: float
    week: int
    second, week = struct.unpack_from("<dH", data)
    if not 0 <= second < _WEEK_S or week > _WEEKS_MAX:
        raise MalformedInput(
            f"UBX-RXM-RAWX: second {second} of week {week} is no time; weeks go to {_WEEKS_MAX}"
        )
    return week * _WEEK_S * _NS + round(second * _NS)


def _system(system: str, epoch: Ints, rows: NDArray[Any]) -> SystemObservations:
    prn = rows["satellite"].astype(np.int64) + _PRN_SHIFT.get(system, 0)
    names = np.array([_SIGNALS[system][s] for s in rows["signal"].tolist()])
    kinds = np.unique(names)
    identity, place = np.unique(epoch * 256 + prn, return_inverse=True)
    codes = tuple(kind + name for name in kinds.tolist() for kind in "CLDS")
    column = 4 * np.searchsorted(kinds, names)
    values = np.full((len(identity), len(codes)), np.nan)
    marks = np.zeros(values.shape, np.uint8)
    tracking = rows["tracking"]
    values[place, column] = _where(tracking & _RANGE_VALID > 0, rows["range_m"])
    values[place, column + 1] = _where(tracking & _PHASE_VALID > 0, rows["phase"])
    values[place, column + 2] = rows["doppler_hz"]
    values[place, column + 3] = _where(rows["strength_dbhz"] > 0, rows["strength_dbhz"])
    half = (tracking & _PHASE_VALID > 0) & (tracking & _HALF_RESOLVED == 0)
    marks[place, column + 1] = _lock_lost(identity[place], names, rows["lock_ms"]) + 2 * half
    none = np.zeros(values.shape, np.uint8)
    return SystemObservations(system, codes, identity // 256, identity % 256, values, marks, none)


def _where(good: Bools, values: NDArray[Any]) -> Floats:
    out = np.where(good, values, np.nan).astype(np.float64)
    return np.where(np.isfinite(out), out, np.nan)


def _lock_lost(identity: Ints, names: NDArray[Any], lock_ms: NDArray[Any]) -> Ints:
    """1 where the time of lock is shorter than at the satellite's last epoch of that signal."""
    _, kind = np.unique(names, return_inverse=True)
    key = identity % 256 * 64 + kind
    order = np.lexsort((identity, key))
    lost = np.zeros(len(identity), np.int64)
    lock = lock_ms[order].astype(np.int64)
    same = key[order][1:] == key[order][:-1]
    lost[order[1:]] = same & (lock[1:] < np.minimum(lock[:-1], _LOCK_MS_TOP))
    return lost


def write_raw(seen: Observations) -> list[UbxMessage]:
    """RXM-RAWX of each epoch; signals without a number of u-blox's are left out."""
    return [_written(seen, epoch) for epoch in range(len(seen.gpst_ns))]


def _written(seen: Observations, epoch: int) -> UbxMessage:
    cells = []
    for system, table in sorted(seen.systems.items()):
        # The first number that means a signal is written: BDS has one each for D1 and D2.
        number = {name: s for s, name in reversed(_SIGNALS.get(system, {}).items())}
        names = sorted({c[1:] for c in table.codes if c[0] == "C" and c[1:] in number})
        rows = np.flatnonzero(table.epoch == epoch)
        cells += [_cells(table, rows, name, number[name]) for name in names]
    rows = np.concatenate(cells)[:255] if cells else np.zeros(0, _RAW)
    week, second_ns = divmod(int(seen.gpst_ns[epoch]), _WEEK_S * _NS)
    head = struct.pack("<dHbBBB2x", second_ns / _NS, week, 18, len(rows), 1, 1)
    return UbxMessage(RAWX, head + rows.tobytes())


def _cells(table: SystemObservations, rows: Ints, name: str, signal: int) -> NDArray[Any]:
    nothing = np.full(len(rows), np.nan)
    columns = {}
    for kind in "CLDS":
        column = table.column(kind + name)
        columns[kind] = nothing if column is None else column[rows]
    out = np.zeros(len(rows), _RAW)
    out["range_m"], out["phase"] = np.nan_to_num(columns["C"]), np.nan_to_num(columns["L"])
    out["doppler_hz"] = np.nan_to_num(columns["D"])
    out["strength_dbhz"] = np.clip(np.rint(np.nan_to_num(columns["S"])), 0, 255)
    out["gnss"], out["signal"] = _IDS[table.system], signal
    out["satellite"] = table.prn[rows] - _PRN_SHIFT.get(table.system, 0)
    out["lock_ms"] = _LOCK_MS_TOP
    out["tracking"] = np.isfinite(columns["C"]) * _RANGE_VALID + np.isfinite(columns["L"]) * (
        _PHASE_VALID + _HALF_RESOLVED
    )
    return out[np.isfinite(columns["C"]) | np.isfinite(columns["L"])]
