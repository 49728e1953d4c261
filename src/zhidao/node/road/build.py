"""Folds the events of one consignment into its road. Pure: events in, structs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.money import Currency
from zhidao.devices.events import SealChecked, Sealed, WindowReceived
from zhidao.finance.events import (
    ConditionMet,
    DealOpened,
    Decided,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.industry.events import LotFinished
from zhidao.node.parties import Party
from zhidao.node.road import view
from zhidao.positioning.events import ArrivalExpected, ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import (
    ConsignmentEntered,
    CustomsReleased,
    Delivered,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import CredentialIssued, TitleMoved

_FactT = TypeVar("_FactT", bound=Fact)
_NDEG: Final = 1e9
_MM: Final = 1e3

# The ten steps of the demonstration and the fact that completes each.
STEPS: Final[tuple[tuple[str, tuple[type[Fact], ...]], ...]] = (
    ("industry", (LotFinished,)),
    ("entry", (ConsignmentEntered, DocumentAdded, PapersChecked)),
    ("trust", (CredentialIssued, TitleMoved)),
    ("reserve", (MoneyReserved, TitleReserved)),
    ("devices", (Sealed, WindowReceived)),
    ("positioning", (ArrivalProven,)),
    ("network", (NetworkChecked,)),
    ("journey", (Delivered, CustomsReleased)),
    ("release", (Decided, Settled)),
    ("proof", ()),
)


class Facts:
    """The events of a consignment in the order in which they were recorded."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = sorted(stored, key=lambda s: (s.event.recorded_at, s.event.id))
        self.events = [s.event for s in self.stored]

    def last(self, kind: type[_FactT]) -> tuple[_FactT, SignedEvent] | None:
        """The newest fact of a kind with its event."""
        for event in reversed(self.events):
            if event.type == kind.TYPE:
                return kind.of(event), event
        return None

    def every(self, kind: type[_FactT]) -> list[tuple[_FactT, SignedEvent]]:
        """All facts of a kind with their events, oldest first."""
        return [(kind.of(event), event) for event in self.events if event.type == kind.TYPE]


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
    facts = Facts(stored)
    found = facts.last(ConsignmentEntered)
    if found is None:
        raise LookupError("no entry among the events")
    entered = found[0]
    state, reason, sentence = _state(facts)
    milestones = _milestones(facts, state)
    names = {party.party: party for party in parties}
    return view.Road(
        consignment=entered.consignment,
        label=entered.goods,
        simulated=_simulated(facts, entered),
        state=state,
        reason=reason,
        sentence=sentence,
        waits_for=_waits_for(milestones, entered, state),
        amount=view.Amount(
            minor=entered.amount_minor,
            currency=entered.currency,
            exponent=Currency(entered.currency).exponent,
        ),
        route=_route(facts, track),
        position=position,
        track=track,
        site=_site(facts),
        parties=_parties(entered, names),
        milestones=milestones,
        steps=_steps(facts, state),
        documents=_documents(facts),
        papers=_papers(facts),
        title=_title(facts),
        money=_money(facts),
        arrival=_arrival(facts),
        network=_network(facts),
        conditions=_conditions(facts, state),
        said=[_said(each, names) for each in facts.stored],
    )


def summary(road: view.Road) -> view.RoadSummary:
    """The road's line in the list."""
    return view.RoadSummary(
        consignment=road.consignment,
        label=road.label,
        simulated=road.simulated,
        state=road.state,
        reason=road.reason,
        waits_for=road.waits_for,
        amount=road.amount,
        milestones=road.milestones,
        position=road.position,
        site=road.site,
        updated_at=road.said[-1].recorded_at if road.said else "",
    )


def _route(facts: Facts, track: list[list[float]]) -> list[list[float]]:
    """The way as far as it is known: where the terminal was, then straight to the site."""
    site = _site(facts)
    return [*track, [site.lon, site.lat]] if site else list(track)


def _state(facts: Facts) -> tuple[str, str, str]:
    decided = facts.last(Decided)
    settled = facts.last(Settled)
    if decided is None or settled is None:
        return "under_way", "", ""
    if settled[0].paid:
        return "paid", "", decided[0].sentence
    return "refused", decided[0].reason, decided[0].sentence


