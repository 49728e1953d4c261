"""Sums of a time out of batches equal what the ledger holds."""

from __future__ import annotations

from uuid import UUID

from tests.finance.service.ledger.test_account_statements import ONE, TWO, moved

from zhidao.finance.events import AccountOpened
from zhidao.finance.service.ledger.reports import Reports


async def test_sums_of_all_time_are_the_ledgers_own(durable) -> None:
    ledger = await moved(durable)
    sums = await Reports(durable.store).sums("CNY")
    for name in (ONE, TWO):
        account = await ledger.account("CNY", name)
        assert sums[name][1:] == (account.debits_posted, account.credits_posted)


async def test_two_times_that_meet_add_up(durable) -> None:
    await moved(durable)
    reports = Reports(durable.store)
    border = durable.clock.now().unix_ns - 1
    before = await reports.sums("CNY", until_ns=border)
    after = await reports.sums("CNY", after_ns=border)
    whole = await reports.sums("CNY")
    assert before[TWO][1:] == (250, 1_000)
    for name, (_, debits, credits_) in whole.items():
        assert debits == before[name][1] + after[name][1]
        assert credits_ == before[name][2] + after[name][2]


async def test_lines_name_what_is_known(durable) -> None:
    await moved(durable)
    opened = AccountOpened(
        account=str(ONE),
        bank="b",
        holder="h",
        purpose="customer",
        currency="CNY",
        name="n",
        town="t",
        country="CN",
    )
    lines = await Reports(durable.store).lines("CNY", {ONE: opened})
    assert [(one.holder, one.purpose) for one in lines] == [("h", "customer"), ("", "code 1")]
    only = await Reports(durable.store).lines("CNY", {ONE: opened}, bank="b")
    assert [one.account for one in only] == [UUID(int=1)]
