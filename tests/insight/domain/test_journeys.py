from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.insight.sample_log import (
    SampleLog,
    arrive,
    corridor,
    fail,
    prepare,
    refuse,
    register,
)

from zhidao.insight.domain.journeys import ENTERED, MILESTONES, journeys
from zhidao.insight.domain.opened import OpenedLeaf
from zhidao.trade.events import ConsignmentEntered


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