def _milestones(facts: Facts, state: str) -> list[view.Milestone]:
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
            stone_state, at, event_id = "done", str(event.occurred_at), str(event.id)
        elif not next_given:
            stone_state, at, event_id = ("refused" if state == "refused" else "next"), "", ""
            next_given = True
        else:
            stone_state, at, event_id = "later", "", ""
        stones.append(
            view.Milestone(
                key=key,
                state=stone_state,
                at=at,
                event=event_id,
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


def _simulated(facts: Facts, entered: ConsignmentEntered) -> list[str]:
    parts = set()
    if entered.simulated:
        parts.add("parties")
    flags: tuple[tuple[type[Fact], str], ...] = (
        (LotFinished, "machine"),
        (WindowReceived, "observations"),
        (NetworkChecked, "network"),
    )
    for kind, part in flags:
        if any(event.payload.get("simulated") for _, event in facts.every(kind)):
            parts.add(part)
    return sorted(parts)


def _site(facts: Facts) -> view.SiteView | None:
    found = facts.last(ArrivalExpected)
    if found is None:
        return None
    site = found[0].site
    return view.SiteView(
        name=site.name,
        lon=site.longitude_ndeg / _NDEG,
        lat=site.latitude_ndeg / _NDEG,
        radius_m=site.radius_mm / _MM,
    )


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


def _steps(facts: Facts, state: str) -> list[view.Step]:
    steps = []
    open_given = False
    for number, (key, kinds) in enumerate(STEPS, start=1):
        events = [event for kind in kinds for _, event in facts.every(kind)]
        kinds_seen = {event.type for event in events}
        done = all(kind.TYPE in kinds_seen for kind in kinds) if kinds else state != "under_way"
        if key == "release" and state == "refused":
            done = True
        step_state = "done" if done else "later"
        if not done and not open_given:
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


def _documents(facts: Facts) -> list[view.DocumentView]:
    return [
        view.DocumentView(
            kind=fact.kind,
            number=fact.number,
            digest=fact.digest,
            media_type=fact.media_type,
            valid=fact.valid,
            rules=fact.rules,
            credential=fact.credential,
            event=str(event.id),
        )
        for fact, event in facts.every(DocumentAdded)
    ]


def _papers(facts: Facts) -> view.PapersView | None:
    found = facts.last(PapersChecked)
    if found is None:
        return None
    fact = found[0]
    return view.PapersView(agree=fact.agree, checks=fact.checks, findings=fact.findings)


def _title(facts: Facts) -> view.TitleView | None:
    moves = facts.every(TitleMoved)
    if not moves:
        return None
    fact = moves[-1][0]
    reserved = facts.last(TitleReserved)
    settled = facts.last(Settled)
    return view.TitleView(
        title=fact.title,
        registry=fact.registry,
        chain_id=fact.chain_id,
        holder_party=fact.holder_party,
        beneficiary_party=fact.beneficiary_party,
        custody=reserved[0].deal if reserved and not settled else "",
        moves=[
            view.TitleMove(
                action=move.action,
                at=str(event.recorded_at),
                holder_party=move.holder_party,
                event=str(event.id),
            )
            for move, event in moves
        ],
    )


def _money(facts: Facts) -> view.MoneyView | None:
    found = facts.last(DealOpened)
    if found is None:
        return None
    deal = found[0]
    settled = facts.last(Settled)
    state = "none"
    if facts.last(MoneyReserved):
        state = "reserved"
    if settled:
        state = "paid" if settled[0].paid else "released_back"
    return view.MoneyView(
        payer=deal.payer,
        payee=deal.payee,
        payer_bank=deal.payer_bank,
        payee_bank=deal.payee_bank,
        amount_minor=deal.amount_minor,
        currency=deal.currency,
        exponent=Currency(deal.currency).exponent,
        state=state,
        payer_balance_minor=settled[0].payer_balance_minor if settled else 0,
        payee_balance_minor=settled[0].payee_balance_minor if settled else 0,
    )


def _arrival(facts: Facts) -> view.ArrivalView | None:
    proven = facts.last(ArrivalProven)
    if proven is not None:
        fact, event = proven
        return view.ArrivalView(
            state="proven",
            reason="",
            sentence="",
            lat=fact.latitude_ndeg / _NDEG,
            lon=fact.longitude_ndeg / _NDEG,
            protection_m=fact.protection_mm / _MM,
            observed_at=fact.observed_at,
            satellites=fact.satellites,
            epochs=fact.epochs,
            risk_ppb=fact.marks.inside_risk_ppb,
            marks=fact.marks,
            event=str(event.id),
            evidence=fact.evidence,
        )
    refused = facts.last(ArrivalNotProven)
    if refused is None:
        return None
    fact_not, event = refused
    return view.ArrivalView(
        state="not_proven",
        reason=fact_not.reason,
        sentence=fact_not.sentence,
        lat=fact_not.latitude_ndeg / _NDEG,
        lon=fact_not.longitude_ndeg / _NDEG,
        protection_m=fact_not.protection_mm / _MM,
        observed_at=fact_not.observed_at,
        satellites=0,
        epochs=0,
        risk_ppb=fact_not.marks.inside_risk_ppb,
        marks=fact_not.marks,
        event=str(event.id),
        evidence=fact_not.evidence,
    )


def _network(facts: Facts) -> view.NetworkView | None:
    found = facts.last(NetworkChecked)
    if found is None:
        return None
    fact, event = found
    return view.NetworkView(
        verdict=fact.verdict,
        lat=fact.network_latitude_ndeg / _NDEG,
        lon=fact.network_longitude_ndeg / _NDEG,
        radius_m=fact.network_radius_mm / _MM,
        reason=fact.reason,
        event=str(event.id),
    )


def _conditions(facts: Facts, state: str) -> list[view.ConditionView]:
    opened = facts.last(DealOpened)
    if opened is None:
        return []
    met = {fact.name: fact.because for fact, _ in facts.every(ConditionMet)}
    names = ["arrival", *opened[0].conditions.needs]
    waits = "failed" if state == "refused" else "waits"
    return [
        view.ConditionView(
            name=name, state="met" if name in met else waits, because=met.get(name, "")
        )
        for name in names
    ]


def _said(stored: Stored, names: dict[str, Party]) -> view.Said:
    event = stored.event
    return view.Said(
        id=str(event.id),
        type=event.type,
        occurred_at=str(event.occurred_at),
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
