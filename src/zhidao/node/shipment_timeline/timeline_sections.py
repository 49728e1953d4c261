"""Sections of a timeline: its site, papers, title, money, arrival, network and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, TypeVar

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.geo import Circle
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.deals.deal import ARRIVAL, arrivals_of
from zhidao.finance.events import (
    ConditionMet,
    DealOpened,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.node.shipment_timeline import reason_codes, view
from zhidao.node.shipment_timeline.times import scale_of_timeline
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    ArrivalWithdrawn,
    Site,
)
from zhidao.store.reading import Stored
from zhidao.trade.events import (
    ConsignmentEntered,
    CrossingObserved,
    CustomsReleased,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trust.events import TitleMoved

_FactT = TypeVar("_FactT", bound=Fact)
_NDEG: Final = 1e9
_MM: Final = 1e3


class Facts:
    """The events of a consignment in the order in which they were recorded."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = sorted(stored, key=lambda s: (s.event.recorded_at, s.event.id))
        self.events = [s.event for s in self.stored]

    def last(self, kind: type[_FactT]) -> tuple[_FactT, SignedEvent] | None:
        """The newest fact of a kind with its event."""
        for event in reversed(self.events):
            if kind.is_told_by(event.type):
                return kind.of(event), event
        return None

    def every(self, kind: type[_FactT]) -> list[tuple[_FactT, SignedEvent]]:
        """All facts of a kind with their events, oldest first."""
        return [(kind.of(event), event) for event in self.events if kind.is_told_by(event.type)]

    @property
    def awaited(self) -> ArrivalExpected | None:
        """What is awaited; None where nobody waits, or no more."""
        found, ended = self.last(ArrivalExpected), self.last(ArrivalWithdrawn)
        if found is None or (ended and ended[1].version > found[1].version):
            return None
        return found[0]

    def before(self, kind: type[_FactT], event: SignedEvent) -> _FactT | None:
        """The newest fact of a kind that was recorded no later than an event."""
        known = [
            e for e in self.events if kind.is_told_by(e.type) and e.recorded_at <= event.recorded_at
        ]
        return kind.of(known[-1]) if known else None

    @cached_property
    def played(self) -> bool:
        """Whether the consignment was entered as a play."""
        entered = self.last(ConsignmentEntered)
        return bool(entered and entered[0].simulated)


def site(facts: Facts) -> view.SiteView | None:
    """The place of arrival, once somebody waits there."""
    awaited = facts.awaited
    if awaited is None:
        return None
    site = awaited.site
    return view.SiteView(
        name=site.name,
        lon=site.longitude_ndeg / _NDEG,
        lat=site.latitude_ndeg / _NDEG,
        radius_m=_reach_m(site),
        outline=[[c.longitude_ndeg / _NDEG, c.latitude_ndeg / _NDEG] for c in site.corners],
    )


def _reach_m(site: Site) -> float:
    area = site.area()
    return area.radius_m if isinstance(area, Circle) else area.reach_m(site.middle)


def documents(facts: Facts) -> list[view.DocumentView]:
    """All documents, oldest first."""
    return [
        view.DocumentView(
            kind=fact.kind,
            number=fact.number,
            digest=fact.digest,
            media_type=fact.media_type,
            valid=fact.valid,
            rules=fact.rules,
            credential=fact.credential,
            recorded_at=str(event.recorded_at),
            event=str(event.id),
        )
        for fact, event in facts.every(DocumentAdded)
    ]


def papers(facts: Facts) -> view.PapersView | None:
    """The newest answer about the papers."""
    found = facts.last(PapersChecked)
    if found is None:
        return None
    fact = found[0]
    return view.PapersView(
        agree=fact.agree,
        checks=fact.checks,
        findings=[reason_codes.of_finding(finding) for finding in fact.findings],
    )


def title(facts: Facts) -> view.TitleView | None:
    """The title and its moves."""
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


def money(facts: Facts) -> view.MoneyView | None:
    """The deal's money."""
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
    )


def crossings(facts: Facts) -> list[view.CrossingView]:
    """Each side of each border crossing, in the order in which the goods came to it."""
    found: dict[tuple[str, str], tuple[CrossingObserved, SignedEvent]] = {}
    for fact, event in facts.every(CrossingObserved):
        found[fact.crossing, fact.side] = (fact, event)
    return [
        view.CrossingView(
            crossing=fact.crossing,
            side=fact.side,
            entered_from=fact.entered_from,
            entered_to=fact.entered_to,
            left_from=fact.left_from,
            left_to=fact.left_to,
            mark=fact.mark,
            simulated=fact.simulated,
            by=event.asserted_by.party,
            event=str(event.id),
        )
        for fact, event in sorted(found.values(), key=lambda each: Utc.parse(each[0].entered_from))
    ]


