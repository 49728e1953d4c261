"""The exact sequential machine of the ledger: a batch of transfers against a state.

One transfer after the other, each seeing what the ones before it did; linked transfers hold all
together or not at all. This is the reference that every faster path must equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from zhidao.finance.domain.ledger import (
    AMOUNT_MAX,
    INT_MAX_ID,
    KNOWN_FLAGS,
    NO_ID,
    RESOLVING,
    Account,
    AccountFlag,
    Resolution,
    Result,
    Transfer,
    TransferFlag,
    fits,
)

_POST = TransferFlag.POST_PENDING_TRANSFER
_VOID = TransferFlag.VOID_PENDING_TRANSFER
# Marks a request that brought a timestamp: only the validator gives them.
_STAMPED_BY_CALLER = -1


class State:
    """Accounts, transfers and the fate of pending ones, in layers.

    A draft reads through to its parent and writes into itself; `keep` hands its writes down. So a
    batch becomes visible only after it is durable, and a broken chain leaves no trace.
    """

    def __init__(self, parent: State | None = None) -> None:
        self._parent = parent
        self._accounts: dict[UUID, Account] = {}
        self._transfers: dict[UUID, Transfer] = {}
        self._resolutions: dict[UUID, Resolution] = {}

    def account(self, name: UUID) -> Account | None:
        """The account with its sums, or None."""
        layer: State | None = self
        while layer is not None:
            if name in layer._accounts:
                return layer._accounts[name]
            layer = layer._parent
        return None

    def transfer(self, name: UUID) -> Transfer | None:
        """The stored transfer, or None."""
        layer: State | None = self
        while layer is not None:
            if name in layer._transfers:
                return layer._transfers[name]
            layer = layer._parent
        return None

    def resolution(self, pending: UUID) -> Resolution:
        """What became of a pending transfer."""
        layer: State | None = self
        while layer is not None:
            if pending in layer._resolutions:
                return layer._resolutions[pending]
            layer = layer._parent
        return Resolution.PENDING

    def put_account(self, account: Account) -> None:
        """Sets an account and its sums."""
        self._accounts[account.id] = account

    def put_transfer(self, transfer: Transfer) -> None:
        """Adds a transfer that holds."""
        self._transfers[transfer.id] = transfer

    def resolve(self, pending: UUID, resolution: Resolution) -> None:
        """Notes what became of a pending transfer."""
        self._resolutions[pending] = resolution

    def draft(self) -> State:
        """A layer above this one."""
        return State(self)

    def keep(self) -> None:
        """Hands this draft's writes to its parent."""
        assert self._parent is not None, "only a draft can be kept"
        self._parent._accounts.update(self._accounts)
        self._parent._transfers.update(self._transfers)
        self._parent._resolutions.update(self._resolutions)

    @property
    def added(self) -> tuple[Transfer, ...]:
        """Transfers that this layer added, in order."""
        return tuple(self._transfers.values())

    def accounts(self) -> Iterator[Account]:
        """All accounts of this layer (of the whole state, at the bottom)."""
        return iter(self._accounts.values())


def apply(batch: Sequence[Transfer], state: State, *, at_ns: int) -> list[Result]:
    """Applies a batch in order; the result of each transfer, at its place.

    `at_ns`: the timestamp (Unix ns) of the batch's first transfer; the others follow by one each.
    """
    return _apply_stamped(
        [
            replace(one, timestamp=_STAMPED_BY_CALLER if one.timestamp else at_ns + place)
            for place, one in enumerate(batch)
        ],
        state,
    )


def replay(stored: Sequence[Transfer], state: State) -> bool:
    """Applies transfers as they were stored; whether every one held again."""
    return all(result is Result.OK for result in _apply_stamped(stored, state))


def _apply_stamped(batch: Sequence[Transfer], state: State) -> list[Result]:
    results: list[Result] = []
    start = 0
    while start < len(batch):
        end = start
        while end < len(batch) and TransferFlag.LINKED in batch[end].flags:
            end += 1
        if end == len(batch):
            # The chain has no last member: it fails as a whole.
            results += [Result.LINKED_EVENT_FAILED] * (end - start - 1)
            results.append(Result.LINKED_EVENT_CHAIN_OPEN)
            return _open_chain(batch[start:], state, results, start)
        results += _apply_chain(batch[start : end + 1], state)
        start = end + 1
    return results


def _open_chain(
    chain: Sequence[Transfer], state: State, results: list[Result], start: int
) -> list[Result]:
    """Names the first member of an open chain that would have failed by itself."""
    draft = state.draft()
    for place, transfer in enumerate(chain[:-1]):
        result = _apply_one(transfer, draft)
        if result is not Result.OK:
            results[start + place] = result
            break
    return results


