"""Money that goes back: asked for by the payer's bank, agreed to by the payee, or given unasked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
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
from zhidao.finance.service.payments.returns import ARDT, Attempt, CameIn, GivingBack, the_one
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
        self._came_in = CameIn(books)
        self._messages = RecallMessages(books)

    # -- the payer's bank ------------------------------------------------------------------------

    async def ask(
        self,
        bank: BankAdmitted,
        uetrs: Sequence[str],
        *,
        reason: str,
        note: str,
        currency: str = "",
    ) -> list[Message]:
        """camt.056 for payments that were sent. Raises Refused for one that was not.

        `currency`: only payments in that one.
        """
        paid = await self._find(bank, uetrs, Leg.RESERVE)
        by_bank: dict[str, list[Recall]] = defaultdict(list)
        for place, uetr in enumerate(dict.fromkeys(uetrs)):
            fits = [one for one in paid[uetr] if currency in ("", one.currency)]
            found = the_one(uetr, fits, which="was sent")
            other = await self._books.directory.bank_behind(
                bank, AccountCode.DUE_TO_BANK, found.movement.credit_account_id, found.currency
            )
            by_bank[other.bic].append(
                Recall(
                    f"C{place + 1}",
                    *("", "", "", "", uetr),
                    *(found.movement.amount, found.currency, "", reason, note),
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
        stands = {
            uetr
            for uetr, many in taken.items()
            if any(one.movement.user_data_64 == mark for one in many)
        }
        if stands:
            kept = {p: r for p, r in examined.broken.items() if uetrs[p] not in stands}
            examined = examined._replace(whole=None, broken=kept)
        # The ledger takes the second of two alike for the first, come again: it moves nothing.
        why = dict.fromkeys(_named_before(uetrs), _TWICE) | examined.broken
        bookings: dict[str, list[Booking]] = defaultdict(list)
        for place, one in enumerate(message.returns):
            if examined.whole is not None or place in why:
                continue
            sent = posted[one.uetr]
            # What was paid in this currency; else it is refused by what was paid.
            found = next((f for f in sent if f.currency == one.currency), next(iter(sent), None))
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
        credited = await self._came_in.recalled(bank, other, message.recalls)
        back = await self._back_already(bank, credited)
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
        credited = await self._came_in.recalled(bank, other, message.recalls)
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

    async def came_in(
        self, bank: BankAdmitted, uetrs: Sequence[str], *, sent_by: str = "", currency: str = ""
    ) -> dict[str, Found]:
        """The payments that came in under these UETRs. `sent_by`: only from the bank of that BIC.

        Raises Refused (`no_payment`, `several_payments`, `no_bank`).
        """
        sender = await self._books.directory.bank_of(sent_by) if sent_by else None
        if sent_by and sender is None:
            raise Refused(f"no bank with the BIC {sent_by[:11]}", code="no_bank", where="sent_by")
        found = await self._came_in.under(bank, uetrs, sender=sender, currency=currency)
        return {uetr: the_one(uetr, found[uetr], which="came in") for uetr in dict.fromkeys(uetrs)}

    async def tries(self, bank: BankAdmitted, uetr: str) -> list[Attempt]:
        """All tries to give back what came in under a UETR, the first one first."""
        found = await self._came_in.under(bank, [uetr])
        tries = [await self._giving.attempts(bank, uetr, one) for one in found[uetr]]
        return [one for many in tries for one in many]

    async def give_back(
        self, bank: BankAdmitted, credited: Mapping[str, Found], *, reason: str, note: str = ""
    ) -> list[Message]:
        """Unasked: all of them or an error. `credited`: of `came_in`. Raises Refused.

        What was reserved before the error stays; asked again without the one named, it is told.
        """
        given: list[Message] = []
        refused: dict[str, Refusal] = {}
        for uetr, found in credited.items():
            back = await self._giving.give(bank, uetr, found, reason=reason, note=note, asked="")
            if isinstance(back, Refusal):
                refused[uetr] = back
            else:
                given.append(back)
        if refused:
            uetr, why = next(iter(refused.items()))
            raise Refused(f"{uetr} cannot go back: {why.sentence}", code=why.code)
        return given

    async def asked_back(
        self, bank: BankAdmitted, message: Recalls, agreed: Collection[str]
    ) -> dict[str, Found]:
        """What a recall asks back of what came in, as far as it is agreed to."""
        other = await self._books.directory.bank_of(message.sender)
        assert other is not None, "an admitted bank sent what was taken"
        found = await self._came_in.recalled(bank, other, message.recalls)
        return {uetr: found[uetr] for uetr in sorted(agreed) if uetr in found}

    async def leaving(
        self, bank: BankAdmitted, credited: Mapping[str, Found]
    ) -> dict[str, list[tuple[str, int]]]:
        """Which accounts these payments would leave if they went back, by currency, with amounts.

        What went back before, or is on its way, leaves nothing more.
        """
        back = await self._back_already(bank, credited)
        parts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for uetr, found in credited.items():
            if uetr not in back:
                account = found.movement.credit_account_id[::-1].hex()
                parts[found.currency].append((account, found.movement.amount))
        return parts

    async def heard(self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport) -> None:
        """The payer's bank has answered a return."""
        await self._giving.heard(bank, other, report)

    async def _back_already(self, bank: BankAdmitted, credited: Mapping[str, Found]) -> set[str]:
        """Which payments went back, or are on their way."""
        back: set[str] = set()
        for uetr, found in credited.items():
            attempts = await self._giving.attempts(bank, uetr, found)
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

    async def _find(
        self, bank: BankAdmitted, uetrs: Sequence[str], leg: Leg
    ) -> dict[str, list[Found]]:
        """The payments' transfers of one kind, in any currency; reservations only if posted."""
        names: dict[Name, str] = {leg_name(bank.bank, one, leg): one for one in uetrs if one}
        found: dict[str, list[Found]] = defaultdict(list)
        for currency in await self._books.ledger.shards():
            history = await self._books.ledger.find(currency, list(names))
            for name, movement in history.transfers.items():
                posted = leg is not Leg.RESERVE or history.fates.get(name) is Resolution.POSTED
                if name in names and posted:
                    found[names[name]].append(Found(currency, movement))
        return found


def _named_before(uetrs: Sequence[str]) -> list[int]:
    """The places of what was named before in the same message."""
    first = {uetr: place for place, uetr in reversed([*enumerate(uetrs)])}
    return [place for place, uetr in enumerate(uetrs) if uetr and first[uetr] != place]
