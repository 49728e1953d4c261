"""Multiple signal messages MSM4 to MSM7 of all systems, as columns: one row a satellite signal.

Source: RTCM 10403.3 section 3.5.12 to 3.5.16 and tables 3.5-78 and following (not at hand; checked
against an independent decoder on recorded streams).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.wire.bits import Layout
from zhidao.positioning.wire.rtcm.frame import CRC_TABLE, message_number, payloads

METRES_A_MS: Final = SPEED_OF_LIGHT_MPS / 1000
_HEADER: Final = Layout.of(
    "number:12 station:12 time:30 more:1 issue:3 reserved:7 steering:2 external:2 smooth:1 "
    "interval:3 satellites:64 signals:32"
)
# Message numbers: 1070 + 10 a system, plus the kind.
SYSTEM_OF: Final = {107: "G", 108: "R", 109: "E", 110: "S", 111: "J", 112: "C", 113: "I"}
# By kind: bits of a satellite's data, and of a cell's range, phase, lock, strength and rate.
_WIDTHS: Final = np.array(
    (
        (18, 15, 22, 4, 6, 0),
        (36, 15, 22, 4, 6, 15),
        (18, 20, 24, 10, 10, 0),
        (36, 20, 24, 10, 10, 15),
    )
)
_LOADING_PAYS: Final = 2_000
_CELLS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class MsmTable:
    """Cells of many messages; every column has shape (n,) but those named (m,), one a message.

    satellite: 1 to 64 and signal: 1 to 32 as in the masks. range_m, phase_m, rate_mps: NaN where
    not valid. lock: the raw indicator. strength_dbhz: 0 where unknown. extended: GLONASS channel
    plus 7, -1 where the message has none.
    (m,): number, station, time (raw epoch), more (further messages of the epoch follow).
    """

    message: Ints
    satellite: Ints
    signal: Ints
    range_m: Floats
    phase_m: Floats
    rate_mps: Floats
    lock: Ints
    half: Bools
    strength_dbhz: Floats
    extended: Ints
    number: Ints
    station: Ints
    time: Ints
    more: Bools


def is_msm(number: int) -> bool:
    """Whether a message number is an MSM4 to MSM7."""
    return number // 10 in SYSTEM_OF and 4 <= number % 10 <= 7


def read_msm(data: bytes) -> MsmTable:
    """All MSM4 to MSM7 of a recording; damaged frames and messages are passed over."""
    if not ready(pays=len(data) > 250 * _LOADING_PAYS):
        return decode_msm(payloads(data))
    from zhidao.positioning.domain.kernels.rtcm import frames

    stream = np.frombuffer(data, np.uint8)
    starts, lengths = frames(stream, np.array(CRC_TABLE))
    long = lengths >= 2
    starts, lengths = starts[long], lengths[long]
    number = (stream[starts].astype(np.int64) << 4) | (stream[starts + 1] >> 4)
    kind = number % 10
    wanted = np.isin(number // 10, list(SYSTEM_OF)) & (kind >= 4) & (kind <= 7)
    return _compiled(stream, starts[wanted], lengths[wanted], kind[wanted])


def decode_msm(messages: Sequence[bytes]) -> MsmTable:
    """The MSM4 to MSM7 among payloads; damaged ones are passed over."""
    chosen = [payload for payload in messages if is_msm(message_number(payload))]
    if ready(pays=len(chosen) > _LOADING_PAYS):
        lengths = np.array([len(payload) for payload in chosen], np.int64)
        starts = np.cumsum(lengths) - lengths
        kinds = np.array([message_number(payload) % 10 for payload in chosen], np.int64)
        return _compiled(np.frombuffer(b"".join(chosen), np.uint8), starts, lengths, kinds)
    return plain_msm(chosen)


def _compiled(stream: Bytes, starts: Ints, lengths: Ints, kinds: Ints) -> MsmTable:
    from zhidao.positioning.domain.kernels.rtcm import count_cells, decode_cells

    count = count_cells(stream, starts, lengths)
    first = np.concatenate(([0], np.cumsum(np.maximum(count, 0))))
    whole = np.zeros((first[-1], 7), np.int64)
    real = np.empty((first[-1], 3))
    good = decode_cells(stream, starts, lengths, first, kinds, _WIDTHS, whole, real) > 0
    kept = np.repeat(good, np.maximum(count, 0))
    heads = [_HEADER.read(stream[start : start + 22].tobytes()) for start in starts[good].tolist()]
    whole, real = whole[kept], real[kept]
    # Messages are counted again without the damaged ones.
    whole[:, 0] = (np.cumsum(good) - 1)[whole[:, 0]]
    return _table(whole, real, kinds[good], heads)


def _table(whole: Ints, real: Floats, kinds: Ints, heads: list[dict[str, int]]) -> MsmTable:
    fine = kinds[whole[:, 0]] >= 6 if len(kinds) else np.zeros(len(whole), bool)
    return MsmTable(
        message=whole[:, 0],
        satellite=whole[:, 1],
        signal=whole[:, 2],
        range_m=real[:, 0] * METRES_A_MS,
        phase_m=real[:, 1] * METRES_A_MS,
        rate_mps=real[:, 2],
        lock=whole[:, 3],
        half=whole[:, 4] == 1,
        strength_dbhz=whole[:, 6].astype(np.float64) * np.where(fine, 1 / 16, 1.0),
        extended=whole[:, 5],
        number=np.array([head["number"] for head in heads], np.int64),
        station=np.array([head["station"] for head in heads], np.int64),
        time=np.array([head["time"] for head in heads], np.int64),
        more=np.array([head["more"] for head in heads], bool),
    )


def plain_msm(chosen: Sequence[bytes]) -> MsmTable:
    """The numpy twin of `kernels.rtcm`."""
    wholes, reals = [np.zeros((0, 7), np.int64)], [np.zeros((0, 3))]
    kinds: list[int] = []
    heads: list[dict[str, int]] = []
    for payload in chosen:
        try:
            head = _HEADER.read(payload)
            whole, real = _one(payload, head)
        except MalformedInput:
            continue
        whole[:, 0] = len(heads)
        wholes.append(whole)
        reals.append(real)
        heads.append(head)
        kinds.append(head["number"] % 10)
    return _table(np.concatenate(wholes), np.concatenate(reals), np.array(kinds, np.int64), heads)


def _one(payload: bytes, head: dict[str, int]) -> tuple[Ints, Floats]:
    bits = np.unpackbits(np.frombuffer(payload, np.uint8))
    satellites = _places(head["satellites"], 64)
    signals = _places(head["signals"], 32)
    at = _HEADER.width
    many = len(satellites) * len(signals)
    if many > _CELLS_MAX or at + many > len(bits):
        raise MalformedInput(f"MSM: its masks are of more than {_CELLS_MAX} cells, or cut")
    cells = np.flatnonzero(bits[at : at + many])
    sat, signal = np.divmod(cells, max(len(signals), 1))
    form = _WIDTHS[head["number"] % 10 - 4]
    cursor = _Cursor(bits, at + many, len(satellites), len(cells))
    number = cursor.satellites(8)
    extended = cursor.satellites(4) if form[5] else np.full(len(satellites), -1)
    rough_ms = number + cursor.satellites(10) / 1024
    rate = _signed(cursor.satellites(14), 14) if form[5] else np.full(len(satellites), -8192)
    fine = _signed(cursor.cells(form[1]), form[1])
    phase = _signed(cursor.cells(form[2]), form[2])
    lock, half, strength = cursor.cells(form[3]), cursor.cells(1), cursor.cells(form[4])
    small = _signed(cursor.cells(15), 15) if form[5] else np.full(len(cells), -16384)
    known = number[sat] != 255
    range_ms = rough_ms[sat] + fine * (2.0**-24 if form[1] == 15 else 2.0**-29)
    phase_ms = rough_ms[sat] + phase * (2.0**-29 if form[2] == 22 else 2.0**-31)
    real = np.stack(
        (
            np.where(known & (fine != -(1 << (form[1] - 1))), range_ms, np.nan),
            np.where(known & (phase != -(1 << (form[2] - 1))), phase_ms, np.nan),
            np.where((rate[sat] != -8192) & (small != -16384), rate[sat] + small * 1e-4, np.nan),
        ),
        1,
    )
    none = np.zeros(len(cells), np.int64)
    columns = (none, satellites[sat], signals[signal], lock, half, extended[sat], strength)
    return np.stack(columns, 1).astype(np.int64), real


def _places(mask: int, width: int) -> Ints:
    text = np.array(list(f"{mask:0{width}b}"))
    return np.flatnonzero(text == "1").astype(np.int64) + 1


def _signed(values: Ints, width: int) -> Ints:
    return np.where(values >= 1 << (width - 1), values - (1 << width), values)


class _Cursor:
    """Walks over blocks of equal fields in a row of bits."""

    def __init__(self, bits: Bytes, at: int, satellites: int, cells: int) -> None:
        self._bits, self._at, self._satellites, self._cells = bits, at, satellites, cells

    def satellites(self, width: int) -> Ints:
        """One number a satellite."""
        return self._block(self._satellites, width)

    def cells(self, width: int) -> Ints:
        """One number a cell."""
        return self._block(self._cells, width)

    def _block(self, count: int, width: int) -> Ints:
        stop = self._at + count * width
        if stop > len(self._bits):
            raise MalformedInput("MSM: the message is cut")
        block = self._bits[self._at : stop].reshape(count, width).astype(np.int64)
        self._at = stop
        return block @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))


def encode_msm(table: MsmTable, message: int) -> bytes:
    """The payload of one message of a table, of its number's kind.

    Raises MalformedInput where cells are more than 64 or a value does not fit.
    """
    number = int(table.number[message])
    form = _WIDTHS[number % 10 - 4]
    rows = np.flatnonzero(table.message == message)
    rows = rows[np.lexsort((table.signal[rows], table.satellite[rows]))]
    satellites, sat = np.unique(table.satellite[rows], return_inverse=True)
    signals, signal = np.unique(table.signal[rows], return_inverse=True)
    if len(satellites) * len(signals) > _CELLS_MAX:
        raise MalformedInput(f"more than {_CELLS_MAX} cells: split the epoch over several messages")
    mask = np.zeros(len(satellites) * len(signals), np.int64)
    mask[sat * len(signals) + signal] = 1
    head = _HEADER.write(
        {
            "number": number,
            "station": int(table.station[message]),
            "time": int(table.time[message]),
            "more": int(table.more[message]),
            "satellites": sum(1 << (64 - n) for n in satellites.tolist()),
            "signals": sum(1 << (32 - n) for n in signals.tolist()),
        }
    )
    out = [np.unpackbits(np.frombuffer(head, np.uint8))[: _HEADER.width], mask.astype(np.uint8)]
    out += _satellite_bits(table, rows, sat, len(satellites), extended=form[5] > 0)
    out += _cell_bits(table, rows, sat, form, fine=number % 10 >= 6)
    return np.packbits(np.concatenate(out)).tobytes()


def _first_of(values: Floats, sat: Ints, count: int) -> Floats:
    """The first valid value of each satellite, NaN where there is none."""
    out = np.full(count, np.nan)
    valid = np.flatnonzero(np.isfinite(values))[::-1]
    out[sat[valid]] = values[valid]
    return out


def _rough_ms(table: MsmTable, rows: Ints, sat: Ints, count: int) -> Floats:
    """The common part of a satellite's ranges, in 1/1024 ms; NaN where nothing is valid."""
    range_ms = table.range_m[rows] / METRES_A_MS
    phase_ms = table.phase_m[rows] / METRES_A_MS
    first = _first_of(np.where(np.isfinite(range_ms), range_ms, phase_ms), sat, count)
    return np.rint(first * 1024) / 1024


