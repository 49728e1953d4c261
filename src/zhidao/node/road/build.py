"""Folds the events of one consignment into its road. Pure: events in, structs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zhidao.connectivity.events import NetworkChecked, ShortMessageReceived
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.money import Currency
from zhidao.devices.events import PositionsRecorded, SealChecked, Sealed, WindowReceived
from zhidao.finance.events import (
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.industry.events import LotFinished
from zhidao.node.parties import Party
from zhidao.node.road import aspects, view
from zhidao.node.road.places import place
from zhidao.node.road.times import scale_of, scale_of_road
from zhidao.node.simulated import trajectory_is_simulated
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import (
    ConsignmentEntered,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import CredentialIssued, TitleMoved

# The ten steps of the demonstration and the fact that completes each.
STEPS: Final[tuple[tuple[str, tuple[type[Fact], ...]], ...]] = (
    ("industry", (LotFinished,)),
    ("entry", (ConsignmentEntered, DocumentAdded, PapersChecked)),
    ("trust", (CredentialIssued, TitleMoved)),
    ("reserve", (MoneyReserved, TitleReserved)),
    # Windows stay at the node that took them; elsewhere the arrival names the one it rests on.
    ("devices", (Sealed, WindowReceived)),
    ("positioning", (ArrivalProven,)),
    ("network", (NetworkChecked,)),
    ("journey", (Delivered, CustomsReleased)),
    ("release", (Decided, Settled)),
    ("proof", ()),
)


def build_road(
    stored: Sequence[Stored],
    *,
    parties: Sequence[Party],
    track: list[list[float]],
    position: view.PositionView | None,
) -> view.Road:
    """The road of the one consignment that these events are about.

    Raises LookupError if the entry itself is not among them.
    """
    facts = aspects.Facts(stored)
    found = facts.last(ConsignmentEntered)
    if found is None:
        raise LookupError("no entry among the events")
    entered = found[0]
    state, reason, sentence = _state(facts)
    milestones = _milestones(facts, state)
    refused = state == "refused"
    names = {party.party: party for party in parties}
    return view.Road(
        consignment=entered.consignment,
        label=entered.goods,
        simulated=_simulated(facts, entered),
        time_scale=scale_of_road(played=facts.played),
        state=state,
        reason=reason,
        sentence=sentence,
        told=aspects.decision(facts, reason, sentence) if refused else None,
        waits_for=_waits_for(milestones, entered, state),
        amount=view.Amount(
            minor=entered.amount_minor,
            currency=entered.currency,
            exponent=Currency(entered.currency).exponent,
        ),
        route=_route(entered, facts, track),
        position=position,
        track=track,
        site=aspects.site(facts),
        parties=_parties(entered, names),
        milestones=milestones,
        steps=_steps(facts, state),
        documents=aspects.documents(facts),
        papers=aspects.papers(facts),
        title=aspects.title(facts),
        money=aspects.money(facts),
        arrival=aspects.arrival(facts),
        network=aspects.network(facts),
        conditions=aspects.conditions(facts, state),
        said=[_said(each, names, played=facts.played) for each in facts.stored],
    )


def summary(road: view.Road) -> view.RoadSummary:
    """The road's line in the list."""
    return view.RoadSummary(
        consignment=road.consignment,
        label=road.label,
        simulated=road.simulated,
        time_scale=road.time_scale,
        state=road.state,
        reason=road.reason,
        sentence=road.sentence,
        told=road.told,
        waits_for=road.waits_for,
        amount=road.amount,
        milestones=road.milestones,
        route=road.route,
        position=road.position,
        site=road.site,
        parties=road.parties,
        updated_at=road.said[-1].recorded_at if road.said else "",
    )


def _route(
    entered: ConsignmentEntered, facts: aspects.Facts, track: list[list[float]]
) -> list[list[float]]:
    """Where the terminal was, then straight to the site; from the place of loading at first."""
    site = aspects.site(facts)
    end = [[site.lon, site.lat]] if site else place(entered.discharge)
    return [*(track or place(entered.loading)), *end]


def _state(facts: aspects.Facts) -> tuple[str, str, str]:
    decided = facts.last(Decided)
    settled = facts.last(Settled)
    if decided is None or settled is None:
        return "under_way", "", ""
    if settled[0].paid:
        return "paid", "", decided[0].sentence
    return "refused", decided[0].reason, decided[0].sentence


