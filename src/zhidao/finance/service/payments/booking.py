"""How bookings of messages reach the ledger, and what is said of them: to banks, to customers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from zhidao.core.ambient import Clock
from zhidao.core.archive import digest_of
from zhidao.core.timescale import NS
from zhidao.finance.domain.ledger.ledger import TRANSFERS_MAX, Result
from zhidao.finance.domain.ledger.records import Name, records_of
from zhidao.finance.domain.payments.message import (
    CreditTransfer,
    Message,
    Notice,
    NoticeEntry,
    Status,
    StatusReport,
    Transfers,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Refusal,
    group_status,
    movement_of,
    refusal_of,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory, Owned
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.wire.iso20022.messages import notices, statuses
from zhidao.finance.wire.iso20022.syntax.trees import account

UNKNOWN_ACCOUNT = Refusal("AC01", "no account of that number here")
OTHER_CURRENCY = Refusal("AM03", "the account is kept in another currency")
UNKNOWN_BANK = Refusal("RC01", "no such bank is known here")
_TWICE = Refusal("DUPL", "this UETR stands in the message before")


class Books:
    """The ledger as the payment service of banks uses it."""

    def __init__(self, ledger: Ledger, directory: Directory, clock: Clock) -> None:
        self.ledger = ledger
        self.directory = directory
        self._clock = clock
        self._moment = (-1, "")

    async def book(
        self, transfers: Sequence[CreditTransfer], bookings: Sequence[Booking]
    ) -> dict[int, Refusal]:
        """Books what a message asks for; why some do not stand, by their places."""
        why: dict[int, Refusal] = {}
        by_currency: dict[str, list[Booking]] = defaultdict(list)
        seen: set[Name] = set()
        for one in bookings:
            if one.name in seen:
                why[one.place] = _TWICE
                continue
            seen.add(one.name)
            by_currency[transfers[one.place].currency].append(one)
        for currency, many in by_currency.items():
            results = await self.submit(currency, many)
            for one, result in zip(many, results, strict=True):
                refused = refusal_of(result)
                if refused is not None:
                    why[one.place] = refused
        return why

    async def submit(self, currency: str, bookings: Sequence[Booking]) -> list[Result]:
        """The ledger's answers, in as many batches as it takes."""
        records = records_of(map(movement_of, bookings))
        parts = [
            records[start : start + TRANSFERS_MAX]
            for start in range(0, len(records), TRANSFERS_MAX)
        ]
        answers = await asyncio.gather(
            *(self.ledger.submit_records(currency, part) for part in parts)
        )
        return [result for answer in answers for result in answer]

    def moment(self) -> str:
        """Now, as messages write it."""
        now = self._clock.now()
        second = now.unix_ns // NS
        if self._moment[0] != second:
            # Thousands of messages are written in one second.
            self._moment = second, now.to_datetime().replace(microsecond=0).isoformat()
        return self._moment[1]

    def report(
        self, bank: BankAdmitted, file: Transfers, examined: Examined, told: Sequence[Status]
    ) -> StatusReport:
        """pain.002 or pacs.002 on a file of payments."""
        whole, to_customer = examined.whole, file.definition.startswith("pain")
        if whole is not None:
            told = [one._replace(status="RJCT", reason="", note="") for one in told]
        return StatusReport(
            definition=statuses.TO_CUSTOMER if to_customer else statuses.TO_BANK,
            message=f"S{examined.digest[:32]}",
            created=self.moment(),
            sender="" if to_customer else bank.bic,
            receiver="" if to_customer else file.sender,
            original=file.message,
            original_definition=file.definition,
            status="RJCT" if whole is not None else group_status([one.status for one in told]),
            reason=whole.code if whole is not None else "",
            note=whole.sentence if whole is not None else "",
            statuses=tuple(told),
        )

    def held(self, bank: BankAdmitted, examined: Examined, why: Refusal) -> StatusReport:
        """pain.002 or pacs.002 on a file that waits (PDNG)."""
        file = examined.message
        assert isinstance(file, Transfers), "only files of payments are held"
        told = [
            status_of(one, examined.broken.get(place), "PDNG")
            for place, one in enumerate(file.transfers)
        ]
        told = [one if one.note else one._replace(note=why.sentence) for one in told]
        report = self.report(bank, file, examined, told)
        # What becomes of it is told later, under another id.
        return report._replace(message=f"H{report.message[1:]}")

    def advise(
        self, transfers: Sequence[CreditTransfer], booked: Sequence[Booking]
    ) -> list[Message]:
        """camt.054 to each payee, all its credits in one."""
        moment = self.moment()
        today = moment[:10]
        by_account: dict[tuple[Name, str], list[NoticeEntry]] = defaultdict(list)
        for one in booked:
            paid = transfers[one.place]
            by_account[one.credit, paid.currency].append(entry_of(one, paid, today))
        return [
            Notice(
                notices.DEFINITION,
                f"N{digest_of(entries[0].entry.encode())[:32]}",
                moment,
                account(name[::-1].hex()),
                currency,
                tuple(entries),
            )
            for (name, currency), entries in by_account.items()
        ]

    def now(self) -> datetime:
        """Now, in UTC."""
        return self._clock.now().to_datetime()


def entry_of(one: Booking, paid: CreditTransfer, today: str) -> NoticeEntry:
    """What the account's holder hears of a booking."""
    return NoticeEntry(
        entry=one.name[::-1].hex(),
        amount_minor=paid.amount_minor,
        day=today,
        instruction=paid.instruction,
        end_to_end=paid.end_to_end,
        uetr=paid.uetr,
        payer=paid.payer,
        payer_account=paid.payer_account,
        payer_bank=paid.payer_bank,
        payee=paid.payee,
        payee_account=paid.payee_account,
        payee_bank=paid.payee_bank,
        remittance=paid.remittance,
    )


def status_of(one: CreditTransfer, why: Refusal | None, status: str) -> Status:
    """How a payment stands: as given, or refused."""
    return Status(
        one.group,
        one.instruction,
        one.end_to_end,
        one.uetr,
        status if why is None else "RJCT",
        "" if why is None else why.code,
        "" if why is None else why.sentence,
    )


def waits(one: CreditTransfer, moment: str) -> Status:
    """How a payment stands that waits for its day (ACCP), or for another than it asked for (ACWC).

    Source: ISO 20022 ExternalPaymentTransactionStatus1Code; ACWC: a change such as the date.
    """
    day = moment[:10]
    status = "ACCP" if day == one.day else "ACWC"
    return status_of(one, None, status)._replace(note=f"waits until {moment}")


def payee_of(payee: Owned | None, one: CreditTransfer) -> Owned | Refusal:
    """The payee's account, if it can be credited."""
    if payee is None:
        return UNKNOWN_ACCOUNT
    return payee if payee.currency == one.currency else OTHER_CURRENCY
