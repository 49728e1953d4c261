"""How a batch of accounts is opened: all of a linked chain or none of it, each with its answer.

Order of the checks: TigerBeetle's, version 0.17.9 (see `ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zhidao.finance.domain.ledger.book import Book
from zhidao.finance.domain.ledger.ledger import (
    INT_MAX_ID,
    KNOWN_ACCOUNT_FLAGS,
    NO_ACCOUNT_FLAGS,
    NO_ID,
    Account,
    AccountFlag,
    AccountResult,
)

# As integers: the complement of a flag knows named bits only.
_UNKNOWN: Final = ~int(KNOWN_ACCOUNT_FLAGS)
_LIMITS: Final = (
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
)


def create_accounts(
    book: Book, batch: Sequence[Account], *, stamps: Sequence[int]
) -> list[AccountResult]:
    """Opens accounts in order and changes the book; one answer a place.

    `stamps`: the timestamp (Unix ns) of each account, rising.
    """
    results: list[AccountResult] = []
    start, count = 0, len(batch)
    # The first of a batch says for all whether they are of the past.
    imports = batch[0].flags & AccountFlag.IMPORTED if batch else NO_ACCOUNT_FLAGS
    while start < count:
        end = start
        while end < count and batch[end].flags & AccountFlag.LINKED:
            end += 1
        chain = slice(start, end + 1)
        opened: dict[object, Account] = {}
        answers = _chain(
            book, batch[chain], stamps[chain], opened, is_open=end == count, imports=imports
        )
        for account in opened.values():
            book.put_account(account)
        results += answers
        start = end + 1
    return results


def _chain(
    book: Book,
    chain: Sequence[Account],
    stamps: Sequence[int],
    opened: dict[object, Account],
    *,
    is_open: bool,
    imports: AccountFlag,
) -> list[AccountResult]:
    """The answers of one chain, often of one account; `opened` is empty after a broken one."""
    results = [AccountResult.LINKED_EVENT_FAILED] * len(chain)
    broken = False
    for place, account in enumerate(chain):
        if is_open and place == len(chain) - 1:
            results[place], broken = AccountResult.LINKED_EVENT_CHAIN_OPEN, True
        elif not broken:
            existing = opened.get(account.id) or book.account(account.id)
            result = _one(account, existing, imports)
            if result is AccountResult.CREATED:
                opened[account.id] = replace(account, timestamp=stamps[place])
            else:
                results[place], broken = result, True
    if broken:
        opened.clear()
        return results
    return [AccountResult.CREATED] * len(chain)


def _one(account: Account, existing: Account | None, imports: AccountFlag) -> AccountResult:
    imported = account.flags & AccountFlag.IMPORTED
    if imported != imports:
        return (
            AccountResult.IMPORTED_EVENT_NOT_EXPECTED
            if imported
            else AccountResult.IMPORTED_EVENT_EXPECTED
        )
    if account.timestamp and not imports:
        return AccountResult.TIMESTAMP_MUST_BE_ZERO
    if account.reserved:
        return AccountResult.RESERVED_FIELD
    if int(account.flags) & _UNKNOWN:
        return AccountResult.RESERVED_FLAG
    if account.id == NO_ID:
        return AccountResult.ID_MUST_NOT_BE_ZERO
    if account.id == INT_MAX_ID:
        return AccountResult.ID_MUST_NOT_BE_INT_MAX
    if existing is not None:
        return _difference(account, existing)
    return _shape(account)


def _difference(new: Account, old: Account) -> AccountResult:
    for differs, result in (
        (new.flags != old.flags, AccountResult.EXISTS_WITH_DIFFERENT_FLAGS),
        (
            new.user_data_128 != old.user_data_128,
            AccountResult.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        ),
        (new.user_data_64 != old.user_data_64, AccountResult.EXISTS_WITH_DIFFERENT_USER_DATA_64),
        (new.user_data_32 != old.user_data_32, AccountResult.EXISTS_WITH_DIFFERENT_USER_DATA_32),
        (new.ledger != old.ledger, AccountResult.EXISTS_WITH_DIFFERENT_LEDGER),
        (new.code != old.code, AccountResult.EXISTS_WITH_DIFFERENT_CODE),
    ):
        if differs:
            return result
    return AccountResult.EXISTS


def _shape(account: Account) -> AccountResult:
    for wrong, result in (
        (account.flags & _LIMITS == _LIMITS, AccountResult.FLAGS_ARE_MUTUALLY_EXCLUSIVE),
        (account.debits_pending, AccountResult.DEBITS_PENDING_MUST_BE_ZERO),
        (account.debits_posted, AccountResult.DEBITS_POSTED_MUST_BE_ZERO),
        (account.credits_pending, AccountResult.CREDITS_PENDING_MUST_BE_ZERO),
        (account.credits_posted, AccountResult.CREDITS_POSTED_MUST_BE_ZERO),
        (not account.ledger, AccountResult.LEDGER_MUST_NOT_BE_ZERO),
        (not account.code, AccountResult.CODE_MUST_NOT_BE_ZERO),
    ):
        if wrong:
            return result
    return AccountResult.CREATED
