"""The registry of receivables at the one node that is home to an obligor.

Every receivable is one history of the journal, so two pledges that race meet at one version and
only one is written: the other is told, and looks again. Who wants to know whether an invoice is
registered asks with a blinded question; questions are counted and recorded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.receivables.passport import Standing
from zhidao.finance.domain.receivables.receivable import Receivable, Shares, home_of, invoice_key
from zhidao.finance.events import (
    ReceivableActed,
    ReceivableAsked,
    ReceivableRegistered,
    ShipmentClaimed,
)
from zhidao.finance.events.banks import PaymentClaimed
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds
from zhidao.finance.service.receivables.receivable_history import (
    day_of,
    fold,
    readers,
    registration,
    share_name,
    stands,
)
from zhidao.finance.wire.blinded import ask, evaluate, finish, token

MAY_REGISTER: Final = access(Role.PARTY, relation=Relation.OWNER, of="the receivable")
MAY_ASK: Final = access(Role.PARTY)
MAY_CONFIRM: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the receivable, its obligor",
    parties=lambda registered: (registered.obligor_party,),
)
MAY_PLEDGE: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the receivable",
    parties=lambda registered: (registered.supplier_party,),
)
MAY_PASS_ON: Final = access(Role.PARTY, relation=Relation.OWNER, of="the share")
MAY_SETTLE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the receivable, its supplier or obligor",
    parties=lambda registered: (registered.supplier_party, registered.obligor_party),
)
MAY_DISPUTE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the receivable, its obligor",
    parties=lambda registered: (registered.obligor_party,),
)

COUNTED: Final = {
    "pledge": "pledge_share",
    "assign": "assign_share",
    "release": "release_share",
    "confirm": "confirm_receivable",
}
"""Steps that give value away or bind their party, by what two persons are asked to do."""
QUESTIONS_A_DAY_MAX: Final = 1_000
_TRIES: Final = 16
Shipped = Callable[[str], Awaitable[bool]]
"""Whether a verified shipment of that id exists: asked of the trade or trust room."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer that credited a customer. `payer`: whose account it came from, or ``."""

    payer: str
    payee: str
    amount_minor: int
    paid_on: date


