"""When a process's clock and the database's are told to differ."""

from __future__ import annotations

import asyncio

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.database_clock import AWAY_S, CODE, DatabaseClock

HERE_S = 1_800_000_000


class World:
    def __init__(self) -> None:
        self.alarms = Alarms()
        self.clock = HandClock(Utc.from_unix_ns(HERE_S * NS))
        self.there_s = float(HERE_S)
        self.took_s = 0.0
        self.away = False
        self.watch = DatabaseClock(self.now_s, self.clock, self.alarms)

    async def now_s(self) -> float:
        if self.away:
            raise Unavailable("away")
        self.clock.set(self.clock.now().plus_ns(int(self.took_s * NS)))
        return self.there_s


@pytest.mark.parametrize(
    ("there_s", "told"), [(0, 0), (AWAY_S, 0), (AWAY_S + 0.1, -5), (-3600, 3600)]
)
async def test_it_is_told_beyond_five_seconds_either_way(there_s: float, told: int):
    world = World()
    world.there_s += there_s
    await world.watch.look()
    assert [each.args["seconds"] for each in world.alarms.standing()] == ([told] if told else [])


async def test_it_is_taken_back_once_they_agree_and_kept_while_nobody_tells():
    world = World()
    world.there_s += 60
    await world.watch.look()
    world.away = True
    await world.watch.look()
    assert world.alarms.stands(CODE)
    world.away, world.there_s = False, float(HERE_S)
    await world.watch.look()
    assert not world.alarms.stands(CODE)


async def test_an_answer_that_took_long_tells_nothing():
    world = World()
    world.there_s, world.took_s = world.there_s + 60, 3.0
    await world.watch.look()
    assert not world.alarms.stands(CODE)


async def test_it_looks_until_it_is_ended():
    world = World()
    world.there_s += 60
    looking = asyncio.create_task(world.watch.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    looking.cancel()
    assert world.alarms.stands(CODE)
