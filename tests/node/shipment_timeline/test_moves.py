"""Whose move it is: everybody who really blocks, nobody whose act rests on another's, none hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.web.fixture_world import NAMES, World, _digest, _road, world

from zhidao.core.events import Fact
from zhidao.core.ids import PartyId
from zhidao.devices.events import SealChecked, Sealed
from zhidao.node.shipment_timeline.build import build_timeline
from zhidao.node.shipment_timeline.moves import STONES
from zhidao.node.shipment_timeline.timeline_sections import Facts
from zhidao.node.shipment_timeline.view import TimelineView
from zhidao.positioning.events import ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered, DocumentAdded

CONSIGNMENT = "C-1"


@pytest.fixture(scope="module")
def paid() -> list[Stored]:
    made = World()
    _road(made, CONSIGNMENT, "Pumps", 100, until="paid")
    return made.of[CONSIGNMENT]


def of(
    stored: list[Stored],
    viewer: str | None = None,
    seen: list[Stored] | None = None,
    home: str = "",
) -> TimelineView:
    return build_timeline(
        stored if seen is None else seen,
        parties=[],
        tracks={},
        whole=stored,
        viewer=PartyId(viewer) if viewer else None,
        home=home,
    )


def until(stored: list[Stored], *without: str) -> list[Stored]:
    """The road as it was with none of these kinds of event, and not ended."""
    ends = ("finance.Decided", "finance.Settled")
    return [s for s in stored if not any(s.event.type.startswith(w) for w in (*without, *ends))]


def keys(timeline: TimelineView) -> set[tuple[str, str]]:
    return {(move.key, move.party) for move in timeline.moves}


def test_a_new_consignment_waits_for_several_at_once(paid: list[Stored]) -> None:
    entry = [s for s in paid if s.event.type in ConsignmentEntered.types()]
    assert keys(of(entry)) == {("lot", "exporter"), ("papers", "exporter"), ("seal", "carrier")}


@pytest.mark.parametrize(
    ("without", "waits"),
    [
        (("industry.LotFinished",), ("lot", "exporter")),
        (("trade.PapersChecked",), ("papers", "exporter")),
        (("devices.SealChecked",), ("seal_check", "customs")),
        (("devices.Sealed", "devices.SealChecked"), ("seal", "carrier")),
        (("positioning.Arrival",), ("arrival", "carrier")),
        (("trade.CustomsReleased",), ("border", "customs")),
        (("finance.TitleReserved",), ("give_title", "exporter")),
        (("finance.MoneyReserved",), ("funds", "importer")),
        (("finance.DealOpened", "finance."), ("deal", "importer-bank")),
        ((), ("payment", "importer-bank")),
    ],
)
def test_what_is_missing_waits_for_who_gives_it(
    paid: list[Stored], without: tuple[str, ...], waits: tuple[str, str]
) -> None:
    assert waits in keys(of(until(paid, *without)))


def test_where_another_node_keeps_the_deal_its_bank_compares_the_papers(
    paid: list[Stored],
) -> None:
    there = until(paid, "trade.PapersChecked")
    here = [_written_elsewhere(s) if s.event.type.startswith("finance.") else s for s in there]
    asked = {mover for key, mover in keys(of(here)) if key == "papers"}
    assert asked == {"importer-bank"}


def test_after_the_hand_over_the_importer_s_bank_compares_the_papers(paid: list[Stored]) -> None:
    handed = until(paid, "finance.", "trade.PapersChecked")
    (own,) = {s.event.recorded_by.party for s in handed}
    for home, mover in (("", "exporter"), (own, "exporter"), ("elsewhere", "importer-bank")):
        told = keys(of(handed, home=home))
        assert {party for key, party in told if key == "papers"} == {mover}


def _written_elsewhere(stored: Stored) -> Stored:
    elsewhere = replace(stored.event.recorded_by, party=PartyId("elsewhere"))
    return replace(stored, event=replace(stored.event, recorded_by=elsewhere))


def test_nothing_waits_once_it_is_paid(paid: list[Stored]) -> None:
    assert of(paid).moves == []
    assert of(paid).waits_for is None


def test_a_deal_comes_after_the_seal_that_it_names(paid: list[Stored]) -> None:
    found = keys(of(until(paid, "finance.", "devices.")))
    assert ("seal", "carrier") in found
    assert not any(key == "deal" for key, _ in found)


def test_what_was_done_out_of_sight_is_not_waited_for(paid: list[Stored]) -> None:
    stored = until(paid)
    seen = [s for s in stored if not s.event.type.startswith(("devices.", "finance."))]
    timeline = of(stored, viewer="carrier", seen=seen)
    assert not {key for key, _ in keys(timeline)} & {"seal", "deal", "funds", "give_title"}


def test_money_is_told_to_those_of_the_deal_alone(paid: list[Stored]) -> None:
    stored = until(paid, "finance.MoneyReserved")
    money = ("funds", "importer")
    told = {party for party in NAMES if money in keys(of(stored, viewer=party))}
    assert told == {"importer", "exporter", "importer-bank", "exporter-bank"}
    assert money in keys(of(stored))


def test_a_road_has_the_milestones_that_it_asks_for(paid: list[Stored]) -> None:
    whole = [stone.key for stone in of(paid).milestones]
    assert whole == ["factory", "papers", "gate", "arrival", "border", "title", "payment"]
    entry = next(s for s in paid if s.event.type in ConsignmentEntered.types())
    assert "title" not in [stone.key for stone in of([entry]).milestones]


def test_every_move_belongs_to_a_stone_of_the_road() -> None:
    for name in (made := world()).of:
        timeline = made.timeline(name)
        stones = {stone.key: stone.state for stone in timeline.milestones}
        for move in timeline.moves:
            assert stones[STONES[move.key]] == "next", (name, move)


def test_a_bill_comes_before_its_title(paid: list[Stored]) -> None:
    made = World()
    facts = Facts(paid)
    entered = facts.last(ConsignmentEntered)
    assert entered is not None
    fact = entered[0]
    made.say(CONSIGNMENT, "exporter", "consignment/C-1", ConsignmentEntered(
        **{name: getattr(fact, name) for name in fact.__struct_fields__ if name != "promised"},
        promised=["title"],
    ))  # fmt: skip
    assert ("bill", "carrier") in keys(of(made.of[CONSIGNMENT]))
    made.say(CONSIGNMENT, "carrier", "consignment/C-1", DocumentAdded(
        consignment=CONSIGNMENT, kind="bill_of_lading", number="BL-1", digest=_digest("b"),
        media_type="application/json", valid=True, rules=[], credential="",
    ))  # fmt: skip
    assert ("mint", "carrier") in keys(of(made.of[CONSIGNMENT]))


SEVERAL = ["MSCU6639870", "CSQU3054383"]


def with_second(stored: list[Stored], *kinds: type[Fact]) -> list[Stored]:
    """The road with a second container in its entry, of which these facts are there too."""
    found: list[Stored] = []
    for each in stored:
        payload = dict(each.event.payload)
        if ConsignmentEntered.is_told_by(each.event.type):
            found.append(_told(each, "trade.ConsignmentEntered.v3", payload, containers=SEVERAL))
        elif ArrivalProven.is_told_by(each.event.type):
            kind = "positioning.ArrivalProven.v3"
            found.append(_told(each, kind, payload, container=SEVERAL[0]))
            if ArrivalProven in kinds:
                found.append(_told(each, kind, payload, container=SEVERAL[1]))
        else:
            found.append(each)
            if any(kind.is_told_by(each.event.type) for kind in kinds):
                more = {"seal": "HZ-2"} if "seal" in payload else {}
                found.append(_told(each, each.event.type, payload, container=SEVERAL[1], **more))
    return found


def _told(stored: Stored, kind: str, payload: dict[str, Any], **more: Any) -> Stored:
    event = replace(stored.event, type=kind, payload={**payload, **more})
    return replace(stored, event=event)


def counts(timeline: TimelineView) -> dict[str, tuple[str, int, int]]:
    stones = {stone.key: stone for stone in timeline.milestones}
    return {key: (stones[key].state, stones[key].there, stones[key].of) for key in COUNTED}


COUNTED = ("gate", "arrival")


def test_of_several_containers_the_road_says_how_many_and_waits_for_the_rest(
    paid: list[Stored],
) -> None:
    road = until(paid)
    half = of(with_second(road))
    assert counts(half) == {"gate": ("next", 1, 2), "arrival": ("next", 1, 2)}
    assert {("seal", "carrier"), ("arrival", "carrier")} <= keys(half)
    assert [(each.container, each.state) for each in half.containers] == [
        (SEVERAL[0], "arrived"),
        (SEVERAL[1], "open"),
    ]
    sealed = of(with_second(road, Sealed))
    assert ("seal_check", "customs") in keys(sealed)
    assert ("seal", "carrier") not in keys(sealed)
    whole = of(with_second(road, Sealed, SealChecked, ArrivalProven))
    assert counts(whole) == {"gate": ("done", 2, 2), "arrival": ("done", 2, 2)}
    assert not {"seal", "seal_check", "arrival"} & {key for key, _ in keys(whole)}
    assert counts(of(road)) == {"gate": ("done", 0, 0), "arrival": ("done", 0, 0)}


@pytest.mark.parametrize("found", [{"intact": False}, {"container": "MSKU1234565"}])
def test_a_seal_found_broken_or_elsewhere_is_none_until_another_is_found_whole(
    paid: list[Stored], found: dict[str, Any]
) -> None:
    road = until(paid, "positioning.Arrival", "trade.CustomsReleased")
    bad = [
        _told(s, s.event.type, dict(s.event.payload), **found)
        if SealChecked.is_told_by(s.event.type)
        else s
        for s in road
    ]
    # A later look that finds it whole heals nothing, as it binds nothing.
    again = [*bad, *(s for s in road if SealChecked.is_told_by(s.event.type))]
    for told in (bad, again):
        timeline = of(told)
        (gate,) = [stone for stone in timeline.milestones if stone.key == "gate"]
        assert gate.state == "next"
        assert {("seal", "carrier"), ("border", "customs")} <= keys(timeline)
        assert ("seal_check", "customs") not in keys(timeline)
    closed = [*bad, *_second_seal(road, Sealed)]
    assert {("seal_check", "customs")} <= keys(of(closed))
    assert ("seal", "carrier") not in keys(of(closed))
    whole = of([*closed, *_second_seal(road, SealChecked)])
    assert not {("seal", "carrier"), ("seal_check", "customs")} & keys(whole)
    assert [stone.state for stone in whole.milestones if stone.key == "gate"] == ["done"]


def _second_seal(road: list[Stored], kind: type[Fact]) -> list[Stored]:
    found = [s for s in road if kind.is_told_by(s.event.type)]
    return [_told(s, s.event.type, dict(s.event.payload), seal="HZ-2") for s in found]