def arrival(facts: Facts) -> view.ArrivalView | None:
    """The arrival: proven if ever, else the newest refusal."""
    proven = facts.last(ArrivalProven)
    if proven is not None:
        fact, event = proven
        return view.ArrivalView(
            state="proven",
            reason="",
            sentence="",
            told=None,
            lat=fact.latitude_ndeg / _NDEG,
            lon=fact.longitude_ndeg / _NDEG,
            protection_m=fact.protection_mm / _MM,
            observed_at=fact.observed_at,
            scale=scale_of_timeline(played=facts.played),
            satellites=fact.satellites,
            epochs=fact.epochs,
            risk_ppb=fact.marks.inside_by_any_model_ppb,
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
        told=no_arrival(facts),
        lat=fact_not.latitude_ndeg / _NDEG,
        lon=fact_not.longitude_ndeg / _NDEG,
        protection_m=fact_not.protection_mm / _MM,
        observed_at=fact_not.observed_at,
        scale=scale_of_timeline(played=facts.played),
        satellites=0,
        epochs=0,
        risk_ppb=fact_not.marks.inside_risk_ppb,
        marks=fact_not.marks,
        event=str(event.id),
        evidence=fact_not.evidence,
    )


def network(facts: Facts) -> view.NetworkView | None:
    """The newest answer of the mobile network."""
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
        told=reason_codes.of_network(fact),
        event=str(event.id),
    )


def no_arrival(facts: Facts) -> view.ReasonView | None:
    """Why the newest window that proved nothing did not."""
    refused = facts.last(ArrivalNotProven)
    if refused is None:
        return None
    expected, opened = facts.last(ArrivalExpected), facts.last(DealOpened)
    return reason_codes.of_no_arrival(
        refused[0],
        expected[0].site if expected else None,
        opened[0] if opened else None,
        scale_of_timeline(played=facts.played),
    )


def decision(facts: Facts, reason: str, sentence: str) -> view.ReasonView:
    """Why the deal ended, with the numbers of the window that the reason names."""
    refused, opened = facts.last(ArrivalNotProven), facts.last(DealOpened)
    cause = no_arrival(facts) if refused and refused[0].reason == reason else None
    scale = scale_of_timeline(played=facts.played)
    return reason_codes.of_decision(reason, sentence, cause, opened[0] if opened else None, scale)


def conditions(facts: Facts, state: str) -> list[view.PaymentConditionView]:
    """The conditions of payment."""
    opened = facts.last(DealOpened)
    if opened is None:
        return []
    met = {fact.name: (fact, event) for fact, event in facts.every(ConditionMet)}
    names = [*arrivals_of(opened[0]), *opened[0].conditions.needs]
    waits = "failed" if state == "refused" else "waits"
    return [
        view.PaymentConditionView(
            name=name,
            state="met" if name in met else waits,
            because=met[name][0].because if name in met else "",
            told=_because(facts, *met[name]) if name in met else None,
        )
        for name in names
    ]


def _arrival_before(facts: Facts, event: SignedEvent, container: str) -> ArrivalProven | None:
    """The arrival that was known by then, of this container where there are several."""
    known = [
        fact
        for fact, each in facts.every(ArrivalProven)
        if each.recorded_at <= event.recorded_at and fact.container == container
    ]
    return known[-1] if known else None


def _because(facts: Facts, met: ConditionMet, event: SignedEvent) -> view.ReasonView | None:
    """What a condition rested on when it was found to hold."""
    text = met.because
    match met.name:
        case name if name.partition(":")[0] == ARRIVAL:
            proven = _arrival_before(facts, event, name.partition(":")[2])
            scale = scale_of_timeline(played=facts.played)
            return reason_codes.of_arrival_condition(proven, scale, text) if proven else None
        case "papers_agree":
            checked = facts.before(PapersChecked, event)
            return reason_codes.of_papers_condition(checked, text) if checked else None
        case "customs_released":
            released = facts.before(CustomsReleased, event)
            return reason_codes.of_customs_condition(released, text) if released else None
        case "title_in_custody":
            opened = facts.before(DealOpened, event)
            return reason_codes.of_title_condition(opened, text) if opened else None
        case _:
            return None
