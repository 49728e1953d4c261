"""Whose move it is on a consignment: every act that its road really waits for, several at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import Fact
from zhidao.core.ids import PartyId
from zhidao.devices.events import Sealed
from zhidao.finance.events import DealOpened, MoneyReserved, Settled, TitleReserved
from zhidao.industry.events import LotFinished
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.containers import ARRIVED, CHECKED, LOOKED, SEALED, reached
from zhidao.node.shipment_timeline.timeline_sections import Facts
from zhidao.trade.domain.promise import TITLE
from zhidao.trade.events import ConsignmentEntered, CustomsReleased, DocumentAdded, PapersChecked
from zhidao.trust.events import TitleMoved

# Which milestone each act reaches, in the order of the road.
STONES: Final = {
    "lot": "factory",
    "papers": "papers",
    "papers_mend": "papers",
    "seal": "gate",
    "seal_check": "gate",
    "arrival": "arrival",
    "border": "border",
    "bill": "title",
    "mint": "title",
    "give_title": "title",
    "deal": "payment",
    "funds": "payment",
    "payment": "payment",
}
# What only they know of who pay, are paid and keep the money.
_OF_MONEY: Final = frozenset({"deal", "funds", "give_title", "payment"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the road of a consignment asks for: its deal's conditions, before it the entry's."""

    lot: bool
    seal: bool
    papers: bool
    border: bool
    title: bool
    deal: DealOpened | None

    def has(self, stone: str) -> bool:
        """Whether the road has that milestone."""
        asked = {
            "factory": self.lot,
            "gate": self.seal,
            "papers": self.papers,
            "border": self.border,
            "title": self.title,
        }
        return asked.get(stone, True)


def asked_of(facts: Facts, entered: ConsignmentEntered) -> Asked:
    """What a road asks for; whatever happened on it is part of it too."""

    def has(kind: type[Fact]) -> bool:
        return facts.last(kind) is not None

    found = facts.last(DealOpened)
    deal = found[0] if found else None
    asked = _of_deal(deal) if deal else _of_entry(entered)
    return Asked(
        lot=bool(entered.order) or has(LotFinished),
        seal="seal" in asked or has(Sealed),
        papers="papers" in asked or has(PapersChecked),
        border="border" in asked or has(CustomsReleased),
        title="title" in asked or has(TitleMoved),
        deal=deal,
    )


def _of_deal(deal: DealOpened) -> set[str]:
    words = {"papers_agree": "papers", "customs_released": "border", "bound_to_goods": "seal"}
    asked = {*deal.conditions.needs, *deal.conditions.marks}
    return {word for name, word in words.items() if name in asked} | (
        {"title"} if deal.title else set()
    )


def _of_entry(entered: ConsignmentEntered) -> set[str]:
    # An entry older than promises, or of a play, says nothing: its road shows the title once there.
    promised = entered.promised or ()
    return {"papers", "border", "seal"} | ({"title"} if TITLE in promised else set())


def moves_of(
    facts: Facts, entered: ConsignmentEntered, *, viewer: PartyId | None, home: str = ""
) -> list[view.WaitsFor]:
    """Acts that nothing else stands before, and by whom, in the order of the road.

    `facts` are all that the node has, so that nobody is said to wait for what was done out of the
    viewer's sight; what of them concerns money is told to those of the deal alone (None: to all).
    `home`: the node that writes the history, where it may be another than the entry's.
    """
    if facts.last(Settled) is not None:
        return []
    of_money = (
        *(entered.exporter, entered.importer),
        *(entered.exporter_bank, entered.importer_bank),
    )
    told = viewer is None or viewer in of_money
    return [
        view.WaitsFor(key=key, party=party)
        for key, party in _moves(facts, entered, asked_of(facts, entered), home)
        if told or key not in _OF_MONEY
    ]


