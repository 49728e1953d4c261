"""Money that goes back: asked for by the payer's bank, agreed to by the payee, or given unasked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused
from zhidao.finance.domain.ledger.ledger import Resolution, TransferFlag
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.domain.payments.message import (
    Answers,
    Message,
    Recall,
    Recalls,
    Return,
    Returns,
    StatusReport,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    Refusal,
    leg_name,
    mark_of,
    refusal_of,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.recall_messages import Found, RecallMessages, answer, answer_id
from zhidao.finance.service.payments.returns import ARDT, GivingBack
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.wire.iso20022.messages import reversals

_NO_FLAGS: Final = TransferFlag(0)
_NOOR: Final = Refusal("NOOR", "no payment with this UETR came in")
_CUST: Final = Refusal("CUST", "the payee does not agree")
_TWICE: Final = Refusal("DUPL", "this message gives the payment back before")


class RecallBooks:
    """Books what goes back, at either bank."""

    def __init__(self, books: Books, giving: GivingBack) -> None:
        self._books = books
        self._giving = giving
        self._messages = RecallMessages(books)

    # -- the payer's bank ------------------------------------------------------------------------

    async def ask(
        self, bank: BankAdmitted, uetrs: Sequence[str], *, reason: str, note: str
    ) -> list[Message]:
        """camt.056 for payments that were sent. Raises Refused for one that was not."""
        paid = await self._find(bank, uetrs, Leg.RESERVE)
        by_bank: dict[str, list[Recall]] = defaultdict(list)
        for place, uetr in enumerate(dict.fromkeys(uetrs)):
            if uetr not in paid:
                raise Refused(f"no payment with UETR {uetr} was sent", code="no_payment")
            currency, movement = paid[uetr]
            other = await self._books.directory.bank_behind(
                bank, AccountCode.DUE_TO_BANK, movement.credit_account_id, currency
            )
            by_bank[other.bic].append(
                Recall(
                    f"C{place + 1}",
                    *("", "", "", "", uetr),
                    *(movement.amount, currency, "", reason, note),
                )
            )
        return [
            Recalls(
                reversals.RECALL,
                f"Q{digest_of(repr([bic, recalls]).encode())[:32]}",
                self._books.moment(),
                bank.bic,
                bic,
                tuple(recalls),
            )
            for bic, recalls in by_bank.items()
        ]

    async def returned(
        self, bank: BankAdmitted, other: BankAdmitted, message: Returns, examined: Examined
    ) -> list[Message]:
        """Another bank gives money back: it goes to the payers, and pacs.002 says so."""
        uetrs = [one.uetr for one in message.returns]
        posted = await self._find(bank, uetrs, Leg.RESERVE)
        # What stands from this very message stands, whatever day it is now.
        mark = mark_of(examined.digest)
        taken = await self._find(bank, uetrs, Leg.TAKE_BACK)
        stands = {uetr for uetr, one in taken.items() if one.movement.user_data_64 == mark}
        if stands:
            kept = {p: r for p, r in examined.broken.items() if uetrs[p] not in stands}
            examined = examined._replace(whole=None, broken=kept)
        # The ledger takes the second of two alike for the first, come again: it moves nothing.
        why = dict.fromkeys(_named_before(uetrs), _TWICE) | examined.broken
        bookings: dict[str, list[Booking]] = defaultdict(list)
        for place, one in enumerate(message.returns):
            if examined.whole is not None or place in why:
                continue
            found = posted.get(one.uetr)
            if found is None:
                why[place] = Refusal("NOOR", "no payment with this UETR was sent")
                continue
            booked = await self._back(bank, other, place, one, found, examined.digest)
            if isinstance(booked, Refusal):
                why[place] = booked
            else:
                bookings[found.currency].append(booked)
        notes: list[Message] = []
        for currency, many in bookings.items():
            why |= await self._book(currency, many)
            notes += self._messages.advise(
                message.returns, currency, [b for b in many if b.place not in why]
            )
        return [self._messages.report(bank, message, examined, why), *notes]

    async def _back(
        self,
        bank: BankAdmitted,
        other: BankAdmitted,
        place: int,
        one: Return,
        found: Found,
        digest: str,
    ) -> Booking | Refusal:
        due = self._books.directory.name_between(
            bank, AccountCode.DUE_TO_BANK, other.bank, found.currency
        )
        movement = found.movement
        if movement.credit_account_id != due:
            return Refusal("NOOR", "this payment was not sent to you")
        if one.currency != found.currency:
            return Refusal("AM03", f"it was paid in {found.currency}")
        if not 0 < one.returned_minor <= movement.amount:
            return Refusal("AM09", "more comes back than was paid")
        return Booking(
            place,
            leg_name(bank.bank, one.uetr, Leg.TAKE_BACK),
            due,
            movement.debit_account_id,
            one.returned_minor,
            movement.ledger,
            one.uetr,
            mark_of(digest),
            TransferCode.RETURN,
            _NO_FLAGS,
        )

    # -- the payee's bank ------------------------------------------------------------------------

    async def asked(
        self, bank: BankAdmitted, other: BankAdmitted, message: Recalls, examined: Examined
    ) -> list[Message]:
        """A recall comes in: what was never here or is back already is refused, the rest waits."""
        uetrs = [one.uetr for one in message.recalls]
        credited = await self._credited_from(bank, other, uetrs)
        back = await self._back_already(bank, list(credited))
        answers = []
        for one in message.recalls:
            why = examined.whole
            if why is None:
                why = _NOOR if one.uetr not in credited else ARDT if one.uetr in back else None
            answers.append(answer(one, why, "PDCR"))
        return [self._messages.answers(bank, message, answers, f"P{examined.digest[:32]}")]

    async def answered(
        self,
        bank: BankAdmitted,
        message: Recalls,
        *,
        agreed: frozenset[str],
        digest: str,
        told: Answers | None,
    ) -> list[Message]:
        """The payees have spoken: camt.029, and pacs.004 with what goes back.

        `told`: the answer that was given before. It is given again, and moves nothing new.
        """
        uetrs = [one.uetr for one in message.recalls]
        other = await self._books.directory.bank_of(message.sender)
        assert other is not None, "an admitted bank sent what was taken"
        credited = await self._credited_from(bank, other, uetrs)
        if told is not None:
            agreed = frozenset(one.uetr for one in told.answers if one.status == "ACCR")
        asked = {one.uetr: one for one in reversed(message.recalls)}
        wanted = [asked[uetr] for uetr in dict.fromkeys(uetrs) if uetr in agreed & credited.keys()]
        given: list[Message] = []
        why: dict[str, Refusal | None] = dict.fromkeys(uetrs, _NOOR)
        why |= dict.fromkeys(credited.keys() & why.keys(), _CUST)
        for one in wanted:
            found = credited[one.uetr]
            back = await self._giving.give(
                bank, one.uetr, found, reason="FOCR", note=one.note, asked=digest
            )
            why[one.uetr] = back if isinstance(back, Refusal) else None
            given += () if isinstance(back, Refusal) else (back,)
        answers = [answer(one, why[one.uetr], "ACCR") for one in message.recalls]
        name = answer_id(digest)
        return [told or self._messages.answers(bank, message, answers, name), *given]

    async def give_back(
        self, bank: BankAdmitted, uetrs: Sequence[str], *, reason: str, note: str = ""
    ) -> list[Message]:
        """Unasked: all of them or an error. Raises Refused.

        What was reserved before the error stays; asked again without the one named, it is told.
        """
        credited = await self._find(bank, uetrs, Leg.CREDIT)
        missing = [one for one in uetrs if one not in credited]
        if missing:
            raise Refused(f"no payment with UETR {missing[0]} came in", code="no_payment")
        given: list[Message] = []
        refused: dict[str, Refusal] = {}
        for uetr in dict.fromkeys(uetrs):
            back = await self._giving.give(
                bank, uetr, credited[uetr], reason=reason, note=note, asked=""
            )
            if isinstance(back, Refusal):
                refused[uetr] = back
            else:
                given.append(back)
        if refused:
            uetr, why = next(iter(refused.items()))
            raise Refused(f"{uetr} cannot go back: {why.sentence}", code=why.code)
        return given

    async def leaving(
        self, bank: BankAdmitted, uetrs: Sequence[str]
    ) -> dict[str, list[tuple[str, int]]]:
        """Which accounts these payments would leave if they went back, by currency, with amounts.

        What went back before, or is on its way, leaves nothing more.
        """
        credited = await self._find(bank, uetrs, Leg.CREDIT)
        back = await self._back_already(bank, list(credited))
        parts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for uetr, found in credited.items():
            if uetr not in back:
                account = found.movement.credit_account_id[::-1].hex()
                parts[found.currency].append((account, found.movement.amount))
        return parts

    async def heard(self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport) -> None:
        """The payer's bank has answered a return."""
        await self._giving.heard(bank, other, report)

    async def _back_already(self, bank: BankAdmitted, uetrs: Sequence[str]) -> set[str]:
        """Which payments went back, or are on their way."""
        back: set[str] = set()
        for uetr in uetrs:
            attempts = await self._giving.attempts(bank, uetr)
            if attempts and attempts[-1].stands:
                back.add(uetr)
        return back

    # -- both ------------------------------------------------------------------------------------

    async def _book(self, currency: str, bookings: Sequence[Booking]) -> dict[int, Refusal]:
        results = await self._books.submit(currency, bookings)
        refusals = {
            one.place: refusal_of(result) for one, result in zip(bookings, results, strict=True)
        }
        return {place: refusal for place, refusal in refusals.items() if refusal is not None}

    async def _credited_from(
        self, bank: BankAdmitted, other: BankAdmitted, uetrs: Sequence[str]
    ) -> dict[str, Found]:
        """What that bank's payments credited here: nobody recalls the payments of another."""
        found = await self._find(bank, uetrs, Leg.CREDIT)
        return {
            uetr: one
            for uetr, one in found.items()
            if one.movement.debit_account_id
            == self._books.directory.name_between(
                bank, AccountCode.DUE_FROM_BANK, other.bank, one.currency
            )
        }

    async def _find(self, bank: BankAdmitted, uetrs: Sequence[str], leg: Leg) -> dict[str, Found]:
        """The payments' transfers of one kind, in any currency; reservations only if posted."""
        names: dict[Name, str] = {leg_name(bank.bank, one, leg): one for one in uetrs if one}
        found: dict[str, Found] = {}
        for currency in await self._books.ledger.shards():
            history = await self._books.ledger.find(currency, list(names))
            for name, movement in history.transfers.items():
                posted = leg is not Leg.RESERVE or history.fates.get(name) is Resolution.POSTED
                if name in names and posted:
                    found[names[name]] = Found(currency, movement)
        return found


def _named_before(uetrs: Sequence[str]) -> list[int]:
    """The places of what was named before in the same message."""
    first = {uetr: place for place, uetr in reversed([*enumerate(uetrs)])}
    return [place for place, uetr in enumerate(uetrs) if uetr and first[uetr] != place]
