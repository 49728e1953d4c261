"""Money that a payee's bank gives back: reserved until the payer's bank has taken it, then posted.

The message comes first and is kept, then the reservation that bears its mark: so what is reserved
can always be told again in the same bytes. That it is kept lets nothing leave: its reservation
does. The payer's bank decides: what it refuses is the payee's again, and may be given back anew, by
another message of another day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from zhidao.core.archive import digest_of
from zhidao.finance.domain.ledger.ledger import Resolution, Result, TransferFlag
from zhidao.finance.domain.ledger.records import Movement
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import Return, Returns, Status, StatusReport
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    Refusal,
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


class Attempt(NamedTuple):
    """One try to give a payment back. `movement`: None if there was no money for it.

    `fate`: PENDING until the payer's bank has answered.
    """

    number: int
    currency: str
    movement: Movement | None
    fate: Resolution

    @property
    def stands(self) -> bool:
        """Whether the money went back, or is on its way."""
        return self.movement is not None and self.fate is not Resolution.VOIDED


class GivingBack:
    """Gives payments back to the payers' banks, each at most once."""

    def __init__(self, books: Books, sent: SentMessages, rules: Rules) -> None:
        self._books = books
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
            attempts = await self.attempts(bank, uetr)
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

    async def attempts(self, bank: BankAdmitted, uetr: str) -> list[Attempt]:
        """All tries to give a payment back, the first one first."""
        found: list[Attempt] = []
        shards = await self._books.ledger.shards()
        for number in range(ATTEMPTS_MAX):
            name = leg_name(bank.bank, uetr, Leg.GIVE_BACK, number)
            here = None
            for currency in shards:
                history = await self._books.ledger.find(currency, [name])
                movement = history.transfers.get(name)
                if movement is not None or history.failed(name):
                    here = Attempt(number, currency, movement, history.fates.get(name, _OPEN))
                    break
            if here is None:
                break
            found.append(here)
        return found

    async def is_reserved(self, bank: BankAdmitted, message: Returns, digest: str) -> bool:
        """Whether all that a message of these bytes gives back is reserved for it, or booked.

        The message is kept before: without money behind it, it stands for nothing.
        """
        mark = mark_of(digest)
        for one in message.returns:
            attempts = await self.attempts(bank, one.uetr)
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
            for attempt in await self.attempts(bank, one.uetr):
                movement = attempt.movement
                if movement is not None and movement.user_data_64 == mark_of(sent.digest):
                    taken = verdict == "ACSC"
                    leg = Leg.GIVEN_BACK if taken else Leg.NOT_GIVEN_BACK
                    name = leg_name(bank.bank, one.uetr, leg, attempt.number)
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
        own = _name(uetr, last.number, one.day, asked)
        return message if message.message == own else ARDT

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
        name = _name(uetr, attempt, day, asked)
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


def _name(uetr: str, attempt: int, day: str, asked: str) -> str:
    """The id of a return: another try, day or recall is another message."""
    return f"B{digest_of(f'{uetr} {attempt} {day} {asked}'.encode())[:32]}"


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
        leg_name(bank.bank, uetr, Leg.GIVE_BACK, attempt),
        movement.credit_account_id,
        movement.debit_account_id,
        movement.amount,
        movement.ledger,
        uetr,
        mark_of(digest),
        TransferCode.RETURN,
        TransferFlag.PENDING,
    )
