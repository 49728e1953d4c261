"""RINEX 3 and 4 observation files, read strictly into columnar tables.

Strict: a satellite line too many, a letter in a number, a cut file are refused with the line.
Not refused, since receivers write them: blank fields, lines cut after the last value, CRLF, a
missing last line feed, events, a header that changes on the way.
Source: RINEX 3.05 (IGS/RTCM, December 2020), sections 6 and 8 and table A3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.compression import PLAIN_BYTES_MAX, plain_text
from zhidao.positioning.wire.fixed import Lines, decimals, integers
from zhidao.positioning.wire.rinex_header import CodeTable, observation_header

_NS: Final = 1_000_000_000
_GPST_EPOCH_DAY: Final = np.datetime64("1980-01-06", "D")
_BDT_BEHIND_GPST_S: Final = 14
# Rows parsed at once: the working arrays of a block then stay in the processor's cache.
_ROWS: Final = 2048
_EPOCH_WIDTH: Final = 35
_GREATER: Final = ord(">")


def read_observations(
    data: bytes, *, systems: str = "", bytes_max: int = PLAIN_BYTES_MAX
) -> Observations:
    """Observations out of a RINEX 3/4 file, plain, gzipped or Compact.

    systems: letters of the satellite systems to keep (all if empty).
    Raises MalformedInput with the line for anything that is not such a file.
    """
    lines = Lines(plain_text(data, bytes_max=bytes_max))
    header, codes, first = observation_header(lines)
    blocks = epoch_blocks(lines, first)
    gpst_ns = epoch_times_ns(lines, blocks, header.time_system)
    parts: dict[str, list[SystemObservations]] = {}
    for segment, table in _segments(lines, blocks, codes):
        for system, part in _read_segment(lines, blocks, segment, table, systems):
            parts.setdefault(system, []).append(part)
    return Observations(
        header=header,
        gpst_ns=gpst_ns,
        power_failed=blocks.flag[blocks.is_epoch] == 1,
        systems={system: _joined(found) for system, found in sorted(parts.items())},
    )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Epoch records and event records: line of the `>`, flag and number of lines that follow.

    All of shape (b,). is_epoch: flags 0 and 1, whose lines are observations.
    """

    line: Ints
    flag: Ints
    follow: Ints

    @property
    def is_epoch(self) -> Bools:
        """Which records carry observations."""
        return self.flag <= 1


def epoch_blocks(lines: Lines, first: int) -> Blocks:
    """All records after the header of `first` lines. Raises where a count of lines is wrong."""
    lead = lines.lead(slice(first, len(lines)))
    mark = np.flatnonzero(lead == _GREATER) + first
    filled = np.flatnonzero(lead != 0)
    # Empty lines at the very end are no record.
    stop = first + (filled[-1] + 1 if len(filled) else 0)
    if len(mark) == 0:
        if stop > first:
            raise MalformedInput("no epoch line (>) after the header", where=f"line {first + 1}")
        return Blocks(*(np.zeros(0, np.int64) for _ in range(3)))
    if mark[0] != first:
        raise MalformedInput(
            "the first line after the header is no epoch", where=f"line {first + 1}"
        )
    head = lines.block(mark, _EPOCH_WIDTH)
    flag, _, bad_flag = integers(head[:, 31:32])
    follow, no_count, bad_count = integers(head[:, 32:35])
    _refuse(lines, mark, bad_flag | bad_count | no_count | (flag > 6) | (follow < 0), "epoch line")
    found = np.diff(np.append(mark, stop)) - 1
    _refuse_counts(mark, follow, found)
    return Blocks(mark, flag, follow)


def _refuse_counts(mark: Ints, follow: Ints, found: Ints) -> None:
    wrong = np.flatnonzero(follow != found)
    if len(wrong):
        at = int(wrong[0])
        cut = at == len(mark) - 1 and found[at] < follow[at]
        raise MalformedInput(
            f"the epoch announces {follow[at]} lines, {found[at]} follow"
            + ("; the file seems to be cut" if cut else ""),
            where=f"line {mark[at] + 1}",
        )


