"""The payer's bank hears what became of its payments: posted, or given back to the payers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from zhidao.core.archive import digest_of
from zhidao.finance.domain.ledger.records import Movement
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.message import (
    CreditTransfer,
    Message,
    Status,
    StatusReport,
    Transfers,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Leg,
    ended,
    group_status,
    leg_name,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.payment_approvals import PaymentApprovals
from zhidao.finance.service.payments.sending import SentMessages
from zhidao.finance.wire.iso20022.messages import statuses


class Hearing:
    """Books what other banks answer."""

    def __init__(self, books: Books, sent: SentMessages, holds: PaymentApprovals | None) -> None:
        """`holds`: hears of what was refused, which counts no more."""
        self._books = books
        self._sent = sent
        self._holds = holds

    async def hear(
        self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport
    ) -> list[Message]:
        """The payee's bank has answered: reservations are posted, or given back to the payers."""
        told = list(report.statuses)
        if not told and report.status in ("RJCT", "ACSC"):
            told = await self._all_of(bank, other, report)
        # DUPL says that the payment stands there from another message, not that it was refused:
        # its reservation waits for that message's answer.
        decided = [one for one in told if one.uetr and _is_decided(one, report)]
        reserved = await self._reservations(bank, other, report, [one.uetr for one in decided])
        bookings: dict[str, list[Booking]] = defaultdict(list)
        for place, one in enumerate(decided):
            if one.uetr in reserved:
                currency, pending = reserved[one.uetr]
                posts = one.status != "RJCT"
                name = leg_name(bank.bank, one.uetr, Leg.POST if posts else Leg.VOID)
                bookings[currency].append(ended(name, pending, posts=posts, place=place))
        messages: list[Message] = []
        for currency, many in bookings.items():
            results = await self._books.submit(currency, many)
            done = [b.place for b, result in zip(many, results, strict=True) if result.holds]
            marks = {decided[p].uetr: reserved[decided[p].uetr][1].user_data_64 for p in done}
            messages += await self._tell_payers(bank, [decided[p] for p in done], marks)
            refused = [decided[p].uetr for p in done if decided[p].status == "RJCT"]
            await self._uncounted(bank, [reserved[uetr][1] for uetr in refused])
        return messages

    async def _uncounted(self, bank: BankAdmitted, refused: Sequence[Movement]) -> None:
        """Tells of the files whose payments another bank refused."""
        if self._holds is None or not refused:
            return
        payers = {one.user_data_64: one.debit_account_id for one in refused}
        for mark, origin in (await self._sent.of_marks(bank, list(payers))).items():
            await self._holds.rejected(bank, origin.digest, payers[mark])

    async def _all_of(
        self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport
    ) -> list[Status]:
        """A report on a whole file stands for each payment of it."""
        return [
            Status("", one.instruction, one.end_to_end, one.uetr, report.status, report.reason, "")
            for one in await self._answered(bank, other, report)
        ]

    async def _answered(
        self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport
    ) -> Sequence[CreditTransfer]:
        """The payments of the message that a report is on, if this bank sent it there."""
        sent = await self._sent.of(bank, other.bic, report.original)
        message = None if sent is None else await self._sent.read(sent)
        return message.transfers if isinstance(message, Transfers) else ()

    async def _towards(
        self, bank: BankAdmitted, other: BankAdmitted, uetrs: Sequence[str]
    ) -> dict[str, dict[str, Movement]]:
        """All reservations towards that bank, by UETR and currency."""
        found: dict[str, dict[str, Movement]] = defaultdict(dict)
        names = {leg_name(bank.bank, one, Leg.RESERVE): one for one in uetrs}
        for currency in await self._books.ledger.shards():
            history = await self._books.ledger.find(currency, list(names))
            due = self._books.directory.name_between(
                bank, AccountCode.DUE_TO_BANK, other.bank, currency
            )
            for name, movement in history.transfers.items():
                if movement.credit_account_id == due and name in names:
                    found[names[name]][currency] = movement
        return found

    async def _reservations(
        self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport, uetrs: Sequence[str]
    ) -> dict[str, tuple[str, Movement]]:
        """The reservations towards that bank, by UETR, with the currency that they stand in.

        Where two currencies have one, the answer is on that which the message names that it is on.
        """
        found = await self._towards(bank, other, uetrs)
        only = {uetr: next(iter(many.items())) for uetr, many in found.items()}
        several = {uetr: many for uetr, many in found.items() if len(many) > 1}
        if not several:
            return only
        for uetr in several:
            del only[uetr]
        for one in await self._answered(bank, other, report):
            if one.currency in several.get(one.uetr, {}):
                only[one.uetr] = one.currency, several[one.uetr][one.currency]
        return only

    async def _tell_payers(
        self, bank: BankAdmitted, told: Sequence[Status], marks: Mapping[str, int]
    ) -> list[Message]:
        """pain.002 to those who instructed the payments, one for each of their files."""
        origins = await self._sent.of_marks(bank, marks.values())
        by_mark: dict[int, list[Status]] = defaultdict(list)
        for one in told:
            by_mark[marks[one.uetr]].append(
                one._replace(group="NOTPROVIDED", status="ACSC" if one.status != "RJCT" else "RJCT")
            )
        messages: list[Message] = []
        for mark, many in by_mark.items():
            origin = origins.get(mark)
            if origin is None:
                continue
            name = digest_of(f"{origin.digest} {[one.uetr for one in many]}".encode())[:32]
            messages.append(
                StatusReport(
                    *(statuses.TO_CUSTOMER, f"T{name}", self._books.moment(), "", ""),
                    *(origin.message, origin.definition),
                    *(group_status([one.status for one in many]), "", ""),
                    tuple(many),
                )
            )
        return messages


def _is_decided(one: Status, report: StatusReport) -> bool:
    return one.status in ("ACSC", "ACCC") or _is_refusal(one, report)


def _is_refusal(one: Status, report: StatusReport) -> bool:
    return one.status == "RJCT" and "DUPL" not in (one.reason, report.reason)
