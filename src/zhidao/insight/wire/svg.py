"""A small writer of charts: the same values always give the same bytes.

Coordinates are whole pixels, colours are classes that the page's style sheet fills in, so that
charts print and follow a dark theme. Every chart has a title that a screen reader reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from zhidao.insight.wire.texts import LANGUAGES

_WIDTH: Final = 720
_LABEL: Final = 190
_VALUE: Final = 90
_ROW: Final = 26
_TOP: Final = 8
_BAR: Final = 12
_TICK_Y: Final = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: label and value as (English, Chinese), length and marked part of `total`.

    `parts`: ends of segments inside the length, in the unit of the length, drawn as ticks.
    """

    label: tuple[str, str]
    value: tuple[str, str]
    length: int
    parts: tuple[int, ...] = ()
    stop: bool = False


def bars(identity: str, title: tuple[str, str], rows: Sequence[Bar], *, scale: int) -> str:
    """Horizontal bars; `scale` is the length that fills the width."""
    height = _TOP * 2 + _ROW * len(rows)
    body = "".join(_row(row, _TOP + _ROW * at, max(scale, 1)) for at, row in enumerate(rows))
    named = escape(" / ".join(title))
    return (
        f'<svg class="chart" role="img" aria-labelledby="{identity}" '
        f'viewBox="0 0 {_WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{identity}">{named}</title>'
        f'<line class="axis" x1="{_LABEL}" y1="0" x2="{_LABEL}" y2="{height}"/>{body}</svg>'
    )


def _row(row: Bar, top: int, scale: int) -> str:
    middle = top + _ROW // 2
    room = _WIDTH - _LABEL - _VALUE
    long = room * row.length // scale
    kind = "bar stop" if row.stop else "bar"
    ticks = "".join(
        f'<line class="tick" x1="{x}" y1="{middle - _TICK_Y // 2}" '
        f'x2="{x}" y2="{middle + _TICK_Y // 2}"/>'
        for x in dict.fromkeys(_LABEL + room * part // scale for part in row.parts)
    )
    return (
        _both(row.label, _LABEL - 8, middle, "end")
        + f'<rect class="{kind}" x="{_LABEL}" y="{middle - _BAR // 2}" '
        f'width="{long}" height="{_BAR}"/>{ticks}' + _both(row.value, _LABEL + long + 8, middle)
    )


def _both(words: tuple[str, str], x: int, middle: int, anchor: str = "start") -> str:
    return "".join(
        f'<text lang="{language}" x="{x}" y="{middle + 4}" text-anchor="{anchor}">'
        f"{escape(word)}</text>"
        for language, word in zip(LANGUAGES, words, strict=True)
    )
