"""Random batches that use every kind of transfer and every kind of mistake."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from numpy.random import Generator

from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, TransferFlag
from zhidao.finance.domain.ledger.records import TRANSFER, Records

_LIMITS = (
    AccountFlag(0),
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
    AccountFlag.HISTORY,
)
ACCOUNTS = tuple(
    Account(UUID(int=number), 1 if number < 12 else 2, 1, _LIMITS[number % 4])
    for number in range(1, 14)
)
_ODD_FLAGS = (
    TransferFlag.BALANCING_DEBIT,
    TransferFlag.BALANCING_CREDIT,
    TransferFlag.PENDING | TransferFlag.CLOSING_DEBIT,
    TransferFlag.CLOSING_CREDIT,
    TransferFlag.IMPORTED,
    TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER,
)


def random_batch(random: Generator, count: int, known: list[Records], *, plain: bool) -> Records:
    """A batch of new ids; unless `plain`, with repeats, mistakes and rare kinds in it."""
    first = 1 + sum(map(len, known))
    batch = np.zeros(count, TRANSFER)
    words = batch.view("<u8").reshape(count, 16)
    words[:, 0] = first + np.arange(count)
    free = [0, 3, 4, 7, 8, 11] if plain else list(range(1, 14))
    words[:, 2] = random.choice([4, 8], count) if plain else random.choice(free[1:], count)
    words[:, 4] = np.where(words[:, 2] == 4, 8, 4) if plain else random.choice(free[1:], count)
    batch["amount"] = random.integers(0, 60, count)
    batch["ledger"], batch["code"] = 1, 1
    _reservations(batch, random, known, plain=plain)
    if not plain:
        _mistakes(batch, random, known)
    linked = random.random(count) < 0.15
    batch["flags"] |= np.where(linked, np.uint16(TransferFlag.LINKED), np.uint16(0))
    if plain or random.random() < 0.8:
        batch["flags"][-1] &= np.uint16(0xFFFE)
    return batch


def _reservations(batch: Records, random: Generator, known: list[Records], *, plain: bool) -> None:
    count = len(batch)
    pending = random.random(count) < 0.25
    batch["flags"][pending] = int(TransferFlag.PENDING)
    batch["timeout"][pending] = random.choice([0, 0, 1, 5], int(pending.sum()))
    held = [row for old in known for row in old[(old["flags"] & 2) != 0]]
    if not held:
        return
    places = np.flatnonzero(~pending & (random.random(count) < 0.3))
    chosen = random.permutation(len(held))[: len(places)]
    for place, which in zip(places, chosen, strict=False):
        row, post = held[which], bool(random.random() < 0.6)
        batch["pending_id"][place] = row["id"]
        batch["flags"][place] = 4 if post else 8
        blank = plain or random.random() < 0.7
        for column in ("debit_account_id", "credit_account_id"):
            batch[column][place] = np.void(bytes(16)) if blank else row[column]
        batch["ledger"][place], batch["code"][place] = (0, 0) if blank else (1, 1)
        whole = random.random() < 0.5
        if post and whole:
            batch["amount"][place] = batch["amount_high"][place] = 2**64 - 1
        elif not post:
            batch["amount"][place] = 0 if whole else row["amount"]


def _mistakes(batch: Records, random: Generator, known: list[Records]) -> None:
    words = batch.view("<u8").reshape(len(batch), 16)
    for place in np.flatnonzero(random.random(len(batch)) < 0.3):
        match int(random.integers(0, 9)):
            case 0:
                batch["flags"][place] |= int(random.choice(_ODD_FLAGS))
            case 1 if known:
                batch[place] = known[-1][int(random.integers(0, len(known[-1])))]
            case 2:
                words[place, 0] = words[int(random.integers(0, len(batch))), 0]
            case 3:
                batch["amount"][place] = int(random.choice([2**63, 2**63 - 1, 2**62]))
            case 4:
                batch["ledger"][place] = int(random.integers(0, 3))
            case 5:
                words[place, 8] = int(words[int(random.integers(0, len(batch))), 0])
            case 6:
                batch["code"][place] = 0
            case 7:
                words[place, 2 if random.random() < 0.5 else 4] = 77
            case _:
                batch["user_data_64"][place] = 5
