"""One suite for every place where leases stand."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.adapters.leases.memory import MemoryLeases
from zhidao.node.adapters.leases.postgres import PostgresLeases, connection_name, fence_of
from zhidao.node.leases.lease import Grant, expected
from zhidao.node.leases.ports import Leases, Member
from zhidao.store.database import Database

ROLES = ("ledger", "log")


class Clock:
    now_s = 1_800_000_000.0


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def leases(request: pytest.FixtureRequest) -> Leases:
    if request.param == "memory":
        return MemoryLeases(lambda: Clock.now_s)
    return PostgresLeases(request.getfixturevalue("database"), "node")


async def taken(leases: Leases, holder: str) -> Grant:
    grant = await leases.take(ROLES, holder, expected(await leases.look()))
    assert grant is not None
    return grant


async def test_roles_nobody_ever_had_are_taken_together_under_one_epoch(leases: Leases):
    grant = await taken(leases, "a")
    assert grant.roles == ROLES
    found = await leases.look()
    assert [(each.role, each.holder, each.epoch) for each in found] == [
        ("ledger", "a", grant.epoch),
        ("log", "a", grant.epoch),
    ]
    assert all(-5.1 <= each.over_s <= 0 for each in found)


async def test_a_takeover_raises_the_epoch_and_ends_the_earlier_hold(leases: Leases):
    first = await taken(leases, "a")
    second = await taken(leases, "b")
    assert second.epoch > first.epoch
    assert not await leases.renew(first)
    assert await leases.renew(second)
    # Who takes again is not who held before, even under one name.
    third = await taken(leases, "b")
    assert not await leases.renew(second)
    assert await leases.renew(third)


async def test_what_was_renewed_meanwhile_is_not_taken(leases: Leases):
    grant = await taken(leases, "a")
    stood = expected(await leases.look())
    assert await leases.renew(grant)
    assert await leases.take(ROLES, "b", stood) is None
    assert await leases.renew(grant)


async def test_of_two_that_saw_the_same_one_takes(leases: Leases):
    stood = expected(await leases.look())
    both = await asyncio.gather(leases.take(ROLES, "a", stood), leases.take(ROLES, "b", stood))
    assert sum(grant is not None for grant in both) == 1


async def test_a_release_frees_what_is_still_held_and_nothing_else(leases: Leases):
    first = await taken(leases, "a")
    second = await taken(leases, "b")
    await leases.release(first)
    assert {each.holder for each in await leases.look()} == {"b"}
    await leases.release(second)
    assert {each.holder for each in await leases.look()} == {""}
    assert not await leases.renew(second)


async def test_processes_are_listed_until_they_leave(leases: Leases):
    await leases.tell(Member("b", "api,page", "http://127.0.0.1:2", "", "word"))
    await leases.tell(Member("a", "all", "http://127.0.0.1:1", "pem", "other"))
    await leases.tell(Member("b", "page", "http://127.0.0.1:3", "", "word"))
    found = await leases.members()
    assert [(each.holder, each.roles, each.url) for each in found] == [
        ("a", "all", "http://127.0.0.1:1"),
        ("b", "page", "http://127.0.0.1:3"),
    ]
    assert (found[0].certificate, found[0].password) == ("pem", "other")
    await leases.leave("a")
    assert [each.holder for each in await leases.members()] == ["b"]


@pytest.mark.service
async def test_nodes_on_one_database_have_leases_of_their_own(database: Database):
    one, other = PostgresLeases(database, "one"), PostgresLeases(database, "other")
    grant = await taken(one, "a")
    await taken(other, "a")
    assert await one.renew(grant)
    assert len(await one.look()) == len(ROLES)


@pytest.mark.service
async def test_a_writer_stopped_inside_its_transaction_is_cut_off(
    database: Database, database_url: str
):
    leases = PostgresLeases(database, "node")
    grant = await taken(leases, "a")
    writer = await Database.open(
        database_url, fence=fence_of("node", grant), holder=connection_name("a")
    )
    with pytest.raises(Unavailable):
        await write_slowly(writer, leases)
    await writer.close()
    assert {(each.holder, each.epoch > grant.epoch) for each in await leases.look()} == {
        ("b", True)
    }


async def write_slowly(writer: Database, leases: Leases) -> None:
    async with writer.session() as session:
        await session.check_fence()
        # As if the process had been stopped here: another comes, and cannot wait for it.
        await taken(leases, "b")
        await session.execute("select 1")


@pytest.mark.service
async def test_renewals_and_writers_do_not_wait_for_each_other(
    database: Database, database_url: str
):
    leases = PostgresLeases(database, "node")
    grant = await taken(leases, "a")
    writer = await Database.open(database_url, fence=fence_of("node", grant))
    async with asyncio.timeout(20), writer.session() as session:
        await session.check_fence()
        assert await leases.renew(grant)
        await session.check_fence()
    await writer.close()


async def test_it_tells_the_time_by_which_leases_run(leases: Leases):
    first_s = await leases.now_s()
    assert first_s > 1_700_000_000
    assert 0 <= await leases.now_s() - first_s < 60
