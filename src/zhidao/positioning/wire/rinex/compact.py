"""Compact RINEX 3 and 4 observations straight into tables, without the plain text between."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from zhidao.core.compiling import ready
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.header import observation_header
from zhidao.positioning.wire.rinex.times import Blocks, epoch_times_ns

# Expanding by another program costs more than loading the kernels from about this size on.
_LOADING_PAYS_BYTES: Final = 3_000_000
_CELLS_MAX: Final = 64_000_000
_HEAD: Final = 35


def read_compact(data: bytes, systems: str) -> Observations | None:
    """The observations of a Compact RINEX file, or None where the plain way has to be taken.

    That is: no compiled kernels, another version, events inside, or damage, which the plain way
    names with its line. systems: letters to keep, all if empty.
    """
    start = compact_start(data)
    if not data.endswith(b"\n"):
        return None
    if start < 0 or not ready(pays=len(data) >= _LOADING_PAYS_BYTES):
        return None
    lines = Lines(data[start:])
    try:
        header, codes, first = observation_header(lines)
        found = CompactDecoder(header, codes, systems).take(lines, first)
    except MalformedInput:
        return None
    return found.seen if found is not None and found.line == len(lines) else None


def compact_start(data: bytes) -> int:
    """Where the RINEX header of a CRINEX 3 file starts, or -1."""
    lead = data[:400].split(b"\n", 2)
    if len(lead) < 3 or lead[0][:3] != b"3.0" or b"CRINEX PROG / DATE" not in lead[1]:
        return -1
    return len(lead[0]) + len(lead[1]) + 2


class Decoded(NamedTuple):
    """The whole epochs of some lines, and the line of the first one that is not whole."""

    seen: Observations
    line: int


class CompactDecoder:
    """Decodes the lines of one file, part after part; each part starts where the last one ended."""

    def __init__(
        self, header: ObservationHeader, codes: dict[str, tuple[str, ...]], systems: str
    ) -> None:
        from zhidao.positioning.domain.kernels.compact_rinex import memory

        self._header, self._codes = header, codes
        self._width = max(map(len, codes.values()))
        self._wanted = np.array([not systems or system in systems for system in codes])
        self._memory = memory(len(codes), self._width)

    def take(self, lines: Lines, first: int) -> Decoded | None:
        """The whole epochs from line `first` on, or None for events inside or damage."""
        from zhidao.positioning.domain.kernels.compact_rinex import decode

        rows_max = len(lines) - first
        width = self._width
        if rows_max * width > _CELLS_MAX or rows_max < 1:
            return None
        slots, counts, empty_zero = _layout(self._codes, width)
        heads = np.zeros((rows_max // 2 + 1, _HEAD), np.uint8)
        epoch, prn = np.empty(rows_max, np.int64), np.empty(rows_max, np.int64)
        letter = np.empty(rows_max, np.uint8)
        values = np.empty((rows_max, width))
        marks = np.empty((rows_max, width, 2), np.uint8)
        epochs, rows, line = decode(
            lines.bytes,
            lines.starts,
            lines.ends,
            first,
            slots,
            counts,
            self._wanted,
            empty_zero,
            heads,
            epoch,
            letter,
            prn,
            values,
            marks,
            *self._memory,
        )
        if epochs < 0:
            return None
        gpst_ns, power_failed = _times(heads[:epochs], self._header.time_system)
        tables = {}
        for system, columns in sorted(self._codes.items()):
            chosen = np.flatnonzero(letter[:rows] == ord(system))
            if len(chosen):
                cells = marks[chosen, : len(columns)]
                tables[system] = SystemObservations(
                    system,
                    columns,
                    epoch[chosen],
                    prn[chosen],
                    values[chosen, : len(columns)],
                    cells[..., 0],
                    cells[..., 1],
                )
        blank_to_end = (lines.ends[line:] <= lines.starts[line:]).all()
        return Decoded(
            Observations(self._header, gpst_ns, power_failed, tables),
            len(lines) if blank_to_end else line,
        )


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
