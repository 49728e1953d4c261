"""The report as canonical JSON (RFC 8785): the same figures, for programs.

Leaves are `[log, first, last]` triples; `log` counts the entries of `logs` from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.insight.domain.figures import EVENTS_MIN, Figure
from zhidao.insight.domain.gaps import OF_EACH
from zhidao.insight.domain.journeys import Journey
from zhidao.insight.domain.opened import LeafRef, ranges
from zhidao.insight.domain.report import Report
from zhidao.insight.wire.formatting import query_of
from zhidao.insight.wire.texts import LANGUAGES

FORMAT: Final = "zhidao.insight"
# 2: steps are measured by what happened, each consignment names its clock, a part may be chosen.
VERSION: Final = 2


def encode_report(report: Report, *, is_summary: bool = False) -> bytes:
    """The report's bytes, ending without a newline.

    is_summary: without the consignments, and without what is missing of each; both are counted.
    """
    told = [gap for gap in report.gaps if not (is_summary and gap.key in OF_EACH)]
    untold = Counter(gap.key for gap in report.gaps if is_summary and gap.key in OF_EACH)
    return jcs(
        {
            "v": VERSION,
            "format": FORMAT,
            "summary": is_summary,
            "as_of": report.as_of,
            "selection": _selection(report),
            "events_min": EVENTS_MIN,
            "logs": [
                {
                    "origin": head.origin,
                    "size": head.size,
                    "root": head.root,
                    "signed_by": head.signed_by,
                    "checked": head.checked,
                }
                for head in report.heads
            ],
            "opened": _figure(report.opened),
            "overview": [_figure(each) for each in report.overview],
            "voices": [
                {
                    "party": voice.party,
                    "said": _figure(voice.said),
                    "kept_key": _figure(voice.custody),
                    "kinds": dict(voice.kinds),
                }
                for voice in report.voices
            ],
            "consignments": [] if is_summary else [_journey(each) for each in report.journeys],
            "steps": [_figure(each) for each in report.steps],
            "refusals": [
                {
                    "kind": refusal.kind,
                    "reason": refusal.reason,
                    "sentence": refusal.sentence,
                    "said": _figure(refusal.said),
                }
                for refusal in report.refusals
            ],
            "marks": [_figure(each) for each in report.marks],
            "simulated": [_figure(each) for each in report.simulated],
            "missing": [
                {"key": gap.key, "args": dict(gap.args), "leaves": _leaves(gap.leaves)}
                for gap in told
            ],
            "missing_of_each": dict(untold),
        }
    )


def _selection(report: Report) -> dict[str, Any]:
    """What was asked for, and how much of the log it is."""
    selection = report.selection
    return {
        "consignments": list(selection.consignments),
        "from": str(selection.first) if selection.first else None,
        "before": str(selection.end) if selection.end else None,
        "chosen": len(report.journeys),
        "of": report.consignments,
        "leaves_aside": report.aside,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "key": figure.key,
        "kind": figure.kind,
        "total": figure.total,
        "enough": figure.enough,
        "args": dict(figure.args),
        "query": {language: query_of(figure, number) for number, language in enumerate(LANGUAGES)},
        "leaves": _leaves(figure.leaves),
    }
    if figure.kind == "duration":
        plain["median_ms"] = figure.value if figure.enough else None
    else:
        plain["value"] = figure.value
    if figure.kind == "share" and figure.counted:
        plain["counted"] = _leaves(figure.counted)
    return plain


def _journey(journey: Journey) -> dict[str, Any]:
    return {
        "consignment": journey.consignment,
        "log": journey.log,
        "entry": journey.entry.at.index,
        "clock": str(journey.clock),
        "outcome": journey.outcome,
        "reason": journey.reason,
        "missing": list(journey.missing),
        "simulated": _leaves(journey.simulated),
        "leaves": _leaves(leaf.at for leaf in journey.leaves),
        "steps": [
            {
                "key": step.key,
                "leaf": step.leaf.at.index,
                "before": step.before.at.index if step.before else None,
                "occurred_at": str(step.leaf.event.occurred_at),
                "recorded_at": str(step.leaf.event.recorded_at),
                "took_ms": step.took_ms,
                "by": step.leaf.event.asserted_by.party,
            }
            for step in journey.reached
        ],
    }


def _leaves(leaves: Iterable[LeafRef]) -> list[Any]:
    return [list(each) for each in ranges(leaves)]
