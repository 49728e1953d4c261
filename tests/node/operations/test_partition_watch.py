"""Partitions of coming days: made every hour, and somebody is told before they are used up."""

from __future__ import annotations

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.partition_watch import AGAIN_S, EVERY_S, SHORT, PartitionWatch


class World:
    """Partitions that a database makes, or does not."""

    def __init__(self, ahead: int) -> None:
        self.ahead, self.makes, self.answers = ahead, True, True
        self.loose = 3

    async def make_ahead(self) -> int:
        if not self.makes:
            raise Unavailable("the database's disk is full", code="disk_full")
        made, self.ahead = 7 - self.ahead, 7
        return made

    async def tighten(self) -> int:
        self.loose -= bool(self.loose)
        return self.loose

    async def days_ahead(self) -> int:
        if not self.answers:
            raise Unavailable("the database does not answer", code="database_unavailable")
        return self.ahead


@pytest.mark.parametrize(("ahead", "alarmed"), [(7, False), (2, False), (1, True), (0, True)])
async def test_with_fewer_than_two_days_somebody_is_told(ahead: int, *, alarmed: bool) -> None:
    world, alarms = World(ahead), Alarms()
    world.makes = False
    assert not await PartitionWatch(world, alarms, 2).look()
    assert [each.code for each in alarms.standing()] == ([SHORT] if alarmed else [])
    if alarmed:
        assert "disk is full" in alarms.standing()[0].sentence
        assert alarms.standing()[0].args == {"days": ahead}
    world.makes = True
    assert await PartitionWatch(world, alarms, 2).look()
    assert not alarms.standing()


async def test_an_absent_database_neither_raises_the_alarm_nor_takes_it_back() -> None:
    world, alarms = World(0), Alarms()
    watch = PartitionWatch(world, alarms, 2)
    world.makes = world.answers = False
    assert not await watch.look()
    assert not alarms.standing()
    world.answers = True
    await watch.look()
    world.answers = False
    await watch.look()
    assert alarms.stands(SHORT)


async def test_all_that_is_over_is_made_smaller() -> None:
    world = World(7)
    await PartitionWatch(world, Alarms(), 2).look()
    assert world.loose == 0


async def test_after_a_failure_it_looks_again_sooner() -> None:
    world, pauses = World(7), list[float]()
    world.makes = False

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        world.makes = True
        if len(pauses) == 2:
            raise StopAsyncIteration

    with pytest.raises((StopAsyncIteration, RuntimeError)):
        await PartitionWatch(world, Alarms(), 2).run(pause)
    assert pauses == [AGAIN_S, EVERY_S]
