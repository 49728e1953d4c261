"""The report as one HTML page: no script, no request, English and Chinese, fit to print.

The language is switched by two radio buttons and the style sheet alone. A content security policy
in the page names the style sheet's hash and allows nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from zhidao.insight.domain.figures import Figure, milliseconds
from zhidao.insight.domain.journeys import Journey
from zhidao.insight.domain.opened import LeafRef
from zhidao.insight.domain.report import Report
from zhidao.insight.wire.formatting import duration, leaves_of, query_of, value_of
from zhidao.insight.wire.svg import Bar, bars
from zhidao.insight.wire.texts import CHINESE, ENGLISH, LANGUAGES, say

_STYLE: Final = (Path(__file__).with_name("style.css")).read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# More rows than these nobody reads at once; the tables below have all.
CHART_ROWS_MAX: Final = 40
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
)


def encode_page(report: Report) -> bytes:
    """The page's bytes: the same report always gives the same."""
    parts = [
        _head(report),
        _logs(report),
        _figures(report, "part_overview", report.overview),
        _journeys(report),
        _figures(report, "part_steps", report.steps),
        _speakers(report),
        _refusals(report),
        _marks(report),
        _figures(report, "part_simulated", report.simulated),
        _gaps(report),
        f"<h2>{_t('part_again')}</h2><p>{_t('again')}</p>",
    ]
    switch = "".join(
        f'<input class="switch" type="radio" name="language" id="language-{code}"{checked}>'
        f'<label for="language-{code}" lang="{code}">{name}</label>'
        for code, name, checked in (("en", "English", " checked"), ("zh", "中文", ""))
    )
    title = " · ".join(say("title", number) for number in (ENGLISH, CHINESE))
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="'
        f'{escape(POLICY)}"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        f"{switch}\n<main>\n" + "\n".join(parts) + "\n</main>\n</body></html>\n"
    )
    return page.encode()


def _head(report: Report) -> str:
    told = report.simulated[0]
    band = ""
    if told.value:
        shown = _t("simulated_band", value=told.value, total=told.total)
        band = f'<p class="band">{shown}</p>'
    as_of = _t("as_of", at=report.as_of) if report.as_of else _t("nothing")
    opened = _t("opened_short", value=report.opened.value, total=report.opened.total)
    return (
        f'<h1>{_t("title")}</h1>{band}<p class="big">{opened}</p>'
        f'<p class="quiet">{_t("opened")} {_leaves(report, report.opened.leaves)}</p>'
        f'<p class="quiet">{as_of}</p>'
    )


def _logs(report: Report) -> str:
    rows = [
        [
            (f"{number}: " if len(report.heads) > 1 else "")
            + f"<code>{escape(head.origin)}</code>",
            str(head.size),
            f"<code>{escape(head.root)}</code>",
            f"<code>{escape(head.signed_by)}</code><br>{_t('checked_' + head.checked)}",
        ]
        for number, head in enumerate(report.heads, 1)
    ]
    columns = ("column_origin", "column_size", "column_root", "column_key")
    return f"<h2>{_t('part_logs')}</h2>" + _table(columns, rows)


def _figures(report: Report, part: str, figures: Sequence[Figure], *, before: str = "") -> str:
    columns = ("column_query", "column_figure", "column_leaves")
    rows = [[_query(f), _value(f), _used(report, f)] for f in figures]
    return f"<h2>{_t(part)}</h2>{before}" + _table(columns, rows)


def _journeys(report: Report) -> str:
    if not report.journeys:
        return f"<h2>{_t('part_journeys')}</h2><p>{_t('none')}</p>"
    return (
        f"<h2>{_t('part_journeys')}</h2>"
        f'<p class="quiet">{_t("query_took")}</p>'
        + _timeline(report.journeys)
        + "".join(_journey(report, each) for each in report.journeys)
    )


def _timeline(journeys: Sequence[Journey]) -> str:
    rows, longest = [], 1
    for journey in [each for each in journeys if each.reached][-CHART_ROWS_MAX:]:
        start = journey.reached[0].leaf
        ends = [milliseconds(start, step.leaf) for step in journey.reached]
        longest = max(longest, ends[-1])
        rows.append(
            Bar(
                (journey.consignment, journey.consignment),
                (duration(ends[-1]), duration(ends[-1])),
                ends[-1],
                tuple(ends[1:-1]),
                stop=journey.outcome == "refused",
            )
        )
    caption = _t("chart_steps", shown=len(rows))
    chart = bars("chart-steps", _pair("chart_steps", shown=len(rows)), rows, scale=longest)
    return f"<figure><figcaption>{caption}</figcaption>{chart}</figure>"


