"""Pieces of the annex: sentences in both languages, tables, figures, leaves, times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from zhidao.insight.domain.figures import Figure
from zhidao.insight.domain.opened import Clock, LeafRef, OpenedLeaf
from zhidao.insight.domain.report import Report
from zhidao.insight.wire.formatting import duration, leaves_of, query_of, value_of
from zhidao.insight.wire.texts import CHINESE, ENGLISH, LANGUAGES, say

# A table of more rows is nothing that anybody reads; the JSON has them all.
ROWS_MAX: Final = 200
_NS_PER_MS: Final = 1_000_000


def heading(key: str) -> str:
    """A part's heading, which its table is named by."""
    return f'<h2 id="{key}">{both(key)}</h2>'


def table(named_by: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of at most ROWS_MAX rows that scrolls by itself, also by the keyboard.

    named_by: id of the heading that says what it holds.
    """
    if not rows:
        return f"<p>{both('none')}</p>"
    head = "".join(f'<th scope="col">{both(column)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        f'<th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in rows[:ROWS_MAX]
    )
    rest = len(rows) - ROWS_MAX
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{named_by}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        + (f"<p>{both('more_rows', count=rest)}</p>" if rest > 0 else "")
    )


def figures(report: Report, part: str, found: Sequence[Figure], *, before: str = "") -> str:
    """A part that is a table of figures, each with its question and leaves."""
    columns = ("column_query", "column_figure", "column_leaves")
    rows = [[query(each), value(each), _used(report, each)] for each in found]
    return heading(part) + before + table(part, columns, rows)


def times(leaf: OpenedLeaf) -> str:
    """When it happened; beside that when it was written down, where the two are apart."""
    happened = f"<code>{escape(str(leaf.event.occurred_at))}</code>"
    if not leaf.is_apart:
        return happened
    apart_ns = leaf.time(Clock.RECORDED).since_ns(leaf.time(Clock.OCCURRED))
    key = "written_later" if apart_ns > 0 else "written_before"
    length = duration(abs(apart_ns) // _NS_PER_MS)
    told = both(key, at=leaf.event.recorded_at, time=length)
    return f'{happened}<br><span class="quiet">{told}</span>'


def leaves(report: Report, used: Iterable[LeafRef]) -> str:
    """The leaves that something rests on, as a sentence; nothing where there are none."""
    listed = _listed(report, used)
    if not listed[ENGLISH]:
        return ""
    told = spans([say("leaf_list", n, leaves=listed[n]) for n in (ENGLISH, CHINESE)])
    return f'<span class="leaves">{told}</span>'


def _used(report: Report, figure: Figure) -> str:
    return f'<span class="leaves">{spans(_listed(report, figure.leaves)) or "–"}</span>'


def _listed(report: Report, used: Iterable[LeafRef]) -> list[str]:
    found = list(used)
    return [leaves_of(found, logs=len(report.heads), language=n) for n in (ENGLISH, CHINESE)]


def value(figure: Figure) -> str:
    """A figure in both languages."""
    return spans([value_of(figure, number) for number in (ENGLISH, CHINESE)])


def query(figure: Figure) -> str:
    """A figure's question in both languages."""
    return spans([query_of(figure, number) for number in (ENGLISH, CHINESE)])


def both(key: str, /, **words: object) -> str:
    """A sentence of the catalogue in both languages."""
    return spans(pair(key, **words))


def pair(key: str, /, **words: object) -> tuple[str, str]:
    """A sentence as (English, Chinese)."""
    return say(key, ENGLISH, **words), say(key, CHINESE, **words)


def spans(texts: Sequence[str]) -> str:
    """A text in both languages, of which the style sheet shows one."""
    first, second = texts
    if first == second:
        return escape(first)
    return "".join(
        f'<span lang="{language}">{escape(text)}</span>'
        for language, text in zip(LANGUAGES, texts, strict=True)
    )
