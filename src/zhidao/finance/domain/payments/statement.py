"""A statement: what stood on an account before, each booked movement, and what stands after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.domain.ledger.ledger import TransferFlag
from zhidao.finance.domain.ledger.records import Movement, name_of, uuid_of
from zhidao.finance.domain.payments.message import Tree
from zhidao.finance.domain.payments.payment_legs import uetr_of

NOT_BOOKED: Final = int(TransferFlag.PENDING | TransferFlag.VOID_PENDING_TRANSFER)
_NS_PER_S: Final = 1_000_000_000


class EntryDetails(NamedTuple):
    """What the message behind an entry told: references, both sides, what it was for.

    `returned`: the reason for which the money came back, or empty.
    """

    instruction: str
    end_to_end: str
    payer: Tree
    payer_account: Tree
    payer_bank: Tree
    payee: Tree
    payee_account: Tree
    payee_bank: Tree
    remittance: Tree
    returned: str = ""


NO_DETAILS: Final = EntryDetails("", "", (), (), (), (), (), (), ())


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked movement. `amount_minor`: positive for a credit. `booked`: in UTC.

    `uetr`: of the payment that it belongs to, or empty; `value_day`: from when it counts for
    interest, if that is another day; `mark`: of the message that asked for it.
    """

    transfer: UUID
    amount_minor: int
    booked: date
    uetr: str = ""
    value_day: date | None = None
    details: EntryDetails | None = None
    mark: int = field(default=0, compare=False)

    @property
    def valued(self) -> date:
        """The day from which it counts for interest."""
        return self.value_day or self.booked

    def __post_init__(self) -> None:
        if not self.amount_minor:
            raise MalformedInput("an entry of a statement moves something")


@dataclass(frozen=True, slots=True)
class AccountMovement:
    """What a transfer did to an account, at once when it did it; reservations are told, too.

    `amount_minor`: positive for what comes in. `state`: booked, reserved, or freed for a
    reservation that was given up. `other`: the account on the other side. `resolves`: the
    reservation that it books or frees; None for what stands by itself.
    """

    transfer: UUID
    other: UUID
    amount_minor: int
    at: Utc
    state: str
    uetr: str = ""
    mark: int = 0
    resolves: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """An account over a time. Raises MalformedInput if the entries do not lead to the end.

    `account`: at most 34 characters. `created` has whole seconds, in UTC. `page`: from 1, where a
    long statement is cut; then its balances are those around the page.
    """

    message: str
    account: str
    currency: Currency
    created: datetime
    first_day: date
    last_day: date
    opening_minor: int
    closing_minor: int
    entries: tuple[StatementEntry, ...]
    page: int = 1
    is_last: bool = True

    def __post_init__(self) -> None:
        moved = sum(entry.amount_minor for entry in self.entries)
        if self.opening_minor + moved != self.closing_minor:
            raise MalformedInput(
                f"the statement does not reconcile: {self.opening_minor} and {moved} are not "
                f"{self.closing_minor}",
                code="unreconciled",
            )
        if any(not self.first_day <= one.booked <= self.last_day for one in self.entries):
            raise MalformedInput("an entry stands outside of the statement's days")


def entry_of(movement: Movement, account: UUID) -> StatementEntry | None:
    """What a stored transfer means for an account; None for what it does not book there."""
    if movement.flags & NOT_BOOKED or not movement.amount:
        return None
    name = name_of(account)
    sign = (movement.credit_account_id == name) - (movement.debit_account_id == name)
    if not sign:
        return None
    booked = datetime.fromtimestamp(movement.timestamp // _NS_PER_S, UTC).date()
    return StatementEntry(
        uuid_of(movement.id),
        sign * movement.amount,
        booked,
        uetr_of(movement.user_data_128),
        mark=movement.user_data_64,
    )


def movement_on(movement: Movement, account: UUID) -> AccountMovement | None:
    """What a stored transfer does to an account; None for what does nothing there."""
    name = name_of(account)
    comes = movement.credit_account_id == name
    resolves = uuid_of(movement.pending_id) if any(movement.pending_id) else None
    if comes == (movement.debit_account_id == name) or not (movement.amount or resolves):
        return None
    if movement.flags & TransferFlag.PENDING:
        state = "reserved"
    else:
        # Nothing of what was reserved is booked: it is free again, as by giving it up.
        is_freed = movement.flags & TransferFlag.VOID_PENDING_TRANSFER or not movement.amount
        state = "freed" if is_freed else "booked"
    return AccountMovement(
        uuid_of(movement.id),
        uuid_of(movement.debit_account_id if comes else movement.credit_account_id),
        movement.amount if comes else -movement.amount,
        Utc.from_unix_ns(movement.timestamp),
        state,
        uetr_of(movement.user_data_128),
        movement.user_data_64,
        resolves=resolves,
    )


def pages(whole: AccountStatement, *, entries_max: int) -> Iterator[AccountStatement]:
    """The statement in pages of so many entries, each with the balances around it."""
    opening, entries = whole.opening_minor, whole.entries
    starts = range(0, len(entries), entries_max) or range(1)
    for page, start in enumerate(starts, 1):
        part = entries[start : start + entries_max]
        closing = opening + sum(one.amount_minor for one in part)
        message = whole.message if len(starts) == 1 else f"{whole.message}.{page}"
        yield replace(
            whole,
            message=message,
            opening_minor=opening,
            closing_minor=closing,
            entries=part,
            page=page,
            is_last=page == len(starts),
        )
        opening = closing


def stated(
    entries: Iterable[StatementEntry],
    *,
    message: str,
    account: UUID,
    currency: Currency,
    created: datetime,
    first_day: date,
    last_day: date,
) -> AccountStatement:
    """The statement of an account from all its entries since its opening, in order."""
    opening, inside = 0, []
    for entry in entries:
        if entry.booked < first_day:
            opening += entry.amount_minor
        elif entry.booked <= last_day:
            inside.append(entry)
    return AccountStatement(
        message,
        account.hex,
        currency,
        created,
        first_day,
        last_day,
        opening,
        opening + sum(entry.amount_minor for entry in inside),
        tuple(inside),
    )
