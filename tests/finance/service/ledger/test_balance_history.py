"""A balance at a moment is what the ledger held then, wherever balances were written down."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import MemoryWrittenBalances
from zhidao.finance.domain.ledger.ledger import Account, Transfer, TransferFlag
from zhidao.finance.service.ledger import balance_history
from zhidao.finance.service.ledger.balance_history import BalanceHistory
from zhidao.finance.service.ledger.ledger import Ledger

ACCOUNTS = [UUID(int=n) for n in range(1, 5)]


async def test_every_moment_of_a_random_ledger_has_the_balance_that_it_had(
    durable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance_history, "BLOCK_BATCHES", 4)
    chance = random.Random(7)
    ledger = Ledger(durable.store, scribe=durable.scribe, clock=durable.clock, holder="node")
    await ledger.open_accounts("CNY", [Account(one, 7, 1) for one in ACCOUNTS], [])
    written = MemoryWrittenBalances()
    history = BalanceHistory(durable.store, written, durable.clock)
    seen: list[tuple[int, dict[UUID, int]]] = [(0, dict.fromkeys(ACCOUNTS, 0))]
    pending: list[UUID] = []
    number = 100
    for _ in range(30):
        batch = []
        for _ in range(chance.randrange(1, 5)):
            number += 1
            debit, credit = chance.sample(ACCOUNTS, 2)
            kind = chance.random()
            if kind < 0.25:
                flags = TransferFlag.PENDING
                pending.append(UUID(int=number))
            else:
                flags = TransferFlag(0)
            one = Transfer(UUID(int=number), debit, credit, chance.randrange(1, 999), ledger=7, code=1, flags=flags)  # fmt: skip
            if kind > 0.8 and pending:
                ends = TransferFlag.VOID_PENDING_TRANSFER
                if kind > 0.9:
                    ends = TransferFlag.POST_PENDING_TRANSFER
                one = Transfer(UUID(int=number), pending_id=pending.pop(0), flags=ends)
            batch.append(one)
        await ledger.submit("CNY", batch)
        sums = {one: (await ledger.account("CNY", one)).balance for one in ACCOUNTS}
        seen.append((durable.clock.now().unix_ns, sums))
        durable.clock.advance(60)
        if chance.random() < 0.3:
            await history.tick()
    assert await written.until("CNY") > 8
    # A process that begins anew finds the same.
    for again in (history, BalanceHistory(durable.store, written, durable.clock)):
        for at_ns, sums in seen:
            told = {
                one: await again.balance("CNY", one, at_ns=at_ns + 30 * 10**9 if at_ns else 0)
                for one in ACCOUNTS
            }
            assert told == sums


async def test_an_account_that_never_moved_and_a_ledger_that_is_not_there_have_nothing(
    durable,
) -> None:
    history = BalanceHistory(durable.store, MemoryWrittenBalances(), durable.clock)
    assert await history.balance("CNY", ACCOUNTS[0], at_ns=10**18) == 0
    await history.tick()


@pytest.mark.bound("finance.service.ledger.balance_history.AHEAD_S")
@pytest.mark.parametrize("ahead_s", [-3600, 0, 60, 61, 10**9])
async def test_what_stands_at_a_moment_to_come_is_not_told(durable, ahead_s: int) -> None:
    history = BalanceHistory(durable.store, MemoryWrittenBalances(), durable.clock)
    now = durable.clock.now()
    asked = Utc.from_unix_ns(now.unix_ns + ahead_s * 10**9)
    if ahead_s > 60:
        with pytest.raises(Refused, match="is to come") as refused:
            history.known_until(asked)
        assert (refused.value.code, refused.value.where) == ("not_yet", "at")
        assert str(now) in refused.value.remedy
    else:
        assert history.known_until(asked) == (asked if ahead_s < 0 else now)
