from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.insight.sample_log import (
    NODE,
    PARTIES,
    SampleLog,
    arrive,
    corridor,
    fail,
    prepare,
    refuse,
    register,
)

from zhidao.core.timescale import NS
from zhidao.finance.events import Settled
from zhidao.insight.domain.journeys import ENTERED, MILESTONES, journeys
from zhidao.insight.domain.opened import Clock, OpenedLeaf
from zhidao.trade.events import ConsignmentEntered, CustomsReleased, Delivered


def test_a_paid_consignment_reaches_every_milestone_in_time():
    paid = journeys(corridor(paid=1, refused=0).leaves)[0]
    assert (paid.consignment, paid.outcome, paid.reason) == ("a0", "paid", "conditions_met")
    assert paid.missing == ()
    assert {step.key for step in paid.reached} == {key for key, _, _ in MILESTONES}
    assert [step.took_ms is None for step in paid.reached] == [True] + [False] * 13
    times = [step.leaf.event.recorded_at for step in paid.reached]
    assert times == sorted(times)
    # What passed between first and last is what the steps took.
    took_ms = sum(step.took_ms or 0 for step in paid.reached)
    assert took_ms == times[-1].since_ns(times[0]) // 1_000_000


def test_a_refused_consignment_says_what_it_did_not_reach():
    refused = journeys(corridor(paid=0, refused=1).leaves)[0]
    assert (refused.outcome, refused.reason) == ("refused", "network_disagrees")
    assert refused.missing == ("papers", "network", "arrived", "delivered", "customs")


def test_a_decision_without_settlement_is_no_payment():
    book = SampleLog()
    prepare(book, "c")
    fail(book, "c", settled=False)
    assert journeys(book.log().leaves)[0].outcome == "decided"


def test_a_consignment_under_way_is_open():
    book = SampleLog()
    prepare(book, "c")
    journey = journeys(book.log().leaves)[0]
    assert (journey.outcome, journey.reason) == ("open", "")
    assert journey.missing[0] == "signals"


def test_two_consignments_share_a_terminal_and_each_gets_its_own_signals():
    book = SampleLog()
    register(book)
    prepare(book, "one")
    arrive(book, "one")
    between = book.size
    prepare(book, "two")
    refuse(book, "bad_checksum")
    arrive(book, "two")
    one, two = journeys(book.log().leaves)
    signals = {
        journey.consignment: [
            leaf.at.index for leaf in journey.leaves if leaf.event.type.startswith("devices.W")
        ]
        for journey in (one, two)
    }
    assert max(signals["one"]) < between < min(signals["two"])
    assert not any("SubmissionRefused" in leaf.event.type for leaf in one.leaves)
    assert any("SubmissionRefused" in leaf.event.type for leaf in two.leaves)
    assert one.missing == two.missing == ()


def test_consignments_of_one_order_keep_their_own_lots():
    log = corridor(paid=2, refused=0)
    for journey in journeys(log.leaves):
        lots = [leaf.event for leaf in journey.leaves if "LotFinished" in leaf.event.type]
        assert [lot.payload["lot"] for lot in lots] == [f"L-{journey.consignment}"]


def test_of_several_containers_all_arrive_before_the_consignment_did():
    leaves = corridor(paid=1, refused=0).leaves

    def told(each: OpenedLeaf, container: str) -> OpenedLeaf:
        event = each.event
        if event.type.startswith("trade.ConsignmentEntered."):
            payload = {**event.payload, "containers": ["A", "B"], "lots": []}
            return replace(
                each, event=replace(event, type="trade.ConsignmentEntered.v3", payload=payload)
            )
        if event.type.startswith(("positioning.ArrivalProven.", "devices.SealChecked.")):
            return replace(
                each, event=replace(event, payload={**event.payload, "container": container})
            )
        return each

    half = journeys([told(each, "A") for each in leaves])[0]
    assert half.missing == ("sealed", "arrived")
    events = [
        told(each, "B")
        for each in leaves
        if each.event.type.startswith(("positioning.ArrivalProven.", "devices.SealChecked."))
    ]
    both = journeys([*(told(each, "A") for each in leaves), *_after(leaves, events)])[0]
    assert both.missing == ()
    arrived = next(step for step in both.reached if step.key == "arrived")
    assert arrived.leaf.event.payload["container"] == "B"


def _after(leaves: Sequence[OpenedLeaf], more: Sequence[OpenedLeaf]) -> list[OpenedLeaf]:
    last = leaves[-1].at
    return [replace(each, at=replace(last, index=last.index + n)) for n, each in enumerate(more, 1)]


def test_entries_of_every_version_are_journeys():
    assert set(ConsignmentEntered.types()) == {*ENTERED}


def test_a_track_that_came_late_makes_the_road_no_shorter():
    """The terminal was heard again ten hours after it stood in the yard."""
    book = SampleLog()
    register(book)
    prepare(book, "late", simulated=False)
    there = book.now.plus_ns(3600 * NS)
    book.tell(
        PARTIES[1],
        "consignment/late",
        Delivered(consignment="late", arrival="", observed_at="", place="yard"),
        after_s=11 * 3600,
        happened=there,
    )
    (journey,) = journeys(book.log().leaves)
    step = next(step for step in journey.reached if step.key == "delivered")
    assert journey.clock is Clock.OCCURRED
    assert (step.leaf.is_apart, step.took_ms) == (True, 3_600_000)


def test_what_happened_first_stands_first_though_it_was_written_down_last():
    book = SampleLog()
    register(book)
    prepare(book, "a", simulated=False)
    for declaration, hours in (("second", -1), ("first", -2)):
        book.tell(
            PARTIES[3],
            "consignment/a",
            CustomsReleased(consignment="a", declaration=declaration, decision="released"),
            happened=book.now.plus_ns(hours * 3600 * NS),
        )
    (journey,) = journeys(book.log().leaves)
    assert journey.reached[0].key == "customs"
    assert journey.reached[0].leaf.event.payload["declaration"] == "first"
    assert all((step.took_ms or 0) >= 0 for step in journey.reached)


@pytest.mark.parametrize(
    ("simulated", "apart_s", "clock"),
    [
        (True, 900, Clock.OCCURRED),
        (True, 901, Clock.RECORDED),
        (True, -901, Clock.RECORDED),
        (False, 901, Clock.OCCURRED),
    ],
)
def test_the_time_of_a_play_is_not_subtracted_from_a_clock(
    *, simulated: bool, apart_s: int, clock: Clock
):
    book = SampleLog()
    register(book)
    prepare(book, "a", simulated=simulated)
    book.tell(
        NODE,
        "deal/deal-a",
        Settled(deal="deal-a", paid=True, reason="x", pacs008="", camt054="", schema=""),
        happened=book.now.plus_ns((10 - apart_s) * NS),
    )
    (journey,) = journeys(book.log().leaves)
    assert journey.clock is clock
    assert (journey.reached[-1].key == "settled") == (clock is Clock.RECORDED or apart_s < 0)


def test_a_play_that_is_told_by_its_own_time_throughout_is_measured_by_it():
    leaves = corridor(paid=1, refused=0).leaves
    earlier = [
        replace(
            each,
            event=replace(each.event, occurred_at=each.event.occurred_at.plus_ns(-86_400 * NS)),
        )
        for each in leaves
    ]
    assert journeys(earlier)[0].clock is Clock.OCCURRED
