"""Compact RINEX 3 straight to numbers. Twin: expansion by `hatanaka`, then `wire.rinex_obs`.

Form: Hatanaka, "A compression format and tools for GNSS observation data", Bulletin of the GSI 55,
2008 (not at hand; checked against the RNXCMP programs on real files). Only files of observations
are decoded here; for events, and for anything that looks damaged, the caller takes the twin.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.compiling import kernel
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints

_BLANK: Final = 32
_AND: Final = 38
_MINUS: Final = 45
_ZERO: Final = 48
_GREATER: Final = 62
_HEAD: Final = 35
_SATELLITES_AT: Final = 41
_LINE: Final = 4096
_ORDER_MAX: Final = 5
# The most that a field of ten digits before the point holds, in thousandths.
_VALUE_MAX: Final = 10**13 - 1
_NOT_A_NUMBER: Final = np.nan


@kernel
def _apply(line: Bytes, text: Bytes, start: int, stop: int) -> None:
    """Changes a line of text by its difference: blank keeps, & blanks, all else replaces."""
    for at in range(start, min(stop, start + _LINE)):
        if text[at] == _AND:
            line[at - start] = _BLANK
        elif text[at] != _BLANK:
            line[at - start] = text[at]


@kernel
def _small(line: Bytes, start: int, stop: int) -> int:
    """An unsigned integer with leading blanks, or -1."""
    value = 0
    digits = 0
    for at in range(start, stop):
        if line[at] == _BLANK and digits == 0:
            continue
        digit = line[at] - _ZERO
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
        digits += 1
    return value if digits else -1


@kernel
def _advance(state: Ints, order: Ints, column: int, change: int) -> int:
    """Takes one more difference of a column's arc and gives its new value.

    state (k, orders): running sums. order (k, 2): differences taken so far, and those of the arc.
    """
    rank = order[column, 0]
    if rank < order[column, 1]:
        rank += 1
        order[column, 0] = rank
    if rank == 0:
        state[column, 0] = change
        return change
    # Sums run downward: each level adds the change of the level above to its own last value.
    above = change
    for level in range(rank, 0, -1):
        state[column, level] = above
        above += state[column, level - 1]
    state[column, 0] = above
    return above


@kernel
def _remark(text: Bytes, start: int, stop: int, marks: Bytes) -> bool:
    """Changes the marks (k, 2) of a satellite by their difference; False if it is damaged."""
    if stop - start > 2 * len(marks):
        return False
    for place in range(stop - start):
        letter = text[start + place]
        if letter == _AND:
            marks[place // 2, place % 2] = 0
        elif letter != _BLANK:
            digit = letter - _ZERO
            if digit < 0 or digit > (7 if place % 2 == 0 else 9):
                return False
            marks[place // 2, place % 2] = digit
    return True


@kernel
def _satellite(
    text: Bytes,
    start: int,
    stop: int,
    state: Ints,
    order: Ints,
    marks: Bytes,
    empty_zero: Bools,
    values: Floats,
) -> bool:
    """Decodes one satellite line into values and marks (k, 2); False if it is damaged."""
    at = start
    for column in range(len(order)):
        values[column] = _NOT_A_NUMBER
        if at >= stop or text[at] == _BLANK:
            order[column, 0] = -1
            at += 1
            continue
        begins = at + 1 < stop and text[at + 1] == _AND
        first = at + 2 if begins else at
        negative = first < stop and text[first] == _MINUS
        end = first + 1 if negative else first
        # One pass: digits up to a blank or the end of the line.
        change = 0
        start = end
        while end < stop and text[end] != _BLANK:
            digit = text[end] - _ZERO
            if digit < 0 or digit > 9:
                return False
            change = change * 10 + digit
            end += 1
        if end == start or end - start > 17:
            return False
        if negative:
            change = -change
        if begins:
            rank = text[at] - _ZERO
            if rank < 0 or rank > _ORDER_MAX:
                return False
            order[column, 0], order[column, 1] = 0, rank
            state[column, 0] = change
            value = change
        else:
            if order[column, 0] < 0:
                return False
            value = _advance(state, order, column, change)
        if value > _VALUE_MAX or -value > _VALUE_MAX // 10:
            return False
        if value != 0 or not empty_zero[column]:
            values[column] = value / 1000.0
        at = end + 1
    return _remark(text, at, stop, marks)


@kernel
def decode(
    text: Bytes,
    starts: Ints,
    stops: Ints,
    first: int,
    slots: Ints,
    counts: Ints,
    wanted: Bools,
    empty_zero: Bools,
    heads: Bytes,
    epoch: Ints,
    letter: Bytes,
    prn: Ints,
    values: Floats,
    marks: Bytes,
    line: Bytes,
    state: Ints,
    order: Ints,
    kept: Bytes,
    seen: Ints,
    ticks: Ints,
) -> tuple[int, int, int]:
    """Fills the outputs; numbers of epochs and rows, and the first line of what is no whole epoch.

    Where something looks damaged the first number is -1 and the last the line of that epoch.
    first: first line after the header, or of the next epoch. slots (256,): place of each system
    letter, -1 for others; by that place counts (s,): observation codes, wanted (s,): whether to
    keep the system, and empty_zero (s, k): columns where 0.000 means nothing. heads (e, 35):
    epoch lines.
    epoch, letter, prn (n,); values (n, k); marks (n, k, 2): loss of lock and strength.
    line, state, order, kept, seen, ticks: what one epoch leaves for the next; see `memory`.
    """
    epochs, rows, at = 0, 0, first
    before = line.copy()
    while at < len(starts):
        if stops[at] == starts[at]:
            break
        before[:] = line
        whole = text[starts[at]] == _GREATER
        if whole:
            line[:] = _BLANK
        _apply(line, text, starts[at], stops[at])
        found = _small(line, 32, 35)
        if (line[31] != _ZERO and line[31] != _ZERO + 1) or found < 0 or epochs == len(heads):
            return -1, rows, at
        if at + 1 + found >= len(starts):
            line[:] = before
            return epochs, rows, at
        # A whole epoch line starts all arcs anew.
        ticks[0] += 2 if whole else 1
        tick = ticks[0]
        began = at
        heads[epochs] = line[:_HEAD]
        at += 2
        for satellite in range(found):
            place = _SATELLITES_AT + 3 * satellite
            system, number = slots[line[place]], _small(line, place + 1, place + 3)
            if system < 0 or number < 1 or seen[system, number] == tick:
                return -1, rows, began
            count = counts[system]
            if not wanted[system]:
                seen[system, number] = tick
                at += 1
                continue
            if seen[system, number] != tick - 1:
                order[system, number] = -1
                kept[system, number] = 0
            seen[system, number] = tick
            good = _satellite(
                text,
                starts[at],
                stops[at],
                state[system, number, :count],
                order[system, number, :count],
                kept[system, number, :count],
                empty_zero[system, :count],
                values[rows, :count],
            )
            if not good:
                return -1, rows, began
            marks[rows, :count] = kept[system, number, :count]
            epoch[rows], letter[rows], prn[rows] = epochs, line[place], number
            rows += 1
            at += 1
        epochs += 1
    if (stops[at:] > starts[at:]).any():
        return -1, rows, at
    return epochs, rows, at


def memory(systems: int, width: int) -> tuple[Bytes, Ints, Ints, Bytes, Ints, Ints]:
    """What `decode` carries from epoch to epoch, before the first one.

    The epoch line (4096,); by system and satellite: differences (s, 100, k, orders), orders of
    them (s, 100, k, 2), marks (s, 100, k, 2), and the epoch of the last sight (s, 100); the number
    of epochs so far (1,).
    """
    return (
        np.full(_LINE, _BLANK, np.uint8),
        np.zeros((systems, 100, width, _ORDER_MAX + 1), np.int64),
        np.full((systems, 100, width, 2), -1, np.int64),
        np.zeros((systems, 100, width, 2), np.uint8),
        np.full((systems, 100), -9, np.int64),
        np.zeros(1, np.int64),
    )
