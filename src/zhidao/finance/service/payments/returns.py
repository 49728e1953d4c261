"""Money that a payee's bank gives back: reserved until the payer's bank has taken it, then posted.

The message comes first and is kept, then the reservation that bears its mark: so what is reserved
can always be told again in the same bytes. That it is kept lets nothing leave: its reservation
does. The payer's bank decides: what it refuses is the payee's again, and may be given back anew, by
another message of another day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused
from zhidao.finance.domain.ledger.ledger import Resolution, Result, TransferFlag
from zhidao.finance.domain.ledger.records import Movement, Name
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import (
    Recall,
    Return,
    Returns,
    Status,
    StatusReport,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    Refusal,
    credit_legs,
    ended,
    leg_name,
    mark_of,
    refusal_of,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.recall_messages import Found
from zhidao.finance.service.payments.sending import SentMessages
from zhidao.finance.service.payments.validation import Rules
from zhidao.finance.service.ports import Remembered
from zhidao.finance.wire.iso20022.messages import reversals

ATTEMPTS_MAX: Final = 64
"""So often a payment may be given back in vain before it is refused for good."""
ARDT: Final = Refusal("ARDT", "it was given back before")
_SPENT: Final = Refusal("NARR", f"it could not be given back {ATTEMPTS_MAX} times")


class CameIn:
    """What other banks sent, by UETR, by the bank that it came from and by its currency.

    A UETR alone names no payment: two banks may have sent under the same one.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    async def under(
        self,
        bank: BankAdmitted,
        uetrs: Sequence[str],
        *,
        sender: BankAdmitted | None = None,
        currency: str = "",
    ) -> dict[str, list[Found]]:
        """All that came in under these UETRs: from that bank only, in that currency only."""
        senders = [sender] if sender else await self._books.directory.all_banks()
        names: dict[Name, tuple[str, str]] = {}
        for uetr in filter(None, dict.fromkeys(uetrs)):
            for one in senders:
                new, plain = credit_legs(bank.bank, uetr, one.bic)
                names |= {new: (uetr, one.bic), plain: (uetr, "")}
        found: dict[str, list[Found]] = defaultdict(list)
        for shard in await self._books.ledger.shards():
            if currency not in ("", shard):
                continue
            history = await self._books.ledger.find(shard, list(names))
            for name, movement in history.transfers.items():
                if name in names and self._is_of(bank, sender, shard, movement):
                    uetr, sent_by = names[name]
                    found[uetr].append(Found(shard, movement, sent_by))
        return found

    async def returned(self, bank: BankAdmitted, other: BankAdmitted, one: Return) -> Found | None:
        """What a return to that bank gives back, or nothing."""
        found = await self.under(bank, [one.uetr], sender=other, currency=one.currency)
        return next(iter(found[one.uetr]), None)

    async def recalled(
        self, bank: BankAdmitted, other: BankAdmitted, recalls: Sequence[Recall]
    ) -> dict[str, Found]:
        """What that bank asks back, as far as it came from there: nobody recalls another's."""
        found = await self.under(bank, [one.uetr for one in recalls], sender=other)
        told: dict[str, Found] = {}
        for one in recalls:
            fits = [f for f in found[one.uetr] if one.currency in ("", f.currency)]
            if len(fits) == 1:
                told.setdefault(one.uetr, fits[0])
        return told

    def _is_of(
        self, bank: BankAdmitted, sender: BankAdmitted | None, shard: str, movement: Movement
    ) -> bool:
        """Whether it came from there: the names of earlier versions do not say so."""
        if sender is None:
            return True
        due = self._books.directory.name_between(
            bank, AccountCode.DUE_FROM_BANK, sender.bank, shard
        )
        return movement.debit_account_id == due


def the_one(uetr: str, found: Sequence[Found], *, which: str) -> Found:
    """The payment, if there is one only. Raises Refused (`no_payment`, `several_payments`).

    `which`: how it went: came in, was sent.
    """
    if not found:
        raise Refused(f"no payment with UETR {uetr} {which}", code="no_payment")
    if len(found) > 1:
        kinds = ", ".join(sorted(f"{one.currency} from {one.sent_by or 'a bank'}" for one in found))
        raise Refused(
            f"{len(found)} payments with UETR {uetr}: {kinds}",
            code="several_payments",
            where=uetr,
            remedy="name the currency too, and the BIC of the bank that sent it",
        )
    return found[0]


