"""The registry of receivables at the one node that is home to an obligor.

Every receivable is one history of the journal, so two pledges that race meet at one version and
only one is written: the other is told, and looks again. Who wants to know whether an invoice is
registered asks with a blinded question; questions are counted and recorded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.money import Currency
from zhidao.finance.domain.receivable import Receivable, Shares, home_of, invoice_key
from zhidao.finance.events import (
    ReceivableActed,
    ReceivableAsked,
    ReceivableRegistered,
    ShipmentClaimed,
)
from zhidao.finance.wire.blinded import ask, evaluate, finish, token

QUESTIONS_A_DAY_MAX: Final = 1_000
_TRIES: Final = 16
Shipped = Callable[[str], Awaitable[bool]]
"""Whether a verified shipment of that id exists: asked of the trade or trust room."""


class Receivables:
    """Registers, confirms, pledges, assigns and releases."""

    def __init__(
        self,
        *,
        node: str,
        nodes: Sequence[str],
        secret: bytes,
        records: Records,
        clock: Clock,
        shipped: Shipped,
        randomness: Randomness,
        questions_a_day_max: int = QUESTIONS_A_DAY_MAX,
    ) -> None:
        """`nodes`: all nodes of the registry, this one among them. `secret`: its token scalar."""
        assert node in nodes, "a node is one of the registry's"
        self._node = node
        self._nodes = nodes
        self._secret = secret
        self._records = records
        self._clock = clock
        self._shipped = shipped
        self._randomness = randomness
        self._questions_a_day_max = questions_a_day_max

    async def register(
        self, actor: Actor, receivable: Receivable, *, obligor_party: PartyId
    ) -> str:
        """Registers it and returns its token; again with the same content: the same.

        Raises Refused (`not_home`, `not_shipped`), Conflict (`already_registered`) if the invoice
        or the shipment stands for another registration.
        """
        self._require_home(receivable.obligor)
        if not await self._shipped(receivable.shipment):
            raise Refused(f"no verified shipment {receivable.shipment}", code="not_shipped")
        name = token(receivable.invoice_key, self._secret)
        fact = _registered(name, receivable, actor.party, obligor_party)
        # First the shipment: a crash in between leaves a claim that only this registration fits.
        shipment = f"shipment-claim/{token(receivable.shipment_key, self._secret)}"
        await self._once(actor, shipment, ShipmentClaimed(receivable=name), ())
        await self._once(actor, f"receivable/{name}", fact, (obligor_party,))
        return name

    async def evaluate(self, actor: Actor, blinded: bytes) -> bytes:
        """Answers one blinded question, recorded. Raises Refused (`too_many`) past a day's."""
        answer = evaluate(blinded, self._secret)
        day = str(self._clock.now())[:10]
        aggregate = f"receivable-questions/{actor.party}/{day}"
        for _ in range(_TRIES):
            asked = len(await self._records.history(aggregate))
            if asked >= self._questions_a_day_max:
                raise Refused(f"{asked} questions today are enough", code="too_many")
            fact = ReceivableAsked(questions=asked + 1)
            try:
                if await self._appended(actor, aggregate, fact, after=asked):
                    return answer
            except Unavailable as error:
                if error.code != "no_key":
                    raise
                # Trying again would not help: an unsigned question is none.
                raise Forbidden(f"{error}; ask where your key is kept") from error
        raise Conflict("too many questions at once; ask again")

    async def is_free(self, name: str) -> bool:
        """Whether nothing is registered under a token: all that a look-up tells."""
        return not await self._records.history(f"receivable/{name}")

    async def look_up(self, actor: Actor, *, obligor: str, supplier: str, invoice: str) -> str:
        """The token of an invoice in plain words, for a party of this node; counted as a question.

        Raises Refused (`not_home`): another node is asked with a blinded question and `evaluate`.
        """
        self._require_home(obligor)
        key = invoice_key(obligor, supplier, invoice=invoice)
        question = ask(key, self._randomness)
        return finish(question, await self.evaluate(actor, question.blinded))

    async def receivables(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> list[tuple[str, Shares]]:
        """The receivables to which the actor is a party, by token."""
        start = f"receivable/{after}" if after else ""
        names = await self._records.aggregates("receivable/", actor, limit=limit, after=start)
        tokens = [name.partition("/")[2] for name in names]
        return [(name, await self.shares(actor, name)) for name in tokens]

    async def parties(self, actor: Actor, name: str) -> tuple[str, str]:
        """The supplier's and the obligor's party. Raises NotFound."""
        first = ReceivableRegistered.of((await self._seen(actor, name))[0])
        return first.supplier_party, first.obligor_party

    async def shares(self, actor: Actor, name: str) -> Shares:
        """The receivable as it stands, for a party to it. Raises NotFound."""
        return _fold(await self._seen(actor, name))

    async def confirm(self, actor: Actor, name: str) -> Shares:
        """The obligor says that it owes; again: no change."""
        history = await self._seen(actor, name)
        registered = ReceivableRegistered.of(history[0])
        if actor.party != registered.obligor_party:
            raise Forbidden(f"to confirm is for {registered.obligor_party}")
        fact = ReceivableActed(receivable=name, act="confirm")
        return await self._act(actor, name, fact, lambda shares: shares)

    async def pledge(
        self, actor: Actor, name: str, *, share: str, holder: PartyId, amount_minor: int
    ) -> Shares:
        """The supplier gives a share of what is free; again with the same content: no change.

        Raises Refused with code `double_pledge` if less is free, Conflict if the share's name
        stands for another one.
        """
        fact = ReceivableActed(
            receivable=name,
            act="pledge",
            share=_share(share),
            holder=holder,
            amount_minor=str(amount_minor),
        )
        return await self._act(
            actor, name, fact, lambda shares: shares.pledged(share, holder, amount_minor)
        )

    async def assign(self, actor: Actor, name: str, *, share: str, to: PartyId) -> Shares:
        """A share's holder gives it to another."""
        fact = ReceivableActed(receivable=name, act="assign", share=_share(share), holder=to)
        return await self._act(
            actor, name, fact, lambda shares: shares.assigned(share, by=actor.party, to=to)
        )

    async def release(self, actor: Actor, name: str, *, share: str) -> Shares:
        """A share's holder lets it go."""
        fact = ReceivableActed(receivable=name, act="release", share=_share(share))
        return await self._act(
            actor, name, fact, lambda shares: shares.released(share, by=actor.party)
        )

    def _require_home(self, obligor: str) -> None:
        home = home_of(obligor, self._nodes)
        if home != self._node:
            raise Refused(
                f"{home} registers what {obligor} owes", code="not_home", remedy=f"ask {home}"
            )

    async def _act(
        self,
        actor: Actor,
        name: str,
        fact: ReceivableActed,
        change: Callable[[Shares], Shares],
    ) -> Shares:
        """Checks against the newest state and writes after exactly that; else looks again."""
        for _ in range(_TRIES):
            history = await self._seen(actor, name)
            shares = _fold(history)
            if _stands(history, actor, fact):
                return shares
            if fact.act == "pledge":
                registered = ReceivableRegistered.of(history[0])
                if actor.party != registered.supplier_party:
                    raise Forbidden(f"to pledge is for {registered.supplier_party}")
                if any(_of(event).share == fact.share for event in history[1:]):
                    raise Conflict(f"share {fact.share} stands for another pledge")
            change(shares)  # refuses before anything is written
            visible = _readers(history, fact)
            aggregate = f"receivable/{name}"
            if await self._appended(actor, aggregate, fact, after=len(history), visible=visible):
                return change(replace(shares, confirmed=shares.confirmed or fact.act == "confirm"))
        raise Conflict(f"receivable {name[:16]} changes too fast; ask again")

    async def _seen(self, actor: Actor, name: str) -> tuple[SignedEvent, ...]:
        """The whole history, for who may see a part of it: a holder's share rests on all of it."""
        history = await self._records.history(f"receivable/{name}")
        viewer = actor.viewer
        if viewer is None or any(viewer == e.owner or viewer in e.visible for e in history):
            return history
        raise NotFound("no receivable of that name")

    async def _once(
        self, actor: Actor, aggregate: str, fact: Fact, visible: Sequence[PartyId]
    ) -> None:
        if await self._appended(actor, aggregate, fact, after=0, visible=visible):
            return
        (first, *_) = await self._records.history(aggregate)
        if first.payload != fact.payload():
            raise Conflict(
                "this invoice or shipment is registered already",
                code="already_registered",
                remedy="one invoice over one shipment is registered once",
            )

    async def _appended(
        self,
        actor: Actor,
        aggregate: str,
        fact: Fact,
        *,
        after: int,
        visible: Sequence[PartyId] = (),
    ) -> bool:
        try:
            await self._records.record(
                actor, aggregate, [fact], after=after, owner=actor.party, visible=visible
            )
        except Conflict:
            return False
        return True


def _share(name: str) -> str:
    return str(party_id(name))


def _registered(
    name: str, receivable: Receivable, supplier: PartyId, obligor: PartyId
) -> ReceivableRegistered:
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


def _of(event: SignedEvent) -> ReceivableActed:
    return ReceivableActed.of(event)


def _stands(history: Sequence[SignedEvent], actor: Actor, fact: ReceivableActed) -> bool:
    """Whether this very step was this party's before (a release or assignment: its last one)."""
    mine = [
        (event.asserted_by.party, _of(event))
        for event in history[1:]
        if _of(event).share == fact.share
    ]
    if fact.act in ("confirm", "pledge"):
        return any(told == fact for _, told in mine)
    return bool(mine) and mine[-1] == (actor.party, fact)


def _readers(history: Sequence[SignedEvent], fact: ReceivableActed) -> list[PartyId]:
    registered = ReceivableRegistered.of(history[0])
    told = [_of(event).holder for event in history[1:]]
    names = {registered.supplier_party, registered.obligor_party, fact.holder, *told}
    return [PartyId(name) for name in sorted(names) if name]


def _fold(history: Sequence[SignedEvent]) -> Shares:
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
    fact, by = _of(event), event.asserted_by.party
    if fact.act == "confirm":
        return replace(shares, confirmed=True)
    if fact.act == "pledge":
        return shares.pledged(fact.share, fact.holder, int(fact.amount_minor))
    if fact.act == "assign":
        return shares.assigned(fact.share, by=by, to=fact.holder)
    return shares.released(fact.share, by=by)
