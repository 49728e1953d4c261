"""The payer's bank: payments that its customers instruct, and what the other bank says of them.

The amount is reserved towards the payee's bank and posted when that bank says that the payee has
it; refused, it goes back to the payer. Inside one bank the money moves at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from zhidao.core.archive import Archive, digest_of
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import NO_NAME, Movement
from zhidao.finance.domain.naming import AccountCode, TransferCode, transfer_id, uetr
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
    Refusal,
    ended,
    group_status,
    leg_name,
    mark_of,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import (
    OTHER_CURRENCY,
    UNKNOWN_ACCOUNT,
    UNKNOWN_BANK,
    Books,
    payee_of,
    status_of,
)
from zhidao.finance.service.payments.directory import Owned
from zhidao.finance.service.payments.validation import Examined, Rules, examine
from zhidao.finance.service.ports import MessageIndex
from zhidao.finance.wire.iso20022.messages import statuses
from zhidao.finance.wire.iso20022.messages.credit_transfers import CUSTOMERS
from zhidao.finance.wire.iso20022.syntax.trees import account_number, at
from zhidao.finance.wire.iso20022.syntax.trees import bank as bank_tree

_NO_FLAGS: Final = TransferFlag(0)
_NOT_YOURS: Final = Refusal("AG01", "this account is not the sender's")


@dataclass(slots=True)
class _Judged:
    """What a file comes to: bookings, why others are refused, and who leaves towards which BIC."""

    why: dict[int, Refusal]
    bookings: list[Booking] = field(default_factory=list)
    onward: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def leaving(self) -> set[int]:
        """The places of payments to other banks."""
        return {place for places in self.onward.values() for place in places}


class Instructing:
    """Books what customers instruct."""

    def __init__(
        self,
        books: Books,
        *,
        index: MessageIndex,
        archive: Archive,
        rules: Rules,
    ) -> None:
        self._books = books
        self._index = index
        self._archive = archive
        self._rules = rules

    async def initiate(
        self, bank: BankAdmitted, sender: str, file: Transfers, examined: Examined
    ) -> list[Message]:
        """A customer's payments: reserved and passed on, or moved at once inside the bank."""
        transfers = with_uetrs(file.transfers, examined.digest)
        examined = await self._inside(bank, transfers, examined)
        examined = await self._standing(bank, transfers, examined)
        found = await self._judged(bank, sender, transfers, examined)
        why = found.why | await self._books.book(transfers, found.bookings)
        leaving = found.leaving
        report = self._books.report(
            bank,
            file,
            examined,
            [
                status_of(one, why.get(place), "ACSP" if place in leaving else "ACSC")
                for place, one in enumerate(transfers)
            ],
        )
        messages: list[Message] = [report]
        for bic, places in found.onward.items():
            passed = [transfers[place] for place in places if place not in why]
            if passed:
                messages.append(self._onward(bank, bic, passed, examined))
        inside = [b for b in found.bookings if b.place not in why and b.place not in leaving]
        messages += self._books.advise(transfers, inside)
        return messages

    async def _inside(
        self, bank: BankAdmitted, transfers: Sequence[CreditTransfer], examined: Examined
    ) -> Examined:
        """The file without refusals for days on which banks rest: inside one bank nothing settles.

        Its own books are open on every day.
        """
        whole, refused = examined.whole, dict(examined.broken)
        resting = {place for place in examined.resting if place >= 0}
        if whole is not None and -1 in examined.resting:
            resting |= set(range(len(transfers))) - refused.keys()
            refused = {place: refused.get(place, whole) for place in range(len(transfers))}
            whole = None
        if not resting or whole is not None:
            return examined
        bics = {place: at(transfers[place].payee_bank, "BICFI") for place in resting}
        banks = await self._books.directory.banks(bics.values())
        own = {place for place, bic in bics.items() if banks.get(bic, bank).bank == bank.bank}
        own -= {place for place, bic in bics.items() if bic and bic not in banks}
        if not own:
            return examined
        broken = {place: why for place, why in refused.items() if place not in own}
        return examined._replace(whole=None, broken=broken)

    async def _standing(
        self, bank: BankAdmitted, transfers: Sequence[CreditTransfer], examined: Examined
    ) -> Examined:
        """The file without the refusals of payments that stand from it, whatever day it is now."""
        refused = range(len(transfers)) if examined.whole is not None else [*examined.broken]
        legs = (Leg.RESERVE, Leg.INSIDE)
        names = {
            leg_name(bank.bank, transfers[place].uetr, leg): place
            for place in refused
            for leg in legs
        }
        stands: set[int] = set()
        for currency in {transfers[place].currency for place in refused}:
            if currency not in await self._books.ledger.shards():
                continue
            history = await self._books.ledger.find(currency, list(names))
            stands |= {
                names[name]
                for name, one in history.transfers.items()
                if name in names and one.user_data_64 == mark_of(examined.digest)
            }
        if not stands:
            return examined
        broken = {place: why for place, why in examined.broken.items() if place not in stands}
        return examined._replace(whole=None, broken=broken)

    async def _judged(
        self, bank: BankAdmitted, sender: str, transfers: list[CreditTransfer], examined: Examined
    ) -> _Judged:
        """Which payments may be booked, in their order, and why the others may not."""
        mark = mark_of(examined.digest)
        banks = await self._books.directory.banks(at(one.payee_bank, "BICFI") for one in transfers)
        owned = await self._owned(bank, transfers, banks)
        found = _Judged(why=dict(examined.broken))
        for place, one in enumerate(transfers):
            if examined.whole is not None or place in found.why:
                continue
            payer = owned.get(account_number(one.payer_account))
            refused = _may_pay(payer, one, sender)
            if refused is not None or payer is None:
                found.why[place] = refused or UNKNOWN_ACCOUNT
                continue
            bic = at(one.payee_bank, "BICFI")
            other = banks.get(bic) if bic else bank
            if other is None:
                found.why[place] = UNKNOWN_BANK
                continue
            booked = await self._leaves(bank, other, one, place, payer, owned, mark)
            if isinstance(booked, Refusal):
                found.why[place] = booked
                continue
            found.bookings.append(booked)
            if other.bank != bank.bank:
                found.onward[other.bic].append(place)
        return found

    async def _owned(
        self,
        bank: BankAdmitted,
        transfers: Sequence[CreditTransfer],
        banks: Mapping[str, BankAdmitted],
    ) -> Mapping[str, Owned]:
        """The accounts of the payers, and of payees only those here: other banks know their own."""
        numbers = [account_number(one.payer_account) for one in transfers]
        numbers += [
            account_number(one.payee_account)
            for one in transfers
            if banks.get(at(one.payee_bank, "BICFI"), bank).bank == bank.bank
        ]
        return await self._books.directory.customers(bank.bank, numbers)

    async def _leaves(
        self,
        bank: BankAdmitted,
        other: BankAdmitted,
        one: CreditTransfer,
        place: int,
        payer: Owned,
        owned: Mapping[str, Owned],
        mark: int,
    ) -> Booking | Refusal:
        """The transfer of a payment that leaves the payer's account."""
        leg, credit, flags = Leg.RESERVE, NO_NAME, TransferFlag.PENDING
        if other.bank == bank.bank:
            payee = payee_of(owned.get(account_number(one.payee_account)), one)
            if isinstance(payee, Refusal):
                return payee
            leg, credit, flags = Leg.INSIDE, payee.name, _NO_FLAGS
        else:
            credit = await self._books.directory.between(
                bank, AccountCode.DUE_TO_BANK, other.bank, one.currency
            )
        return Booking(
            place,
            leg_name(bank.bank, one.uetr, leg),
            payer.name,
            credit,
            one.amount_minor,
            ledger_number(Currency(one.currency)),
            one.uetr,
            mark,
            TransferCode.BETWEEN_BANKS if flags else TransferCode.PAYMENT,
            flags,
        )

    def _onward(
        self, bank: BankAdmitted, bic: str, passed: Sequence[CreditTransfer], examined: Examined
    ) -> Transfers:
        now = self._books.now()
        name = digest_of(f"{examined.digest} {bic} {[one.uetr for one in passed]}".encode())[:32]
        return Transfers(
            CUSTOMERS,
            f"M{name}",
            self._books.moment(),
            bank.bic,
            bic,
            tuple(
                one._replace(
                    group="",
                    day=self._day(one, now.date().isoformat()),
                    charges=one.charges or "SHAR",
                    payer_bank=bank_tree(bank.bic),
                )
                for one in passed
            ),
        )

    def _day(self, one: CreditTransfer, today: str) -> str:
        wanted = date.fromisoformat(max(one.day, today))
        return self._rules.profile.next_day(one.currency, wanted).isoformat()

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
        reserved = await self._reservations(bank, other, [one.uetr for one in decided])
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
        return messages

    async def _all_of(
        self, bank: BankAdmitted, other: BankAdmitted, report: StatusReport
    ) -> list[Status]:
        """A report on a whole file stands for each payment of it."""
        sent = await self._index.of_message(bank.bank, f">{other.bic}", report.original)
        if sent is None:
            return []
        examined = examine(await self._archive.get(sent.digest), self._rules, at=None)
        assert isinstance(examined, Examined), "what was sent can be read"
        assert isinstance(examined.message, Transfers), "only files of payments are remembered"
        return [
            Status("", one.instruction, one.end_to_end, one.uetr, report.status, report.reason, "")
            for one in examined.message.transfers
        ]

    async def _reservations(
        self, bank: BankAdmitted, other: BankAdmitted, uetrs: Sequence[str]
    ) -> dict[str, tuple[str, Movement]]:
        """The reservations towards that bank, by UETR, with the currency that they stand in."""
        found: dict[str, tuple[str, Movement]] = {}
        names = {leg_name(bank.bank, one, Leg.RESERVE): one for one in uetrs}
        for currency in await self._books.ledger.shards():
            history = await self._books.ledger.find(currency, list(names))
            due = self._books.directory.name_between(
                bank, AccountCode.DUE_TO_BANK, other.bank, currency
            )
            for name, movement in history.transfers.items():
                if movement.credit_account_id == due and name in names:
                    found[names[name]] = (currency, movement)
        return found

    async def _tell_payers(
        self, bank: BankAdmitted, told: Sequence[Status], marks: Mapping[str, int]
    ) -> list[Message]:
        """pain.002 to those who instructed the payments, one for each of their files."""
        origins = await self._index.of_marks(bank.bank, sorted(set(marks.values())))
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


def with_uetrs(transfers: Sequence[CreditTransfer], digest: str) -> list[CreditTransfer]:
    """Each with a UETR: of its own, or from the file's digest and its place."""
    return [
        one if one.uetr else one._replace(uetr=str(uetr(transfer_id(digest, str(number)))))
        for number, one in enumerate(transfers)
    ]


def _is_decided(one: Status, report: StatusReport) -> bool:
    return one.status in ("ACSC", "ACCC") or _is_refusal(one, report)


def _is_refusal(one: Status, report: StatusReport) -> bool:
    return one.status == "RJCT" and "DUPL" not in (one.reason, report.reason)


def _may_pay(payer: Owned | None, one: CreditTransfer, sender: str) -> Refusal | None:
    if payer is None:
        return UNKNOWN_ACCOUNT
    if payer.holder != sender:
        return _NOT_YOURS
    return None if payer.currency == one.currency else OTHER_CURRENCY
