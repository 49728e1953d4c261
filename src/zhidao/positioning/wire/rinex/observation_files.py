"""RINEX 2, 3 and 4 observation files, read strictly into columnar tables.

Strict: a satellite line too many, a letter in a number, a cut file are refused with the line.
Not refused, since receivers write them: blank fields, lines cut after the last value, CRLF, a
missing last line feed, events, a header that changes on the way.
Source: RINEX 3.05 (IGS/RTCM, December 2020), sections 6 and 8 and table A3.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.compression import PLAIN_BYTES_MAX, is_compact, plain_text, unpacked
from zhidao.positioning.wire.fixed import Lines, decimals, integers
from zhidao.positioning.wire.rinex.compact import read_compact
from zhidao.positioning.wire.rinex.header import (
    CodeTable,
    newer_names,
    observation_header,
    version_and_type,
)
from zhidao.positioning.wire.rinex.rinex2_observations import read_version2
from zhidao.positioning.wire.rinex.times import Blocks, epoch_blocks, epoch_times_ns, refuse

# Rows parsed at once: the working arrays of a block then stay in the processor's cache.
_ROWS: Final = 2048


def read_observations(
    data: bytes, *, systems: str = "", bytes_max: int = PLAIN_BYTES_MAX
) -> Observations:
    """Observations out of a RINEX 2, 3 or 4 file, plain, gzipped or Compact.

    systems: letters of the satellite systems to keep (all if empty).
    Raises MalformedInput with the line for anything that is not such a file.
    """
    unzipped = unpacked(data, bytes_max=bytes_max)
    direct = read_compact(unzipped, systems) if is_compact(unzipped) else None
    return unscaled(direct or read_plain(unzipped, systems=systems, bytes_max=bytes_max))


def unscaled(seen: Observations) -> Observations:
    """The same in plain units, where the header gives factors."""
    for system, code, factor in seen.header.scales:
        table = seen.systems.get(system)
        if table is not None and code in table.codes:
            table.values[:, table.codes.index(code)] /= factor
    return seen


def read_plain(data: bytes, *, systems: str, bytes_max: int) -> Observations:
    """The same by way of the plain text: the twin of `compact_rinex.read_compact`."""
    lines = Lines(plain_text(data, bytes_max=bytes_max))
    version, kind = version_and_type(lines)
    if version.startswith("2") and kind == "O":
        return read_version2(lines, systems=systems)
    header, codes, first = observation_header(lines)
    return read_blocks(lines, first, header, codes, systems=systems).seen


class Blocks3(NamedTuple):
    """Epochs of some lines, and the observation codes that hold after them."""

    seen: Observations
    codes: dict[str, tuple[str, ...]]


def read_blocks(
    lines: Lines,
    first: int,
    header: ObservationHeader,
    codes: dict[str, tuple[str, ...]],
    *,
    systems: str,
) -> Blocks3:
    """All epochs from line `first` on, which begin with these codes."""
    blocks = epoch_blocks(lines, first)
    gpst_ns = epoch_times_ns(lines, blocks, header.time_system)
    parts: dict[str, list[SystemObservations]] = {}
    segments = _segments(lines, blocks, codes, header.version)
    for segment, table in segments:
        for system, part in _read_segment(lines, blocks, segment, table, systems):
            parts.setdefault(system, []).append(part)
    seen = Observations(
        header=header,
        gpst_ns=gpst_ns,
        power_failed=blocks.flag[blocks.is_epoch] == 1,
        systems={system: _joined(found) for system, found in sorted(parts.items())},
    )
    return Blocks3(seen, segments[-1][1])


def _segments(
    lines: Lines, blocks: Blocks, codes: dict[str, tuple[str, ...]], version: str
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
            begin, codes = int(at), codes | newer_names(table.codes, version)
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
    refuse(lines, line, blank | bad | (prn < 1) | strange, "satellite line")
    _refuse_twice(lines, line, epoch, name[:, 0], prn)
    out = []
    for system, columns in codes.items():
        rows = np.flatnonzero(name[:, 0] == ord(system))
        if len(rows) and (not systems or system in systems):
            values, lost_lock, strength = _fields(lines, line[rows], columns)
            out.append(
                (
                    system,
                    SystemObservations(
                        system, columns, epoch[rows], prn[rows], values, lost_lock, strength
                    ),
                )
            )
    return out


def _refuse_twice(lines: Lines, line: Ints, epoch: Ints, letter: Bytes, prn: Ints) -> None:
    """Raises where a satellite stands twice in its epoch."""
    twice = np.zeros(len(line), bool)
    if lines.compiled:
        from zhidao.positioning.domain.kernels.rinex_text import first_twice

        row = first_twice(epoch, letter, prn)
        if row >= 0:
            twice[row] = True
    else:
        identity = (epoch << 16) | (letter.astype(np.int64) << 8) | prn
        if len(np.unique(identity)) != len(line):
            order = np.argsort(identity, kind="stable")
            twice[order[1:]] = np.diff(identity[order]) == 0
    refuse(lines, line, twice, "satellite, which stands twice in its epoch")


def _fields(lines: Lines, line: Ints, codes: tuple[str, ...]) -> tuple[Floats, Bytes, Bytes]:
    """Values (NaN where blank), loss-of-lock and strength digits of satellite lines, (n, k).

    RINEX 3.05 section 6.7: a missing range or phase may be written as 0.0.
    """
    ranges = np.array([code[0] in "CL" for code in codes])
    if lines.compiled:
        return _compiled_fields(lines, line, ranges)
    values, lost_lock, strength = plain_fields(lines, line, len(codes))
    values[(values == 0) & ranges] = np.nan
    return values, lost_lock, strength


def _compiled_fields(lines: Lines, line: Ints, ranges: Bools) -> tuple[Floats, Bytes, Bytes]:
    from zhidao.positioning.domain.kernels.rinex_text import read_fields

    shape = (len(line), len(ranges))
    values, lost_lock, strength = np.empty(shape), np.empty(shape, "u1"), np.empty(shape, "u1")
    bad = read_fields(
        lines.bytes, lines.starts[line], lines.ends[line], ranges, values, lost_lock, strength
    )
    if bad != -1:
        wrong = np.zeros(len(line), bool)
        wrong[bad if bad >= 0 else -2 - bad] = True
        refuse(lines, line, wrong, "observation" if bad >= 0 else "satellite line, too long")
    return values, lost_lock, strength


def plain_fields(lines: Lines, line: Ints, count: int) -> tuple[Floats, Bytes, Bytes]:
    """The numpy twin of `kernels.rinex_text.read_fields`, before zeros are taken for blanks."""
    shape = (len(line), count)
    values, lost_lock, strength = np.empty(shape), np.empty(shape, "u1"), np.empty(shape, "u1")
    width = 3 + 16 * count
    longer = lines.ends[line] - lines.starts[line] > width
    if longer.any():
        over = lines.block(line[longer], width + 200)[:, width:]
        filled: Bools = np.any(over != ord(" "), axis=1)
        refuse(lines, line[longer], filled, "satellite line, too long")
    for start in range(0, len(line), _ROWS):
        rows = slice(start, start + _ROWS)
        field = lines.block(line[rows], width)[:, 3:].reshape(-1, count, 16)
        number, blank, bad = decimals(field[:, :, :14], 3)
        marks = np.where(field[:, :, 14:] == ord(" "), ord("0"), field[:, :, 14:]) - np.uint8(48)
        bad |= (marks[:, :, 0] > 7) | (marks[:, :, 1] > 9)
        wrong: Bools = np.any(bad, axis=1)
        refuse(lines, line[rows], wrong, "observation")
        number[blank] = np.nan
        values[rows], lost_lock[rows], strength[rows] = number, marks[:, :, 0], marks[:, :, 1]
    return values, lost_lock, strength


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
