"""One suite for every store of the ledger and every finder of deals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, FixedKeyRing, Journal, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import MemoryDealIndex, MemoryLedgerStore
from zhidao.finance.adapters.postgres import PostgresDealIndex, PostgresLedgerStore
from zhidao.finance.domain.chain import Batch, first_head
from zhidao.finance.domain.ledger import Account, AccountFlag, Transfer, TransferFlag
from zhidao.finance.events import TransfersPosted
from zhidao.finance.service.ports import DealIndex, IndexedDeal, LedgerStore
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

ACCOUNTS = (
    Account(UUID(int=1), 7, 100, AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS),
    Account(UUID(int=2**128 - 2), 2**32 - 1, 65_535),
)
TRANSFERS = (
    Transfer(
        UUID(int=2**127),
        UUID(int=1),
        UUID(int=2),
        2**63 - 1,
        UUID(int=3),
        2**128 - 1,
        2**32 - 1,
        65_535,
        TransferFlag.PENDING | TransferFlag.LINKED,
        2**62,
    ),
    Transfer(UUID(int=5), UUID(int=1), UUID(int=2), 0, ledger=7, code=1, timestamp=2**62 + 1),
)


@dataclass
class Stores:
    ledger: LedgerStore
    index: DealIndex
    journal: Journal
    woken: list[int]


def _memory() -> Stores:
    woken: list[int] = []
    journal = MemoryJournal(lambda: woken.append(1))
    return Stores(MemoryLedgerStore(journal), MemoryDealIndex(), journal, woken)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return _memory()
    database = request.getfixturevalue("database")
    woken: list[int] = []
    journal = PostgresJournal(database, "finance", lambda: woken.append(1))
    return Stores(
        PostgresLedgerStore(database, journal), PostgresDealIndex(database), journal, woken
    )


CLOCK = HandClock(Utc.parse("2026-05-01T08:00:00Z"))
KEY = SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"node").digest())
SCRIBE = Scribe(
    node=PartyId("node"),
    key=KEY,
    ring=FixedKeyRing({}),
    clock=CLOCK,
    ids=IdSource(CLOCK, SeededRandomness(1)),
    randomness=SeededRandomness(2),
)


def entry(batch: Batch) -> Entry:
    fact = TransfersPosted(
        ledger=batch.shard,
        batch=batch.number,
        count=len(batch.transfers),
        root=batch.root.hex(),
        head=batch.head.hex(),
    )
    return SCRIBE.write(
        fact,
        by=PartyId("node"),
        aggregate=f"ledger/{batch.shard}",
        version=batch.number,
        owner=PartyId("node"),
        visible=(),
        occurred_at=None,
    )


def first(transfers: tuple[Transfer, ...] = TRANSFERS, shard: str = "CNY") -> Batch:
    return Batch.after(first_head(shard), shard=shard, number=1, transfers=transfers)


async def test_what_was_written_is_read_back_whole_and_in_order(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.open_accounts("CNY", ACCOUNTS, epoch=epoch, entries=[])
    one = first()
    two = Batch.after(
        one.head,
        shard="CNY",
        number=2,
        transfers=tuple(replace(t, id=UUID(int=t.id.int + 1)) for t in reversed(TRANSFERS)),
    )
    for batch in (one, two):
        await stores.ledger.commit(batch, epoch=epoch, entry=entry(batch))
    accounts, batches = await stores.ledger.load("CNY")
    assert sorted(accounts, key=lambda a: a.id) == sorted(ACCOUNTS, key=lambda a: a.id)
    assert batches == (one, two)
    history = await stores.journal.load("ledger/CNY", viewer=None)
    assert [TransfersPosted.of(e.event).head for e in history] == [one.head.hex(), two.head.hex()]
    assert stores.woken


async def test_an_empty_shard_is_empty(stores: Stores) -> None:
    assert await stores.ledger.load("CNY") == ((), ())


async def test_an_older_epoch_writes_nothing(stores: Stores) -> None:
    old = await stores.ledger.acquire("CNY", holder="a")
    new = await stores.ledger.acquire("CNY", holder="b")
    assert new > old
    for act in (
        stores.ledger.commit(first(), epoch=old, entry=entry(first())),
        stores.ledger.open_accounts("CNY", ACCOUNTS, epoch=old, entries=[]),
    ):
        with pytest.raises(Conflict) as fenced:
            await act
        assert fenced.value.code == "fenced"
    assert await stores.ledger.load("CNY") == ((), ())
    assert await stores.journal.load("ledger/CNY", viewer=None) == ()
    await stores.ledger.commit(first(), epoch=new, entry=entry(first()))


async def test_an_epoch_of_one_shard_says_nothing_about_another(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.acquire("KZT", holder="b")
    await stores.ledger.acquire("KZT", holder="c")
    await stores.ledger.commit(first(), epoch=epoch, entry=entry(first()))
    batch = first(shard="KZT")
    with pytest.raises(Conflict):
        await stores.ledger.commit(batch, epoch=epoch, entry=entry(batch))


async def test_a_number_is_given_once(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.commit(first(), epoch=epoch, entry=entry(first()))
    other = first((replace(TRANSFERS[1], id=UUID(int=77)),))
    with pytest.raises(Conflict):
        await stores.ledger.commit(other, epoch=epoch, entry=entry(other))
    _, batches = await stores.ledger.load("CNY")
    assert batches == (first(),)


async def test_an_account_opens_once(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.open_accounts("CNY", ACCOUNTS[:1], epoch=epoch, entries=[])
    with pytest.raises(Conflict):
        await stores.ledger.open_accounts("CNY", ACCOUNTS, epoch=epoch, entries=[])
    accounts, _ = await stores.ledger.load("CNY")
    assert accounts == ACCOUNTS[:1]


async def test_a_deal_is_found_by_consignment_and_while_open_by_terminal(stores: Stores) -> None:
    index = stores.index
    one, two = IndexedDeal("D-1", "C-1", "T-1"), IndexedDeal("D-2", "C-1", "T-2")
    for deal in (two, one, one):
        await index.add(deal)
    assert await index.of_consignment("C-1") == ("D-1", "D-2")
    assert await index.open_of_terminal("T-1") == ("D-1",)
    assert await index.open() == ("D-1", "D-2")
    for _ in range(2):
        await index.close(one)
    await index.add(one)
    assert await index.open() == ("D-2",)
    assert await index.open_of_terminal("T-1") == ()
    assert await index.of_consignment("C-1") == ("D-1", "D-2")
    assert await index.of_consignment("C-2") == ()