def _apply_chain(chain: Sequence[Transfer], state: State) -> list[Result]:
    if len(chain) == 1:
        return [_apply_one(chain[0], state)]
    draft = state.draft()
    for place, transfer in enumerate(chain):
        result = _apply_one(transfer, draft)
        if result is not Result.OK:
            failed = [Result.LINKED_EVENT_FAILED] * len(chain)
            failed[place] = result
            return failed
    draft.keep()
    return [Result.OK] * len(chain)


def _apply_one(transfer: Transfer, state: State) -> Result:
    if transfer.timestamp == _STAMPED_BY_CALLER:
        return Result.TIMESTAMP_MUST_BE_ZERO
    if transfer.flags & ~KNOWN_FLAGS:
        return Result.RESERVED_FLAG
    if transfer.id == NO_ID:
        return Result.ID_MUST_NOT_BE_ZERO
    if transfer.id == INT_MAX_ID:
        return Result.ID_MUST_NOT_BE_INT_MAX
    existing = state.transfer(transfer.id)
    if existing is not None:
        return _exists(transfer, existing, state)
    if transfer.flags & RESOLVING:
        return _resolve(transfer, state)
    return _move(transfer, state)


def _exists(new: Transfer, old: Transfer, state: State) -> Result:
    """How a transfer differs from the one already stored under its id, if it does."""
    if new.flags != old.flags:
        return Result.EXISTS_WITH_DIFFERENT_FLAGS
    if new.pending_id != old.pending_id:
        return Result.EXISTS_WITH_DIFFERENT_PENDING_ID
    if new.flags & RESOLVING:
        new = _filled(new, old, state)
    for differs, result in (
        (
            new.debit_account_id != old.debit_account_id,
            Result.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        ),
        (
            new.credit_account_id != old.credit_account_id,
            Result.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        ),
        (new.amount != old.amount, Result.EXISTS_WITH_DIFFERENT_AMOUNT),
        (new.user_data_128 != old.user_data_128, Result.EXISTS_WITH_DIFFERENT_USER_DATA_128),
        (new.ledger != old.ledger, Result.EXISTS_WITH_DIFFERENT_LEDGER),
        (new.code != old.code, Result.EXISTS_WITH_DIFFERENT_CODE),
    ):
        if differs:
            return result
    return Result.EXISTS


def _filled(new: Transfer, old: Transfer, state: State) -> Transfer:
    """A post or void whose blanks are those of the pending transfer it names."""
    pending = state.transfer(old.pending_id)
    assert pending is not None, "a stored post or void has a pending transfer"
    return _inherit(new, pending)


def _inherit(new: Transfer, pending: Transfer) -> Transfer:
    whole = AMOUNT_MAX if _POST in new.flags else 0
    return replace(
        new,
        debit_account_id=(
            pending.debit_account_id if new.debit_account_id == NO_ID else new.debit_account_id
        ),
        credit_account_id=(
            pending.credit_account_id if new.credit_account_id == NO_ID else new.credit_account_id
        ),
        amount=pending.amount if new.amount == whole else new.amount,
        user_data_128=new.user_data_128 or pending.user_data_128,
        ledger=new.ledger or pending.ledger,
        code=new.code or pending.code,
    )


def _move(transfer: Transfer, state: State) -> Result:
    malformed = _shape(transfer)
    if malformed is not None:
        return malformed
    debit = state.account(transfer.debit_account_id)
    credit = state.account(transfer.credit_account_id)
    if debit is None:
        return Result.DEBIT_ACCOUNT_NOT_FOUND
    if credit is None:
        return Result.CREDIT_ACCOUNT_NOT_FOUND
    if debit.ledger != credit.ledger:
        return Result.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    if transfer.ledger != debit.ledger:
        return Result.TRANSFER_MUST_HAVE_THE_SAME_LEDGER
    beyond = _limits(transfer, debit, credit)
    if beyond is not None:
        return beyond
    amount = transfer.amount
    if TransferFlag.PENDING in transfer.flags:
        state.put_account(replace(debit, debits_pending=debit.debits_pending + amount))
        state.put_account(replace(credit, credits_pending=credit.credits_pending + amount))
    else:
        state.put_account(replace(debit, debits_posted=debit.debits_posted + amount))
        state.put_account(replace(credit, credits_posted=credit.credits_posted + amount))
    state.put_transfer(transfer)
    return Result.OK


