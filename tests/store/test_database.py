from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from zhidao.core.errors import Conflict, MalformedInput, Unavailable
from zhidao.core.programs.child import free_port
from zhidao.store.database import Contended, Database, Session, translated
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.pool import Pool

service = pytest.mark.service


@pytest.fixture
async def numbers(database: Database) -> Database:
    """A database with the table public.number (key int, value bigint)."""
    async with database.session() as session:
        await session.script("create table number (key int primary key, value bigint not null)")
    return database


async def count(database: Database) -> int:
    async with database.session() as session:
        row = await session.fetch_one("select count(*)::int as n from number")
    assert row
    return int(row["n"])


@service
async def test_a_block_that_raises_leaves_nothing(numbers: Database):
    async def fail() -> None:
        async with numbers.session() as session:
            assert await session.execute("insert into number values (1, 1)") == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await count(numbers) == 0


@service
async def test_a_cancelled_block_leaves_nothing_and_the_pool_whole(numbers: Database):
    async def work() -> None:
        async with numbers.session() as session:
            await session.execute("insert into number values (1, 1)")
            await session.execute("select pg_sleep(30)")

    for _ in range(8):  # More often than there are connections.
        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await count(numbers) == 0


@service
async def test_what_is_sent_at_once_stands_whole_or_not_at_all(numbers: Database):
    async with numbers.session() as session, session.at_once():
        for key in range(5):
            await session.execute("insert into number values (%s, 1)", (key,))
    assert await count(numbers) == 5

    async def again() -> None:
        async with numbers.session() as session:
            await session.execute("insert into number values (6, 1)")
            async with session.at_once():
                await session.execute("insert into number values (7, 1)")
                await session.execute("insert into number values (1, 1)")
                await session.execute("insert into number values (8, 1)")

    with pytest.raises(Conflict, match=r"in public\.number$"):
        await again()
    assert await count(numbers) == 5
    # The connection is as good as before.
    async with numbers.session() as session:
        await session.execute("insert into number values (9, 1)")
    assert await count(numbers) == 6


@service
async def test_errors_are_those_of_the_house(numbers: Database):
    async with numbers.session() as session:
        await session.execute("insert into number values (1, 1)")
    with pytest.raises(Conflict, match=r"in public\.number$"):
        async with numbers.session() as session:
            await session.execute("insert into number values (1, 1)")
    for statement, value in (
        ("insert into number values (2, %s)", 2**63),
        ("select %s::text", "a\x00b"),
        ("select %s::text::uuid", "no"),
    ):
        with pytest.raises(MalformedInput):
            async with numbers.session() as session:
                await session.execute(statement, (value,))
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with numbers.session() as session:
            await session.execute("select * from nowhere")


@service
async def test_a_full_disk_says_so_and_reading_goes_on(numbers: Database):
    with pytest.raises(Unavailable) as caught:
        async with numbers.session() as session:
            await session.script(
                "do $$ begin raise exception 'could not extend file' using errcode = '53100';"
                " end $$"
            )
    assert caught.value.code == "disk_full"
    assert "free space" in str(caught.value)
    assert await count(numbers) == 0


@service
async def test_below_the_reserve_everything_reads_and_nothing_writes(database_url: str):
    low = False
    database = await Database.open(database_url, low_space=lambda: low)
    try:
        async with database.session() as session:
            await session.script("create table number (key int primary key)")
        low = True
        with pytest.raises(Unavailable) as caught:
            async with database.session() as session:
                await session.execute("insert into number values (1)")
        assert caught.value.code == "disk_full"
        async with database.session() as session:
            assert await session.fetch_all("select * from number") == []
        low = False
        async with database.session() as session:
            assert await session.execute("insert into number values (1)") == 1
    finally:
        await database.close()


def test_a_failing_write_of_the_driver_is_a_full_disk_too():
    with pytest.raises(Unavailable) as caught, translated():
        raise psycopg.OperationalError("could not write: No space left on device")
    assert caught.value.code == "disk_full"


@service
async def test_transactions_in_each_others_way_run_again_until_both_hold(numbers: Database):
    async with numbers.session() as session:
        await session.execute("insert into number values (1, 0), (2, 0)")

    async def add(first: int, second: int) -> None:
        async def work(session: Session) -> None:
            for key in (first, second):
                await session.execute("update number set value = value + 1 where key = %s", (key,))
                await asyncio.sleep(0.01)

        await numbers.run(work)

    # Opposite orders: PostgreSQL finds deadlocks after a second and ends one of the two.
    await asyncio.gather(add(1, 2), add(2, 1), add(1, 2))
    async with numbers.session() as session:
        rows = await session.fetch_all("select value from number")
    assert [row["value"] for row in rows] == [3, 3]


@service
async def test_work_that_never_finds_room_is_contended_and_unavailable(numbers: Database):
    tries = []

    async def work(session: Session) -> None:
        tries.append(1)
        await session.script("do $$ begin raise exception 'x' using errcode = '40001'; end $$")

    with pytest.raises(Contended):
        await numbers.run(work)
    assert len(tries) > 5


@service
async def test_a_snapshot_reads_one_state_and_cannot_write(numbers: Database):
    async with numbers.session(snapshot=True) as session:
        assert await session.fetch_one("select 1 as x from number") is None
        async with numbers.session() as other:
            await other.execute("insert into number values (1, 1)")
        assert await session.fetch_one("select 1 as x from number") is None
    with pytest.raises(Unavailable):
        async with numbers.session(snapshot=True) as session:
            await session.execute("insert into number values (2, 1)")


