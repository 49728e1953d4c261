"""One suite for every store of the ledger and every finder of deals."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from zhidao.finance.adapters.memory_messages import MemoryMessageIndex
from zhidao.finance.adapters.postgres_deals import PostgresDealIndex
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_messages import PostgresMessageIndex
from zhidao.finance.domain.ledger.chain import Batch, first_head
from zhidao.finance.domain.ledger.ledger import (
    Account,
    AccountFlag,
    Resolution,
    Result,
    Transfer,
    TransferFlag,
)
from zhidao.finance.domain.ledger.records import from_transfers, movement_of, name_of
from zhidao.finance.events import BalancesStated, TransfersPosted
from zhidao.finance.service.ports import (
    DealIndex,
    IndexedDeal,
    LedgerStore,
    MessageIndex,
    Remembered,
)
from zhidao.store.journal import PostgresJournal
from zhidao.store.memory import MemoryJournal

FREE = TransferFlag(0)
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
    messages: MessageIndex
    journal: Journal
    woken: list[int]


def _memory() -> Stores:
    woken: list[int] = []
    journal = MemoryJournal(lambda: woken.append(1))
    return Stores(
        MemoryLedgerStore(journal), MemoryDealIndex(), MemoryMessageIndex(), journal, woken
    )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return _memory()
    database = request.getfixturevalue("database")
    woken: list[int] = []
    journal = PostgresJournal(database, "finance", lambda: woken.append(1))
    return Stores(
        PostgresLedgerStore(database, journal),
        PostgresDealIndex(database),
        PostgresMessageIndex(database),
        journal,
        woken,
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
        count=batch.count,
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


def balances(fact: BalancesStated, version: int) -> Entry:
    return SCRIBE.write(
        fact,
        by=PartyId("node"),
        aggregate=f"balances/{fact.ledger}",
        version=version,
        owner=PartyId("node"),
        visible=(),
        occurred_at=None,
    )


def first(transfers: Sequence[Transfer] = TRANSFERS, shard: str = "CNY") -> Batch:
    data = from_transfers(transfers).tobytes()
    return Batch.after(first_head(shard), shard=shard, number=1, data=data)


async def batches_of(stores: Stores, shard: str = "CNY") -> list[Batch]:
    return list(await stores.ledger.batches(shard, after=0))


async def test_what_was_written_is_read_back_whole_and_in_order(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.open_accounts("CNY", ACCOUNTS, epoch=epoch, entries=[])
    one = first()
    two = Batch.after(
        one.head,
        shard="CNY",
        number=2,
        data=from_transfers(
            [replace(t, id=UUID(int=t.id.int + 1), flags=FREE) for t in reversed(TRANSFERS)]
        ).tobytes(),
        failures=((bytes(range(16)), Result.EXCEEDS_CREDITS),),
    )
    for batch in (one, two):
        await stores.ledger.commit(batch, epoch=epoch, entry=entry(batch))
    assert await stores.ledger.accounts("CNY") == ACCOUNTS
    assert await batches_of(stores) == [one, two]
    assert await stores.ledger.batches("CNY", after=1) == (two,)
    history = await stores.journal.load("ledger/CNY", viewer=None)
    assert [TransfersPosted.of(e.event).head for e in history] == [one.head.hex(), two.head.hex()]
    assert stores.woken


async def test_an_empty_shard_is_empty(stores: Stores) -> None:
    assert await stores.ledger.accounts("CNY") == ()
    assert await batches_of(stores) == []


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
    assert await stores.ledger.accounts("CNY") == ()
    assert await batches_of(stores) == []
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
    assert await batches_of(stores) == [first()]


async def test_an_account_opens_once(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.open_accounts("CNY", ACCOUNTS[:1], epoch=epoch, entries=[])
    with pytest.raises(Conflict):
        await stores.ledger.open_accounts("CNY", ACCOUNTS, epoch=epoch, entries=[])
    assert await stores.ledger.accounts("CNY") == ACCOUNTS[:1]


async def test_ids_are_found_with_what_became_of_them(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    reserve = replace(TRANSFERS[1], id=UUID(int=70), flags=TransferFlag.PENDING)
    post = replace(
        TRANSFERS[1],
        id=UUID(int=71),
        pending_id=reserve.id,
        flags=TransferFlag.POST_PENDING_TRANSFER,
    )
    failed = name_of(UUID(int=72))
    one = Batch.after(
        first_head("CNY"),
        shard="CNY",
        number=1,
        data=from_transfers([TRANSFERS[1], reserve, post]).tobytes(),
        failures=((failed, Result.EXCEEDS_CREDITS),),
    )
    await stores.ledger.commit(one, epoch=epoch, entry=entry(one))
    names = [name_of(post.id), failed, name_of(UUID(int=73))]
    found = await stores.ledger.find("CNY", names)
    assert found.transfers == {name_of(t.id): movement_of(t) for t in (reserve, post)}
    assert found.failures == {failed}
    assert found.fates == {name_of(reserve.id): Resolution.POSTED}
    again = Batch.after(
        one.head,
        shard="CNY",
        number=2,
        data=from_transfers([replace(post, id=UUID(int=75))]).tobytes(),
    )
    with pytest.raises(Conflict):
        await stores.ledger.commit(again, epoch=epoch, entry=entry(again))
    assert await batches_of(stores) == [one], "a reservation is resolved once"


async def test_kept_balances_come_back_with_their_digest(stores: Stores) -> None:
    epoch = await stores.ledger.acquire("CNY", holder="a")
    await stores.ledger.commit(first(), epoch=epoch, entry=entry(first()))
    assert await stores.ledger.snapshot("CNY") is None
    assert await stores.ledger.stated("CNY") == (1, first().head.hex())
    data = b"new" * 4_000_000
    for version in (1,):
        fact = BalancesStated(
            ledger="CNY",
            batch=1,
            head=first().head.hex(),
            accounts=0,
            root="",
            digest=hashlib.sha256(data).hexdigest(),
        )
        await stores.ledger.keep_snapshot(
            "CNY", 1, data, epoch=epoch, entry=balances(fact, version)
        )
        assert await stores.ledger.snapshot("CNY") == (data, fact.digest)
        assert await stores.ledger.statements("CNY") == version


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


async def test_a_messages_id_keeps_its_first_digest(stores: Stores) -> None:
    index = stores.messages
    one, two = Remembered("M-1", "pain.001.001.09", "ab" * 32), Remembered("M-2", "d", "0f" * 32)
    other = one._replace(digest="cd" * 32)
    assert await index.remember("bank", "party", [one, two]) == [one.digest, two.digest]
    assert await index.remember("bank", "party", [other, two]) == [one.digest, two.digest]
    assert await index.remember("bank", "another", [other]) == [other.digest]
    assert await index.of_message("bank", "party", "M-1") == one
    assert await index.of_message("bank", "party", "M-3") is None
    assert await index.of_message("elsewhere", "party", "M-1") is None
    marks = [0xABABABABABABABAB, 0x0F0F0F0F0F0F0F0F, 7]
    assert await index.of_marks("bank", marks) == {marks[0]: one, marks[1]: two}


async def test_shards_with_accounts_are_told_in_order(stores: Stores) -> None:
    assert await stores.ledger.shards() == ()
    for shard in ("KZT", "CNY"):
        epoch = await stores.ledger.acquire(shard, holder="a")
        await stores.ledger.open_accounts(shard, ACCOUNTS, epoch=epoch, entries=[])
    assert await stores.ledger.shards() == ("CNY", "KZT")
