"""Payments between banks by messages: instructed, passed on, answered, advised, given back.

A bank's payment service takes one message and gives the messages that follow from it. What is
booked stands in the ledger before any answer leaves; a message that comes again finds what it did
and is answered alike. Nothing that comes in makes this fail: what cannot be read or booked is
answered RJCT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import Forbidden, MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.finance.domain.payments.message import (
    Answers,
    Message,
    Recalls,
    Returns,
    StatusReport,
    Transfers,
)
from zhidao.finance.domain.payments.payment_legs import Refusal, head_office
from zhidao.finance.domain.payments.payment_order import PaymentOrder
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.keyed_locks import KeyedLocks
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.answers import Hearing
from zhidao.finance.service.payments.batching import Batches
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.creditor_agent import Crediting
from zhidao.finance.service.payments.debtor_agent import Instructing
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.money_back import MoneyBack
from zhidao.finance.service.payments.payment_approvals import PaymentApprovals
from zhidao.finance.service.payments.payment_orders import PaymentOrders
from zhidao.finance.service.payments.recall_messages import status_id
from zhidao.finance.service.payments.recalls import RecallBooks
from zhidao.finance.service.payments.refusing import Refusing
from zhidao.finance.service.payments.resuming import Step
from zhidao.finance.service.payments.returns import GivingBack
from zhidao.finance.service.payments.sending import (
    Outgoing,
    OwnMessages,
    Sending,
    SentMessages,
    require_once_each,
)
from zhidao.finance.service.payments.validation import (
    Examined,
    Rules,
    Unreadable,
    examine_many,
)
from zhidao.finance.service.ports import MessageIndex
from zhidao.finance.wire.iso20022.messages.statuses import TO_BANK, TO_CUSTOMER
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope

MAY_SEND: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the account in the body (pain.001), or the bank that the body names as its sender",
)

# Reading this much takes milliseconds: beside the loop from here on.
_ASIDE_FROM_BYTES: Final = 64 * 1024
# A payment to many banks and their answers; nothing goes to and fro for ever.
_STEPS_MAX: Final = 256
_TOGETHER: Final = ("pacs.008", "pacs.009")

_Brought: TypeAlias = tuple[BankAdmitted, str, str | None]
"""At which bank a message is taken, who brings it, and which person of that party."""


class Payments:
    """The payment service of every bank on this node."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        index: MessageIndex,
        archive: Archive,
        rules: Rules,
        clock: Clock,
        lines: CreditLines,
        orders: PaymentOrders,
        holds: PaymentApprovals | None = None,
    ) -> None:
        """`lines`: how much each other bank may come to owe a bank of this node.

        `orders`: what waits for its day; `holds`: what may not be taken on one caller's word.
        """
        books = Books(ledger, directory, clock)
        self._books = books
        self._holds = holds
        if holds is not None:
            holds.goes_on(self.go_on, refusing=Refusing(books), directory=directory, orders=orders)
        self._orders = orders
        self._instructing = Instructing(books, rules=rules, orders=orders)
        self._sent = SentMessages(index, archive)
        self._hearing = Hearing(books, self._sent, holds)
        self._crediting = Crediting(books, lines)
        self._refusing = Refusing(books)
        self._giving = GivingBack(books, self._sent, rules)
        self._own = OwnMessages(directory, self._sent, ledger, self._giving)
        self._recalls = RecallBooks(books, self._giving)
        self._sending = Sending(index, archive)
        self.back = MoneyBack(
            directory=directory,
            recalls=self._recalls,
            giving=self._giving,
            sent=self._sent,
            sending=self._sending,
            index=index,
            archive=archive,
            rules=rules,
            approvals=None if holds is None else holds.approvals,
            carry_on=self.carry_on,
            go_on=self.go_on,
        )
        """What people say of money that goes back."""
        self._one_by_one = KeyedLocks()
        self._batches = Batches[_Brought, list[Outgoing]](self._take_many)
        self._directory = directory
        self._archive = archive
        self._rules = rules
        self._clock = clock

    async def take(
        self, bank: BankAdmitted, sender: str, data: bytes, *, person: str | None = None
    ) -> list[Outgoing]:
        """Does what a message says and answers it.

        `sender`: the party that brings it: a customer of the bank with pain.001, else another
        bank. `person`: who of the party brings it, `` for a token; None if the node itself does,
        with what was allowed before. Messages of one sender that wait at once are booked and kept
        together. Raises Forbidden for a message in another's name, Refused (`past_own_books`) for
        one that a bank of this node wrote past its books, or (`named_twice`) for a report with two
        words on one payment; what else is wrong with the message itself is an answer.
        """
        return await self._batches.take((bank, sender, person), data)

    async def _take_many(
        self, key: _Brought, many: Sequence[bytes]
    ) -> list[list[Outgoing] | Exception]:
        """What `take` answers or raises, one for each message; equal ones are done once."""
        bank, sender, person = key
        different = list(dict.fromkeys(many))
        now = self._clock.now().to_datetime()
        if sum(map(len, different)) < _ASIDE_FROM_BYTES:
            found = examine_many(different, self._rules, at=now)
        else:
            found = await asyncio.to_thread(examine_many, different, self._rules, at=now)
        answers: dict[bytes, list[Message] | Exception] = {}
        good: dict[bytes, tuple[BankAdmitted | None, Examined]] = {}
        for data, examined in zip(different, found, strict=True):
            if isinstance(examined, Unreadable):
                answers[data] = [self._unreadable(bank, examined)]
                continue
            try:
                other = await self._authentic(bank, sender, examined.message)
                require_once_each(examined.message)
                if other is not None and person is not None:
                    await self._own.require(bank, other, examined.message, examined.digest)
                good[data] = other, examined
            except Refused as error:
                answers[data] = error
        if good:
            answers |= await self._follow_all(bank, sender, person, good)
        told = [one for one in different if not isinstance(answers[one], Exception)]
        sent = await self._sending.send_many(bank, [answers[one] for one in told])  # type: ignore[misc]
        done: dict[bytes, list[Outgoing] | Exception] = dict(zip(told, sent, strict=True))
        return [done[data] if data in done else answers[data] for data in many]  # type: ignore[misc]

    async def _follow_all(
        self,
        bank: BankAdmitted,
        sender: str,
        person: str | None,
        good: Mapping[bytes, tuple[BankAdmitted | None, Examined]],
    ) -> dict[bytes, list[Message] | Exception]:
        """The messages that follow from each, or what was raised for it."""
        # Before anything is booked: a payment whose message is lost could not be shown to anybody.
        await self._archive.put_many(list(good))
        remembered = await self._sending.remembered(bank, sender, [one for _, one in good.values()])
        asked = [one.digest for one in remembered if one.message.definition.startswith("pain")]
        orders = await self._orders.of(bank.bank, asked)
        follow = [
            (data, other, _in_time(examined, orders.get(examined.digest)))
            for (data, (other, _)), examined in zip(good.items(), remembered, strict=True)
        ]
        many = [(data, examined) for data, _, examined in follow]
        answers, refused = await self._all_held(bank, sender, person, many, orders)
        held = set(answers)
        follow = [(data, other, refused.get(data, one)) for data, other, one in follow]
        answers |= await self._credited(bank, [one for one in follow if one[0] not in answers])
        rest = [one for one in follow if one[0] not in answers]
        followed = await asyncio.gather(
            *(
                self._follow(bank, other, (sender, person), examined, orders)
                for _, other, examined in rest
            ),
            return_exceptions=True,
        )
        for (data, _, _), answer in zip(rest, followed, strict=True):
            # A cancellation is of us all and no answer to one message.
            if isinstance(answer, BaseException) and not isinstance(answer, Exception):
                raise answer
            answers[data] = answer
        await self._tell_counted(bank, sender, [one for data, _, one in follow if data not in held])
        return answers

    async def _tell_counted(
        self, bank: BankAdmitted, sender: str, many: Sequence[Examined]
    ) -> None:
        """These files were answered: what was refused whole counts no more."""
        for one in many if self._holds is not None else ():
            assert self._holds is not None, "just looked"
            await self._holds.followed(bank, sender, one)

    async def _credited(
        self, bank: BankAdmitted, many: Sequence[tuple[bytes, BankAdmitted | None, Examined]]
    ) -> dict[bytes, list[Message] | Exception]:
        """The answers to payments of another bank: a sender is one, all are credited as one."""
        payments = [one for one in many if one[2].message.definition.startswith(_TOGETHER)]
        if not payments:
            return {}
        other = payments[0][1]
        assert other is not None, "a bank sends pacs messages"
        credited = await self._crediting.receive(bank, other, [one[2] for one in payments])
        return dict(zip((data for data, _, _ in payments), credited, strict=True))

    async def _all_held(
        self,
        bank: BankAdmitted,
        sender: str,
        person: str | None,
        many: Sequence[tuple[bytes, Examined]],
        orders: Mapping[str, PaymentOrder],
    ) -> tuple[dict[bytes, list[Message] | Exception], dict[bytes, Examined]]:
        """The answers to those messages that may not be taken yet; and those that never may."""
        answers: dict[bytes, list[Message] | Exception] = {}
        refused: dict[bytes, Examined] = {}
        actor = Actor(party_id(sender), Role.PARTY, person or "")
        for data, one in many:
            order = orders.get(one.digest)
            why = await self._held(actor, bank, one, order, asked=person is not None)
            if why is not None and why.code:
                refused[data] = await self._refused(bank, one, order, why)
            elif why is not None:
                answers[data] = [self._books.held(bank, one, why)]
        return answers, refused

    async def _held(
        self,
        actor: Actor,
        bank: BankAdmitted,
        examined: Examined,
        order: PaymentOrder | None,
        *,
        asked: bool,
    ) -> Refusal | None:
        """Why a message may not be taken yet, or never: for its sum, or whom it names."""
        if self._holds is None or not isinstance(examined.message, Transfers):
            return None
        return await self._holds.hold(actor, bank, examined, asked=asked, counted=order is not None)

    async def _refused(
        self, bank: BankAdmitted, examined: Examined, order: PaymentOrder | None, why: Refusal
    ) -> Examined:
        """What is told now is final: it goes the way of what never moves any money."""
        file = examined.message
        assert isinstance(file, Transfers), "only files of payments are held"
        await self._refusing.message(bank, file, examined.digest)
        if order is not None:
            await self._orders.refuse(order, why.code)
        broken = dict.fromkeys(range(len(file.transfers)), why) | examined.broken
        return examined._replace(broken=broken)

    async def carry(self, bank: BankAdmitted, actor: Actor, data: bytes) -> list[Outgoing]:
        """The same, and what follows goes on at once to those banks that this node serves.

        What comes back is for the sender, for accounts' holders, and for banks elsewhere. Raises
        as `take` for the first message; the ones after it are the node's own. Forbidden for an
        actor that does not act for its party: a message moves that party's money.
        """
        MAY_SEND.admit(actor)
        return await self._carry(
            [Step(bank, actor.party, data)], caller=actor.party, person=actor.person
        )

    async def carry_on(self, bank: BankAdmitted, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """These messages of a bank, and what follows once those that this node serves have them."""
        waiting, kept = [], list(messages)
        for one in messages:
            other = await self._directory.bank_of(one.receiver) if one.receiver else None
            if other is not None and other.bank != bank.bank:
                waiting.append(Step(other, bank.bank, one.data))
        # What the other banks tell their own customers is not for this one.
        return [*kept, *(one for one in await self._carry(waiting, caller="") if one.receiver)]

    async def go_on(self, step: Step, *, person: str | None = None) -> None:
        """Takes a message once more, with all that follows at banks of this node.

        `person`: as of `take`; None for what was allowed before.
        """
        await self._carry([step], caller="", person=person)

    async def _carry(
        self, waiting: list[Step], *, caller: str, person: str | None = None
    ) -> list[Outgoing]:
        """What is left for the caller and for those who are not banks of this node.

        `person`: of the caller, who brings the first; what follows is the node's own.
        """
        kept: list[Outgoing] = []
        first, is_customer = waiting[0] if waiting else None, True
        for _ in range(_STEPS_MAX):
            if not waiting:
                break
            at_bank, by, message = waiting.pop(0)
            try:
                answers = await self.take(at_bank, by, message, person=person)
            except Refused:
                if by == caller:
                    raise
                # What was booked before stands; whoever repeats the message goes on from here.
                continue
            person = None
            if first is not None:
                # Now its sender is known, if it is a bank.
                is_customer = not await self._speaks_as_bank(first, caller)
                first = None
            for one in answers:
                other = await self._directory.bank_of(one.receiver) if one.receiver else None
                if other is not None and other.bank != caller:
                    waiting.append(Step(other, at_bank.bank, one.data))
                elif await self._is_for(one, at_bank, caller, is_customer=is_customer):
                    kept.append(one)
        if waiting:
            # Never silently: what waits here would be payments that nobody hears of again.
            raise Refused(
                f"more than {_STEPS_MAX} messages follow from one; {len(waiting)} were not carried",
                code="too_many",
                remedy="instruct fewer payments at once; what was booked stands",
            )
        return kept

    async def _speaks_as_bank(self, step: Step, caller: str) -> bool:
        """Whether the first message of a way is one between banks."""
        if not await self._directory.is_bank(caller):
            return False
        try:
            return not read_envelope(step.data).definition.startswith("pain")
        except MalformedInput:
            return False

    async def _is_for(
        self, one: Outgoing, at_bank: BankAdmitted, caller: str, *, is_customer: bool
    ) -> bool:
        """Whether a message that goes to no bank here is the caller's to see.

        What a bank tells a customer is that one's alone: of its account, or of what it instructed.
        """
        if one.receiver or not caller:
            return True
        if one.account:
            owned = await self._directory.customers(at_bank.bank, [one.account])
            return one.account in owned and owned[one.account].holder == caller
        return is_customer or not one.definition.startswith("pain")

    async def _follow(
        self,
        bank: BankAdmitted,
        other: BankAdmitted | None,
        by: tuple[str, str | None],
        examined: Examined,
        orders: Mapping[str, PaymentOrder],
    ) -> list[Message]:
        """The messages that follow from one. `by`: the sender's party, and which person of it."""
        match examined.message:
            case Transfers() as file if file.definition.startswith("pain"):
                order = orders.get(examined.digest)
                return await self._instructing.initiate(bank, by[0], file, examined, order)
            case StatusReport() as report:
                assert other is not None, "a bank sends pacs messages"
                if report.original_definition.startswith("pacs.004"):
                    await self._recalls.heard(bank, other, report)
                    return []
                return await self._hearing.hear(bank, other, report)
            case Returns() as message:
                assert other is not None, "a bank sends pacs messages"
                await self.back.demand(_actor(by), bank, message, examined.digest)
                return await self._returned(bank, other, message, examined)
            case Recalls() as message:
                assert other is not None, "a bank sends camt.056"
                return await self._recalls.asked(bank, other, message, examined)
            case _:
                # An answer to a recall changes nothing by itself: money comes with pacs.004.
                return []

    async def _returned(
        self, bank: BankAdmitted, other: BankAdmitted, message: Returns, examined: Examined
    ) -> list[Message]:
        """What follows from money that comes back; what was answered once is answered so again.

        The other bank undoes what is refused: a copy that comes later must not be taken.
        """
        async with self._one_by_one.of(f"{bank.bank} {other.bank} {message.message}"):
            told = await self._sent.of(bank, message.sender, status_id(examined.digest))
            if told is not None:
                return [await self._sent.read(told)]
            answers = await self._recalls.returned(bank, other, message, examined)
            await self._sending.send(bank, answers)
            return answers

    async def _authentic(
        self, bank: BankAdmitted, sender: str, message: Message
    ) -> BankAdmitted | None:
        """The bank that speaks, if one does. Raises Forbidden for another's name."""
        if isinstance(message, Transfers) and message.definition.startswith("pain"):
            return None
        if isinstance(message, Transfers | StatusReport | Returns | Recalls | Answers):
            other = await self._directory.bank_of(message.sender) if message.sender else None
            if other is None or other.bank != sender:
                raise Forbidden(
                    f"{message.definition} comes from {message.sender or 'nobody'}, which is not"
                    f" {sender}",
                    code="wrong_sender",
                    remedy="name your own BIC as instructing agent or in the header",
                )
            if message.receiver and head_office(message.receiver) != head_office(bank.bic):
                raise Refused(
                    f"{message.definition} is for {message.receiver}, this is {bank.bic}",
                    code="wrong_receiver",
                )
            return other
        raise Refused(f"a bank takes no {message.definition}", code="wrong_message")

    def _unreadable(self, bank: BankAdmitted, found: Unreadable) -> StatusReport:
        to_customer = found.definition.startswith("pain")
        return StatusReport(
            definition=TO_CUSTOMER if to_customer else TO_BANK,
            message=f"R{found.digest[:32]}",
            created=_moment(self._clock.now().to_datetime()),
            sender="" if to_customer else bank.bic,
            receiver="",
            original=found.message,
            original_definition=found.definition or "NOTPROVIDED",
            status="RJCT",
            reason=found.why.code,
            note=found.why.sentence,
            statuses=(),
        )


def _actor(by: tuple[str, str | None]) -> Actor | None:
    """Who asks; None for the node itself."""
    sender, person = by
    return None if person is None else Actor(party_id(sender), Role.PARTY, person)


def _in_time(examined: Examined, order: PaymentOrder | None) -> Examined:
    """What was taken in time, and waited, is not late."""
    late = {place for place in examined.overdue if order is not None and order.knows(place)}
    if not late:
        return examined
    broken = {place: why for place, why in examined.broken.items() if place not in late}
    return examined._replace(broken=broken)


def _moment(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()
