"""A keeper on memory leases and a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.adapters.leases.memory import MemoryLeases
from zhidao.node.leases.keeper import LeaseKeeper
from zhidao.node.leases.lease import LEASE_S, Watch

ROLES = ("ledger", "log")


class World:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.leases = MemoryLeases(lambda: self.now_s)

    def keeper(self, holder: str) -> LeaseKeeper:
        return LeaseKeeper(self.leases, ROLES, Watch(holder), clock_s=lambda: self.now_s)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_first_takes_and_the_second_waits_until_it_is_silent(world: World):
    first, second = world.keeper("a"), world.keeper("b")
    grant = await first.try_once()
    assert grant is not None
    assert await second.try_once() is None
    world.now_s += LEASE_S - 0.1
    assert await second.try_once() is None
    world.now_s += 0.2
    later = await second.try_once()
    assert later is not None
    assert later.epoch > grant.epoch
    assert world.leases.cut == ["a"]


async def test_a_sleeper_knows_by_its_own_clock_that_it_may_not_write(world: World):
    keeper = world.keeper("a")
    assert keeper.unsure() == "this process holds no lease"
    await keeper.try_once()
    assert keeper.unsure() == ""
    world.now_s += LEASE_S
    assert "was not renewed" in keeper.unsure()


async def test_a_fenced_process_hears_it_and_may_not_take_the_lease_back_at_once(world: World):
    first, second = world.keeper("a"), world.keeper("b")
    await first.try_once()
    await second.try_once()
    world.now_s += LEASE_S
    await second.try_once()
    assert await asyncio.wait_for(first.hold(), 1) == "another process has taken over"
    assert first.grant is None
    await first.try_once()
    world.now_s += LEASE_S + 1
    assert await first.try_once() is None
    world.now_s += 10
    assert await first.try_once() is not None


async def test_a_release_lets_the_standby_in_at_once(world: World):
    first, second = world.keeper("a"), world.keeper("b")
    await first.try_once()
    assert await second.try_once() is None
    await first.release()
    assert await asyncio.wait_for(second.acquire(), 1)


async def test_who_is_told_to_give_up_releases(world: World):
    keeper = world.keeper("a")
    await keeper.try_once()
    keeper.give_up("the log is another's")
    assert await asyncio.wait_for(keeper.hold(), 1) == "the log is another's"
    assert {each.holder for each in await world.leases.look()} == {""}


async def test_a_renewal_that_fails_is_tried_again_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    keeper = world.keeper("a")
    await keeper.try_once()
    answers = [Unavailable("away"), Unavailable("away"), None]
    renew, renewed = world.leases.renew, asyncio.Event()

    async def flaky(grant: object) -> bool:
        if (error := answers.pop(0)) is not None:
            raise error
        renewed.set()
        return await renew(grant)  # type: ignore[arg-type]

    monkeypatch.setattr(world.leases, "renew", flaky)
    holding = asyncio.create_task(keeper.hold())
    await asyncio.wait_for(renewed.wait(), 2)
    await asyncio.sleep(0)
    assert keeper.grant is not None
    assert keeper.unsure() == ""
    holding.cancel()
