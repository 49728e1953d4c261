"""Consignments in the annex: a chart, a list with one row each, and the steps of some."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from zhidao.insight.domain.figures import milliseconds
from zhidao.insight.domain.journeys import MILESTONES, Journey
from zhidao.insight.domain.opened import Clock
from zhidao.insight.domain.report import Report
from zhidao.insight.wire.formatting import duration
from zhidao.insight.wire.page_parts import both, heading, leaves, pair, spans, table, times
from zhidao.insight.wire.reasons import in_words
from zhidao.insight.wire.svg import Bar, bars
from zhidao.insight.wire.texts import CHINESE, ENGLISH, say

# More bars than these nobody compares at once; the list below has more.
CHART_ROWS_MAX: Final = 40
# Steps of so many consignments are printed unless their names are given: some two on a sheet.
STEPS_MAX: Final = 10


def consignments(report: Report) -> str:
    """The chart, the list, newest first, and the steps of the newest or of those named."""
    if not report.journeys:
        return heading("part_list") + f"<p>{both('none')}</p>"
    newest = report.journeys[::-1]
    detailed = newest if report.selection.consignments else newest[:STEPS_MAX]
    more = ""
    if len(detailed) < len(newest):
        told = both("more_steps", shown=len(detailed), total=len(newest))
        more = f"<p>{told}</p>"
    return (
        heading("part_list")
        + _chart(newest)
        + _list(report, newest)
        + heading("part_journeys")
        + f'<p class="quiet">{both("query_took")}</p>{more}'
        + "".join(_steps(report, each, number) for number, each in enumerate(detailed, 1))
    )


def _chart(newest: Sequence[Journey]) -> str:
    shown = [each for each in newest if each.reached][:CHART_ROWS_MAX]
    rows = []
    for journey in shown:
        start = journey.reached[0].leaf
        ends = [milliseconds(start, step.leaf, journey.clock) for step in journey.reached]
        length = duration(ends[-1])
        rows.append(
            Bar(
                (journey.consignment, journey.consignment),
                (length, length),
                ends[-1],
                tuple(ends[1:-1]),
                stop=journey.outcome == "refused",
            )
        )
    caption = both("chart_steps", shown=len(rows))
    longest = max((row.length for row in rows), default=1)
    chart = bars("chart-steps", pair("chart_steps", shown=len(rows)), rows, scale=longest)
    return f"<figure><figcaption>{caption}</figcaption>{chart}</figure>"


def _list(report: Report, newest: Sequence[Journey]) -> str:
    rows = [
        [
            escape(journey.consignment) + _log(report, journey),
            times(journey.entry),
            _outcome(journey),
            _road(journey),
            f"{len(journey.reached)} / {len(MILESTONES)}",
            leaves(report, [leaf.at for leaf in journey.leaves]),
        ]
        for journey in newest
    ]
    columns = (
        *("column_consignment", "column_entered", "column_outcome", "column_road"),
        *("column_reached", "column_leaves"),
    )
    return table("part_list", columns, rows)


def _road(journey: Journey) -> str:
    at = {step.key: step.leaf for step in journey.reached}
    if "settled" not in at:
        return "–"
    return escape(duration(milliseconds(journey.entry, at["settled"], journey.clock)))


def _outcome(journey: Journey) -> str:
    words = both("outcome_" + journey.outcome)
    because = f" — {_because(journey.reason)}" if journey.reason else ""
    return f'<span class="{journey.outcome}">{words}</span>{because}'


def _because(reason: str) -> str:
    """A reason in words, its code beside them; a code without words stands alone."""
    words = [in_words("abort", reason, number) for number in (ENGLISH, CHINESE)]
    return f"{spans(words)} <code>{escape(reason)}</code>".strip()


def _log(report: Report, journey: Journey) -> str:
    return f" ({both('log_number', number=journey.log + 1)})" if len(report.heads) > 1 else ""


def _steps(report: Report, journey: Journey, number: int) -> str:
    rows = [
        [
            both("milestone_" + step.key),
            times(step.leaf),
            both("first_step") if step.took_ms is None else escape(duration(step.took_ms)),
            escape(step.leaf.event.asserted_by.party),
            leaves(report, [step.leaf.at, *([step.before.at] if step.before else [])]),
        ]
        for step in journey.reached
    ]
    columns = ("column_step", "column_at", "column_took", "column_by", "column_leaves")
    played = f"<p>{both('by_recording')}</p>" if journey.clock is Clock.RECORDED else ""
    every = leaves(report, [leaf.at for leaf in journey.leaves])
    name = f"consignment-{number}"
    return (
        f'<h3 id="{name}">{escape(journey.consignment)}{_log(report, journey)}: '
        f"{_outcome(journey)}</h3>{played}"
        + table(name, columns, rows)
        + _missing(journey)
        + f'<p class="quiet">{both("query_journey", consignment=journey.consignment)} {every}</p>'
    )


def _missing(journey: Journey) -> str:
    if not journey.missing:
        return ""
    told = []
    for number in (ENGLISH, CHINESE):
        steps = ", ".join(say("milestone_" + key, number) for key in journey.missing)
        told.append(say("missing_steps", number, steps=steps))
    return f"<p>{spans(told)}</p>"
