"""A report on digital public goods: what it tells of each good and crossing, and its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import Json
from zhidao.insight.domain.licences import openness

# What the initiative names, in its order.
LAYERS: Final = (
    *("positioning", "networks", "operating_systems", "databases", "internet_of_things"),
    *("industrial_internet", "trust", "trade", "finance", "other"),
)
_FEW_PEOPLE: Final = 2


@dataclass(frozen=True, slots=True)
class GoodEntry:
    """A good of the landscape: its name, its layer, and the file with its assessment."""

    name: str
    layer: str
    result: str


@dataclass(frozen=True, slots=True)
class CorridorEntry:
    """A corridor: its name, its figures, and what they were made of, where that is enclosed."""

    name: str
    result: str
    area: str = ""
    reports: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a report is made of. title: (English, Chinese); paid_by: who paid for it."""

    title: tuple[str, str]
    publisher: str
    paid_by: str
    day: str
    goods: tuple[GoodEntry, ...]
    corridors: tuple[CorridorEntry, ...]


def good_figures(document: Mapping[str, Any]) -> dict[str, Json]:
    """What an assessment says of a good, in a line of the landscape."""
    history, parts = document["history"], document.get("components") or {}
    licences = _whole_licences(document)
    return {
        "commit": document["source"]["commit"],
        "licences": tuple(licences),
        "licence_is": _licence_is(document, licences),
        "commits": history.get("commits", 0),
        "absence_factor": history.get("contributor_absence_factor", 0),
        "authors_last_year": history.get("authors_last_year", 0),
        "newcomers_last_year": history.get("newcomers_last_year", 0),
        "releases": history.get("releases", 0),
        "release_gap_days_median": history.get("release_gap_days_median"),
        "components": sum(each["components"] for each in parts.get("lists", ())),
        "licences_to_look_at": parts.get("to_look_at_count", 0),
        "verdicts": _verdicts(document),
    }


def _whole_licences(document: Mapping[str, Any]) -> list[str]:
    """Expressions of texts that speak of the whole and are settled, each once."""
    found = (
        text["expression"]
        for scope in document["licences"].get("scopes", ())
        if scope["scope"] == ""
        for text in scope["texts"]
        if text["verdict"] == "shown"
    )
    return sorted(dict.fromkeys(found))


def _licence_is(document: Mapping[str, Any], licences: Sequence[str]) -> str:
    """`open`, `closed`, or `person`: somebody must read it."""
    verdicts = {
        answer["verdict"]
        for answer in document["answers"]
        if any(line.get("kind") == "licence_open" for line in answer["evidence"])
    }
    if "contradicted" in verdicts or any(openness(each) == "closed" for each in licences):
        return "closed"
    return "open" if "shown" in verdicts else "person"


def _verdicts(document: Mapping[str, Any]) -> dict[str, Json]:
    """Verdicts counted by standard, and how many of the claims are told as signed."""
    found: dict[str, dict[str, int]] = {}
    for answer in document["answers"]:
        mine = found.setdefault(answer["standard"], dict.fromkeys(_VERDICTS, 0))
        if answer["verdict"] in mine:
            mine[answer["verdict"]] += 1
        mine["signed"] += answer["reason"] == "claimed_signed"
    return {name: dict(counts) for name, counts in sorted(found.items())}


_VERDICTS: Final = ("shown", "claimed", "contradicted", "needs_person", "signed")


def crossing_figures(document: Mapping[str, Any]) -> list[Json]:
    """The totals of a corridor, as they were written: crossings on both sides together."""
    return [each for each in document["totals"] if each.get("part") == "whole"]


def findings(
    goods: Mapping[str, Mapping[str, Any]], crossings: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[dict[str, Json]]:
    """At most five sentences, each by a key and its numbers, with what it rests on.

    goods: figures by name. crossings: corridor and figures of each crossing that is told.
    """
    found = [*_of_goods(goods), *_of_crossings(crossings)]
    return [
        {"key": key, "numbers": numbers, "rests_on": tuple(names)} for key, numbers, names in found
    ]


_Finding = tuple[str, dict[str, Json], list[str]]


def _of_goods(goods: Mapping[str, Mapping[str, Any]]) -> Iterator[_Finding]:
    if goods:
        yield _of_licences(goods)
        yield _of_people(goods)
        yield from _of_verdicts(goods)


def _of_licences(goods: Mapping[str, Mapping[str, Any]]) -> _Finding:
    open_ones = [name for name, each in goods.items() if each["licence_is"] == "open"]
    unread = sum(each["licence_is"] == "person" for each in goods.values())
    numbers: dict[str, Json] = {"count": len(open_ones), "total": len(goods), "unread": unread}
    return "finding_licences", numbers, open_ones


def _of_people(goods: Mapping[str, Mapping[str, Any]]) -> _Finding:
    few = [name for name, each in goods.items() if 0 < each["absence_factor"] <= _FEW_PEOPLE]
    numbers: dict[str, Json] = {"count": len(few), "total": len(goods), "people": _FEW_PEOPLE}
    return "finding_people", numbers, few


def _of_verdicts(goods: Mapping[str, Mapping[str, Any]]) -> Iterator[_Finding]:
    sums = {
        name: {
            verdict: sum(each[verdict] for each in good["verdicts"].values())
            for verdict in _VERDICTS
        }
        for name, good in goods.items()
    }
    total = {verdict: sum(each[verdict] for each in sums.values()) for verdict in _VERDICTS}
    contradicted = [name for name, each in sums.items() if each["contradicted"]]
    numbers: dict[str, Json] = {"count": total["contradicted"], "goods": len(contradicted)}
    yield "finding_contradicted", numbers, contradicted
    yield "finding_claims", {"count": total["claimed"], "signed": total["signed"]}, list(goods)


def _of_crossings(crossings: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[_Finding]:
    told = [(name, each) for name, each in crossings if each["told"]]
    # What is simulated says something only where nothing was observed, and the page is marked.
    told = [(name, each) for name, each in told if not each["simulated"]] or told
    if not told:
        return
    corridor, slowest = max(told, key=lambda each: (each[1]["mean_h"], each[1]["crossing"]))
    numbers: dict[str, Json] = {
        "crossing": slowest["crossing"],
        "mean_h": slowest["mean_h"],
        "low_h": slowest["bound_h"][0],
        "high_h": slowest["bound_h"][1],
        "count": slowest["consignments"],
        "missing": slowest["missing"],
        "simulated": slowest["simulated"],
    }
    yield "finding_crossing", numbers, [corridor]
