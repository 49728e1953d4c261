"""Figures of a corridor as canonical JSON (RFC 8785), and as a table for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zhidao.core.canonical import Json, jcs
from zhidao.insight.domain.corridor.cells import ALL, WHOLE, Cell
from zhidao.insight.domain.corridor.composite import DISTURBANCES, Composite
from zhidao.insight.domain.corridor.crossing_figures import (
    CONSIGNMENTS_MIN,
    PARTIES_MIN,
    PLACES,
    CorridorFigures,
    Hours,
    Withheld,
)
from zhidao.insight.domain.opened import OpenedLog, ranges
from zhidao.insight.wire.assessment_table import plain

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
    "opened": ("opened {opened} of {leaves} leaves", "已打开 {opened} / 共 {leaves} 片叶子"),
    "unchecked": (
        "NOT CHECKED: the head of {origin} was held against no trust list.",
        "未核对：{origin} 的树头未与任何信任名单核对。",
    ),
    "files": ("From files, believed as they are.", "来自文件，照原样采信。"),
    "simulated": ("SIMULATED ", "模拟 "),
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
    "composite": (
        (
            "Together, 1 is the best of all in everything; weights: {weights}; {disturbances} times"
            " with other consignments, weights and missing ones:"
        ),
        (
            "综合指数，1 为各项皆最佳；权重：{weights}；"
            "换以其他货物、权重与缺失情况 {disturbances} 次："
        ),
    ),
    "of_mean": ("mean", "平均"),
    "of_p90": ("p90", "p90"),
    "of_variation": ("variation", "离散"),
    "of_missing": ("missing", "缺失"),
    "nothing_to_compare": ("no two crossings to compare", "没有两个可比较的口岸"),
    "reasons": ("Not timed as a whole: {told}", "整体未计时：{told}"),
    "not_seen": ("one side not seen {count}", "有一侧未见到 {count}"),
    "began_inside": ("inside when first seen {count}", "首次见到时已在其内 {count}"),
    "ended_inside": ("still inside when last seen {count}", "最后见到时仍在其内 {count}"),
    "unheard": (
        "went over in a silence of more than 6 hours {count}",
        "在超过 6 小时的静默中通过 {count}",
    ),
    "returned": ("came back {count}", "返回 {count}"),
    "none": ("No consignment is known to have been at a crossing.", "没有已知到过口岸的货物。"),
}


def log_basis(log: OpenedLog, *, first: str, last: str) -> dict[str, Json]:
    """What figures out of a log rest on: its heads, how much was opened, the time asked for."""
    return {
        "kind": "log",
        "logs": [
            {
                "origin": head.origin,
                "size": head.size,
                "root": head.root,
                "signed_by": head.signed_by,
                "checked": head.checked,
            }
            for head in log.heads
        ],
        "opened": len(log.leaves),
        "leaves": log.total,
        "from": first,
        "to": last,
    }


def encode_corridor_figures(found: CorridorFigures, *, seed: int, basis: dict[str, Json]) -> bytes:
    """The document, ending without a newline; hours to a thousandth. basis: what it rests on."""
    composed = {"composite": _composite(found.composite)} if found.composite else {}
    return jcs(
        composed
        | {
            "v": 1,
            "format": FORMAT,
            # Text: a seed may be larger than the integers that JSON carries exactly.
            "seed": str(seed),
            "basis": basis,
            "consignments_min": CONSIGNMENTS_MIN,
            "parties_min": PARTIES_MIN,
            "cells": [_cell(each) for each in found.cells],
            "totals": [_cell(each) for each in found.totals],
            "ranks": [
                {
                    "crossing": rank.crossing,
                    "from": rank.places[0],
                    "to": rank.places[1],
                    "simulated": rank.simulated,
                }
                for rank in found.ranks
            ],
            "declined": dict(found.reasons),
        }
    )


def _composite(made: Composite) -> Json:
    return {
        "weights": {name: _short(share) for name, share in made.weights.items()},
        "disturbances": DISTURBANCES,
        "crossings": [
            {
                "crossing": each.crossing,
                "score": _short(each.score),
                "from": each.places[0],
                "to": each.places[1],
                "simulated": each.simulated,
            }
            for each in made.standings
        ],
        "order": {
            "observed": _is_order(made, simulated=False),
            "simulated": _is_order(made, simulated=True),
        },
    }


def _is_order(made: Composite, *, simulated: bool) -> bool:
    """Whether two crossings or more stand in an order that no disturbance of nine in ten turns."""
    places = [each.places for each in made.standings if each.simulated is simulated]
    return len(places) > 1 and not _overlap(places)


def _cell(each: Hours | Withheld) -> Json:
    cell = each.cell
    named: dict[str, Json] = {
        "crossing": cell.crossing,
        "part": cell.part,
        "mode": cell.mode,
        "direction": cell.direction,
        "quarter": cell.quarter,
        "simulated": cell.simulated,
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
        "leaves": [list(stretch) for stretch in ranges(each.leaves)],
    }
    return named | numbers


def _short(value: float) -> float:
    return round(value, PLACES)


def _pair(values: tuple[float, float]) -> list[Json]:
    return [_short(value) for value in values]


def corridor_table(
    found: CorridorFigures, *, seed: int, basis: Mapping[str, Any], language: str
) -> str:
    """The same for people, `en` or `zh`."""
    number = LANGUAGES.index(language)
    lines = [*_basis(basis, number), *_lines(found, seed, number)]
    return "\n".join(plain(line) for line in lines) + "\n"


def _basis(basis: Mapping[str, Any], number: int) -> Iterator[str]:
    if basis["kind"] != "log":
        yield _say("files", number)
        return
    yield _say("opened", number, opened=basis["opened"], leaves=basis["leaves"])
    for head in basis["logs"]:
        if head["checked"] == "unchecked":
            yield _say("unchecked", number, origin=head["origin"])


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
    if found.composite:
        yield from _composed(found.composite, number)
    declined = [_say(key, number, count=count) for key, count in found.reasons.items() if count]
    if declined:
        yield ""
        yield _say("reasons", number, told="; ".join(declined))


def _name(cell: Cell, number: int) -> str:
    part = _say("whole", number) if cell.part == WHOLE else cell.part
    played = _say("simulated", number) if cell.simulated else ""
    if cell.mode == ALL:
        return f"{played}{cell.crossing}, {part}: {_say('all', number)}"
    direction = cell.direction or _say("unknown", number)
    of = ", ".join(each for each in (cell.mode, direction, cell.quarter) if each)
    return f"{played}{cell.crossing}, {part}: {of}"


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
    for simulated in (False, True):
        ranks = [rank for rank in found.ranks if rank.simulated is simulated]
        if not ranks:
            continue
        yield ""
        yield (_say("simulated", number) if simulated else "") + _say("ranks", number)
        for rank in ranks:
            yield "  " + _place(rank.crossing, rank.places, number)
        if _overlap([rank.places for rank in ranks]):
            yield "  " + _say("no_order", number)


def _place(crossing: str, places: tuple[int, int], number: int) -> str:
    low, high = places
    return _say("place" if low == high else "rank", number, crossing=crossing, low=low, high=high)


def _composed(made: Composite, number: int) -> Iterator[str]:
    yield ""
    told = ", ".join(f"{_say('of_' + name, number)} {w:.2f}" for name, w in made.weights.items())
    yield _say("composite", number, weights=told, disturbances=DISTURBANCES)
    if not made.standings:
        yield "  " + _say("nothing_to_compare", number)
    for each in made.standings:
        played = _say("simulated", number) if each.simulated else ""
        yield f"  {played}{_place(each.crossing, each.places, number)} ({each.score:.3f})"
    for simulated in sorted({each.simulated for each in made.standings}):
        if not _is_order(made, simulated=simulated):
            played = _say("simulated", number) if simulated else ""
            yield f"  {played}{_say('no_order', number)}"


def _overlap(places: Sequence[tuple[int, int]]) -> bool:
    return any(one[1] >= other[0] for one, other in itertools.pairwise(places))


def _hours(value: float) -> str:
    return f"{value:.2f}"
