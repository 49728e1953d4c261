"""A database with too few copies is told within seconds, and stops writing only where that is set."""

from __future__ import annotations

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.availability.copies import Copies, Copy
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.replication_watch import BUS_CODE, CODE, ReplicationWatch
from zhidao.node.operations.signing_permit import SigningPermit


class World:
    """What database and bus answer, set by the test."""

    def __init__(self) -> None:
        self.copies: Copies | None = Copies("b", [Copy("streaming", "sync")])
        self.lacking: int | None = 0
        self.alarms = Alarms()

    async def database(self) -> Copies:
        if self.copies is None:
            raise Unavailable("away")
        return self.copies

    async def bus(self) -> int:
        if self.lacking is None:
            raise Unavailable("away")
        return self.lacking

    def watch(self, *, wanted: int = 1, strict: bool = False) -> ReplicationWatch:
        return ReplicationWatch(self.database, self.bus, self.alarms, wanted=wanted, strict=strict)


@pytest.mark.parametrize(
    ("copies", "well"),
    [
        (Copies("b", [Copy("streaming", "sync")]), True),
        (Copies("ANY 1 (b, c)", [Copy("streaming", "quorum")]), True),
        (Copies("", []), False),
        (Copies("b", []), False),
        (Copies("", [Copy("streaming", "async")]), False),
        (Copies("b", [Copy("catchup", "sync")]), False),
        (Copies("b", [Copy("streaming", "potential")]), False),
    ],
)
async def test_an_alarm_stands_while_no_synchronous_standby_streams(
    copies: Copies, *, well: bool
) -> None:
    world = World()
    world.copies = copies
    watch = world.watch()
    await watch.look()
    assert world.alarms.stands(CODE) is not well
    world.copies = Copies("b", [Copy("streaming", "sync")])
    await watch.look()
    assert not world.alarms.stands(CODE)


async def test_with_two_wanted_one_is_too_few() -> None:
    world = World()
    await world.watch(wanted=2).look()
    [alarm] = world.alarms.standing()
    assert alarm.args == {"held": 1, "wanted": 2}


async def test_where_nobody_wants_a_standby_none_is_missed() -> None:
    world = World()
    world.copies = Copies("", [])
    await world.watch(wanted=0).look()
    assert world.alarms.standing() == []


async def test_a_role_that_sees_nothing_is_told_what_to_grant() -> None:
    world = World()
    world.copies = Copies("b", [Copy("", "")])
    await world.watch().look()
    [alarm] = world.alarms.standing()
    assert "pg_monitor" in alarm.remedy


async def test_what_was_seen_stands_while_the_database_is_away() -> None:
    world = World()
    world.copies = Copies("", [])
    watch = world.watch(strict=True)
    await watch.look()
    world.copies = None
    await watch.look()
    assert world.alarms.stands(CODE)
    assert watch.stopped()


async def test_only_a_strict_node_stops_and_its_permit_says_why() -> None:
    world = World()
    world.copies = Copies("", [])
    lax, strict = world.watch(), world.watch(strict=True)
    await lax.look()
    await strict.look()
    assert (lax.stopped(), bool(strict.stopped())) == ("", True)
    permit = SigningPermit()
    permit.check()
    permit.copies = strict.stopped
    with pytest.raises(Unavailable) as refused:
        permit.check()
    assert refused.value.code == CODE
    assert permit.stopped
    world.copies = Copies("b", [Copy("streaming", "sync")])
    await strict.look()
    permit.check()
    assert permit.stopped == ""


async def test_a_bus_with_fewer_copies_is_degraded_and_one_that_is_away_is_told_elsewhere() -> None:
    world = World()
    watch = world.watch()
    world.lacking = 1
    await watch.look()
    assert world.alarms.stands(BUS_CODE)
    world.lacking = None
    await watch.look()
    assert not world.alarms.stands(BUS_CODE)
    world.lacking = 1
    await watch.look()
    world.lacking = 0
    await watch.look()
    assert world.alarms.standing() == []
