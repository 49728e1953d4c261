"""Figures, times and leaves in words of a language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zhidao.insight.domain.figures import EVENTS_MIN, Figure
from zhidao.insight.domain.opened import LeafRef, ranges
from zhidao.insight.wire.texts import say

_MS: Final = 1000
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
# Beyond so many stretches of leaves nobody reads the rest on paper; the JSON names them all.
STRETCHES_MAX: Final = 6
# Words of a question that have a translation of their own.
_TRANSLATED: Final = {"milestone": "milestone_", "mark": "mark_", "kind": "kind_"}


def query_of(figure: Figure, language: int) -> str:
    """The question that a figure answers."""
    words = {
        name: say(_TRANSLATED[name] + word, language) if name in _TRANSLATED else word
        for name, word in figure.args.items()
    }
    return say(figure.query, language, **words)


def value_of(figure: Figure, language: int) -> str:
    """The figure itself; shares and medians of too few cases say so instead."""
    if figure.kind == "count":
        return str(figure.value)
    words = {"value": str(figure.value), "total": str(figure.total), "least": str(EVENTS_MIN)}
    if figure.kind == "duration":
        key = "median" if figure.enough else "not_enough"
        return say(key, language, time=duration(figure.value), **words)
    if not figure.enough:
        return f"{say('of', language, **words)}, {say('not_enough', language, **words)}"
    tenths = figure.percent_tenths
    return say("percent", language, percent=f"{tenths // 10}.{tenths % 10}", **words)


def leaves_of(leaves: Iterable[LeafRef], *, logs: int, language: int) -> str:
    """Leaf indexes such as `3–5, 9`; with the log's number before each if there are several.

    Of many stretches the first STRETCHES_MAX, and how many leaves stand in the others.
    """
    stretches = ranges(leaves)
    shown = ", ".join(
        (f"{log + 1}:" if logs > 1 else "") + (str(first) if first == last else f"{first}–{last}")
        for log, first, last in stretches[:STRETCHES_MAX]
    )
    rest = sum(last - first + 1 for _, first, last in stretches[STRETCHES_MAX:])
    return shown + (say("more_leaves", language, count=rest) if rest else "")


def duration(ms: int) -> str:
    """A length of time to read: milliseconds below ten seconds, then ever coarser units.

    >>> [duration(ms) for ms in (7, 12_345, 150_000, 7_260_000, 180_000_000)]
    ['0.007 s', '12.3 s', '2 min 30 s', '2 h 01 min', '2 d 02 h']
    """
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    seconds = ms // _MS
    if seconds < 10:
        text = f"{seconds}.{ms % _MS:03d} s"
    elif seconds < 2 * _MINUTE_S:
        text = f"{seconds}.{ms % _MS // 100} s"
    elif seconds < 2 * _HOUR_S:
        text = f"{seconds // _MINUTE_S} min {seconds % _MINUTE_S:02d} s"
    elif seconds < 2 * _DAY_S:
        text = f"{seconds // _HOUR_S} h {seconds % _HOUR_S // _MINUTE_S:02d} min"
    else:
        text = f"{seconds // _DAY_S} d {seconds % _DAY_S // _HOUR_S:02d} h"
    return sign + text