def _satellite_bits(
    table: MsmTable, rows: Ints, sat: Ints, count: int, *, extended: bool
) -> list[Bytes]:
    rough = np.rint(_rough_ms(table, rows, sat, count) * 1024)
    known = np.isfinite(rough)
    whole = np.where(known, np.floor(np.nan_to_num(rough) / 1024), 255).astype(np.int64)
    if (known & ((whole < 0) | (whole > 254))).any():
        raise MalformedInput("MSM: a range of more than 254 ms does not fit")
    mod = np.where(known, np.nan_to_num(rough) % 1024, 0).astype(np.int64)
    if not extended:
        return [_as_bits(whole, 8), _as_bits(mod, 10)]
    information = np.zeros(count, np.int64)
    information[sat] = np.maximum(table.extended[rows], 0)
    rate = _first_of(table.rate_mps[rows], sat, count)
    rough_rate = np.where(np.isfinite(rate), np.rint(np.nan_to_num(rate)), -8192)
    return [
        _as_bits(whole, 8),
        _as_bits(information, 4),
        _as_bits(mod, 10),
        _as_bits(rough_rate.astype(np.int64), 14),
    ]


def _cell_bits(table: MsmTable, rows: Ints, sat: Ints, form: Ints, *, fine: bool) -> list[Bytes]:
    count = int(sat.max(initial=-1)) + 1
    rough = _rough_ms(table, rows, sat, count)[sat]
    steps = (2.0**29, 2.0**31) if fine else (2.0**24, 2.0**29)
    out = []
    for column, width, step in (
        (table.range_m, int(form[1]), steps[0]),
        (table.phase_m, int(form[2]), steps[1]),
    ):
        part = np.rint((column[rows] / METRES_A_MS - rough) * step)
        out.append(_as_bits(_or_invalid(part, width), width))
    out += [_as_bits(table.lock[rows], int(form[3])), _as_bits(table.half[rows].astype(int), 1)]
    strength = np.rint(table.strength_dbhz[rows] * (16 if fine else 1)).astype(np.int64)
    out.append(_as_bits(strength, int(form[4])))
    if form[5]:
        rate = table.rate_mps[rows]
        small = np.rint((rate - np.rint(_first_of(rate, sat, count))[sat]) * 1e4)
        out.append(_as_bits(_or_invalid(small, 15), 15))
    return out


def _or_invalid(part: Floats, width: int) -> Ints:
    """Numbers that fit, else the mark for "not valid": a phase far from its range, or NaN."""
    fits = np.abs(np.nan_to_num(part, nan=np.inf)) < 1 << (width - 1)
    return np.where(fits, np.nan_to_num(part), -(1 << (width - 1))).astype(np.int64)


def _as_bits(values: Ints, width: int) -> Bytes:
    raw = np.asarray(values, np.int64) & ((1 << width) - 1)
    bits = (raw[:, None] >> np.arange(width - 1, -1, -1)) & 1
    return bits.astype(np.uint8).reshape(-1)