def _milestones(facts: aspects.Facts, state: str) -> list[view.Milestone]:
    papers = facts.last(PapersChecked)
    settled = facts.last(Settled)
    title_moved = settled if settled and settled[0].paid else None
    reached: list[tuple[str, SignedEvent | None]] = [
        ("factory", _event(facts.last(LotFinished))),
        ("papers", papers[1] if papers and papers[0].agree else None),
        ("gate", _event(facts.last(SealChecked))),
        ("arrival", _event(facts.last(ArrivalProven))),
        ("border", _event(facts.last(CustomsReleased))),
        ("title", title_moved[1] if title_moved else None),
        ("payment", title_moved[1] if title_moved else None),
    ]
    stones = []
    next_given = False
    for key, event in reached:
        if event is not None:
            stone_state = "done"
        elif not next_given:
            stone_state, next_given = ("refused" if state == "refused" else "next"), True
        else:
            stone_state = "later"
        stones.append(
            view.Milestone(
                key=key,
                state=stone_state,
                at=str(event.occurred_at) if event else "",
                scale=scale_of(event, played=facts.played) if event else "clock",
                recorded_at=str(event.recorded_at) if event else "",
                event=str(event.id) if event else "",
                sentence_key=f"milestone.{key}.{stone_state}",
                sentence_args={},
            )
        )
    return stones


def _event(found: tuple[Any, SignedEvent] | None) -> SignedEvent | None:
    return found[1] if found else None


def _waits_for(
    milestones: Sequence[view.Milestone], entered: ConsignmentEntered, state: str
) -> view.WaitsFor | None:
    if state != "under_way":
        return None
    movers = {
        "factory": entered.exporter,
        "papers": entered.exporter,
        "gate": entered.carrier,
        "arrival": entered.carrier,
        "border": entered.customs,
        "title": entered.importer_bank,
        "payment": entered.importer_bank,
    }
    for stone in milestones:
        if stone.state == "next":
            return view.WaitsFor(key=stone.key, party=movers[stone.key])
    return None


def _simulated(facts: aspects.Facts, entered: ConsignmentEntered) -> list[str]:
    parts = set()
    if entered.simulated:
        parts.add("parties")
    flags: tuple[tuple[type[Fact], str], ...] = (
        (LotFinished, "machine"),
        (WindowReceived, "observations"),
        (ArrivalProven, "observations"),
        (ArrivalNotProven, "observations"),
        (NetworkChecked, "network"),
    )
    for kind, part in flags:
        if any(event.payload.get("simulated") for _, event in facts.every(kind)):
            parts.add(part)
    if trajectory_is_simulated(
        reported=bool(_implied(facts))
        or any(
            facts.last(kind) for kind in (PositionsRecorded, ShortMessageReceived, WindowReceived)
        ),
        played=entered.simulated,
        signals="observations" in parts,
    ):
        parts.add("trajectory")
    return sorted(parts)


def _parties(entered: ConsignmentEntered, names: dict[str, Party]) -> list[view.PartyView]:
    wanted = (
        *(entered.exporter, entered.carrier, entered.importer),
        *(entered.importer_bank, entered.exporter_bank, entered.customs),
    )
    return [
        view.PartyView(
            party=p, name=names[p].name, trade_role=names[p].trade_role, country=names[p].country
        )
        if p in names
        else view.PartyView(party=p, name=p, trade_role="", country="")
        for p in wanted
    ]


def _steps(facts: aspects.Facts, state: str) -> list[view.Step]:
    steps = []
    open_given = False
    for number, (key, kinds) in enumerate(STEPS, start=1):
        events = [event for kind in kinds for _, event in facts.every(kind)]
        kinds_seen = {event.type for event in events} | _implied(facts)
        done = all(kind.TYPE in kinds_seen for kind in kinds) if kinds else state != "under_way"
        if key == "release" and state == "refused":
            done = True
        step_state = "done" if done else "later"
        # Of a paid road a reader may not see every step; none of them is still to come.
        if not done and not open_given and state != "paid":
            step_state = "refused" if state == "refused" else "next"
            open_given = True
        steps.append(
            view.Step(
                n=number,
                key=key,
                state=step_state,
                at=str(max(e.recorded_at for e in events)) if events else "",
                events=[str(e.id) for e in events],
            )
        )
    return steps


def _implied(facts: aspects.Facts) -> set[str]:
    """Kinds of facts that are not here, but that a fact here rests on."""
    proven, refused = facts.every(ArrivalProven), facts.every(ArrivalNotProven)
    windows = [fact.window for fact, _ in proven] + [fact.window for fact, _ in refused]
    return {WindowReceived.TYPE} if any(windows) else set()


def _said(stored: Stored, names: dict[str, Party], *, played: bool) -> view.Said:
    event = stored.event
    return view.Said(
        id=str(event.id),
        type=event.type,
        occurred_at=str(event.occurred_at),
        scale=scale_of(event, played=played),
        recorded_at=str(event.recorded_at),
        witnessed_at="",
        asserted_by=_voice(event.asserted_by.party, event.asserted_by.key.fingerprint, names),
        recorded_by=_voice(event.recorded_by.party, event.recorded_by.key.fingerprint, names),
        custodian=event.custodian,
        open=event.open,
        index=stored.leaf_index,
        summary_key=event.type,
        args={k: v for k, v in event.payload.items() if isinstance(v, str | int | bool)},
    )


def _voice(party: str, fingerprint: str, names: dict[str, Party]) -> view.Voice:
    name = names[party].name if party in names else party
    return view.Voice(party=party, name=name, fingerprint=fingerprint)