Paid = Callable[[str, UUID], Awaitable[Payment | None]]
"""The transfer of that currency and id, asked of the ledger; None if there is none that stands."""


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
        paid: Paid,
        randomness: Randomness,
        questions_a_day_max: int = QUESTIONS_A_DAY_MAX,
        approvals: Approvals,
        holds: NameHolds | None,
    ) -> None:
        """`nodes`: all nodes of the registry, this one among them. `secret`: its token scalar.

        `approvals`: asks for two persons before a share changes hands, and before an obligor says
        that it owes; `holds`: looks at supplier and obligor before a share changes hands.
        """
        self._holds = holds
        self._approvals = approvals
        for act in COUNTED.values():
            approvals.carries_out(act, self._said)
        assert node in nodes, "a node is one of the registry's"
        self._node = node
        self._nodes = nodes
        self._secret = secret
        self._records = records
        self._clock = clock
        self._shipped = shipped
        self._paid = paid
        self._randomness = randomness
        self._questions_a_day_max = questions_a_day_max

    async def register(
        self, actor: Actor, receivable: Receivable, *, obligor_party: PartyId
    ) -> str:
        """Registers it and returns its token; again with the same content: the same.

        Raises Refused (`not_home`, `not_shipped`), Conflict (`already_registered`) if the invoice
        or the shipment stands for another registration.
        """
        MAY_REGISTER.admit(actor)
        self._require_home(receivable.obligor)
        if not await self._shipped(receivable.shipment):
            raise Refused(f"no verified shipment {receivable.shipment}", code="not_shipped")
        name = token(receivable.invoice_key, self._secret)
        fact = registration(name, receivable, actor.party, obligor_party)
        # First the shipment: a crash in between leaves a claim that only this registration fits.
        shipment = f"shipment-claim/{token(receivable.shipment_key, self._secret)}"
        await self._once(actor, shipment, ShipmentClaimed(receivable=name), ())
        await self._once(actor, f"receivable/{name}", fact, (obligor_party,))
        return name

    async def evaluate(self, actor: Actor, blinded: bytes) -> bytes:
        """Answers one blinded question, recorded. Raises Refused (`too_many`) past a day's."""
        MAY_ASK.admit(actor)
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
        tokens = await self.tokens(actor, limit=limit, after=after)
        return [(name, await self.shares(actor, name)) for name in tokens]

    async def tokens(self, actor: Actor, *, limit: int, after: str = "") -> list[str]:
        """The tokens of what the actor may see, behind one, in order."""
        start = f"receivable/{after}" if after else ""
        names = await self._records.aggregates("receivable/", actor, limit=limit, after=start)
        return [name.partition("/")[2] for name in names]

    async def standing(self, actor: Actor, name: str) -> Standing | None:
        """A receivable as a passport counts it; None if the actor's party is not its supplier."""
        history = await self._seen(actor, name)
        first = ReceivableRegistered.of(history[0])
        if first.supplier_party != actor.party:
            return None
        shares, steps = fold(history), [ReceivableActed.of(event) for event in history[1:]]
        return Standing(
            token=name,
            supplier=first.supplier,
            obligor=first.obligor,
            amount_minor=int(first.amount_minor),
            currency=first.currency,
            registered_on=day_of(history[0]),
            due_on=date.fromisoformat(first.due_on),
            confirmed=shares.confirmed,
            paid_on=date.fromisoformat(shares.paid_on) if shares.paid_on else None,
            was_disputed=any(step.act == "dispute" for step in steps),
            is_disputed=bool(shares.disputed),
            head=str(history[-1].id),
        )

    async def parties(self, actor: Actor, name: str) -> tuple[str, str]:
        """The supplier's and the obligor's party. Raises NotFound."""
        first = ReceivableRegistered.of((await self._seen(actor, name))[0])
        return first.supplier_party, first.obligor_party

    async def shares(self, actor: Actor, name: str) -> Shares:
        """The receivable as it stands, for a party to it. Raises NotFound."""
        return fold(await self._seen(actor, name))

    async def confirm(self, actor: Actor, name: str) -> Shares:
        """The obligor says that it owes; again: no change."""
        MAY_CONFIRM.admit(actor)
        history = await self._seen(actor, name)
        registered = ReceivableRegistered.of(history[0])
        MAY_CONFIRM.check(actor, registered)
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
            share=share_name(share),
            holder=holder,
            amount_minor=str(amount_minor),
        )
        return await self._act(
            actor, name, fact, lambda shares: shares.pledged(share, holder, amount_minor)
        )

    async def assign(self, actor: Actor, name: str, *, share: str, to: PartyId) -> Shares:
        """A share's holder gives it to another."""
        fact = ReceivableActed(receivable=name, act="assign", share=share_name(share), holder=to)
        return await self._act(
            actor, name, fact, lambda shares: shares.assigned(share, by=actor.party, to=to)
        )

    async def release(self, actor: Actor, name: str, *, share: str) -> Shares:
        """A share's holder lets it go."""
        fact = ReceivableActed(receivable=name, act="release", share=share_name(share))
        return await self._act(
            actor, name, fact, lambda shares: shares.released(share, by=actor.party)
        )

    async def settle(self, actor: Actor, name: str, *, transfers: Sequence[UUID]) -> Shares:
        """Says which transfer in the ledger paid it, the first of these that did; again: same.

        The supplier may say so where the obligor's own account paid; where the money came from
        another bank only the obligor can. Raises Refused (`not_paid`), Conflict if the transfer
        pays another receivable.
        """
        MAY_SETTLE.admit(actor)
        history = await self._seen(actor, name)
        registered = ReceivableRegistered.of(history[0])
        MAY_SETTLE.check(actor, registered)
        payment = None
        for transfer in transfers:
            payment = await self._paid(registered.currency, transfer)
            if payment is not None and _pays(payment, registered):
                break
            payment = None
        if payment is None:
            raise Refused(
                f"no such transfer of {registered.currency} paid the supplier that amount",
                code="not_paid",
                where="transfer",
            )
        if registered.obligor_party not in (actor.party, payment.payer):
            raise Refused(
                "it did not come from the obligor's account at this node",
                code="not_paid",
                remedy="the obligor names the transfer",
            )
        if payment.paid_on < day_of(history[0]):
            raise Refused("it was made before the receivable was registered", code="not_paid")
        fact = ReceivableActed(
            receivable=name,
            act="settle",
            transfer=str(transfer),
            paid_on=payment.paid_on.isoformat(),
        )

        def settled(shares: Shares) -> Shares:
            if shares.paid_on:
                raise Conflict("it was paid by another transfer", code="paid")
            return replace(shares, paid_on=fact.paid_on)

        if not stands(history, actor, fact):
            settled(fold(history))
        # First the transfer: a crash in between leaves a claim that only this receivable fits.
        claim = f"receivable-payment/{transfer}"
        await self._once(actor, claim, PaymentClaimed(receivable=name), (), what="this transfer")
        return await self._act(actor, name, fact, settled)

    async def dispute(self, actor: Actor, name: str, *, reason: str) -> Shares:
        """The obligor disputes what is not paid; with no reason it withdraws. Again: no change."""
        MAY_DISPUTE.admit(actor)
        registered = ReceivableRegistered.of((await self._seen(actor, name))[0])
        MAY_DISPUTE.check(actor, registered)
        act = "dispute" if reason else "withdraw"
        fact = ReceivableActed(receivable=name, act=act, reason=reason)

        def disputed(shares: Shares) -> Shares:
            if shares.paid_on:
                raise Refused(f"it was paid on {shares.paid_on}", code="paid")
            return replace(shares, disputed=reason)

        return await self._act(actor, name, fact, disputed)

    async def _screen(
        self, actor: Actor, registered: SignedEvent, fact: ReceivableActed, changed: Shares
    ) -> None:
        """Two persons of who would hold a share look first at who is like one on a list.

        Once they said so it is asked for again: who gives a share is another party than they.
        """
        if self._holds is None or not fact.holder:
            return
        first = ReceivableRegistered.of(registered)
        _, amount_minor = changed.pledges[fact.share]
        await self._holds.demand(
            fact.holder,
            subject=f"share {fact.share} of receivable {fact.receivable[:16]}",
            amount=Money(amount_minor, Currency(first.currency)),
            names=(first.supplier, first.obligor),
            parties=(first.supplier_party, first.obligor_party, actor.party),
            said={"receivable": fact.receivable, "share": fact.share, "from": actor.party},
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
        MAY_PLEDGE.admit(actor)
        for _ in range(_TRIES):
            history = await self._seen(actor, name)
            shares = fold(history)
            if stands(history, actor, fact):
                return shares
            if fact.act == "pledge":
                registered = ReceivableRegistered.of(history[0])
                MAY_PLEDGE.check(actor, registered)
                if any(ReceivableActed.of(event).share == fact.share for event in history[1:]):
                    raise Conflict(f"share {fact.share} stands for another pledge")
            changed = change(shares)  # refuses before anything is written
            await self._screen(actor, history[0], fact, changed)
            visible = readers(history, fact)
            aggregate = f"receivable/{name}"
            async with AsyncExitStack() as stack:
                if fact.act in COUNTED:
                    demand = _demand(history, fact, shares)
                    await stack.enter_async_context(self._approvals.allowed(actor, demand))
                appended = await self._appended(
                    actor, aggregate, fact, after=len(history), visible=visible
                )
            if appended:
                return change(replace(shares, confirmed=shares.confirmed or fact.act == "confirm"))
        raise Conflict(f"receivable {name[:16]} changes too fast; ask again")

    async def _said(self, actor: Actor, said: Mapping[str, Any]) -> Shares:
        name, share = str(said["receivable"]), str(said["share"])
        match said["act"]:
            case "pledge":
                holder, minor = PartyId(str(said["holder"])), int(said["amount_minor"])
                return await self.pledge(
                    actor, name, share=share, holder=holder, amount_minor=minor
                )
            case "assign":
                to = PartyId(str(said["holder"]))
                return await self.assign(actor, name, share=share, to=to)
            case "release":
                return await self.release(actor, name, share=share)
            case _:
                return await self.confirm(actor, name)

    async def _seen(self, actor: Actor, name: str) -> tuple[SignedEvent, ...]:
        """The whole history, for who may see a part of it: a holder's share rests on all of it."""
        history = await self._records.history(f"receivable/{name}")
        viewer = actor.viewer
        if history and (
            viewer is None or any(viewer == e.owner or viewer in e.visible for e in history)
        ):
            return history
        raise NotFound("no receivable of that name")

    async def _once(
        self,
        actor: Actor,
        aggregate: str,
        fact: Fact,
        visible: Sequence[PartyId],
        what: str = "this invoice or shipment",
    ) -> None:
        if await self._appended(actor, aggregate, fact, after=0, visible=visible):
            return
        (first, *_) = await self._records.history(aggregate)
        if first.payload != fact.payload():
            raise Conflict(
                f"{what} is registered already",
                code="already_registered",
                remedy="one invoice over one shipment, paid by one transfer, is registered once",
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


def _pays(payment: Payment, registered: ReceivableRegistered) -> bool:
    """Whether it is the whole amount, to the supplier."""
    whole = payment.amount_minor == int(registered.amount_minor)
    return whole and payment.payee == registered.supplier_party


def _demand(history: Sequence[SignedEvent], fact: ReceivableActed, shares: Shares) -> Demand:
    """What a step takes of a caller's word: the share that it gives away, or all that is owed."""
    registered = ReceivableRegistered.of(history[0])
    told = {"pledge": fact.amount_minor, "confirm": registered.amount_minor}.get(fact.act)
    minor = int(told) if told is not None else shares.pledges[fact.share][1]
    # A share that goes to and fro is given away each time.
    before = sum(ReceivableActed.of(event).share == fact.share for event in history[1:])
    return Demand(
        COUNTED[fact.act],
        f"{fact.share} of receivable {fact.receivable[:16]}".strip(),
        Money(minor, Currency(registered.currency)),
        {
            "receivable": fact.receivable,
            "act": fact.act,
            "share": fact.share,
            "holder": fact.holder,
            "amount_minor": str(minor),
            "step": before if fact.share else 0,
        },
        [(f"receivable {fact.receivable[:32]}", minor)],
    )