@service
async def test_a_read_needs_no_transaction_and_leaves_none(numbers: Database):
    async with numbers.session() as session:
        await session.execute("insert into number values (1, 5)")
        assert await numbers.read("select value from number") == []
    assert await numbers.read("select value from number where key = %s", (1,)) == [{"value": 5}]
    with pytest.raises(MalformedInput):
        await numbers.read("select %s::text as one", ("\0",))
    with pytest.raises(AssertionError):
        await numbers.read("delete from number")
    assert await count(numbers) == 1
    [idle] = await numbers.read(
        "select count(*)::int as n from pg_stat_activity where state = 'idle in transaction'"
    )
    assert idle["n"] == 0


@service
async def test_more_callers_than_connections_take_turns(numbers: Database):
    async def write(key: int) -> None:
        async with numbers.session() as session:
            await session.execute("insert into number values (%s, 1)", (key,))

    await asyncio.gather(*(write(key) for key in range(100)))
    assert await count(numbers) == 100


@service
async def test_after_a_crash_the_same_pool_serves_again(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "pg")
    database = await Database.open(server.start())
    try:
        async with database.session() as session:
            await session.script("create table kept (n int)")
        await asyncio.gather(*(database.ready() for _ in range(8)))
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.2)
        waiting = asyncio.create_task(database.ready())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        server.start()
        started = time.monotonic()
        assert await waiting
        assert time.monotonic() - started < 1.0
        # Most connections of the pool are dead still: a read passes them over, too.
        assert await asyncio.gather(*(database.read("select n from kept") for _ in range(8))) == (
            [[]] * 8
        )
        async with database.session() as session:
            assert await session.fetch_all("select n from kept") == []
    finally:
        await database.close()
        server.stop()


@service
async def test_a_pool_that_is_used_up_says_so_in_time(database_url: str):
    database = await Database.open(database_url, connections_max=1, checkout_s=0.2)
    try:
        async with database.session():
            assert not await database.ready()
        assert await database.ready()
    finally:
        await database.close()
    assert not await database.ready()


@service
async def test_connections_of_a_burst_go_after_a_while(database_url: str):
    pool = Pool(database_url, connections_max=5, checkout_s=5.0, idle_s=0.05)
    burst = [await pool.take() for _ in range(5)]
    for connection in burst:
        await pool.give(connection)
    for _ in range(5):
        await asyncio.sleep(0.06)
        await pool.give(await pool.take())
    assert sum(not connection.closed for connection in burst) == 1
    assert not burst[-1].closed
    await pool.close()
    assert burst[-1].closed


async def test_an_absent_server_is_unavailable():
    with pytest.raises(Unavailable):
        await Database.open("postgresql://nobody@127.0.0.1:1/none", checkout_s=0.3)


@service
async def test_a_server_that_only_reads_is_told_as_a_standby_and_not_as_a_full_disk(
    numbers: Database, database_url: str
):
    # A hot standby answers a writing statement in the same way: SQLSTATE 25006.
    link = make_conninfo(database_url, options="-c default_transaction_read_only=on")
    standby = await Database.open(link)
    try:
        with pytest.raises(Unavailable) as refusal:
            async with standby.session() as session:
                await session.execute("insert into number values (1, 1)")
        assert refusal.value.code == "database_read_only"
        assert refusal.value.is_own_infrastructure
        assert "target_session_attrs=read-write" in refusal.value.remedy
        assert await standby.read("select key from number") == []
    finally:
        await standby.close()
    low = await Database.open(database_url, low_space=lambda: True)
    try:
        with pytest.raises(Unavailable) as refusal:
            async with low.session() as session:
                await session.execute("insert into number values (1, 1)")
        assert refusal.value.code == "disk_full"
    finally:
        await low.close()
    assert await count(numbers) == 0


@service
async def test_of_several_hosts_the_one_that_writes_is_found(database_url: str):
    parts = conninfo_to_dict(database_url)
    hosts = f"127.0.0.1,{parts['host']}"
    ports = f"{free_port()},{parts.get('port', 5432)}"
    link = make_conninfo(database_url, host=hosts, port=ports, target_session_attrs="read-write")
    database = await Database.open(link)
    try:
        assert await database.ready()
    finally:
        await database.close()


async def test_of_a_server_that_is_away_one_asks_for_all(postgres_url: str) -> None:
    asked, open_now, most = 0, 0, 0

    async def turned_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked, open_now, most
        asked, open_now = asked + 1, open_now + 1
        most = max(most, open_now)
        await asyncio.sleep(0.02)
        open_now -= 1
        writer.close()

    server = await asyncio.start_server(turned_away, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"postgresql://x@127.0.0.1:{port}/x", connections_max=12, checkout_s=2.0)
    with pytest.raises(Unavailable):
        await pool.take()
    asked = most = 0
    refused = await asyncio.gather(*(pool.take() for _ in range(12)), return_exceptions=True)
    assert {getattr(each, "code", "") for each in refused} == {"database_unavailable"}
    assert most == 1
    assert asked <= 45
    server.close()
    await server.wait_closed()
    # Once it answers, all have their connections.
    pool._url = postgres_url
    for each in await asyncio.gather(*(pool.take() for _ in range(12))):
        await pool.give(each)
    await pool.close()
