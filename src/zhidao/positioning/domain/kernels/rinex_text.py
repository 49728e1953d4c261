"""Lines and fixed columns of RINEX text, byte by byte. Twins: `wire.fixed`, `wire.rinex_obs`."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints

_FEED: Final = 10
_BLANK: Final = 32
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48
_NOT_A_NUMBER: Final = np.nan


@kernel
def line_feeds(text: Bytes) -> Ints:
    """Places of all line feeds."""
    count = 0
    for at in range(len(text)):
        count += text[at] == _FEED
    out = np.empty(count, np.int64)
    count = 0
    for at in range(len(text)):
        if text[at] == _FEED:
            out[count] = at
            count += 1
    return out


@kernel
def first_twice(epoch: Ints, letter: Bytes, prn: Ints) -> int:
    """First row whose satellite stands twice in its epoch, or -1. prn: 1 to 99, epochs rising."""
    seen = np.full((256, 100), -1, np.int64)
    for row in range(len(epoch)):
        if seen[letter[row], prn[row]] == epoch[row]:
            return row
        seen[letter[row], prn[row]] = epoch[row]
    return -1


@kernel
def _number(text: Bytes, start: int, stop: int) -> tuple[int, int, bool]:
    """An F14.3 field as thousandths: value, kind (0 blank, 1 number, 2 bad), and the sign."""
    end = start + 14
    point = start + 10
    if stop < end or text[point] != _POINT:
        for at in range(start, min(end, stop)):
            if text[at] != _BLANK:
                return 0, 2, False
        return 0, 0, False
    # One check of all digits at the end: the greatest of them, as bytes that wrap below zero.
    first, second, third = text[point + 1], text[point + 2], text[point + 3]
    worst = max((first - _ZERO) & 255, (second - _ZERO) & 255, (third - _ZERO) & 255)
    value = (first - _ZERO) * 100 + (second - _ZERO) * 10 + (third - _ZERO)
    at = point - 1
    scale = 1000
    while at >= start and text[at] != _BLANK and text[at] != _MINUS:
        digit = (text[at] - _ZERO) & 255
        worst = max(worst, digit)
        value += digit * scale
        scale *= 10
        at -= 1
    negative = at >= start and text[at] == _MINUS
    if negative:
        at -= 1
    while at >= start:
        if text[at] != _BLANK:
            return 0, 2, False
        at -= 1
    if worst > 9:
        return 0, 2, False
    return value, 1, negative


@kernel
def _mark(text: Bytes, at: int, stop: int) -> int:
    """The digit of a loss-of-lock or strength column; blank is 0."""
    if at >= stop or text[at] == _BLANK:
        return 0
    return int(text[at]) - _ZERO


@kernel
def read_fields(
    text: Bytes,
    starts: Ints,
    stops: Ints,
    empty_zero: Bools,
    values: Floats,
    lost_lock: Bytes,
    strength: Bytes,
) -> int:
    """Fills values and marks (n, k) of satellite lines; the first bad row, or -1.

    starts, stops (n,): the lines. empty_zero (k,): columns where 0.000 means nothing.
    A row of bad length is returned as -2 - row.
    """
    columns = values.shape[1]
    for row in range(len(starts)):
        stop = stops[row]
        for place in range(starts[row] + 3 + 16 * columns, stop):
            if text[place] != _BLANK:
                return -2 - row
        for column in range(columns):
            at = starts[row] + 3 + 16 * column
            if at >= stop:
                values[row, column:] = _NOT_A_NUMBER
                lost_lock[row, column:] = 0
                strength[row, column:] = 0
                break
            number, kind, negative = _number(text, at, stop)
            lost = _mark(text, at + 14, stop)
            strong = _mark(text, at + 15, stop)
            if kind == 2 or lost < 0 or lost > 7 or strong < 0 or strong > 9:
                return row
            if kind == 0 or (number == 0 and empty_zero[column]):
                values[row, column] = _NOT_A_NUMBER
            elif negative:
                values[row, column] = -(number / 1000.0)
            else:
                values[row, column] = number / 1000.0
            lost_lock[row, column] = lost
            strength[row, column] = strong
    return -1
