"""The report as one HTML page in two languages: no script, no request, fit to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from zhidao.insight.domain.publication import LAYERS
from zhidao.insight.wire.page_frame import framed
from zhidao.insight.wire.page_parts import spans
from zhidao.insight.wire.publication.texts import texts
from zhidao.insight.wire.svg import Bar, bars

_Rows = Sequence[Sequence[str]]
# Hours are drawn in whole thousandths.
_PER_H = 1000


def encode_publication_page(document: Mapping[str, Any]) -> bytes:
    """The page of a report's document: the same document gives the same bytes."""
    order = document["order"]
    title = (order["title"]["en"], order["title"]["zh"])
    by = _both("by", publisher=order["publisher"], day=order["on"], paid_by=order["paid_by"])
    parts = [
        f'<h1>{spans(title)}</h1>{_band(document)}<p class="quiet">{by}</p>',
        _findings(document["findings"]),
        _landscape(document["goods"]),
        _standards(document["goods"]),
        _corridors(document["corridors"]),
        _method(document),
    ]
    return framed(" · ".join(dict.fromkeys(title)), "\n".join(part for part in parts if part))


def _both(key: str, /, **words: object) -> str:
    return spans(_pair(key, **words))


def _pair(key: str, /, **words: object) -> tuple[str, str]:
    english, chinese = texts()[key]
    return english.format_map(words), chinese.format_map(words)


def _heading(key: str) -> str:
    return f'<h2 id="{key}">{_both(key)}</h2>'


def _table(named_by: str, columns: Sequence[str], rows: _Rows) -> str:
    head = "".join(f'<th scope="col">{_both(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td>{cell}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{named_by}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _band(document: Mapping[str, Any]) -> str:
    count = sum(each["simulated"] for one in document["corridors"] for each in one["crossings"])
    return f'<p class="band">{_both("simulated_band", count=count)}</p>' if count else ""


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    told = "".join(
        f"<li>{_both(each['key'], **each['numbers'])}{_rests(each['rests_on'])}</li>"
        for each in findings
    )
    return f"{_heading('part_findings')}<ol>{told}</ol>"


def _rests(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f' <span class="leaves">{_both("rests_on", names=", ".join(names))}</span>'


def _landscape(goods: Sequence[Mapping[str, Any]]) -> str:
    if not goods:
        return ""
    parts = [_heading("part_landscape")]
    columns = ("good", "licence", "people", "releases", "parts", "evidence")
    for layer in LAYERS:
        if mine := [each for each in goods if each["layer"] == layer]:
            parts.append(f'<h3 id="layer-{layer}">{_both("layer_" + layer)}</h3>')
            names = [f"column_{column}" for column in columns]
            parts.append(_table(f"layer-{layer}", names, [_good(each) for each in mine]))
    return "".join(parts)


def _good(good: Mapping[str, Any]) -> list[str]:
    told = good["figures"]
    gap = told["release_gap_days_median"]
    between = texts()["no_gap"] if gap is None else (str(gap), str(gap))
    releases = (
        texts()["releases"][number].format_map({"count": told["releases"], "gap": between[number]})
        for number in (0, 1)
    )
    people = {"authors": told["authors_last_year"], "factor": told["absence_factor"]}
    return [
        escape(good["name"]),
        escape(", ".join(told["licences"])) + f"<br>{_both('licence_' + told['licence_is'])}",
        _both("people", **people),
        spans(list(releases)),
        f"{told['components']}; {told['licences_to_look_at']}",
        f"<code>{escape(good['evidence'])}<br>{escape(told['commit'][:12])}</code>",
    ]


def _standards(goods: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            f"{escape(good['name'])}",
            escape(standard),
            str(counts["shown"]),
            f"{counts['claimed']} ({counts['signed']})",
            str(counts["contradicted"]),
            str(counts["needs_person"]),
        ]
        for good in goods
        for standard, counts in good["figures"]["verdicts"].items()
    ]
    if not rows:
        return ""
    columns = ("good", "standard", "shown", "claimed", "contradicted", "person")
    names = [f"column_{column}" for column in columns]
    return _heading("part_standards") + _table("part_standards", names, rows)


def _corridors(corridors: Sequence[Mapping[str, Any]]) -> str:
    if not corridors:
        return ""
    parts = [_heading("part_corridors")]
    for number, each in enumerate(corridors, start=1):
        told = [one for one in each["crossings"] if one["told"]]
        if told:
            parts.append(_chart(number, each["name"], told))
        columns = ("crossing", "mean", "interval", "p90", "counts")
        names = [f"column_{column}" for column in columns]
        parts.append(f'<h3 id="corridor-{number}">{escape(each["name"])}</h3>')
        rows = [_crossing(one) for one in each["crossings"]]
        parts.append(_table(f"corridor-{number}", names, rows) if rows else _both("none"))
    return "".join(parts)


def _chart(number: int, name: str, told: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        Bar(
            (each["crossing"], each["crossing"]),
            (f"{each['mean_h']} h", f"{each['mean_h']} h"),
            round(each["bound_h"][1] * _PER_H),
            parts=(round(each["bound_h"][0] * _PER_H), round(each["mean_h"] * _PER_H)),
        )
        for each in told
    ]
    most = max(round(each["bound_h"][1] * _PER_H) for each in told)
    title = _pair("chart", corridor=name)
    drawn = bars(f"chart-{number}", title, rows, scale=most)
    return f"<figure><figcaption>{spans(title)}</figcaption>{drawn}</figure>"


def _crossing(each: Mapping[str, Any]) -> list[str]:
    name = escape(each["crossing"]) + (f" ({_both('simulated')})" if each["simulated"] else "")
    if not each["told"]:
        return [name, _both("withheld"), "", "", ""]
    low, high = each["bound_h"]
    from_h, to_h = each["interval_90_h"]
    return [
        name,
        f"{each['mean_h']} [{low}, {high}]",
        f"{from_h} – {to_h}",
        str(each["p90_h"]),
        f"{each['consignments']}, {each['parties']}, {each['missing']}",
    ]


def _method(document: Mapping[str, Any]) -> str:
    told = [_both("method"), *_gaps(document), _both("again")]
    return _heading("part_method") + "".join(f"<p>{each}</p>" for each in told)


def _gaps(document: Mapping[str, Any]) -> Iterator[str]:
    for each in document["corridors"]:
        if not each["is_enclosed"]:
            yield _both("gap_reports", corridor=each["name"])
    if document["goods"]:
        yield _both("gap_repositories")
