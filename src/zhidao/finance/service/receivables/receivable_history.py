"""What the history of a receivable makes of it, and whether a step was taken before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.money import Currency
from zhidao.finance.domain.receivables.receivable import Receivable, Shares
from zhidao.finance.events import ReceivableActed, ReceivableRegistered


def day_of(event: SignedEvent) -> date:
    """The day on which a fact was recorded."""
    return event.recorded_at.to_datetime().date()


def share_name(name: str) -> str:
    """The name of a share. Raises MalformedInput."""
    return str(party_id(name))


def registration(
    name: str, receivable: Receivable, supplier: PartyId, obligor: PartyId
) -> ReceivableRegistered:
    """The fact that registers a receivable."""
    return ReceivableRegistered(
        receivable=name,
        obligor=receivable.obligor,
        obligor_party=obligor,
        supplier=receivable.supplier,
        supplier_party=supplier,
        invoice=receivable.invoice,
        shipment=receivable.shipment,
        amount_minor=str(receivable.amount_minor),
        currency=receivable.currency.code,
        due_on=receivable.due_on,
    )


def stands(history: Sequence[SignedEvent], actor: Actor, fact: ReceivableActed) -> bool:
    """Whether this very step was this party's before (a release or assignment: its last one)."""
    mine = [
        (event.asserted_by.party, ReceivableActed.of(event))
        for event in history[1:]
        if ReceivableActed.of(event).share == fact.share
    ]
    if fact.act in ("dispute", "withdraw"):
        spoken = [told for _, told in mine if told.act in ("dispute", "withdraw")]
        return spoken[-1:] == [fact] or (not spoken and fact.act == "withdraw")
    if fact.act == "settle":
        return any((told.act, told.transfer) == (fact.act, fact.transfer) for _, told in mine)
    if fact.act in ("confirm", "pledge"):
        return any(told == fact for _, told in mine)
    return bool(mine) and mine[-1] == (actor.party, fact)


def readers(history: Sequence[SignedEvent], fact: ReceivableActed) -> list[PartyId]:
    """Who may read a step: the two parties, and whoever holds or held a share."""
    registered = ReceivableRegistered.of(history[0])
    told = [ReceivableActed.of(event).holder for event in history[1:]]
    names = {registered.supplier_party, registered.obligor_party, fact.holder, *told}
    return [PartyId(name) for name in sorted(names) if name]


def fold(history: Sequence[SignedEvent]) -> Shares:
    """The receivable that a history makes. Raises NotFound for none."""
    if not history or history[0].type != ReceivableRegistered.TYPE:
        raise NotFound("no receivable of that name")
    first = ReceivableRegistered.of(history[0])
    shares = Shares(
        Receivable(
            obligor=first.obligor,
            supplier=first.supplier,
            invoice=first.invoice,
            shipment=first.shipment,
            amount_minor=int(first.amount_minor),
            currency=Currency(first.currency),
            due_on=first.due_on,
        )
    )
    for event in history[1:]:
        shares = _after(shares, event)
    return shares


def _after(shares: Shares, event: SignedEvent) -> Shares:
    fact, by = ReceivableActed.of(event), event.asserted_by.party
    if fact.act == "confirm":
        return replace(shares, confirmed=True)
    if fact.act == "pledge":
        return shares.pledged(fact.share, fact.holder, int(fact.amount_minor))
    if fact.act == "assign":
        return shares.assigned(fact.share, by=by, to=fact.holder)
    if fact.act == "settle":
        return replace(shares, paid_on=fact.paid_on)
    if fact.act in ("dispute", "withdraw"):
        return replace(shares, disputed=fact.reason)
    return shares.released(fact.share, by=by)
