"""RTCM 3 frames and multiple signal messages, byte by byte. Twins: `wire.rtcm.frame`, `.msm`."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Bytes, Floats, Ints

_PREAMBLE: Final = 0xD3
_HEADER_BITS: Final = 169
_NOT_A_NUMBER: Final = np.nan


@kernel
def frames(stream: Bytes, crc_table: Ints) -> tuple[Ints, Ints]:
    """Starts and lengths of the payloads of all good frames."""
    most = len(stream) // 6 + 1
    starts, lengths = np.empty(most, np.int64), np.empty(most, np.int64)
    count, at = 0, 0
    while at + 6 <= len(stream):
        if stream[at] != _PREAMBLE or stream[at + 1] > 3:
            at += 1
            continue
        length = (int(stream[at + 1]) << 8) | int(stream[at + 2])
        end = at + length + 6
        if end > len(stream):
            at += 1
            continue
        crc = 0
        for place in range(at, end):
            crc = ((crc << 8) & 0xFFFFFF) ^ crc_table[(crc >> 16) ^ stream[place]]
        # The CRC over a message with its own CRC behind it is zero.
        if crc != 0:
            at += 1
            continue
        starts[count], lengths[count] = at + 3, length
        count += 1
        at = end
    return starts[:count], lengths[:count]


@kernel
def _bits(data: Bytes, start: int, width: int) -> int:
    """An unsigned number of at most 32 bits."""
    value = 0
    first, last = start // 8, (start + width - 1) // 8
    for at in range(first, last + 1):
        value = (value << 8) | int(data[at])
    value >>= 8 * (last + 1) - start - width
    return value & ((1 << width) - 1)


@kernel
def _signed(data: Bytes, start: int, width: int) -> int:
    value = _bits(data, start, width)
    return value - (1 << width) if value >> (width - 1) else value


@kernel
def _ones(data: Bytes, start: int, width: int, places: Ints) -> int:
    """Writes the places (from 1) of the ones among some bits; how many there are."""
    count = 0
    for place in range(width):
        at = start + place
        if (data[at // 8] >> (7 - at % 8)) & 1:
            places[count] = place + 1
            count += 1
    return count


@kernel
def _cells(data: Bytes, satellites: Ints, signals: Ints, cells: Ints) -> tuple[int, int, int]:
    """Masks of a message: numbers of satellites, signals and cells; (-1, 0, 0) where damaged."""
    if 8 * len(data) < _HEADER_BITS:
        return -1, 0, 0
    found = _ones(data, 73, 64, satellites)
    kinds = _ones(data, 137, 32, signals)
    if found * kinds > 64 or 8 * len(data) < _HEADER_BITS + found * kinds:
        return -1, 0, 0
    return found, kinds, _ones(data, _HEADER_BITS, found * kinds, cells)


@kernel
def count_cells(stream: Bytes, starts: Ints, lengths: Ints) -> Ints:
    """Cells of each message, -1 where its masks are damaged."""
    places = np.empty((3, 64), np.int64)
    out = np.empty(len(starts), np.int64)
    for index in range(len(starts)):
        data = stream[starts[index] : starts[index] + lengths[index]]
        found, _, count = _cells(data, places[0], places[1], places[2])
        out[index] = count if found >= 0 else -1
    return out


@kernel
def decode_cells(
    stream: Bytes,
    starts: Ints,
    lengths: Ints,
    first: Ints,
    kinds: Ints,
    widths: Ints,
    whole: Ints,
    real: Floats,
) -> Ints:
    """Fills one row a cell; whether each message was whole.

    first (m + 1,): first row of each message. kinds (m,): MSM 4 to 7. widths (4, 6): by kind the
    bits of satellite data, range, phase, lock, strength and rate. whole (n, 7): message, satellite,
    signal, lock, half cycle, extended information, strength. real (n, 3): range and phase in
    milliseconds, rate in m/s; NaN where not valid.
    """
    places = np.empty((3, 64), np.int64)
    good = np.zeros(len(starts), np.int64)
    for index in range(len(starts)):
        data = stream[starts[index] : starts[index] + lengths[index]]
        found, signals, cells = _cells(data, places[0], places[1], places[2])
        if found < 0:
            continue
        form = widths[kinds[index] - 4]
        rough_at = _HEADER_BITS + found * signals
        fine_at = rough_at + form[0] * found
        a = fine_at + form[1] * cells
        b = a + form[2] * cells
        c = b + form[3] * cells
        d = c + cells
        e = d + form[4] * cells
        if e + form[5] * cells > 8 * len(data):
            continue
        good[index] = 1
        extended = form[5] > 0
        mod_at = rough_at + (12 if extended else 8) * found
        for cell in range(cells):
            row = first[index] + cell
            place = places[2, cell] - 1
            sat, signal = place // signals, place % signals
            number = _bits(data, rough_at + 8 * sat, 8)
            rough = number + _bits(data, mod_at + 10 * sat, 10) / 1024.0
            fine = _signed(data, fine_at + form[1] * cell, form[1])
            phase = _signed(data, a + form[2] * cell, form[2])
            whole[row, 0] = index
            whole[row, 1], whole[row, 2] = places[0, sat], places[1, signal]
            whole[row, 3] = _bits(data, b + form[3] * cell, form[3])
            whole[row, 4] = _bits(data, c + cell, 1)
            whole[row, 5] = _bits(data, rough_at + 8 * found + 4 * sat, 4) if extended else -1
            whole[row, 6] = _bits(data, d + form[4] * cell, form[4])
            real[row, :] = _NOT_A_NUMBER
            if number != 255 and fine != -(1 << (form[1] - 1)):
                real[row, 0] = rough + fine * (2.0**-24 if form[1] == 15 else 2.0**-29)
            if number != 255 and phase != -(1 << (form[2] - 1)):
                real[row, 1] = rough + phase * (2.0**-29 if form[2] == 22 else 2.0**-31)
            if extended:
                rate = _signed(data, mod_at + 10 * found + 14 * sat, 14)
                small = _signed(data, e + 15 * cell, 15)
                if rate != -8192 and small != -16384:
                    real[row, 2] = rate + small * 1e-4
    return good