class Attempt(NamedTuple):
    """One try to give a payment back. `movement`: None if there was no money for it.

    `fate`: PENDING until the payer's bank has answered.
    """

    number: int
    currency: str
    movement: Movement | None
    fate: Resolution
    sent_by: str = ""
    """As of the payment (`Found`)."""

    @property
    def stands(self) -> bool:
        """Whether the money went back, or is on its way."""
        return self.movement is not None and self.fate is not Resolution.VOIDED


class GivingBack:
    """Gives payments back to the payers' banks, each at most once."""

    def __init__(self, books: Books, sent: SentMessages, rules: Rules) -> None:
        self._books = books
        self._came_in = CameIn(books)
        self._sent = sent
        self._rules = rules

    async def give(
        self, bank: BankAdmitted, uetr: str, found: Found, *, reason: str, note: str, asked: str
    ) -> Returns | Refusal:
        """Reserves what a payee gives back; the message to the payer's bank, or why not.

        `asked`: the digest of the recall that asked for it, if one did. Again while the other bank
        has not refused: the same message.
        """
        for _ in range(ATTEMPTS_MAX):
            attempts = await self.attempts(bank, uetr, found)
            if len(attempts) >= ATTEMPTS_MAX:
                return _SPENT
            last = attempts[-1] if attempts else None
            if last is not None and last.stands:
                return await self._told(bank, uetr, last, asked)
            other = await self._books.directory.bank_behind(
                bank, AccountCode.DUE_FROM_BANK, found.movement.debit_account_id, found.currency
            )
            message, digest = await self._kept(
                bank,
                other,
                self._message(
                    *(bank, other, uetr, found, len(attempts)),
                    day=await self._day(bank, found.currency, last),
                    words=(reason, note, asked),
                ),
            )
            booking = _reservation(bank, uetr, found, len(attempts), digest)
            [result] = await self._books.submit(found.currency, [booking])
            if result.holds:
                return message
            if result is Result.ID_ALREADY_FAILED or result.value.startswith("exists_with"):
                continue  # Somebody else tried in this moment: look again.
            refusal = refusal_of(result)
            assert refusal is not None, "what does not hold has its reason"
            return refusal
        return _SPENT

    async def attempts(self, bank: BankAdmitted, uetr: str, of: Found) -> list[Attempt]:
        """All tries to give a payment back, the first one first."""
        found: list[Attempt] = []
        for number in range(ATTEMPTS_MAX):
            name = leg_name(bank.bank, uetr, Leg.GIVE_BACK, number, sent_by=of.sent_by)
            history = await self._books.ledger.find(of.currency, [name])
            movement = history.transfers.get(name)
            if movement is None and not history.failed(name):
                break
            fate = history.fates.get(name, _OPEN)
            found.append(Attempt(number, of.currency, movement, fate, of.sent_by))
        return found

    async def _tries(self, bank: BankAdmitted, other: BankAdmitted, one: Return) -> list[Attempt]:
        """All tries to give back what a return to that bank names."""
        paid = await self._came_in.returned(bank, other, one)
        return [] if paid is None else await self.attempts(bank, one.uetr, paid)

    async def is_reserved(self, bank: BankAdmitted, message: Returns, digest: str) -> bool:
        """Whether all that a message of these bytes gives back is reserved for it, or booked.

        The message is kept before: without money behind it, it stands for nothing.
        """
        mark = mark_of(digest)
        other = await self._books.directory.bank_of(message.receiver)
        if other is None:
            return False
        for one in message.returns:
            attempts = await self._tries(bank, other, one)
            last = attempts[-1] if attempts else None
            if last is None or last.movement is None or not last.stands:
                return False
            if (last.movement.user_data_64, last.movement.amount) != (mark, one.returned_minor):
                return False
        return True

    async def heard(self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport) -> None:
        """The payer's bank has answered a return: it is posted, or the payee has it again."""
        sent = await self._sent.of(bank, other.bic, report.original)
        if sent is None or not sent.definition.startswith("pacs.004"):
            return
        told = {one.uetr: one for one in report.statuses}
        for one in (await self._read(sent)).returns:
            status = told.get(one.uetr)
            verdict = _verdict(status, report)
            if not verdict:
                continue
            for attempt in await self._tries(bank, other, one):
                movement = attempt.movement
                if movement is not None and movement.user_data_64 == mark_of(sent.digest):
                    taken = verdict == "ACSC"
                    leg = Leg.GIVEN_BACK if taken else Leg.NOT_GIVEN_BACK
                    name = leg_name(
                        *(bank.bank, one.uetr, leg, attempt.number), sent_by=attempt.sent_by
                    )
                    await self._books.submit(attempt.currency, [ended(name, movement, posts=taken)])

    async def again(self, bank: BankAdmitted, mark: int) -> Remembered | None:
        """The message that a reservation of a return bears the mark of."""
        sent = (await self._sent.of_marks(bank, [mark])).get(mark)
        return sent if sent is not None and sent.definition.startswith("pacs.004") else None

    async def _told(
        self, bank: BankAdmitted, uetr: str, last: Attempt, asked: str
    ) -> Returns | Refusal:
        """The message of one that stands; refused if it was given back for another reason."""
        assert last.movement is not None, "what stands is in the ledger"
        sent = await self.again(bank, last.movement.user_data_64)
        if sent is None:
            return ARDT  # Booked by an earlier version, whose returns were final at once.
        message = await self._read(sent)
        [one] = message.returns
        own = {
            # As earlier versions named it, too.
            _name(*(uetr, last.number, one.day, asked), currency)
            for currency in ("", one.currency)
        }
        return message if message.message in own else ARDT

    async def _read(self, sent: Remembered) -> Returns:
        message = await self._sent.read(sent)
        assert isinstance(message, Returns), "pacs.004 gives back"
        return message

    async def _day(self, bank: BankAdmitted, currency: str, last: Attempt | None) -> str:
        """The day on which it settles: after the one that the other bank has refused."""
        profile = self._rules.profile
        day = profile.day_for(currency, self._books.now())
        if last is None or last.movement is None:
            return day.isoformat()
        sent = await self.again(bank, last.movement.user_data_64)
        if sent is None:
            return day.isoformat()
        [before] = (await self._read(sent)).returns
        later = date.fromisoformat(before.day) + timedelta(1)
        far = self._books.now().date() + timedelta(profile.days_ahead_max or 366)
        return profile.next_day(currency, min(max(day, later), far)).isoformat()

    def _message(
        self,
        bank: BankAdmitted,
        other: BankAdmitted,
        uetr: str,
        found: Found,
        attempt: int,
        *,
        day: str,
        words: tuple[str, str, str],
    ) -> Returns:
        """pacs.004 of one payment, whole. `words`: reason, note, the recall that asked for it."""
        reason, note, asked = words
        one = Return(
            f"B{uetr.replace('-', '')}",
            *("", "", "", "", uetr),
            *(found.movement.amount, found.movement.amount, found.currency),
            *(day, reason, note),
        )
        name = _name(uetr, attempt, day, asked, found.currency)
        moment = self._books.moment()
        return Returns(reversals.RETURN, name, moment, bank.bic, other.bic, (one,))

    async def _kept(
        self, bank: BankAdmitted, other: BankAdmitted, message: Returns
    ) -> tuple[Returns, str]:
        """The message as it was first written under its id, and the digest of its bytes."""
        kept, digest = await self._sent.keep(bank, other.bic, message)
        assert isinstance(kept, Returns), "pacs.004 gives back"
        return kept, digest


_OPEN: Final = Resolution.PENDING


def _name(uetr: str, attempt: int, day: str, asked: str, currency: str) -> str:
    """The id of a return: another try, day, recall or currency is another message."""
    words = f"{uetr} {attempt} {day} {asked}" + (f" {currency}" if currency else "")
    return f"B{digest_of(words.encode())[:32]}"


def _verdict(status: Status | None, report: StatusReport) -> str:
    """ACSC, RJCT, or nothing that is final.

    RJCT is, whatever its reason: with DUPL the payer has it by another message, so not by this one.
    """
    said = report.status if status is None else status.status
    if said in ("ACSC", "ACCC"):
        return "ACSC"
    return "RJCT" if said == "RJCT" else ""


def _reservation(bank: BankAdmitted, uetr: str, found: Found, attempt: int, digest: str) -> Booking:
    movement = found.movement
    return Booking(
        0,
        leg_name(bank.bank, uetr, Leg.GIVE_BACK, attempt, sent_by=found.sent_by),
        movement.credit_account_id,
        movement.debit_account_id,
        movement.amount,
        movement.ledger,
        uetr,
        mark_of(digest),
        TransferCode.RETURN,
        TransferFlag.PENDING,
    )