def _journey(report: Report, journey: Journey) -> str:
    rows = [
        [
            _t("milestone_" + step.key),
            f"<code>{escape(str(step.leaf.event.recorded_at))}</code>",
            _t("first_step") if step.took_ms is None else escape(duration(step.took_ms)),
            escape(step.leaf.event.asserted_by.party),
            _leaves(report, [step.leaf.at, *([step.before.at] if step.before else [])]),
        ]
        for step in journey.reached
    ]
    columns = ("column_step", "column_at", "column_took", "column_by", "column_leaves")
    because = f" — {_t('because', reason=journey.reason)}" if journey.reason else ""
    missing = ""
    if journey.missing:
        steps = [
            ", ".join(say("milestone_" + key, number) for key in journey.missing)
            for number in (ENGLISH, CHINESE)
        ]
        both = _spans(
            [say("missing_steps", number, steps=steps[number]) for number in (ENGLISH, CHINESE)]
        )
        missing = f"<p>{both}</p>"
    log = ""
    if len(report.heads) > 1:
        log = f" ({_t('log_number', number=journey.log + 1)})"
    every = _leaves(report, [leaf.at for leaf in journey.leaves])
    return (
        f"<h3>{escape(journey.consignment)}{log}: "
        f'<span class="{journey.outcome}">{_t("outcome_" + journey.outcome)}</span>{because}</h3>'
        + _table(columns, rows)
        + missing
        + f'<p class="quiet">{_t("query_journey", consignment=journey.consignment)} {every}</p>'
    )


def _speakers(report: Report) -> str:
    rows = [
        [
            escape(voice.party),
            _value(voice.said),
            _value(voice.custody),
            escape(", ".join(f"{kind} ({times})" for kind, times in voice.kinds.items())),
            f"{_query(voice.said)} {_query(voice.custody)} {_leaves(report, voice.said.leaves)}",
        ]
        for voice in report.voices
    ]
    columns = ("column_party", "column_said", "column_kept", "column_kinds", "column_leaves")
    return f"<h2>{_t('part_voices')}</h2>" + _table(columns, rows)


def _refusals(report: Report) -> str:
    rows = [
        [
            f"{_t('kind_' + refusal.kind)}: <code>{escape(refusal.reason)}</code>",
            str(refusal.said.value),
            f"<q>{escape(refusal.sentence)}</q>" if refusal.sentence else "",
            f"{_query(refusal.said)} {_leaves(report, refusal.said.leaves)}",
        ]
        for refusal in report.refusals
    ]
    columns = ("column_reason", "column_times", "column_sentence", "column_leaves")
    return f"<h2>{_t('part_refusals')}</h2>" + _table(columns, rows)


def _marks(report: Report) -> str:
    rows = [
        Bar(
            _pair("mark_" + figure.args["mark"]),
            _pair("of", value=figure.value, total=figure.total),
            figure.value,
            stop=figure.args["mark"] == "disagreed_by",
        )
        for figure in report.marks
    ]
    chart = bars(
        "chart-marks", _pair("chart_marks"), rows, scale=max(f.total for f in report.marks)
    )
    caption = f"<figcaption>{_t('chart_marks')}</figcaption>"
    return _figures(report, "part_marks", report.marks, before=f"<figure>{caption}{chart}</figure>")


def _gaps(report: Report) -> str:
    rows = []
    for gap in report.gaps:
        texts = []
        for number in (ENGLISH, CHINESE):
            words = dict(gap.args)
            if "milestones" in words:
                keys = words["milestones"].split()
                words["milestones"] = ", ".join(say("milestone_" + key, number) for key in keys)
            texts.append(say("gap_" + gap.key, number, **words))
        rows.append([_spans(texts), _leaves(report, gap.leaves)])
    return f"<h2>{_t('part_gaps')}</h2>" + _table(("column_gap", "column_leaves"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return f"<p>{_t('none')}</p>"
    head = "".join(f'<th scope="col">{_t(column)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        f'<th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _used(report: Report, figure: Figure) -> str:
    listed = leaves_of(figure.leaves, logs=len(report.heads)) or "–"
    return f'<span class="leaves">{escape(listed)}</span>'


def _leaves(report: Report, leaves: Iterable[LeafRef]) -> str:
    listed = leaves_of(leaves, logs=len(report.heads))
    return f'<span class="leaves">{_t("leaf_list", leaves=listed)}</span>' if listed else ""


def _value(figure: Figure) -> str:
    return _spans([value_of(figure, number) for number in (ENGLISH, CHINESE)])


def _query(figure: Figure) -> str:
    return _spans([query_of(figure, number) for number in (ENGLISH, CHINESE)])


def _t(key: str, /, **words: object) -> str:
    return _spans([say(key, number, **words) for number in (ENGLISH, CHINESE)])


def _pair(key: str, /, **words: object) -> tuple[str, str]:
    return say(key, ENGLISH, **words), say(key, CHINESE, **words)


def _spans(texts: Sequence[str]) -> str:
    first, second = texts
    if first == second:
        return escape(first)
    return "".join(
        f'<span lang="{language}">{escape(text)}</span>'
        for language, text in zip(LANGUAGES, texts, strict=True)
    )
