"""What a bank's people say of money that goes back: asked for, agreed to, or given unasked.

Above the limit of one caller's word two persons of the bank speak, as for a payment: what goes back
leaves a customer's account too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.payments.message import Answers, Message, Recalls, Returns
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.carried_out import NOT_YET
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.recall_messages import Found, answer_id, status_id
from zhidao.finance.service.payments.recalls import RecallBooks
from zhidao.finance.service.payments.resuming import GoesOn, Step
from zhidao.finance.service.payments.returns import Attempt, GivingBack
from zhidao.finance.service.payments.sending import Outgoing, Sending, SentMessages
from zhidao.finance.service.payments.validation import Examined, Rules, examine
from zhidao.finance.service.ports import MessageIndex, Remembered
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope

GIVE_BACK: Final = "give_back"
ANSWER: Final = "answer_recall"
RETURN: Final = "return_payments"
# What the bank's own people said to a recall stands among the messages under this name.
_WORD: Final = "word"

CarryOn = Callable[[BankAdmitted, Sequence[Outgoing]], Awaitable[object]]
"""Brings messages of a bank to the others that this node serves."""
Parts = dict[str, list[tuple[str, int]]]
"""By currency: the accounts that money leaves, each with its amount in minor units."""


class MoneyBack:
    """Recalls, answers to recalls, and returns, by the banks of this node.

    `by` of each: who asks; None for the node itself, with what was allowed before.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        recalls: RecallBooks,
        giving: GivingBack,
        sent: SentMessages,
        sending: Sending,
        index: MessageIndex,
        archive: Archive,
        rules: Rules,
        approvals: Approvals | None,
        carry_on: CarryOn,
        go_on: GoesOn,
    ) -> None:
        """`approvals`: asks for two persons; None: never."""
        self._directory = directory
        self._recalls = recalls
        self._giving = giving
        self._sent = sent
        self._sending = sending
        self._index = index
        self._archive = archive
        self._rules = rules
        self._approvals = approvals
        self._carry_on = carry_on
        self._go_on = go_on
        if approvals is not None:
            approvals.carries_out(GIVE_BACK, self._give_back_said)
            approvals.carries_out(ANSWER, self._answer_said)
            approvals.carries_out(RETURN, self._return_said, became=self._became)

    async def recall(
        self,
        bank: BankAdmitted,
        uetrs: Sequence[str],
        *,
        reason: str,
        note: str = "",
        currency: str = "",
    ) -> list[Outgoing]:
        """Asks payments back that this bank sent. Raises Refused for one that it did not.

        `currency`: which payment, where one UETR stands for two.
        """
        asked = await self._recalls.ask(bank, uetrs, reason=reason, note=note, currency=currency)
        return await self._sending.send(bank, asked)

    async def give_back(
        self,
        bank: BankAdmitted,
        uetrs: Sequence[str],
        *,
        reason: str,
        note: str = "",
        sent_by: str = "",
        currency: str = "",
        by: Actor | None = None,
    ) -> list[Outgoing]:
        """Gives payments back that this bank received. Raises Refused if one cannot go back.

        `sent_by`, `currency`: which payment, where one UETR stands for two: from the bank of that
        BIC, in that currency.
        """
        said = {"uetrs": list(uetrs), "reason": reason, "note": note}
        # What names one payment only is the same act as before.
        said |= {k: v for k, v in (("sent_by", sent_by), ("of_currency", currency)) if v}
        came = await self._recalls.came_in(bank, uetrs, sent_by=sent_by, currency=currency)
        parts = await self._recalls.leaving(bank, came) if self._asks(by) else {}
        async with AsyncExitStack() as stack:
            left = self._left(bank, came, parts)
            await self._allowed(stack, by, GIVE_BACK, uetrs[0], parts, said, left)
            given = await self._recalls.give_back(bank, came, reason=reason, note=note)
        return await self._sending.send(bank, given)

    async def answer_recall(
        self,
        bank: BankAdmitted,
        sender: str,
        recall: str,
        *,
        agreed: Sequence[str],
        by: Actor | None = None,
    ) -> list[Outgoing]:
        """The payees' word on a recall: those UETRs go back, the others do not.

        `sender`, `recall`: the bank that asked, and its message's id. Again: the same messages.
        Raises NotFound, Conflict if it was answered with other words: the asker may have heard
        those.
        """
        found = await self._index.of_message(bank.bank, sender, recall)
        if found is None or not found.definition.startswith("camt.056"):
            raise NotFound("no recall of that id")
        examined = examine(await self._archive.get(found.digest), self._rules, at=None)
        assert isinstance(examined, Examined), "what was taken can be read"
        assert isinstance(examined.message, Recalls), "camt.056 asks back"
        agree = frozenset(agreed) & {one.uetr for one in examined.message.recalls}
        said = {"sender": sender, "recall": recall, "agreed": sorted(agree)}
        came = await self._recalls.asked_back(bank, examined.message, agree)
        parts = await self._recalls.leaving(bank, came) if self._asks(by) else {}
        async with AsyncExitStack() as stack:
            left = self._left(bank, came, parts)
            await self._allowed(stack, by, ANSWER, recall, parts, said, left)
            words = jcs(["answer", found.digest, *sorted(agree)])
            word = Remembered(recall, _WORD, await self._archive.put(words))
            [first] = await self._index.remember(bank.bank, f"={sender}", [word])
            if first != word.digest:
                raise Conflict(f"recall {recall} was answered with other words")
            messages = await self._recalls.answered(
                bank,
                examined.message,
                agreed=agree,
                digest=examined.digest,
                told=await self._told(bank, examined.message.sender, examined.digest),
            )
        return await self._sending.send(bank, messages)

    async def given_back(self, bank: BankAdmitted, uetr: str) -> list[Attempt]:
        """All tries of a bank to give what came in under a UETR back, the first one first."""
        return await self._recalls.tries(bank, uetr)

    async def demand(
        self, by: Actor | None, bank: BankAdmitted, message: Returns, digest: str
    ) -> None:
        """Returns if another bank's pacs.004 may be taken by the word of who brings it.

        Raises Refused (`needs_two_persons`, `refused_by_person`). What was answered is so again.
        """
        if by is None or self._approvals is None or not self._approvals.asks:
            return
        if await self._sent.of(bank, message.sender, status_id(digest)) is not None:
            return
        parts: Parts = {}
        for one in message.returns:
            due = (f"due from {bank.bank}", one.returned_minor)
            parts.setdefault(one.currency, []).append(due)
        said = {"bank": bank.bank, "digest": digest, "returns": len(message.returns)}
        waits: Refused | None = None
        for one_demand in _demands(RETURN, message.message, parts, said):
            try:
                await self._approvals.demand(by, one_demand)
            except Refused as error:
                waits = waits or error  # Of the other currencies two persons are asked beside it.
        if waits is not None:
            raise waits

    def _asks(self, by: Actor | None) -> bool:
        return by is not None and self._approvals is not None and self._approvals.asks

    async def _allowed(
        self,
        stack: AsyncExitStack,
        by: Actor | None,
        act: str,
        subject: str,
        parts: Parts,
        said: Mapping[str, Any],
        left: Callable[[], Awaitable[bool]],
    ) -> None:
        """Until the stack is left, what is done is done by a word that counts.

        `left`: whether anything went although the rest was refused.
        """
        if by is None or self._approvals is None:
            return
        for demand in _demands(act, subject, parts, said):
            await stack.enter_async_context(self._approvals.allowed(by, demand, stands=left))

    def _left(
        self, bank: BankAdmitted, came: Mapping[str, Found], parts: Parts
    ) -> Callable[[], Awaitable[bool]]:
        """Tells whether any of what would have gone back is on its way by now."""

        async def left() -> bool:
            return await self._recalls.leaving(bank, came) != parts

        return left

    async def _told(self, bank: BankAdmitted, to: str, digest: str) -> Answers | None:
        """What was answered to a recall, if that was sent or was about to be."""
        sent = await self._sent.of(bank, to, answer_id(digest))
        if sent is None:
            return None
        answers: Message = await self._sent.read(sent)
        assert isinstance(answers, Answers), "that id is an answer's"
        return answers

    async def _give_back_said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        bank = await self._bank(actor.party)
        uetrs, reason, note = said["uetrs"], str(said["reason"]), str(said["note"])
        given = await self.give_back(
            *(bank, uetrs),
            reason=reason,
            note=note,
            sent_by=str(said.get("sent_by", "")),
            currency=str(said.get("of_currency", "")),
            by=actor,
        )
        return await self._carry_on(bank, given)

    async def _answer_said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        bank = await self._bank(actor.party)
        sender, recall = str(said["sender"]), str(said["recall"])
        told = await self.answer_recall(bank, sender, recall, agreed=said["agreed"], by=actor)
        return await self._carry_on(bank, told)

    async def _return_said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        # Two persons saw what goes back in one currency: whatever else is in it is asked again.
        data = await self._archive.get(str(said["digest"]))
        step = Step(await self._bank(str(said["bank"])), actor.party, data)
        try:
            return await self._go_on(step, person="")
        except Refused as error:
            if error.code != "needs_two_persons":
                raise
            return NOT_YET

    async def _became(self, _actor: Actor, said: Mapping[str, Any]) -> str:
        """Approved once another bank's return is answered: by what is said, it is for good."""
        bank, digest = await self._bank(str(said["bank"])), str(said["digest"])
        message = decode(read_envelope(await self._archive.get(digest)))
        assert isinstance(message, Returns), "only returns are held"
        told = await self._sent.of(bank, message.sender, status_id(digest))
        return "" if told is None else "approved"

    async def _bank(self, party: str) -> BankAdmitted:
        return await self._directory.admitted(party)


def _demands(act: str, subject: str, parts: Parts, said: Mapping[str, Any]) -> list[Demand]:
    """One for each currency, in order of it."""
    return [
        Demand(
            act,
            subject,
            Money(min(sum(minor for _, minor in many), AMOUNT_MINOR_MAX), Currency(currency)),
            {**said, "currency": currency},
            many,
        )
        for currency, many in sorted(parts.items())
    ]
