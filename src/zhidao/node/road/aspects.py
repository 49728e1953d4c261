"""Single aspects of a road: its site, papers, title, money, arrival, network and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.money import Currency
from zhidao.finance.events import (
    ConditionMet,
    DealOpened,
    MoneyReserved,
    Settled,
    TitleReserved,
)
from zhidao.node.road import view
from zhidao.positioning.events import ArrivalExpected, ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import DocumentAdded, PapersChecked
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
            if event.type == kind.TYPE:
                return kind.of(event), event
        return None

    def every(self, kind: type[_FactT]) -> list[tuple[_FactT, SignedEvent]]:
        """All facts of a kind with their events, oldest first."""
        return [(kind.of(event), event) for event in self.events if event.type == kind.TYPE]


def site(facts: Facts) -> view.SiteView | None:
    """The place of arrival, once somebody waits there."""
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
    return view.PapersView(agree=fact.agree, checks=fact.checks, findings=fact.findings)


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
        payer_balance_minor=settled[0].payer_balance_minor if settled else 0,
        payee_balance_minor=settled[0].payee_balance_minor if settled else 0,
    )


def arrival(facts: Facts) -> view.ArrivalView | None:
    """The arrival: proven if ever, else the newest refusal."""
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
        event=str(event.id),
    )


def conditions(facts: Facts, state: str) -> list[view.ConditionView]:
    """The conditions of payment."""
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