def _refuse(lines: Lines, numbers: Ints, bad: Bools, what: str) -> None:
    if bad.any():
        number = int(numbers[np.flatnonzero(bad)[0]])
        raise MalformedInput(f"bad {what}: {lines.text(number)[:60]!r}", where=f"line {number + 1}")


def epoch_times_ns(lines: Lines, blocks: Blocks, time_system: str) -> Ints:
    """Nanoseconds of GPST of each epoch, shape (e,). Raises unless they rise."""
    mark = blocks.line[blocks.is_epoch]
    head = lines.block(mark, _EPOCH_WIDTH)
    bad = (head[:, (1, 6, 9, 12, 15, 18, 29, 30)] != ord(" ")).any(1)
    parts = []
    for start, stop in ((2, 6), (7, 9), (10, 12), (13, 15), (16, 18)):
        value, blank, wrong = integers(head[:, start:stop])
        bad |= blank | wrong
        parts.append(value)
    second, blank, wrong = decimals(head[:, 19:29], 7)
    year, month, day, hour, minute = parts
    bad |= blank | wrong | (year < 1980) | (year > 2200) | (month < 1) | (month > 12)
    bad |= (day < 1) | (day > 31) | (hour < 0) | (hour > 23) | (minute < 0) | (minute > 59)
    bad |= (second < 0) | (second >= 60)
    _refuse(lines, mark, bad, "epoch line")
    months = (year - 1970) * 12 + month - 1
    date = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1).astype("m8[D]")
    _refuse(lines, mark, date.astype("datetime64[M]").astype(np.int64) != months, "date")
    days = (date - _GPST_EPOCH_DAY).astype(np.int64)
    whole_s = ((days * 24 + hour) * 60 + minute) * 60
    # Seven decimals: round to the 100 ns that the format can say.
    gpst_ns: Ints = whole_s * _NS + np.rint(second * 1e7).astype(np.int64) * 100
    if time_system == "BDT":
        gpst_ns += _BDT_BEHIND_GPST_S * _NS
    back = np.zeros(len(mark), bool)
    back[1:] = np.diff(gpst_ns) <= 0
    _refuse(lines, mark, back, "epoch, not later than the one before")
    return gpst_ns


def _segments(
    lines: Lines, blocks: Blocks, codes: dict[str, tuple[str, ...]]
) -> list[tuple[slice, dict[str, tuple[str, ...]]]]:
    """Stretches of blocks under one table of observation codes: a header may change on the way."""
    out = []
    begin = 0
    for at in np.flatnonzero(blocks.flag == 4):
        table = CodeTable()
        start = int(blocks.line[at]) + 1
        for number in range(start, start + int(blocks.follow[at])):
            text = lines.text(number)
            if text[60:80].strip() == "SYS / # / OBS TYPES":
                table.add(text[:60].ljust(60), f"line {number + 1}")
        table.close(f"line {start}")
        if table.codes:
            out.append((slice(begin, int(at)), codes))
            begin, codes = int(at), codes | table.codes
    out.append((slice(begin, len(blocks.line)), codes))
    return out


