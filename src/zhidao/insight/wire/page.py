"""The audit annex as one HTML page: no script, no request, English and Chinese, fit to print.

The language is switched by two radio buttons and the style sheet alone. A content security policy
in the page names the style sheet's hash and allows nothing else. However long the log, the page is
bounded: of long lists it shows the beginning and says how many stand in the JSON.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Final

from zhidao.insight.domain.gaps import OF_EACH, Gap
from zhidao.insight.domain.report import Refusal, Report
from zhidao.insight.wire.page_consignments import consignments
from zhidao.insight.wire.page_frame import framed
from zhidao.insight.wire.page_parts import (
    both,
    figures,
    heading,
    leaves,
    pair,
    spans,
    table,
    value,
)
from zhidao.insight.wire.reasons import in_words
from zhidao.insight.wire.svg import Bar, bars
from zhidao.insight.wire.texts import CHINESE, ENGLISH, say

# Of gaps that each consignment may have, so many are told; how many more, is said.
_GAPS_OF_A_KIND: Final = 20


def encode_page(report: Report, *, is_summary: bool = False) -> bytes:
    """The page's bytes: the same report always gives the same.

    is_summary: figures alone, nothing of each consignment.
    """
    parts = [
        _head(report),
        f"<p>{both('summary')}</p>" if is_summary else "",
        _logs(report),
        figures(report, "part_overview", report.overview),
        figures(report, "part_steps", report.steps),
        "" if is_summary else consignments(report),
        _speakers(report),
        _refusals(report),
        _marks(report),
        figures(report, "part_simulated", report.simulated),
        _gaps(report, each_max=0 if is_summary else _GAPS_OF_A_KIND),
        f"{heading('part_again')}<p>{both('again')}</p>",
    ]
    return framed(" · ".join(pair("title")), "\n".join(part for part in parts if part))


def _head(report: Report) -> str:
    as_of = both("as_of", at=report.as_of) if report.as_of else both("nothing")
    opened = both("opened_short", value=report.opened.value, total=report.opened.total)
    return (
        f"<h1>{both('title')}</h1>{_bands(report)}"
        f'<p class="big">{opened}</p>{_chosen(report)}'
        f'<p class="quiet">{both("opened")} {leaves(report, report.opened.leaves)}</p>'
        f'<p class="quiet">{as_of}</p>'
    )


def _bands(report: Report) -> str:
    """What nobody may overlook: heads that nothing vouches for, and simulated data."""
    unchecked = sum(head.checked == "unchecked" for head in report.heads)
    told = [both("unchecked_band", value=unchecked, total=len(report.heads))] if unchecked else []
    if simulated := report.simulated[0].value:
        total = report.simulated[0].total
        told.append(both("simulated_band", value=simulated, total=total))
    return "".join(f'<p class="band">{each}</p>' for each in told)


def _chosen(report: Report) -> str:
    selection = report.selection
    if selection.is_all:
        return ""
    names = ", ".join(selection.consignments)
    told = []
    for number in (ENGLISH, CHINESE):
        which = [
            say("which_named", number, names=names) if names else "",
            say("which_since", number, first=selection.first) if selection.first else "",
            say("which_until", number, end=selection.end) if selection.end else "",
        ]
        words = {"value": len(report.journeys), "total": report.consignments}
        told.append(say("chosen", number, which="".join(which), aside=report.aside, **words))
    return f"<p>{spans(told)}</p>"


def _logs(report: Report) -> str:
    rows = [
        [
            (f"{number}: " if len(report.heads) > 1 else "")
            + f"<code>{escape(head.origin)}</code>",
            str(head.size),
            f"<code>{escape(head.root)}</code>",
            f"<code>{escape(head.signed_by)}</code><br>{both('checked_' + head.checked)}",
        ]
        for number, head in enumerate(report.heads, 1)
    ]
    columns = ("column_origin", "column_size", "column_root", "column_key")
    return heading("part_logs") + table("part_logs", columns, rows)


def _speakers(report: Report) -> str:
    rows = [
        [
            escape(voice.party),
            value(voice.said),
            value(voice.custody),
            escape(", ".join(f"{kind} ({times})" for kind, times in voice.kinds.items())),
            leaves(report, voice.said.leaves),
        ]
        for voice in report.voices
    ]
    columns = ("column_party", "column_said", "column_kept", "column_kinds", "column_leaves")
    asked = f'<p class="quiet">{both("query_voices")}</p>'
    return heading("part_voices") + asked + table("part_voices", columns, rows)


def _refusals(report: Report) -> str:
    rows = [
        [
            _reason(refusal),
            str(refusal.said.value),
            # What was signed stays as it was said, in whichever language the page is read.
            f'<q lang="en">{escape(refusal.sentence)}</q>' if refusal.sentence else "",
            leaves(report, refusal.said.leaves),
        ]
        for refusal in report.refusals
    ]
    columns = ("column_reason", "column_times", "column_sentence", "column_leaves")
    asked = f'<p class="quiet">{both("query_refusals")}</p>'
    return heading("part_refusals") + asked + table("part_refusals", columns, rows)


def _reason(refusal: Refusal) -> str:
    """Kind and reason in words, and the code."""
    told = []
    for number in (ENGLISH, CHINESE):
        words = in_words(refusal.kind, refusal.reason, number)
        kind = say("kind_" + refusal.kind, number)
        told.append(say("reason_of", number, kind=kind, words=words) if words else kind)
    return f"{spans(told)} <code>{escape(refusal.reason)}</code>"


def _marks(report: Report) -> str:
    rows = [
        Bar(
            pair("mark_" + figure.args["mark"]),
            pair("of", value=figure.value, total=figure.total),
            figure.value,
            stop=figure.args["mark"] == "disagreed_by",
        )
        for figure in report.marks
    ]
    most = max(figure.total for figure in report.marks)
    chart = bars("chart-marks", pair("chart_marks"), rows, scale=most)
    caption = f"<figcaption>{both('chart_marks')}</figcaption>"
    return figures(report, "part_marks", report.marks, before=f"<figure>{caption}{chart}</figure>")


def _gaps(report: Report, *, each_max: int) -> str:
    """Gaps in order; of those that each consignment may have, `each_max` of a kind."""
    counts: Counter[str] = Counter()
    rows = []
    for gap in report.gaps:
        counts[gap.key] += 1
        if gap.key not in OF_EACH or counts[gap.key] <= each_max:
            rows.append([_gap(gap), leaves(report, gap.leaves)])
    rows += [
        [both("gaps_" + key, count=counts[key] - each_max), ""]
        for key in OF_EACH
        if counts[key] > each_max
    ]
    return heading("part_gaps") + table("part_gaps", ("column_gap", "column_leaves"), rows)


def _gap(gap: Gap) -> str:
    return spans([_gap_words(gap, number) for number in (ENGLISH, CHINESE)])


def _gap_words(gap: Gap, number: int) -> str:
    words = dict(gap.args)
    if "milestones" in words:
        keys = words["milestones"].split()
        words["milestones"] = ", ".join(say("milestone_" + key, number) for key in keys)
    return say("gap_" + gap.key, number, **words)