def _shape(transfer: Transfer) -> Result | None:
    """What is wrong with a plain or pending transfer before any account is looked at."""
    for wrong, result in (
        (transfer.debit_account_id == NO_ID, Result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (transfer.debit_account_id == INT_MAX_ID, Result.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (transfer.credit_account_id == NO_ID, Result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO),
        (transfer.credit_account_id == INT_MAX_ID, Result.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX),
        (
            transfer.debit_account_id == transfer.credit_account_id,
            Result.ACCOUNTS_MUST_BE_DIFFERENT,
        ),
        (transfer.pending_id != NO_ID, Result.PENDING_ID_MUST_BE_ZERO),
        (transfer.ledger == 0, Result.LEDGER_MUST_NOT_BE_ZERO),
        (transfer.code == 0, Result.CODE_MUST_NOT_BE_ZERO),
        (not fits(transfer.amount), Result.AMOUNT_MUST_NOT_EXCEED_INT64_MAX),
    ):
        if wrong:
            return result
    return None


def _limits(transfer: Transfer, debit: Account, credit: Account) -> Result | None:
    """Which sum would overflow or which limit would break, in TigerBeetle's order."""
    amount = transfer.amount
    pending = TransferFlag.PENDING in transfer.flags
    debits = debit.debits_pending + debit.debits_posted + amount
    credits_ = credit.credits_pending + credit.credits_posted + amount
    for beyond, result in (
        (pending and not fits(debit.debits_pending + amount), Result.OVERFLOWS_DEBITS_PENDING),
        (pending and not fits(credit.credits_pending + amount), Result.OVERFLOWS_CREDITS_PENDING),
        (not fits(debit.debits_posted + amount), Result.OVERFLOWS_DEBITS_POSTED),
        (not fits(credit.credits_posted + amount), Result.OVERFLOWS_CREDITS_POSTED),
        (not fits(debits), Result.OVERFLOWS_DEBITS),
        (not fits(credits_), Result.OVERFLOWS_CREDITS),
        (
            AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS in debit.flags
            and debits > debit.credits_posted,
            Result.EXCEEDS_CREDITS,
        ),
        (
            AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS in credit.flags
            and credits_ > credit.debits_posted,
            Result.EXCEEDS_DEBITS,
        ),
    ):
        if beyond:
            return result
    return None


def _resolve(transfer: Transfer, state: State) -> Result:
    exclusive = TransferFlag.PENDING in transfer.flags or (transfer.flags & RESOLVING) == RESOLVING
    for wrong, result in (
        (exclusive, Result.FLAGS_ARE_MUTUALLY_EXCLUSIVE),
        (transfer.pending_id == NO_ID, Result.PENDING_ID_MUST_NOT_BE_ZERO),
        (transfer.pending_id == INT_MAX_ID, Result.PENDING_ID_MUST_NOT_BE_INT_MAX),
        (transfer.pending_id == transfer.id, Result.PENDING_ID_MUST_BE_DIFFERENT),
    ):
        if wrong:
            return result
    pending = state.transfer(transfer.pending_id)
    if pending is None:
        return Result.PENDING_TRANSFER_NOT_FOUND
    if TransferFlag.PENDING not in pending.flags:
        return Result.PENDING_TRANSFER_NOT_PENDING
    filled = _inherit(transfer, pending)
    differs = _differs(filled, pending)
    if differs is not None:
        return differs
    match state.resolution(pending.id):
        case Resolution.POSTED:
            return Result.PENDING_TRANSFER_ALREADY_POSTED
        case Resolution.VOIDED:
            return Result.PENDING_TRANSFER_ALREADY_VOIDED
        case Resolution.PENDING:
            _settle(filled, pending, state)
            return Result.OK


def _differs(filled: Transfer, pending: Transfer) -> Result | None:
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
            _VOID in filled.flags and filled.amount < pending.amount,
            Result.PENDING_HAS_DIFFERENT_AMOUNT,
        ),
    ):
        if wrong:
            return result
    return None


def _settle(filled: Transfer, pending: Transfer, state: State) -> None:
    """Lets go of what was reserved and moves what is posted (nothing, for a void)."""
    debit = state.account(pending.debit_account_id)
    credit = state.account(pending.credit_account_id)
    assert debit is not None and credit is not None, "a stored transfer has its accounts"  # noqa: PT018
    posted = filled.amount if _POST in filled.flags else 0
    state.put_account(
        replace(
            debit,
            debits_pending=debit.debits_pending - pending.amount,
            debits_posted=debit.debits_posted + posted,
        )
    )
    state.put_account(
        replace(
            credit,
            credits_pending=credit.credits_pending - pending.amount,
            credits_posted=credit.credits_posted + posted,
        )
    )
    state.put_transfer(filled)
    state.resolve(
        pending.id, Resolution.POSTED if posted or _POST in filled.flags else Resolution.VOIDED
    )
