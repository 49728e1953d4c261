"""All versions of an entry's event stay readable: golden events, never edited."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent, latest
from zhidao.trade.events import ConsignmentEntered, DocumentAdded

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def golden(version: int) -> SignedEvent:
    data = (GOLDEN / f"consignment-entered-v{version}.json").read_bytes()
    event = SignedEvent.from_plain(json.loads(data))
    assert event.encode() == data
    event.verify()
    return event


@pytest.mark.parametrize(
    ("version", "promised", "containers"),
    [
        (1, None, []),
        (2, ["arrival", "title", "payment", "papers"], []),
        (3, ["arrival", "title", "payment", "papers"], ["CSQU3054383", "MSCU6639870"]),
        (4, ["arrival", "title", "payment", "papers"], []),
    ],
)
def test_an_entry_of_each_version_is_read_with_what_it_promised(
    version, promised, containers
) -> None:
    event = golden(version)
    fact = ConsignmentEntered.of(event)
    assert fact.promised == promised
    assert fact.containers == containers
    assert (fact.every_container[0], fact.container) == ("CSQU3054383", "CSQU3054383")
    assert (fact.consignment, fact.loading, fact.goods != "") == ("zd-2026-0001", "", True)
    assert latest((event,), ConsignmentEntered) == fact
    assert latest((event,), DocumentAdded) is None


def test_an_entry_of_the_first_version_states_no_promise_by_the_back_door() -> None:
    event = golden(1)
    with pytest.raises(MalformedInput, match="a later version's field 'promised'"):
        ConsignmentEntered.of(replace(event, payload={**event.payload, "promised": []}))
    second = golden(2)
    lacking = {name: value for name, value in second.payload.items() if name != "promised"}
    with pytest.raises(MalformedInput):
        ConsignmentEntered.of(replace(second, payload=lacking))


def test_several_containers_stand_in_the_third_version_alone() -> None:
    third, second = golden(3), golden(2)
    with pytest.raises(MalformedInput, match="a later version's field 'containers'"):
        ConsignmentEntered.of(replace(third, type=second.type))
    with pytest.raises(MalformedInput, match="says no more than a"):
        ConsignmentEntered.of(replace(third, payload={**third.payload, "containers": []}))
    fact = ConsignmentEntered.of(third)
    assert (fact.told_as, fact.payload()) == (third.type, third.payload)
    one = ConsignmentEntered.of(second)
    assert (one.told_as, one.payload()) == (second.type, second.payload)


def test_several_invoices_stand_in_the_fourth_version_alone() -> None:
    fourth, third = golden(4), golden(3)
    fact = ConsignmentEntered.of(fourth)
    assert [each.number for each in fact.invoices] == ["INV-2026-0417", "INV-2026-0418"]
    assert sum(each.amount_minor for each in fact.invoices) == fact.amount_minor
    assert (fact.told_as, fact.payload()) == (fourth.type, fourth.payload)
    with pytest.raises(MalformedInput, match="a later version's field 'invoices'"):
        ConsignmentEntered.of(replace(fourth, type=third.type))
    with pytest.raises(MalformedInput, match=r"says no more than a trade\.ConsignmentEntered\.v2"):
        ConsignmentEntered.of(replace(fourth, payload={**fourth.payload, "invoices": []}))
    containers = {**fourth.payload, "invoices": [], "containers": third.payload["containers"]}
    with pytest.raises(MalformedInput, match=r"says no more than a trade\.ConsignmentEntered\.v3"):
        ConsignmentEntered.of(replace(fourth, payload=containers))
