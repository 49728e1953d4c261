"""A short window out of a long recording, line for line as the receiver wrote it."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Bools
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.header import observation_header
from zhidao.positioning.wire.rinex.times import epoch_blocks, epoch_times_ns

# Header lines that count or date the whole recording and would be untrue of a window.
_WHOLE_FILE: Final = re.compile(
    r"(# OF SATELLITES|PRN / # OF OBS|TIME OF FIRST OBS|TIME OF LAST OBS)\s*$"
)


def cut_window(data: bytes, first_utc: Utc, last_utc: Utc, *, systems: str = "") -> bytes:
    """RINEX observation text of the epochs from `first_utc` to `last_utc`, both included.

    data: RINEX 3/4, plain, gzipped or Compact. systems: satellite systems to keep, all if empty.
    Lines of observations stay byte for byte; the header loses what counts the whole file, and
    events inside the window and header changes before it are kept.
    Raises Refused if no epoch lies in the window, MalformedInput for what is no RINEX.
    """
    lines = Lines(plain_text(data))
    header, _, first_line = observation_header(lines)
    blocks = epoch_blocks(lines, first_line)
    times = np.full(len(blocks.line), -1)
    times[blocks.is_epoch] = epoch_times_ns(lines, blocks, header.time_system)
    low, high = Gpst.from_utc(first_utc).ns, Gpst.from_utc(last_utc).ns
    inside: Bools = (times >= low) & (times <= high)
    if not inside.any():
        raise Refused(f"the recording has no epoch between {first_utc} and {last_utc}")
    chosen = np.flatnonzero(inside)
    keep = inside.copy()
    keep[: chosen[0]] |= blocks.flag[: chosen[0]] == 4
    between = slice(int(chosen[0]), int(chosen[-1]))
    keep[between] |= ~blocks.is_epoch[between]
    out = [
        lines.text(number)
        for number in range(first_line - 1)
        if not _WHOLE_FILE.search(lines.text(number)[60:])
    ]
    out.append(_first_time(lines, first_line, int(blocks.line[chosen[0]]), header.time_system))
    out.append(lines.text(first_line - 1))
    for at in np.flatnonzero(keep).tolist():
        start = int(blocks.line[at])
        body = [lines.text(start + 1 + i) for i in range(int(blocks.follow[at]))]
        head = lines.text(start)
        if systems and inside[at]:
            body = [text for text in body if text[0] in systems]
            head = f"{head[:32]}{len(body):3d}{head[35:]}"
        out += [head, *body]
    return ("\n".join(out) + "\n").encode("ascii", "replace")


def _first_time(lines: Lines, first_line: int, epoch_line: int, time_system: str) -> str:
    """The header line TIME OF FIRST OBS, told again for the first epoch of the window."""
    if first_line < 1:
        raise MalformedInput("no header")
    text = lines.text(epoch_line)
    parts = [
        int(text[start:stop]) for start, stop in ((2, 6), (7, 9), (10, 12), (13, 15), (16, 18))
    ]
    date = "".join(f"{part:6d}" for part in parts)
    return f"{date}{float(text[18:29]):13.7f}     {time_system:3s}".ljust(60) + "TIME OF FIRST OBS"
