"""Compact RINEX 3 and 4 observations straight into tables, without the plain text between."""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observations import (
    Bools,
    Bytes,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex_header import observation_header
from zhidao.positioning.wire.rinex_times import Blocks, epoch_times_ns

# Expanding by another program costs more than loading the kernels from about this size on.
_LOADING_PAYS_BYTES: Final = 3_000_000
_CELLS_MAX: Final = 64_000_000
_HEAD: Final = 35


def read_compact(data: bytes, systems: str) -> Observations | None:
    """The observations of a Compact RINEX file, or None where the plain way has to be taken.

    That is: no compiled kernels, another version, events inside, or damage, which the plain way
    names with its line. systems: letters to keep, all if empty.
    """
    start = _after_two_lines(data)
    if start < 0 or not ready(pays=len(data) >= _LOADING_PAYS_BYTES):
        return None
    lines = Lines(data[start:])
    try:
        header, codes, first = observation_header(lines)
        return _decoded(lines, header, codes, first, systems)
    except MalformedInput:
        return None


def _after_two_lines(data: bytes) -> int:
    """Where the RINEX header of a CRINEX 3 file starts, or -1."""
    lead = data[:400].split(b"\n", 2)
    if len(lead) < 3 or lead[0][:3] != b"3.0" or b"CRINEX PROG / DATE" not in lead[1]:
        return -1
    return len(lead[0]) + len(lead[1]) + 2


def _decoded(
    lines: Lines,
    header: ObservationHeader,
    codes: dict[str, tuple[str, ...]],
    first: int,
    systems: str,
) -> Observations | None:
    from zhidao.positioning.domain.kernels.compact_rinex import decode

    rows_max = len(lines) - first
    width = max(map(len, codes.values()))
    if rows_max * width > _CELLS_MAX or rows_max < 1:
        return None
    slots, counts, empty_zero = _layout(codes, width)
    wanted = np.array([not systems or system in systems for system in codes])
    heads = np.zeros((rows_max // 2 + 1, _HEAD), np.uint8)
    epoch, prn = np.empty(rows_max, np.int64), np.empty(rows_max, np.int64)
    letter = np.empty(rows_max, np.uint8)
    values = np.empty((rows_max, width))
    marks = np.empty((rows_max, width, 2), np.uint8)
    epochs, rows = decode(
        lines.bytes,
        lines.starts,
        lines.ends,
        first,
        slots,
        counts,
        wanted,
        empty_zero,
        heads,
        epoch,
        letter,
        prn,
        values,
        marks,
    )
    if epochs < 0:
        return None
    gpst_ns, power_failed = _times(heads[:epochs], header.time_system)
    out = {}
    for system, columns in sorted(codes.items()):
        chosen = np.flatnonzero(letter[:rows] == ord(system))
        if len(chosen):
            cells = marks[chosen, : len(columns)]
            out[system] = SystemObservations(
                system,
                columns,
                epoch[chosen],
                prn[chosen],
                values[chosen, : len(columns)],
                cells[..., 0],
                cells[..., 1],
            )
    return Observations(header, gpst_ns, power_failed, out)


def _layout(codes: dict[str, tuple[str, ...]], width: int) -> tuple[Ints, Ints, Bools]:
    slots = np.full(256, -1, np.int64)
    empty_zero = np.zeros((len(codes), width), bool)
    for place, (system, columns) in enumerate(codes.items()):
        slots[ord(system)] = place
        empty_zero[place, : len(columns)] = [code[0] in "CL" for code in columns]
    return slots, np.array([len(columns) for columns in codes.values()]), empty_zero


def _times(heads: Bytes, time_system: str) -> tuple[Ints, Bools]:
    feeds = np.full((len(heads), 1), 10, np.uint8)
    text = np.concatenate((heads, feeds), axis=1).tobytes()
    flag = heads[:, 31].astype(np.int64) - ord("0")
    blocks = Blocks(np.arange(len(heads)), flag, np.zeros(len(heads), np.int64))
    return epoch_times_ns(Lines(text), blocks, time_system), flag == 1