def _moves(
    facts: Facts, entered: ConsignmentEntered, asked: Asked, home: str
) -> Iterator[tuple[str, str]]:
    if asked.lot and not _lots_are_there(facts, entered):
        yield "lot", entered.exporter
    yield from _title_moves(facts, entered, asked)
    yield from _papers_moves(facts, entered, asked, home)
    if asked.seal:
        yield from _seal_moves(facts, entered)
    yield from _deal_moves(facts, entered, asked)
    yield from _border_moves(facts, entered, asked)
    if asked.deal is not None and _is_complete(facts, entered, asked.deal):
        yield "payment", asked.deal.payer_bank


def _border_moves(
    facts: Facts, entered: ConsignmentEntered, asked: Asked
) -> Iterator[tuple[str, str]]:
    proven = reached(facts, entered, ARRIVED)
    if asked.deal is not None and not proven.all:
        yield "arrival", entered.carrier
    # Customs are asked once the goods are at the border: looked at, whatever was found, or there.
    at_border = proven.all or reached(facts, entered, LOOKED).all
    if asked.border and facts.last(CustomsReleased) is None and at_border:
        yield "border", entered.customs


def _title_moves(
    facts: Facts, entered: ConsignmentEntered, asked: Asked
) -> Iterator[tuple[str, str]]:
    if not asked.title or facts.last(TitleMoved) is not None:
        return
    bills = [fact for fact, _ in facts.every(DocumentAdded) if fact.kind == "bill_of_lading"]
    yield ("mint" if bills else "bill"), entered.carrier


def _papers_moves(
    facts: Facts, entered: ConsignmentEntered, asked: Asked, home: str
) -> Iterator[tuple[str, str]]:
    checked = facts.last(PapersChecked)
    if not asked.papers or (checked is not None and checked[0].agree):
        return
    if checked is None:
        yield "papers", _examiner(facts, entered, home)
    else:
        yield "papers_mend", entered.exporter


def _examiner(facts: Facts, entered: ConsignmentEntered, home: str) -> str:
    """Who holds the papers against each other: the exporter, while its own node keeps them.

    Where another node goes on with the history, or keeps the deal, only what is said there counts,
    and the exporter has nobody there: its bank is asked, which asks for papers before it pays.
    """
    deal, entry = facts.last(DealOpened), facts.last(ConsignmentEntered)
    if deal and entry and deal[1].recorded_by.party != entry[1].recorded_by.party:
        return deal[0].payer_bank
    if home and entry and entry[1].recorded_by.party != home:
        return entered.importer_bank
    return entered.exporter


def _seal_moves(facts: Facts, entered: ConsignmentEntered) -> Iterator[tuple[str, str]]:
    sealed, checked = reached(facts, entered, SEALED), reached(facts, entered, CHECKED)
    if not sealed.all:
        yield "seal", entered.carrier
    if checked.there < sealed.there:
        yield "seal_check", entered.customs


def _deal_moves(
    facts: Facts, entered: ConsignmentEntered, asked: Asked
) -> Iterator[tuple[str, str]]:
    """A deal names the title and the terminal, so both come before it."""
    deal = asked.deal
    if deal is None:
        has_title = not asked.title or facts.last(TitleMoved) is not None
        if has_title and reached(facts, entered, SEALED).all:
            yield "deal", entered.importer_bank
        return
    if facts.last(MoneyReserved) is None:
        yield "funds", deal.payer
    if deal.title and facts.last(TitleReserved) is None:
        yield "give_title", deal.payee


def _lots_are_there(facts: Facts, entered: ConsignmentEntered) -> bool:
    made = {fact.lot for fact, _ in facts.every(LotFinished)}
    return bool(made) and {each.lot for each in entered.lots} <= made


def _is_complete(facts: Facts, entered: ConsignmentEntered, deal: DealOpened) -> bool:
    """Whether all that the deal asks for is there, so that its bank's word is what is left."""
    checked = facts.last(PapersChecked)
    here = {
        "papers_agree": checked is not None and checked[0].agree,
        "customs_released": facts.last(CustomsReleased) is not None,
        "title_in_custody": facts.last(TitleReserved) is not None,
    }
    arrived = reached(facts, entered, ARRIVED).all
    return arrived and all(here.get(need, True) for need in deal.conditions.needs)
