"""Every state of a consignment, by every fact that its table lets be recorded."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pytest
from tests.state_exploration import (
    Walk,
    rows_not_taken,
    steps_without_row,
    walk,
    with_row,
    without_guards,
)

from zhidao.core.events import Fact, SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.core.transitions import Machine, Transition
from zhidao.trade.domain.tracking import consignment_states
from zhidao.trade.domain.tracking.consignment_states import (
    ADD_BILL,
    BILL,
    CONSIGNMENT,
    DELIVER,
    DELIVERED,
    ENTERED,
    NEW,
    RELEASE,
    UNDER_WAY,
    act_of,
    refusal_of,
)
from zhidao.trade.events import (
    Consignment,
    ConsignmentEntered,
    ContainerArrived,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trade.service.state import fold

AT = Utc.parse("2026-01-01T00:00:00Z")
SPEAKER = Speaker(PartyId("node"), SoftwareKey(Algorithm.ED25519, b"\x01" * 32).public)
ENTRY = ConsignmentEntered(
    **{
        **dict.fromkeys(ConsignmentEntered.__struct_fields__, "x"),
        "amount_minor": 1,
        "simulated": True,
        "promised": None,
        "containers": ["k1", "k2"],
        "lots": [],
        "invoices": [],
    }
)


def paper(kind: str, digest: str) -> DocumentAdded:
    return DocumentAdded(
        consignment="C-1",
        kind=kind,
        number=digest,
        digest=digest,
        media_type="application/json",
        valid=True,
        rules=[],
        credential="",
    )


def came(container: str) -> ContainerArrived:
    return ContainerArrived(
        consignment="C-1", container=container, arrival=container, observed_at="x", place="y"
    )


CHECKED = PapersChecked(consignment="C-1", agree=True, checks=1, documents=[], findings=[])
FACTS: tuple[Fact, ...] = (
    *(paper("invoice", "1"), paper(BILL, "2"), paper(BILL, "3"), CHECKED),
    *(CustomsReleased(consignment="C-1", declaration=each, decision="released") for each in "ab"),
    *(came("k1"), came("k2")),
    *(Delivered(consignment="C-1", arrival=each, observed_at="x", place="y") for each in "ab"),
)
World = tuple[Fact, ...]


def events(facts: World) -> tuple[SignedEvent, ...]:
    from uuid import UUID

    return tuple(
        SignedEvent(
            id=UUID(int=version),
            type=fact.told_as,
            aggregate="consignment/C-1",
            version=version,
            owner=PartyId("exporter"),
            visible=(),
            occurred_at=AT,
            recorded_at=AT,
            payload=fact.payload(),
            open=False,
            custodian=True,
            asserted_by=SPEAKER,
            recorded_by=SPEAKER,
        )
        for version, fact in enumerate(facts, 1)
    )


def seen(facts: World) -> Consignment:
    return fold(events(facts))


def key(facts: World) -> Hashable:
    one = seen(facts)
    bills = sum(each.kind == BILL for each in one.documents)
    papers = any(each.kind != BILL for each in one.documents)
    arrived = frozenset(each.container for each in one.arrived)
    return (
        one.state,
        bills,
        papers,
        arrived,
        *(bool(x) for x in (one.papers, one.customs, one.delivered)),
    )


def moves(facts: World) -> Iterator[tuple[str, World]]:
    if len(facts) > 12:
        return
    standing = seen(facts)
    for fact in FACTS:
        if not refusal_of(standing, fact):
            yield act_of(fact.TYPE, fact.payload()), (*facts, fact)


def explored() -> Walk[World]:
    return walk([(ENTRY,)], moves, key)


def violation(found: Walk[World]) -> str:
    for before, act, after in found.steps:
        one, then = seen(before), seen(after)
        if sum(each.kind == BILL for each in then.documents) > 1:
            return "two bills of lading"
        if one.customs is not None and act == RELEASE:
            return "released twice"
        if one.delivered is not None and (act == DELIVER or then.state != DELIVERED):
            return "delivered twice, or not any more"
        if then.state == UNDER_WAY and all(each.kind != BILL for each in then.documents):
            return "under way without a bill"
    return ""


def test_no_order_of_facts_makes_two_bills_releases_or_deliveries() -> None:
    found = explored()
    assert violation(found) == ""
    states = {seen(world).state for world in found.worlds.values()}
    assert states == set(CONSIGNMENT.states) - {NEW}


def test_every_row_can_happen_and_nothing_happens_beside_the_rows() -> None:
    taken = [(seen(a).state, act, seen(b).state) for a, act, b in explored().steps]
    assert rows_not_taken(CONSIGNMENT, [(NEW, "enter", ENTERED), *taken]) == []
    assert steps_without_row(CONSIGNMENT, taken) == []


def test_every_consignment_can_still_be_delivered() -> None:
    found = explored()
    assert found.can_reach(lambda world: seen(world).state == DELIVERED) == set(found.worlds)
    assert CONSIGNMENT.ends == (DELIVERED,)


@pytest.mark.parametrize(
    "faulty",
    [
        *(without_guards(CONSIGNMENT, act) for act in (ADD_BILL, RELEASE)),
        with_row(CONSIGNMENT, Transition(UNDER_WAY, ADD_BILL, "carrier", UNDER_WAY)),
        with_row(CONSIGNMENT, Transition(DELIVERED, DELIVER, "node", DELIVERED)),
    ],
)
def test_the_walk_finds_each_planted_fault(
    faulty: Machine[Consignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consignment_states, "CONSIGNMENT", faulty)
    assert violation(explored())


@pytest.mark.parametrize("kind", ["trade.ConsignmentEntered.v1", "trade.ConsignmentEntered.v2"])
def test_an_entry_of_any_version_enters(kind: str) -> None:
    assert act_of(kind, {}) == "enter"
