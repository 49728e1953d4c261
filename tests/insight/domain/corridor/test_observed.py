"""Hours at crossings out of a log: real facts, signed and opened, as carriers tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.insight.sample_log import PARTIES, SampleLog, prepare

from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS, Utc
from zhidao.insight.domain.corridor.observed import observed_passages
from zhidao.insight.domain.corridor.passages import Reason, Stay
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.library.corridors import AskedFigures, corridor_of_log
from zhidao.trade.events import CrossingObserved

CARRIER = PARTIES[1]
DAY = Utc.parse("2026-02-01T00:00:00Z")
HOUR_NS = 3600 * NS


def at(hours: float) -> str:
    return str(DAY.plus_ns(int(hours * HOUR_NS)))


def observe(
    book: SampleLog,
    name: str,
    side: str,
    came: float,
    left: float | None,
    *,
    crossing: str = "Altynkol",
    by: PartyId = CARRIER,
    simulated: bool = False,
) -> int:
    """Half an hour uncertain at both ends."""
    fact = CrossingObserved(
        consignment=name,
        crossing=crossing,
        side=side,
        entered_from=at(came - 0.5),
        entered_to=at(came),
        left_from=at(left) if left is not None else "",
        left_to=at(left + 0.5) if left is not None else "",
        mark="claimed",
        positions=[],
        simulated=simulated,
    )
    return book.tell(by, f"crossing/{name}/{crossing}/{side}", fact)


class Memory:
    """A log that is opened to everybody."""

    def __init__(self, log: OpenedLog) -> None:
        self._log = log

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        del viewer
        return self._log


async def told(log: OpenedLog, first: str = "", last: str = "") -> dict[str, Any]:
    made = await corridor_of_log(Memory(log), first=first, last=last, asked=AskedFigures(1))
    document: dict[str, Any] = json.loads(made.document())
    return document


def test_of_a_side_the_newest_word_counts_and_the_direction_is_that_of_the_goods():
    book = SampleLog()
    prepare(book, "a", simulated=False)
    observe(book, "a", "KZ", 10, None)
    first = observe(book, "a", "KZ", 10, 14)
    second = observe(book, "a", "CN", 3, 8)
    (found,) = observed_passages(book.log().leaves)
    assert found.direction == ("CN", "KZ")
    assert [leaf.index for leaf in found.leaves] == [first, second]
    assert isinstance(found.whole, Stay)
    assert (found.whole.shortest_ns, found.whole.longest_ns) == (11 * HOUR_NS, 12 * HOUR_NS)
    # The carrier of the entry, whoever spoke.
    assert found.party == "carrier"


def test_goods_that_are_still_there_are_not_timed():
    book = SampleLog()
    observe(book, "a", "CN", 3, 8)
    observe(book, "a", "KZ", 10, None)
    observe(book, "b", "CN", 3, 8)
    still, half = observed_passages(book.log().leaves)
    assert still.whole is Reason.ENDED_INSIDE
    assert half.whole is Reason.NOT_SEEN
    assert (half.party, half.direction) == (str(CARRIER), ())


@pytest.mark.parametrize(
    "change",
    [
        {"entered_to": "soon"},
        {"left_to": at(-5)},
        {"left_from": at(99)},
        {"entered_from": at(7)},
        {"entered_to": None},
    ],
)
def test_what_cannot_have_been_is_not_believed(change: dict[str, Any]):
    book = SampleLog()
    observe(book, "a", "CN", 3, 8)
    leaves = [
        replace(leaf, event=replace(leaf.event, payload={**leaf.event.payload, **change}))
        for leaf in book.log().leaves
    ]
    assert observed_passages(leaves) == []


def corridor(count: int, *, carriers: int = 4, simulated: bool = False) -> SampleLog:
    """Consignments over one crossing, an hour apart, five hours on the one side and two after."""
    book = SampleLog()
    for number in range(count):
        by = PARTIES[number % carriers]
        name = f"c{number}"
        observe(book, name, "CN", number, number + 5, by=by, simulated=simulated)
        observe(book, name, "KZ", number + 6, number + 8, by=by, simulated=simulated)
    return book


async def test_a_log_tells_hours_with_their_leaves():
    book = corridor(12)
    book.closed(3)
    document = await told(book.log())
    (whole,) = [each for each in document["totals"] if each["part"] == "whole"]
    assert (whole["consignments"], whole["parties"]) == (12, 4)
    # From the middle of half an hour to the middle of another.
    assert (whole["mean_h"], whole["bound_h"]) == (8.5, [8, 9])
    assert whole["leaves"] == [[0, 0, 23]]
    basis = document["basis"]
    assert (basis["kind"], basis["opened"], basis["leaves"]) == ("log", 24, 27)
    (cell,) = [each for each in document["cells"] if each["part"] == "whole"]
    assert (cell["direction"], cell["quarter"], cell["mode"]) == ("CN > KZ", "2026-Q1", "")


async def test_a_time_takes_those_that_came_in_it():
    log = corridor(40).log()
    # The first 24 came on the first day; of the sides each by itself, so of the whole.
    for first, last, count in (
        ("2026-02-01", "2026-02-01", 24),
        ("2026-02-02", "", 16),
        ("", "2026-01-31", 0),
        (at(10), at(20), 10),
    ):
        totals = (await told(log, first, last))["totals"]
        counts = [each["consignments"] for each in totals if each["part"] == "whole"]
        assert counts == ([count] if count else []), (first, last)


async def test_of_two_parties_nothing_is_told_and_a_play_says_so():
    assert (await told(corridor(12, carriers=2).log()))["totals"] == []
    made = await corridor_of_log(
        Memory(corridor(12, simulated=True).log()), first="", last="", asked=AskedFigures(1)
    )
    assert "SIMULATED Altynkol, both sides together: all that is told below" in made.table("en")
    assert "模拟 Altynkol, 两侧合计: 以下所列全部" in made.table("zh")
