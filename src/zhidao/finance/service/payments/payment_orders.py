"""Payments that wait for their day, kept in the journal: taken, released, cancelled, ended.

The history decides between whoever cancels and the day: what is released is executed, what is
cancelled never is. The payment itself stands in the ledger under its own name, so that an order
that is gone on with twice is booked once.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, NotFound
from zhidao.core.events import Fact
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.domain.payments.payment_legs import Refusal, with_uetrs
from zhidao.finance.domain.payments.payment_order import (
    CANCELLED,
    PaymentOrder,
    fold,
    moment_of,
    ranges,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.events.payment_orders import (
    AwaitedPart,
    AwaitedPayment,
    AwaitedSum,
    EndedPart,
    PaymentsAwaited,
    PaymentsCancelled,
    PaymentsEnded,
    PaymentsPutOff,
    PaymentsReleased,
)
from zhidao.finance.service.ports import PaymentOrderIndex
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at

MAY_CANCEL: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the order: whoever instructed it",
    parties=lambda order: (order.owner,),
)
SHOWN_MAX: Final = 100
"""So many payments of an order are told one by one; the sums are of all."""
CANCELLED_BY_PAYER: Final = Refusal("DS02", "cancelled before its day")
_TRIES: Final = 16
_PREFIX: Final = "payment-order/"


class PaymentOrders:
    """The orders of every bank on this node."""

    def __init__(self, *, records: Records, index: PaymentOrderIndex, archive: Archive) -> None:
        self._records = records
        self._index = index
        self._archive = archive
        self._tell: Callable[[PaymentOrder], Awaitable[object]] | None = None

    def tells(self, how: Callable[[PaymentOrder], Awaitable[object]]) -> None:
        """Names who hears of an order of which a payer took something back."""
        self._tell = how

    async def of(self, bank: str, digests: Sequence[str]) -> dict[str, PaymentOrder]:
        """The orders that instructions made at a bank, by their digests; read at once."""
        names = {f"{_PREFIX}{order_id(bank, digest)}": digest for digest in digests}
        if not names:
            return {}
        node = Actor(self._records.node, Role.NODE)
        found = await self._records.histories(list(names), node)
        orders = [order for history in found if (order := fold(history)) is not None]
        return {one.awaited.digest: one for one in orders}

    async def named(self, order: str) -> PaymentOrder | None:
        """An order by its name, or None."""
        return fold(await self._records.history(f"{_PREFIX}{order}"))

    async def take(
        self,
        bank: BankAdmitted,
        sender: str,
        file: Transfers,
        transfers: Sequence[CreditTransfer],
        *,
        digest: str,
        until: Mapping[int, str],
    ) -> PaymentOrder:
        """Keeps an instruction of which some payments wait. `until`: the moment of each, by place.

        It is kept before anything of it is booked: what a process leaves undone is found.
        """
        by_moment: dict[str, list[int]] = defaultdict(list)
        sums: dict[str, int] = defaultdict(int)
        for place, moment in sorted(until.items()):
            by_moment[moment].append(place)
            sums[transfers[place].currency] += transfers[place].amount_minor
        shown = sorted(until)[:SHOWN_MAX]
        name = order_id(bank.bank, digest)
        fact = PaymentsAwaited(
            order=name,
            bank=bank.bank,
            sender=sender,
            digest=digest,
            message=file.message,
            count=len(until),
            parts=[
                AwaitedPart(at=moment, places=ranges(by_moment[moment]))
                for moment in sorted(by_moment)
            ],
            sums=[AwaitedSum(currency=one, minor=str(minor)) for one, minor in sums.items()],
            first=[_shown(place, transfers[place]) for place in shown],
        )
        await self._index.add(name)
        with contextlib.suppress(Conflict):  # The same instruction in another request.
            await self._write(bank.bank, sender, name, [fact], after=0)
        order = await self.named(name)
        assert order is not None, "it was just written"
        await self._file(order)
        return order

    async def put_off(self, order: PaymentOrder, until: Mapping[int, str]) -> PaymentOrder:
        """These wait until other moments. Raises Conflict if somebody else spoke meanwhile."""
        by_moment: dict[str, list[int]] = defaultdict(list)
        for place, moment in until.items():
            by_moment[moment].append(place)
        name = order.awaited.order
        facts = [
            PaymentsPutOff(order=name, places=ranges(places), at=moment)
            for moment, places in sorted(by_moment.items())
        ]
        return await self._more(order, facts)

    async def release(self, order: PaymentOrder, moments: Sequence[str]) -> PaymentOrder:
        """From here on nobody cancels what waited for these. Raises Conflict as `put_off`."""
        fact = PaymentsReleased(order=order.awaited.order, moments=list(moments))
        return await self._more(order, [fact])

    async def end(self, order: PaymentOrder, codes: Mapping[int, str]) -> PaymentOrder:
        """What became of released payments: `` for those that are booked, else why not."""
        for _ in range(_TRIES):
            by_code: dict[str, list[int]] = defaultdict(list)
            for place in sorted(codes.keys() & order.released):
                by_code[codes[place]].append(place)
            if not by_code:
                return order
            parts = [
                EndedPart(places=ranges(places), code=code) for code, places in by_code.items()
            ]
            fact = PaymentsEnded(order=order.awaited.order, parts=parts)
            try:
                return await self._more(order, [fact])
            except Conflict:
                order = await self._again(order)
        raise Conflict("too many at once; ask again")

    async def refuse(self, order: PaymentOrder, code: str) -> PaymentOrder:
        """All of it that has not ended is refused, also what waits for its day."""
        for _ in range(_TRIES):
            try:
                if order.waits:
                    order = await self.release(order, sorted(order.waits))
                return await self.end(order, dict.fromkeys(order.released, code))
            except Conflict:
                order = await self._again(order)
        raise Conflict("too many at once; ask again")

    async def cancel(self, actor: Actor, order: str, *, uetrs: Sequence[str] = ()) -> PaymentOrder:
        """Takes payments back that wait: those named, or all. Again: no change.

        Raises NotFound for a stranger or for a payment that is not in the order, Forbidden for
        anybody but its sender, Conflict (`payment_left`) once a day has begun.
        """
        found = await self.order(actor, order)
        MAY_CANCEL.check(actor, found)
        named = await self._places(found, uetrs) if uetrs else None
        for _ in range(_TRIES):
            places = _taken_back(found, named)
            fact = PaymentsCancelled(order=order, places=ranges(places), person=actor.person)
            try:
                if places:
                    found = await self._more(found, [fact], by=actor)
            except Conflict:
                found = await self._again(found)
                continue
            if self._tell is not None:  # Again too: it may not have been heard.
                await self._tell(found)
            return found
        raise Conflict("too many at once; ask again")

    async def order(self, actor: Actor, order: str) -> PaymentOrder:
        """One order, as its sender and its bank may see it. Raises NotFound for others."""
        found = fold(await self._records.history(f"{_PREFIX}{order}", actor))
        if found is None:
            raise NotFound("no payment order of that name")
        return found

    async def orders(self, actor: Actor, *, limit: int, after: str = "") -> list[PaymentOrder]:
        """The orders that the actor may see, in order of name."""
        start = f"{_PREFIX}{after}" if after else ""
        names = await self._records.aggregates(_PREFIX, actor, limit=limit, after=start)
        histories = await self._records.histories(names, actor)
        return [order for each in histories if (order := fold(each)) is not None]

    async def due(self, now: Utc, *, limit: int) -> tuple[str, ...]:
        """The names of those that are to be looked at."""
        return await self._index.due(now_ns=now.unix_ns, limit=limit)

    async def look_again(self, order: str, *, at_ns: int) -> None:
        """Looks at an order at this moment (Unix) and not before."""
        await self._index.put_off(order, until_ns=at_ns)

    async def close(self, order: str) -> None:
        """Nothing of it waits, and nothing is under way."""
        await self._index.close(order)

    async def _more(
        self, order: PaymentOrder, facts: Sequence[Fact], *, by: Actor | None = None
    ) -> PaymentOrder:
        told = order.awaited
        await self._write(told.bank, told.sender, told.order, facts, after=order.version, by=by)
        order = await self._again(order)
        await self._file(order)
        return order

    async def _write(
        self,
        bank: str,
        sender: str,
        order: str,
        facts: Sequence[Fact],
        *,
        after: int,
        by: Actor | None = None,
    ) -> None:
        by = self._records.speaker(by or Actor(party_id(bank), Role.PARTY))
        owner, visible = party_id(sender), (party_id(bank),)
        await self._records.record(
            by, f"{_PREFIX}{order}", facts, after=after, owner=owner, visible=visible
        )

    async def _again(self, order: PaymentOrder) -> PaymentOrder:
        found = await self.named(order.awaited.order)
        assert found is not None, "an order is never taken away"
        return found

    async def _file(self, order: PaymentOrder) -> None:
        """The index knows when the order is to be looked at."""
        name = order.awaited.order
        if not order.is_open:
            await self._index.close(name)
        elif order.released:
            await self._index.put_off(name, until_ns=0)
        else:
            await self._index.put_off(name, until_ns=unix_ns(moment_of(order.next_at)))

    async def _places(self, order: PaymentOrder, uetrs: Sequence[str]) -> set[int]:
        file = decode(read_envelope(await self._archive.get(order.awaited.digest)))
        assert isinstance(file, Transfers), "an order is an instruction"
        numbers = {
            one.uetr: place
            for place, one in enumerate(with_uetrs(file.transfers, order.awaited.digest))
            if order.knows(place)
        }
        missing = [one for one in uetrs if one not in numbers]
        if missing:
            raise NotFound(f"no payment {missing[0]} waits in that order")
        return {numbers[one] for one in uetrs}


def _taken_back(order: PaymentOrder, named: set[int] | None) -> set[int]:
    """Which of the named, or of all, are to be cancelled now: those that are not yet.

    Raises Conflict (`payment_left`) for one that waits no more, or if none waits.
    """
    wanted = order.waiting if named is None else named
    cancelled = {place for place, end in order.ends.items() if end.state == CANCELLED}
    left = wanted - order.waiting - cancelled
    if left or not (wanted or cancelled):
        raise Conflict(
            f"{max(len(left), 1)} of these payments wait no more",
            code="payment_left",
            where=f"payment order {order.awaited.order}",
        )
    return wanted - cancelled


def order_id(bank: str, digest: str) -> str:
    """The name of the order that an instruction makes at a bank."""
    return hashlib.sha256(f"order\0{bank}\0{digest}".encode()).hexdigest()


def unix_ns(moment: datetime) -> int:
    """A moment in nanoseconds since 1970."""
    return Utc.from_datetime(moment).unix_ns if moment.year > 1 else 0


def _shown(place: int, one: CreditTransfer) -> AwaitedPayment:
    return AwaitedPayment(
        place=place,
        uetr=one.uetr,
        payee=at(one.payee, "Nm")[:140],
        account=account_number(one.payee_account),
        amount_minor=str(one.amount_minor),
        currency=one.currency,
        reference=one.end_to_end,
        day=one.day,
    )
