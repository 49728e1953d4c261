"""The same deals on PostgreSQL: a new process finds everything as the old one left it."""

from __future__ import annotations

from typing import Any

import pytest

from zhidao.core.timescale import Utc
from zhidao.finance.adapters.postgres_deals import PostgresDealIndex
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service


@pytest.fixture
def durable(database: Database, make_durable: Any) -> Any:
    """The small world with its memory twins exchanged for the real adapters."""
    made = make_durable()
    made.journal = PostgresJournal(database, "finance", lambda: None)
    made.archive = PostgresArchive(database)
    made.index = PostgresDealIndex(database)
    made.store = PostgresLedgerStore(database, made.journal)
    return made


async def test_a_deal_is_paid_although_each_step_is_done_by_a_new_process(
    durable, make_world, facts
) -> None:
    await make_world(durable).fill()
    await make_world(durable).opened()
    await make_world(durable).papers_agree()
    await make_world(durable).customs_release()
    await make_world(durable).tell(facts.proven())
    world = make_world(durable)
    deal = await world.state()
    assert deal.state == "paid"
    assert (await world.balances())["exporter-bank customer exporter"] == 4_200_000
    assert await durable.index.open() == ()
    assert sum(account.balance for account in await world.ledger.accounts("CNY")) == 0


async def test_a_deal_is_aborted_by_a_process_that_never_saw_it_opened(
    durable, make_world, facts
) -> None:
    await (await make_world(durable).fill()).opened()
    durable.scenario.set(Utc.parse("2026-05-01T13:00:00Z"))
    world = make_world(durable)
    for _ in range(3):
        await world.deals.tick()
    deal = await world.state()
    assert (deal.state, deal.settled.reason) == ("refused", "too_late")
    assert durable.titles.holder == "exporter"
    assert all(account.debits_pending == 0 for account in await world.ledger.accounts("CNY"))


async def test_every_transfer_is_in_a_batch_whose_root_is_in_the_outbox(
    durable, make_world, database
) -> None:
    await make_world(durable).fill()
    async with database.session() as session:
        row = await session.fetch_one(
            "select (select count(*) from finance.transfer_id) as transfers,"
            " (select count(*) from finance.batch) as batches,"
            " (select count(*) from finance.outbox where aggregate = 'ledger/CNY') as posted"
        )
    assert row == {"transfers": 1, "batches": 1, "posted": 1}
