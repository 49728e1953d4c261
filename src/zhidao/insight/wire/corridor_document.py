"""Figures of a corridor as canonical JSON (RFC 8785), and as a table for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from zhidao.core.canonical import Json, jcs
from zhidao.insight.domain.corridor.crossing_figures import (
    ALL,
    CONSIGNMENTS_MIN,
    PARTIES_MIN,
    WHOLE,
    Cell,
    CorridorFigures,
    Hours,
    Withheld,
)

FORMAT: Final = "zhidao.corridor"
LANGUAGES: Final = ("en", "zh")
_TEXTS: Final = {
    "head": (
        "Hours at border crossings, from first entering to last leaving; seed {seed}.",
        "边境口岸用时（小时），自首次进入至最后离开；种子 {seed}。",
    ),
    "means": (
        "mean [least, most by the reports] (90 % interval); p90; consignments, parties",
        "平均 [按上报的最少、最多]（90% 区间）；p90；货物数、参与方数",
    ),
    "hours": (
        (
            "mean {mean} [{low}, {high}] ({from_h} to {to_h}); p90 {p90};"
            " {count} consignments, {parties} parties"
        ),
        (
            "平均 {mean} [{low}, {high}]（{from_h} 至 {to_h}）；p90 {p90}；"
            "货物 {count}，参与方 {parties}"
        ),
    ),
    "missing": (
        "{missing} more were seen and not timed; with them between {best} and {worst}",
        "另有 {missing} 票见到但未计时；计入后在 {best} 与 {worst} 之间",
    ),
    "withheld": (
        "not enough: fewer than {consignments} consignments or {parties} parties",
        "数量不足：货物少于 {consignments} 票或参与方少于 {parties} 个",
    ),
    "whole": ("both sides together", "两侧合计"),
    "all": ("all that is told below", "以下所列全部"),
    "unknown": ("direction not known", "方向不明"),
    "rank": ("{crossing}: place {low} to {high}", "{crossing}：第 {low} 至第 {high} 位"),
    "place": ("{crossing}: place {low}", "{crossing}：第 {low} 位"),
    "ranks": ("Order by mean, in nine of ten draws:", "按平均用时排序，十次抽样中有九次："),
    "no_order": ("places overlap: no order", "名次重叠：不分先后"),
    "reasons": ("Not timed as a whole: {told}", "整体未计时：{told}"),
    "not_seen": ("one side never surely inside {count}", "一侧从未确在其内 {count}"),
    "began_inside": ("reports begin inside {count}", "上报始于其内 {count}"),
    "ended_inside": ("reports end inside {count}", "上报止于其内 {count}"),
    "returned": ("came back {count}", "返回 {count}"),
    "none": ("No consignment was surely inside a crossing.", "没有货物确在任何口岸之内。"),
}
_PLACES: Final = 3


def encode_corridor_figures(found: CorridorFigures, *, seed: int) -> bytes:
    """The document, ending without a newline; hours to a thousandth."""
    return jcs(
        {
            "v": 1,
            "format": FORMAT,
            # Text: a seed may be larger than the integers that JSON carries exactly.
            "seed": str(seed),
            "consignments_min": CONSIGNMENTS_MIN,
            "parties_min": PARTIES_MIN,
            "cells": [_cell(each) for each in found.cells],
            "totals": [_cell(each) for each in found.totals],
            "ranks": [
                {"crossing": rank.crossing, "from": rank.places[0], "to": rank.places[1]}
                for rank in found.ranks
            ],
            "declined": dict(found.reasons),
        }
    )


def _cell(each: Hours | Withheld) -> Json:
    cell = each.cell
    named: dict[str, Json] = {
        "crossing": cell.crossing,
        "part": cell.part,
        "mode": cell.mode,
        "direction": cell.direction,
        "quarter": cell.quarter,
        "told": isinstance(each, Hours),
    }
    if isinstance(each, Withheld):
        return named
    numbers: dict[str, Json] = {
        "consignments": each.count,
        "parties": each.parties,
        "missing": each.missing,
        "missing_share": _short(each.missing / (each.count + each.missing)),
        "mean_h": _short(each.mean_h),
        "median_h": _short(each.median_h),
        "p90_h": _short(each.p90_h),
        "coefficient_of_variation": _short(each.variation),
        "bound_h": _pair(each.bound_h),
        "interval_90_h": _pair(each.interval_h),
        "with_missing_h": _pair(each.cases_h),
    }
    return named | numbers


def _short(value: float) -> float:
    return round(value, _PLACES)


def _pair(values: tuple[float, float]) -> list[Json]:
    return [_short(value) for value in values]


def corridor_table(found: CorridorFigures, *, seed: int, language: str) -> str:
    """The same for people, `en` or `zh`."""
    return "\n".join(_lines(found, seed, LANGUAGES.index(language))) + "\n"


def _say(key: str, number: int, **words: object) -> str:
    return _TEXTS[key][number].format_map(words)


def _lines(found: CorridorFigures, seed: int, number: int) -> Iterator[str]:
    if not found.cells:
        yield _say("none", number)
    else:
        yield _say("head", number, seed=seed)
        yield _say("means", number)
    for each in (*found.totals, *found.cells):
        yield ""
        yield _name(each.cell, number)
        yield from ("  " + line for line in _figures(each, number))
    yield from _ranks(found, number)
    declined = [_say(key, number, count=count) for key, count in found.reasons.items() if count]
    if declined:
        yield ""
        yield _say("reasons", number, told="; ".join(declined))


def _name(cell: Cell, number: int) -> str:
    part = _say("whole", number) if cell.part == WHOLE else cell.part
    if cell.mode == ALL:
        return f"{cell.crossing}, {part}: {_say('all', number)}"
    direction = cell.direction or _say("unknown", number)
    return f"{cell.crossing}, {part}: {cell.mode}, {direction}, {cell.quarter}"


def _figures(each: Hours | Withheld, number: int) -> Iterator[str]:
    if isinstance(each, Withheld):
        yield _say("withheld", number, consignments=CONSIGNMENTS_MIN, parties=PARTIES_MIN)
        return
    yield _say(
        "hours",
        number,
        mean=_hours(each.mean_h),
        low=_hours(each.bound_h[0]),
        high=_hours(each.bound_h[1]),
        from_h=_hours(each.interval_h[0]),
        to_h=_hours(each.interval_h[1]),
        p90=_hours(each.p90_h),
        count=each.count,
        parties=each.parties,
    )
    if each.missing:
        best, worst = (_hours(case) for case in each.cases_h)
        yield _say("missing", number, missing=each.missing, best=best, worst=worst)


def _ranks(found: CorridorFigures, number: int) -> Iterator[str]:
    if not found.ranks:
        return
    yield ""
    yield _say("ranks", number)
    for rank in found.ranks:
        low, high = rank.places
        key = "place" if low == high else "rank"
        yield "  " + _say(key, number, crossing=rank.crossing, low=low, high=high)
    if _overlap([rank.places for rank in found.ranks]):
        yield "  " + _say("no_order", number)


def _overlap(places: Sequence[tuple[int, int]]) -> bool:
    return any(one[1] >= other[0] for one, other in itertools.pairwise(places))


def _hours(value: float) -> str:
    return f"{value:.2f}"
