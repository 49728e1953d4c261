"""The fast path of the ledger: a whole batch in columns, or nothing.

It accepts a batch only if every transfer of it holds whatever the order, and leaves any other to
the exact machine, unchanged. So one rule makes it right: what it accepts, the machine would have
accepted with the same sums; what it does not accept was not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhidao.finance.domain.ledger.book import (
    CREDITS_PENDING,
    CREDITS_POSTED,
    DEBITS_PENDING,
    DEBITS_POSTED,
    NS_PER_S,
    Book,
)
from zhidao.finance.domain.ledger.ledger import AccountFlag, TransferFlag
from zhidao.finance.domain.ledger.records import (
    NO_NAME,
    RECORD,
    TRANSFER,
    Movement,
    Name,
    Records,
    movements_of,
)

_PENDING: Final = np.uint16(TransferFlag.PENDING)
_POST: Final = np.uint16(TransferFlag.POST_PENDING_TRANSFER)
_RESOLVING: Final = np.uint16(
    TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER
)
_SIMPLE: Final = np.uint16(
    TransferFlag.LINKED
    | TransferFlag.PENDING
    | TransferFlag.POST_PENDING_TRANSFER
    | TransferFlag.VOID_PENDING_TRANSFER
)
# Histories want each balance on the way, and a closed account refuses: both are the machine's.
_SPECIAL: Final = np.uint16(AccountFlag.HISTORY | AccountFlag.CLOSED)
# The sums of a batch cannot overflow 63 bits while each amount stays below this.
_AMOUNT_MAX: Final = 2**49
_SUM_MAX: Final = 2**62
# Up to here no timeout of 32 bits of seconds can pass the end of time.
_STAMP_MAX: Final = 2**62
_ALL: Final = 2**64 - 1
# An odd multiplier of splitmix64 (Steele, Lea, Flood 2014: not checked).
_ODD: Final = np.uint64(0x94D049BB133111EB)
# Of a book with fewer accounts for each transfer all are counted, which spares sorting.
_DENSE_ACCOUNTS_MAX: Final = 16


@dataclass(slots=True)
class _Resolved:
    """Posts and voids of a batch beside the reservations they resolve."""

    pending: list[Movement]
    held: NDArray[np.int64]
    """What each reservation holds, shape (r,)."""


def apply_fast(
    batch: Records, book: Book, *, stamps: NDArray[np.uint64], replayed: bool = False
) -> Records | None:
    """Applies a batch, shape (n,), whose every transfer holds; returns it as it is stored.

    None, with the book untouched, if that is not plain to see. The ids must be new: the caller
    asked `book.used` and the table, and adds them. `stamps`: the timestamp (Unix ns) of each,
    shape (n,), rising. `replayed`: the batch was stored before, so it bears its timestamps.
    """
    flags = batch["flags"]
    if not len(batch) or not _simple(batch, flags) or not _distinct(batch):
        return None
    if not replayed and batch["timestamp"].any():
        return None
    if stamps[-1] > _STAMP_MAX:
        return None
    resolves = np.flatnonzero(flags & _RESOLVING)
    # As plain bytes: field by field it takes ten times as long.
    stored = batch.view(RECORD).copy().view(TRANSFER)
    stored["timestamp"] = stamps
    resolved = _resolve(stored, resolves, book) if len(resolves) else None
    if len(resolves) and resolved is None:
        return None
    slots = _slots(stored, book)
    if slots is None or not _plain(stored, slots, book):
        return None
    if not _change(stored, flags, slots, resolves, resolved, book):
        return None
    _note(stored, flags, resolved, book)
    return stored


def _simple(batch: Records, flags: NDArray[np.uint16]) -> bool:
    """Whether flags and fields are those of ordinary transfers, chains closed."""
    words = batch.view("<u8").reshape(len(batch), 16)
    pending_named = (words[:, 8] | words[:, 9]) != 0
    resolving = flags & _RESOLVING
    return not bool(
        (flags & ~_SIMPLE).any()
        or flags[-1] & np.uint16(TransferFlag.LINKED)
        or (resolving == _RESOLVING).any()
        or ((resolving != 0) & (flags & _PENDING != 0)).any()
        or (pending_named != (resolving != 0)).any()
        or ((batch["timeout"] != 0) & (flags & _PENDING == 0)).any()
    )


def _distinct(batch: Records) -> bool:
    """Whether the ids differ from each other and none is reserved."""
    words = batch.view("<u8").reshape(len(batch), 16)
    low, high = words[:, 0], words[:, 1]
    if (((low == 0) & (high == 0)) | ((low == _ALL) & (high == _ALL))).any():
        return False
    # Equal ids have equal digests; where two digests meet by chance, the ids themselves are asked.
    digests = low ^ (high * _ODD)
    digests.sort()
    if not (digests[1:] == digests[:-1]).any():
        return True
    names = batch["id"].tolist()
    return len(set(names)) == len(names)


def _filled(rows: Records, pending: Sequence[Movement]) -> bool:
    """Gives posts and voids the fields of their reservations; False if one names others."""
    theirs = {
        "debit_account_id": np.frombuffer(b"".join(m.debit_account_id for m in pending), "V16"),
        "credit_account_id": np.frombuffer(b"".join(m.credit_account_id for m in pending), "V16"),
        "ledger": np.array([m.ledger for m in pending], rows.dtype["ledger"]),
        "code": np.array([m.code for m in pending], rows.dtype["code"]),
    }
    for column, values in theirs.items():
        # A post or void that leaves a field blank means its reservation's.
        blank = rows[column] == (np.void(NO_NAME) if values.dtype.kind == "V" else 0)
        if not (blank | (rows[column] == values)).all():
            return False
        rows[column] = values
    return True


def _resolve(stored: Records, places: NDArray[np.intp], book: Book) -> _Resolved | None:
    """Fills posts and voids from their reservations; None if one does not plainly resolve."""
    names = stored["pending_id"][places].tolist()
    found = [book.open.get(name) for name in names]
    pending = [movement for movement in found if movement is not None]
    # A reservation named twice in one batch is spent by the first: that order matters is what this
    # way cannot tell, so the machine decides one by one.
    if len(pending) != len(names) or len(set(names)) != len(names):
        return None
    rows = stored[places]
    held = np.array([movement.amount for movement in pending], np.int64)
    ends = np.array(
        [m.timestamp + m.timeout * NS_PER_S if m.timeout else _ALL for m in pending], np.uint64
    )
    # An expired one must fail with its own result, which the machine finds.
    if (ends <= rows["timestamp"]).any() or not _amounts(rows, held):
        return None
    if not _filled(rows, pending):
        return None
    _inherit(rows, pending)
    stored[places] = rows
    return _Resolved(pending, held)


def _amounts(rows: Records, held: NDArray[np.int64]) -> bool:
    """Puts in the amounts of posts and voids; whether each is one that plainly holds."""
    posts = (rows["flags"] & _POST) != 0
    low, high = rows["amount"], rows["amount_high"]
    whole = np.where(posts, (low == _ALL) & (high == _ALL), (low == 0) & (high == 0))
    given = ~whole
    theirs = held.astype(np.uint64)
    if (given & (high != 0)).any():
        return False
    if (given & np.where(posts, low > theirs, low != theirs)).any():
        return False
    rows["amount"] = np.where(whole, theirs, low)
    rows["amount_high"] = 0
    return True


def _inherit(rows: Records, pending: list[Movement]) -> None:
    theirs = np.frombuffer(b"".join(m.user_data_128 for m in pending), "V16")
    blank = rows["user_data_128"] == np.void(NO_NAME)
    rows["user_data_128"] = np.where(blank, theirs, rows["user_data_128"])
    for column in ("user_data_64", "user_data_32"):
        values = np.array([getattr(m, column) for m in pending], rows.dtype[column])
        rows[column] = np.where(rows[column] == 0, values, rows[column])


def _slots(stored: Records, book: Book) -> NDArray[np.int64] | None:
    """Where the accounts of each transfer stand, shape (2, n); None if one is unknown."""
    words = stored.view("<u8").reshape(len(stored), 16)
    names = np.concatenate([words[:, 2:4], words[:, 4:6]])
    slots = book.places.find(names, book.slots).reshape(2, len(stored))
    return None if (slots < 0).any() else slots


def _plain(stored: Records, slots: NDArray[np.int64], book: Book) -> bool:
    """Whether accounts, ledgers, codes and amounts are in order."""
    ledgers = book.ledgers[slots]
    return not bool(
        (slots[0] == slots[1]).any()
        or (ledgers != stored["ledger"]).any()
        or not stored["ledger"].all()
        or not stored["code"].all()
        or stored["amount_high"].any()
        or (stored["amount"] >= _AMOUNT_MAX).any()
        or (book.flags[slots] & _SPECIAL).any()
    )


def _change(
    stored: Records,
    flags: NDArray[np.uint16],
    slots: NDArray[np.int64],
    resolves: NDArray[np.intp],
    resolved: _Resolved | None,
    book: Book,
) -> bool:
    """Changes the sums if no order of the batch could break a limit; else leaves them."""
    touched, inverse = _touched(slots, len(book.flags))
    amounts = stored["amount"].astype(np.int64)
    new = (flags & _RESOLVING) == 0
    pending = (flags & _PENDING) != 0
    posted = (new & ~pending) | ((flags & _POST) != 0)
    added = np.zeros((len(touched), 4), np.int64)
    for column, side, which in (
        (DEBITS_PENDING, 0, pending),
        (DEBITS_POSTED, 0, posted),
        (CREDITS_PENDING, 1, pending),
        (CREDITS_POSTED, 1, posted),
    ):
        np.add.at(added[:, column], inverse[side][which], amounts[which])
    # What is new weighs on a limit; a post only moves what its reservation weighs already.
    weight = np.zeros((len(touched), 2), np.int64)
    np.add.at(weight[:, 0], inverse[0][new], amounts[new])
    np.add.at(weight[:, 1], inverse[1][new], amounts[new])
    before = book.sums[touched]
    debits = before[:, DEBITS_PENDING] + before[:, DEBITS_POSTED] + weight[:, 0]
    credits_ = before[:, CREDITS_PENDING] + before[:, CREDITS_POSTED] + weight[:, 1]
    limits = book.flags[touched]
    debits_limited = (limits & np.uint16(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)) != 0
    credits_limited = (limits & np.uint16(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)) != 0
    if (
        (before >= _SUM_MAX).any()
        or (debits_limited & (debits > before[:, CREDITS_POSTED])).any()
        or (credits_limited & (credits_ > before[:, DEBITS_POSTED])).any()
    ):
        return False
    if resolved is not None:
        np.subtract.at(added[:, DEBITS_PENDING], inverse[0][resolves], resolved.held)
        np.subtract.at(added[:, CREDITS_PENDING], inverse[1][resolves], resolved.held)
    book.sums[touched] = before + added
    return True


def _touched(
    slots: NDArray[np.int64], accounts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places that occur, rising, and for each of `slots` which of them it is."""
    if accounts > _DENSE_ACCOUNTS_MAX * slots.shape[1]:
        touched, inverse = np.unique(slots, return_inverse=True)
        return touched, inverse.reshape(slots.shape)
    occurs = np.zeros(accounts, np.bool_)
    occurs[slots] = True
    touched = np.flatnonzero(occurs)
    place = np.empty(accounts, np.int64)
    place[touched] = np.arange(len(touched))
    return touched, place[slots]


def _note(
    stored: Records, flags: NDArray[np.uint16], resolved: _Resolved | None, book: Book
) -> None:
    """Opens and closes reservations of a batch."""
    for movement in resolved.pending if resolved is not None else ():
        del book.open[movement.id]
    reserving = np.flatnonzero(flags & _PENDING)
    for movement in movements_of(stored[reserving]):
        book.hold(movement)


def fates_of(stored: Records) -> dict[Name, bool]:
    """Which reservations a stored batch resolved, and whether it posted them."""
    rows = stored[(stored["flags"] & _RESOLVING) != 0]
    posts = ((rows["flags"] & _POST) != 0).tolist()
    return dict(zip(rows["pending_id"].tolist(), posts, strict=True))
