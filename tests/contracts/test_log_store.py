from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from zhidao.core.errors import Conflict
from zhidao.trust.adapters.log.memory import MemoryLogStore
from zhidao.trust.domain.merkle import grow, leaf_hash, root_of, split_hashes
from zhidao.trust.service.log.ports import LogStore

if TYPE_CHECKING:
    from zhidao.store.database import Database

ENTRIES = [b"entry %d" % number for number in range(700)]
HASHES = [leaf_hash(entry) for entry in ENTRIES]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> LogStore:
    if request.param == "memory":
        return MemoryLogStore()
    from zhidao.trust.adapters.log.postgres import PostgresLogStore

    database: Database = request.getfixturevalue("database")
    return PostgresLogStore(database, f"zhidao-log/{request.node.name}")


async def extend(store: LogStore, entries: list[bytes], epoch: int) -> None:
    async with store.transaction() as transaction:
        head = await store.lock(transaction)
        growth = grow(head.edge, [leaf_hash(entry) for entry in entries])
        await store.extend(transaction, epoch=epoch, growth=growth, leaves=entries)


async def tile(store: LogStore, level: int, index: int) -> bytes:
    [hashes] = await store.tiles([(level, index)])
    return hashes


async def test_a_new_log_is_empty(store: LogStore) -> None:
    head = await store.head()
    assert (head.edge.size, await store.entries(0, 5), await tile(store, 0, 0)) == (0, (), b"")
    assert await store.checkpoint() is None


async def test_batches_continue_leaves_and_tiles(store: LogStore) -> None:
    epoch = await store.take()
    for first, last in ((0, 1), (1, 250), (250, 699), (699, 700)):
        await extend(store, ENTRIES[first:last], epoch)
    assert (await store.head()).edge.root == root_of(HASHES)
    assert await store.entries(698, 9) == tuple(ENTRIES[698:])
    assert split_hashes(await tile(store, 0, 2)) == HASHES[512:]
    assert split_hashes(await tile(store, 1, 0)) == [
        root_of(HASHES[:256]),
        root_of(HASHES[256:512]),
    ]


async def test_tiles_come_in_the_order_asked_and_an_absent_one_is_empty(store: LogStore) -> None:
    await extend(store, ENTRIES, await store.take())
    asked = [(0, 2), (1, 0), (0, 9), (0, 0), (3, 0), (0, 2)]
    found = await store.tiles(asked)
    assert found == tuple([await tile(store, *name) for name in asked])
    assert list(map(len, found)) == [188 * 32, 2 * 32, 0, 256 * 32, 0, 188 * 32]
    assert await store.tiles([]) == ()


async def test_what_a_failed_transaction_wrote_is_not_there(store: LogStore) -> None:
    epoch = await store.take()
    await extend(store, ENTRIES[:3], epoch)
    with pytest.raises(ZeroDivisionError):
        await _fail_after_writing(store, epoch)
    assert (await store.head()).edge.size == 3
    assert await store.entries(3, 1) == ()
    assert len(await tile(store, 0, 0)) == 3 * 32
    await extend(store, ENTRIES[3:5], epoch)
    assert (await store.head()).edge.root == root_of(HASHES[:5])


async def _fail_after_writing(store: LogStore, epoch: int) -> None:
    async with store.transaction() as transaction:
        growth = grow((await store.lock(transaction)).edge, HASHES[3:5])
        await store.extend(transaction, epoch=epoch, growth=growth, leaves=ENTRIES[3:5])
        raise ZeroDivisionError


async def test_two_appends_in_one_transaction_follow_each_other(store: LogStore) -> None:
    epoch = await store.take()
    async with store.transaction() as transaction:
        for part in (ENTRIES[:2], ENTRIES[2:5]):
            growth = grow((await store.lock(transaction)).edge, map(leaf_hash, part))
            await store.extend(transaction, epoch=epoch, growth=growth, leaves=part)
    assert await store.entries(0, 9) == tuple(ENTRIES[:5])
    assert (await store.head()).edge.root == root_of(HASHES[:5])


async def test_a_writer_whose_lease_was_taken_writes_nothing(store: LogStore) -> None:
    old = await store.take()
    await extend(store, ENTRIES[:2], old)
    new = await store.take()
    assert new > old
    with pytest.raises(Conflict) as refusal:
        await extend(store, ENTRIES[2:3], old)
    assert refusal.value.code == "lease_lost"
    await extend(store, ENTRIES[2:4], new)
    assert await store.entries(0, 9) == tuple(ENTRIES[:4])


async def test_the_first_note_of_a_size_stays(store: LogStore) -> None:
    assert await store.keep_checkpoint(2, b"first") == b"first"
    assert await store.keep_checkpoint(2, b"second") == b"first"
    assert await store.keep_checkpoint(9, b"nine") == b"nine"
    assert await store.keep_checkpoint(5, b"five") == b"five"
    assert await store.keep_checkpoint(9, b"other nine") == b"nine"
    assert await store.checkpoint() == b"nine"


@pytest.mark.service
async def test_logs_of_two_origins_do_not_mix(database: Database) -> None:
    from zhidao.trust.adapters.log.postgres import PostgresLogStore

    build: Callable[[str], LogStore] = lambda origin: PostgresLogStore(database, origin)  # noqa: E731
    one, two = build("log/one"), build("log/two")
    await extend(one, ENTRIES[:3], await one.take())
    assert (await two.head()).edge.size == 0
    assert await two.entries(0, 5) == ()