def _read_segment(
    lines: Lines,
    blocks: Blocks,
    segment: slice,
    codes: dict[str, tuple[str, ...]],
    systems: str,
) -> list[tuple[str, SystemObservations]]:
    number = np.cumsum(blocks.is_epoch) - 1
    chosen = np.flatnonzero(blocks.is_epoch[segment]) + segment.start
    follow = blocks.follow[chosen]
    total = int(follow.sum())
    # Line of each row: the epoch's line, plus 1, 2, 3 … within the epoch.
    within = np.arange(total) - np.repeat(np.cumsum(follow) - follow, follow)
    line = np.repeat(blocks.line[chosen], follow) + 1 + within
    epoch = np.repeat(number[chosen], follow)
    name = lines.block(line, 3)
    prn, blank, bad = integers(name[:, 1:3])
    strange: Bools = np.isin(name[:, 0], [ord(system) for system in codes], invert=True)
    _refuse(lines, line, blank | bad | (prn < 1) | strange, "satellite line")
    identity = (epoch << 16) | (name[:, 0].astype(np.int64) << 8) | prn
    if len(np.unique(identity)) != total:
        order = np.argsort(identity, kind="stable")
        twice = np.zeros(total, bool)
        twice[order[1:]] = np.diff(identity[order]) == 0
        _refuse(lines, line, twice, "satellite, which stands twice in its epoch")
    out = []
    for system, columns in codes.items():
        rows = np.flatnonzero(name[:, 0] == ord(system))
        if len(rows) and (not systems or system in systems):
            values, lost_lock, strength = _fields(lines, line[rows], len(columns))
            values = _without_zeros(values, columns)
            out.append(
                (
                    system,
                    SystemObservations(
                        system, columns, epoch[rows], prn[rows], values, lost_lock, strength
                    ),
                )
            )
    return out


def _fields(lines: Lines, line: Ints, count: int) -> tuple[Floats, Bytes, Bytes]:
    """Values (NaN where blank), loss-of-lock and strength digits of satellite lines, (n, count)."""
    shape = (len(line), count)
    values, lost_lock, strength = np.empty(shape), np.empty(shape, "u1"), np.empty(shape, "u1")
    width = 3 + 16 * count
    longer = lines.ends[line] - lines.starts[line] > width
    if longer.any():
        over = lines.block(line[longer], width + 200)[:, width:]
        filled: Bools = np.any(over != ord(" "), axis=1)
        _refuse(lines, line[longer], filled, "satellite line, too long")
    for start in range(0, len(line), _ROWS):
        rows = slice(start, start + _ROWS)
        field = lines.block(line[rows], width)[:, 3:].reshape(-1, count, 16)
        number, blank, bad = decimals(field[:, :, :14], 3)
        marks = np.where(field[:, :, 14:] == ord(" "), ord("0"), field[:, :, 14:]) - np.uint8(48)
        bad |= (marks[:, :, 0] > 7) | (marks[:, :, 1] > 9)
        wrong: Bools = np.any(bad, axis=1)
        _refuse(lines, line[rows], wrong, "observation")
        number[blank] = np.nan
        values[rows], lost_lock[rows], strength[rows] = number, marks[:, :, 0], marks[:, :, 1]
    return values, lost_lock, strength


def _without_zeros(values: Floats, codes: tuple[str, ...]) -> Floats:
    """RINEX 3.05 section 6.7: a missing range or phase may be written as 0.0."""
    ranges = np.array([code[0] in "CL" for code in codes])
    values[(values == 0) & ranges] = np.nan
    return values


def _joined(parts: list[SystemObservations]) -> SystemObservations:
    """Parts read under different headers as one table over all their codes."""
    if len(parts) == 1:
        return parts[0]
    codes = tuple(dict.fromkeys(code for part in parts for code in part.codes))
    total = sum(len(part.prn) for part in parts)
    values = np.full((total, len(codes)), np.nan)
    lost_lock, strength = (np.zeros((total, len(codes)), np.uint8) for _ in range(2))
    start = 0
    for part in parts:
        rows = slice(start, start + len(part.prn))
        columns = [codes.index(code) for code in part.codes]
        values[rows, columns] = part.values
        lost_lock[rows, columns] = part.lost_lock
        strength[rows, columns] = part.strength
        start = rows.stop
    return SystemObservations(
        parts[0].system,
        codes,
        np.concatenate([part.epoch for part in parts]),
        np.concatenate([part.prn for part in parts]),
        values,
        lost_lock,
        strength,
    )
