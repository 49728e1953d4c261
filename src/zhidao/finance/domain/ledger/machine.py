"""The exact sequential machine of the ledger: a batch of transfers against a book.

One transfer after the other, each seeing what the ones before it did; linked transfers hold all
together or not at all. This is the reference that the fast path must equal, and what it falls back
on. Order of the checks: TigerBeetle's (see `ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.finance.domain.ledger.book import (
    CREDITS_PENDING,
    CREDITS_POSTED,
    DEBITS_PENDING,
    DEBITS_POSTED,
    NS_PER_S,
    Book,
    Past,
)
from zhidao.finance.domain.ledger.ledger import (
    AMOUNT_MAX,
    KNOWN_FLAGS,
    TRANSIENT,
    AccountFlag,
    Resolution,
    Result,
    TransferFlag,
)
from zhidao.finance.domain.ledger.records import MAX_NAME, NO_NAME, Movement, Name

# Plain integers: a flag's own operators cost more than the rest of the machine.
_LINKED: Final = int(TransferFlag.LINKED)
_PENDING: Final = int(TransferFlag.PENDING)
_POST: Final = int(TransferFlag.POST_PENDING_TRANSFER)
_VOID: Final = int(TransferFlag.VOID_PENDING_TRANSFER)
_RESOLVING: Final = _POST | _VOID
_BALANCING_DEBIT: Final = int(TransferFlag.BALANCING_DEBIT)
_BALANCING_CREDIT: Final = int(TransferFlag.BALANCING_CREDIT)
_BALANCING: Final = _BALANCING_DEBIT | _BALANCING_CREDIT
_CLOSING_DEBIT: Final = int(TransferFlag.CLOSING_DEBIT)
_CLOSING_CREDIT: Final = int(TransferFlag.CLOSING_CREDIT)
_CLOSING: Final = _CLOSING_DEBIT | _CLOSING_CREDIT
_IMPORTED: Final = int(TransferFlag.IMPORTED)
_UNKNOWN: Final = ~int(KNOWN_FLAGS)
_DEBITS_LIMITED: Final = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
_CREDITS_LIMITED: Final = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_CLOSED: Final = int(AccountFlag.CLOSED)
_MAX: Final = AMOUNT_MINOR_MAX
_FLAGS: Final = 4
_LEDGER: Final = 5

_Sums: TypeAlias = list[int]
"""One account in work: its four sums, its flags, its ledger."""


@dataclass(slots=True)
class Outcome:
    """What a batch did: an answer at each place, and what must become durable together."""

    results: list[Result]
    stored: list[Movement]
    failures: dict[Name, Result]
    """Ids that are spent on a failure of this moment."""
    fates: dict[Name, Resolution] = field(default_factory=dict)


def apply(batch: Sequence[Movement], book: Book, past: Past, *, stamps: Sequence[int]) -> Outcome:
    """Applies a batch in order and changes the book.

    `stamps`: the timestamp (Unix ns) of each transfer, rising. Reservations whose time is over
    then must have been let go before (`Book.expire`).
    """
    run = _Run(book, past)
    results = run.batch(batch, stamps)
    run.keep()
    return Outcome(results, list(run.added.values()), run.failures, run.fates)


class _Run:
    """One batch in work, over the book; a broken chain is undone from its list of changes."""

    def __init__(self, book: Book, past: Past) -> None:
        self.book = book
        self.past = past
        self.added: dict[Name, Movement] = {}
        self.failures: dict[Name, Result] = {}
        self.fates: dict[Name, Resolution] = {}
        self._sums: dict[int, _Sums] = {}
        self._undo: list[tuple[int, _Sums]] = []
        self._chain: list[tuple[Name, Name]] | None = None
        self._imports = 0

    def batch(self, batch: Sequence[Movement], stamps: Sequence[int]) -> list[Result]:
        """The answers, chain by chain."""
        results: list[Result] = []
        start, count = 0, len(batch)
        # The first of a batch says for all whether they are of the past.
        self._imports = batch[0].flags & _IMPORTED if batch else 0
        while start < count:
            end = start
            while end < count and batch[end].flags & _LINKED:
                end += 1
            if end == start:
                results.append(self._one(batch[start], stamps[start]))
            else:
                chain = slice(start, end + 1)
                results += self._linked(batch[chain], stamps[chain], is_open=end == count)
            start = end + 1
        return results

    def keep(self) -> None:
        """Writes what holds into the book."""
        book = self.book
        for slot, sums in self._sums.items():
            book.sums[slot] = sums[:4]
            book.flags[slot] = sums[_FLAGS]
        for pending in self.fates:
            book.open.pop(pending, None)
        for movement in self.added.values():
            if movement.flags & _PENDING and movement.id not in self.fates:
                book.hold(movement)

    def _linked(
        self, chain: Sequence[Movement], stamps: Sequence[int], *, is_open: bool
    ) -> list[Result]:
        """All of a chain or nothing. An open one lacks its last member and fails."""
        self._undo, self._chain = [], []
        results = [Result.LINKED_EVENT_FAILED] * len(chain)
        broken = False
        for place, movement in enumerate(chain):
            if is_open and place == len(chain) - 1:
                results[place], broken = Result.LINKED_EVENT_CHAIN_OPEN, True
                break
            if broken:
                continue
            result = self._one(movement, stamps[place])
            if result is not Result.CREATED:
                results[place], broken = result, True
        if broken:
            self._roll_back()
        self._chain = None
        return results if broken else [Result.CREATED] * len(chain)

    def _roll_back(self) -> None:
        for slot, sums in reversed(self._undo):
            self._sums[slot] = sums
        for name, resolved in self._chain or ():
            del self.added[name]
            self.fates.pop(resolved, None)

    def _one(self, movement: Movement, at_ns: int) -> Result:
        flags = movement.flags
        if flags & _IMPORTED != self._imports:
            imported = flags & _IMPORTED
            return (
                Result.IMPORTED_EVENT_NOT_EXPECTED if imported else Result.IMPORTED_EVENT_EXPECTED
            )
        if movement.timestamp and not self._imports:
            return Result.TIMESTAMP_MUST_BE_ZERO
        if flags & _UNKNOWN:
            return Result.RESERVED_FLAG
        name = movement.id
        if name == NO_NAME:
            return Result.ID_MUST_NOT_BE_ZERO
        if name == MAX_NAME:
            return Result.ID_MUST_NOT_BE_INT_MAX
        existing = self._transfer(name)
        if existing is not None:
            return self._exists(movement, existing)
        if name in self.failures or self.past.failed(name):
            return Result.ID_ALREADY_FAILED
        if movement.flags & _RESOLVING:
            result = self._resolve(movement, at_ns)
        else:
            result = self._move(movement, at_ns)
        if result in TRANSIENT:
            # Outside the chain on purpose: the id stays spent though the chain is undone.
            self.failures[name] = result
        return result

    def _transfer(self, name: Name) -> Movement | None:
        return self.added.get(name) or self.book.open.get(name) or self.past.transfer(name)

    def _account(self, slot: int) -> _Sums:
        sums = self._sums.get(slot)
        if sums is None:
            book = self.book
            sums = book.sums[slot].tolist()
            sums += (int(book.flags[slot]), int(book.ledgers[slot]))
            self._sums[slot] = sums
        if self._chain is not None:
            self._undo.append((slot, sums))
            sums = self._sums[slot] = sums.copy()
        return sums

    def _store(self, movement: Movement, resolved: Name = NO_NAME) -> Result:
        self.added[movement.id] = movement
        if self._chain is not None:
            self._chain.append((movement.id, resolved))
        return Result.CREATED

    # -- a transfer of its own -------------------------------------------------------------------

    def _move(self, movement: Movement, at_ns: int) -> Result:
        malformed = _shape(movement)
        if malformed is not None:
            return malformed
        slots = self.book.slots
        debit_slot = slots.get(movement.debit_account_id)
        if debit_slot is None:
            return Result.DEBIT_ACCOUNT_NOT_FOUND
        credit_slot = slots.get(movement.credit_account_id)
        if credit_slot is None:
            return Result.CREDIT_ACCOUNT_NOT_FOUND
        debit, credit = self._account(debit_slot), self._account(credit_slot)
        refused = _allowed(movement, debit, credit)
        if refused is not None:
            return refused
        amount = movement.amount
        if movement.flags & _BALANCING:
            amount = _balanced(movement, debit, credit)
        beyond = _limits(movement, amount, debit, credit, at_ns)
        if beyond is not None:
            return beyond
        pending = movement.flags & _PENDING
        debit[DEBITS_PENDING if pending else DEBITS_POSTED] += amount
        credit[CREDITS_PENDING if pending else CREDITS_POSTED] += amount
        if movement.flags & _CLOSING_DEBIT:
            debit[_FLAGS] |= _CLOSED
        if movement.flags & _CLOSING_CREDIT:
            credit[_FLAGS] |= _CLOSED
        return self._store(movement._replace(amount=amount, timestamp=at_ns))

    # -- a post or void --------------------------------------------------------------------------

    def _resolve(self, movement: Movement, at_ns: int) -> Result:
        malformed = _resolving_shape(movement)
        if malformed is not None:
            return malformed
        pending = self._transfer(movement.pending_id)
        if pending is None:
            return Result.PENDING_TRANSFER_NOT_FOUND
        if not pending.flags & _PENDING:
            return Result.PENDING_TRANSFER_NOT_PENDING
        filled = _inherit(movement, pending, at_ns)
        differs = _differs(filled, pending)
        if differs is not None:
            return differs
        over = self._over(pending, at_ns)
        if over is not None:
            return over
        slots = self.book.slots
        debit = self._account(slots[pending.debit_account_id])
        credit = self._account(slots[pending.credit_account_id])
        posts = movement.flags & _POST
        if posts and debit[_FLAGS] & _CLOSED:
            return Result.DEBIT_ACCOUNT_ALREADY_CLOSED
        if posts and credit[_FLAGS] & _CLOSED:
            return Result.CREDIT_ACCOUNT_ALREADY_CLOSED
        debit[DEBITS_PENDING] -= pending.amount
        credit[CREDITS_PENDING] -= pending.amount
        if posts:
            debit[DEBITS_POSTED] += filled.amount
            credit[CREDITS_POSTED] += filled.amount
        else:
            # What a closing reservation closed opens again with its void.
            if pending.flags & _CLOSING_DEBIT:
                debit[_FLAGS] &= ~_CLOSED
            if pending.flags & _CLOSING_CREDIT:
                credit[_FLAGS] &= ~_CLOSED
        self.fates[pending.id] = Resolution.POSTED if posts else Resolution.VOIDED
        return self._store(filled, pending.id)

    def _over(self, pending: Movement, at_ns: int) -> Result | None:
        """Why a reservation can be neither posted nor voided any more, if so."""
        fate = self.fates.get(pending.id)
        if fate is None and pending.id not in self.added and pending.id not in self.book.open:
            fate = self.past.fate(pending.id)
        if fate is Resolution.POSTED:
            return Result.PENDING_TRANSFER_ALREADY_POSTED
        if fate is Resolution.VOIDED:
            return Result.PENDING_TRANSFER_ALREADY_VOIDED
        if fate is Resolution.EXPIRED:
            return Result.PENDING_TRANSFER_EXPIRED
        if pending.timeout and pending.timestamp + pending.timeout * NS_PER_S <= at_ns:
            return Result.PENDING_TRANSFER_EXPIRED
        return None

    def _exists(self, new: Movement, old: Movement) -> Result:
        """How a transfer differs from the one already stored under its id, if it does."""
        if new.flags != old.flags:
            return Result.EXISTS_WITH_DIFFERENT_FLAGS
        if new.pending_id != old.pending_id:
            return Result.EXISTS_WITH_DIFFERENT_PENDING_ID
        if new.timeout != old.timeout:
            return Result.EXISTS_WITH_DIFFERENT_TIMEOUT
        if new.flags & _RESOLVING:
            pending = self._transfer(old.pending_id)
            assert pending is not None, "a stored post or void has a pending transfer"
            new = _inherit(new, pending, old.timestamp)
        return _difference(new, old)


def _shape(movement: Movement) -> Result | None:
    """What is wrong with a plain or pending transfer before any account is looked at."""
    debit, credit = movement.debit_account_id, movement.credit_account_id
    plain = not movement.flags & _PENDING
    for wrong, result in (
        (debit == NO_NAME, Result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (debit == MAX_NAME, Result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (credit == NO_NAME, Result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (credit == MAX_NAME, Result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (debit == credit, Result.ACCOUNTS_MUST_BE_DIFFERENT),
        (movement.pending_id != NO_NAME, Result.PENDING_ID_MUST_BE_ZERO),
        (plain and movement.timeout, Result.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER),
        (plain and movement.flags & _CLOSING, Result.CLOSING_TRANSFER_MUST_BE_PENDING),
        (not movement.ledger, Result.LEDGER_MUST_NOT_BE_ZERO),
        (not movement.code, Result.CODE_MUST_NOT_BE_ZERO),
    ):
        if wrong:
            return result
    return None


def _resolving_shape(movement: Movement) -> Result | None:
    """What is wrong with a post or void before its reservation is looked at."""
    flags, pending = movement.flags, movement.pending_id
    both = flags & _RESOLVING == _RESOLVING
    for wrong, result in (
        (
            both or flags & (_PENDING | _BALANCING | _CLOSING),
            Result.FLAGS_ARE_MUTUALLY_EXCLUSIVE,
        ),
        (pending == NO_NAME, Result.PENDING_ID_MUST_NOT_BE_ZERO),
        (pending == MAX_NAME, Result.PENDING_ID_MUST_NOT_BE_INT_MAX),
        (pending == movement.id, Result.PENDING_ID_MUST_BE_DIFFERENT),
        (movement.timeout, Result.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER),
    ):
        if wrong:
            return result
    return None


def _allowed(movement: Movement, debit: _Sums, credit: _Sums) -> Result | None:
    """Whether the two accounts take part in this transfer at all."""
    if debit[_LEDGER] != credit[_LEDGER]:
        return Result.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    if movement.ledger != debit[_LEDGER]:
        return Result.TRANSFER_MUST_HAVE_THE_SAME_LEDGER
    if debit[_FLAGS] & _CLOSED:
        return Result.DEBIT_ACCOUNT_ALREADY_CLOSED
    if credit[_FLAGS] & _CLOSED:
        return Result.CREDIT_ACCOUNT_ALREADY_CLOSED
    return None


def _balanced(movement: Movement, debit: _Sums, credit: _Sums) -> int:
    """The most that a balancing transfer may move, up to the amount that was asked."""
    amount = movement.amount
    if movement.flags & _BALANCING_DEBIT:
        free = debit[CREDITS_POSTED] - debit[DEBITS_POSTED] - debit[DEBITS_PENDING]
        amount = min(amount, max(0, free))
    if movement.flags & _BALANCING_CREDIT:
        free = credit[DEBITS_POSTED] - credit[CREDITS_POSTED] - credit[CREDITS_PENDING]
        amount = min(amount, max(0, free))
    return amount


def _limits(
    movement: Movement, amount: int, debit: _Sums, credit: _Sums, at_ns: int
) -> Result | None:
    """Which sum would overflow or which limit would break, in TigerBeetle's order.

    What its 128 bits hold and our 63 do not is refused last: so every refusal of TigerBeetle has
    its own name here too, and only what it would have created has a name of ours.
    """
    debits = debit[DEBITS_PENDING] + debit[DEBITS_POSTED] + amount
    credits_ = credit[CREDITS_PENDING] + credit[CREDITS_POSTED] + amount
    wide = debits > _MAX or credits_ > _MAX
    if wide:
        overflow = _overflow(movement, amount, debit, credit, most=AMOUNT_MAX)
        if overflow is not None:
            return overflow
    if at_ns + movement.timeout * NS_PER_S > _MAX:
        return Result.OVERFLOWS_TIMEOUT
    if debit[_FLAGS] & _DEBITS_LIMITED and debits > debit[CREDITS_POSTED]:
        return Result.EXCEEDS_CREDITS
    if credit[_FLAGS] & _CREDITS_LIMITED and credits_ > credit[DEBITS_POSTED]:
        return Result.EXCEEDS_DEBITS
    if amount > _MAX:
        return Result.AMOUNT_MUST_NOT_EXCEED_INT64_MAX
    return _overflow(movement, amount, debit, credit, most=_MAX) if wide else None


def _overflow(
    movement: Movement, amount: int, debit: _Sums, credit: _Sums, *, most: int
) -> Result | None:
    pending = movement.flags & _PENDING
    for over, result in (
        (pending and debit[DEBITS_PENDING] + amount > most, Result.OVERFLOWS_DEBITS_PENDING),
        (pending and credit[CREDITS_PENDING] + amount > most, Result.OVERFLOWS_CREDITS_PENDING),
        (debit[DEBITS_POSTED] + amount > most, Result.OVERFLOWS_DEBITS_POSTED),
        (credit[CREDITS_POSTED] + amount > most, Result.OVERFLOWS_CREDITS_POSTED),
        (
            debit[DEBITS_PENDING] + debit[DEBITS_POSTED] + amount > most,
            Result.OVERFLOWS_DEBITS,
        ),
        (
            credit[CREDITS_PENDING] + credit[CREDITS_POSTED] + amount > most,
            Result.OVERFLOWS_CREDITS,
        ),
    ):
        if over:
            return result
    return None


def _inherit(movement: Movement, pending: Movement, at_ns: int) -> Movement:
    """A post or void whose blanks are those of the reservation it names."""
    whole = AMOUNT_MAX if movement.flags & _POST else 0
    return movement._replace(
        debit_account_id=_or(movement.debit_account_id, pending.debit_account_id),
        credit_account_id=_or(movement.credit_account_id, pending.credit_account_id),
        amount=pending.amount if movement.amount == whole else movement.amount,
        user_data_128=_or(movement.user_data_128, pending.user_data_128),
        user_data_64=movement.user_data_64 or pending.user_data_64,
        user_data_32=movement.user_data_32 or pending.user_data_32,
        ledger=movement.ledger or pending.ledger,
        code=movement.code or pending.code,
        timestamp=at_ns,
    )


def _or(name: Name, otherwise: Name) -> Name:
    return otherwise if name == NO_NAME else name


def _differs(filled: Movement, pending: Movement) -> Result | None:
    """How a post or void contradicts its reservation, if it does."""
    for wrong, result in (
        (
            filled.debit_account_id != pending.debit_account_id,
            Result.PENDING_HAS_DIFFERENT_DEBIT,
        ),
        (
            filled.credit_account_id != pending.credit_account_id,
            Result.PENDING_HAS_DIFFERENT_CREDIT,
        ),
        (filled.ledger != pending.ledger, Result.PENDING_HAS_DIFFERENT_LEDGER),
        (filled.code != pending.code, Result.PENDING_HAS_DIFFERENT_CODE),
        (filled.amount > pending.amount, Result.EXCEEDS_PENDING_TRANSFER_AMOUNT),
        (
            filled.flags & _VOID and filled.amount < pending.amount,
            Result.PENDING_HAS_DIFFERENT_AMOUNT,
        ),
    ):
        if wrong:
            return result
    return None


def _difference(new: Movement, old: Movement) -> Result:
    # A balancing transfer stored what there was; any amount from that on is the same request.
    balancing = new.flags & _BALANCING
    other_amount = new.amount < old.amount if balancing else new.amount != old.amount
    for differs, result in (
        (
            new.debit_account_id != old.debit_account_id,
            Result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            new.credit_account_id != old.credit_account_id,
            Result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        (other_amount, Result.EXISTS_WITH_DIFFERENT_AMOUNT),
        (new.user_data_128 != old.user_data_128, Result.EXISTS_WITH_DIFFERENT_USER_DATA_128),
        (new.user_data_64 != old.user_data_64, Result.EXISTS_WITH_DIFFERENT_USER_DATA_64),
        (new.user_data_32 != old.user_data_32, Result.EXISTS_WITH_DIFFERENT_USER_DATA_32),
        (new.ledger != old.ledger, Result.EXISTS_WITH_DIFFERENT_LEDGER),
        (new.code != old.code, Result.EXISTS_WITH_DIFFERENT_CODE),
    ):
        if differs:
            return result
    return Result.EXISTS
