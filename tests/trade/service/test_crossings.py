"""Border crossings: told once on arrival and once on leaving, in an order that can be."""

from __future__ import annotations

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.timescale import Utc
from zhidao.trade.events import CrossingObserved
from zhidao.trade.service.crossings import Between, Crossings

ID = "zd-2026-0001"


def at(hour: int, minute: int = 0) -> Utc:
    return Utc.parse(f"2026-09-12T{hour:02d}:{minute:02d}:00Z")


CAME, LEFT = Between(at(4), at(4, 10)), Between(at(9), at(9, 10))


@pytest.fixture
async def crossings(world, entry_bytes):
    await world.consignments.enter(world.actor("exporter"), entry_bytes)
    clock = HandClock(at(12))
    return Crossings(records=world.records, consignments=world.consignments, clock=clock)


async def told(world, crossings, by: str = "carrier", **changed):
    body = {"crossing": "khorgos", "side": "KZ", "entered": CAME, "left": None, **changed}
    return await crossings.observe(world.actor(by), ID, **body)


async def test_goods_come_and_leave_and_the_same_word_again_changes_nothing(world, crossings):
    came = await told(world, crossings)
    assert (came.left_from, came.mark, came.simulated) == ("", "claimed", True)
    left = await told(world, crossings, left=LEFT)
    written = len(world.journal.written)
    assert await told(world, crossings, left=LEFT) == left
    assert len(world.journal.written) == written
    [first, second] = await world.records.history(f"crossing/{ID}/khorgos/KZ")
    assert [CrossingObserved.of(each).left_to for each in (first, second)] == ["", str(at(9, 10))]
    # The other side of it is another matter.
    assert (await told(world, crossings, side="CN", left=LEFT)).side == "CN"


async def test_another_word_is_refused_and_nothing_is_written(world, crossings):
    await told(world, crossings, left=LEFT)
    written = len(world.journal.written)
    for other in (
        {"left": Between(at(9), at(9, 11))},
        {"left": None},
        {"entered": Between(at(3), at(4, 10)), "left": LEFT},
    ):
        with pytest.raises(Conflict) as refused:
            await told(world, crossings, **other)
        assert refused.value.code == "crossing_told"
    assert len(world.journal.written) == written


async def test_who_may_tell_are_carrier_and_customs(world, crossings):
    await told(world, crossings, by="customs")
    for other in ("exporter", "importer", "importer-bank"):
        with pytest.raises(Forbidden):
            await told(world, crossings, by=other)
    with pytest.raises(NotFound):
        await told(world, crossings, by="stranger")


@pytest.mark.parametrize(
    ("entered", "left", "code"),
    [
        (Between(at(4, 10), at(4)), None, "crossing_order"),
        (CAME, Between(at(9, 10), at(9)), "crossing_order"),
        (CAME, Between(at(3, 59), at(9)), "crossing_order"),
        (CAME, Between(at(4, 5), at(4, 9)), "crossing_order"),
        (Between(at(4), at(12, 6)), None, "not_observed_yet"),
        (CAME, Between(at(9), at(12, 6)), "not_observed_yet"),
    ],
)
async def test_an_order_that_cannot_be_is_refused(world, crossings, entered, left, code):
    with pytest.raises(Refused) as refused:
        await told(world, crossings, entered=entered, left=left)
    assert refused.value.code == code
    # What is just within is taken: the same minute, and a clock that is five minutes ahead.
    edge = Between(at(4), at(4, 10))
    await told(world, crossings, entered=edge, left=Between(at(4), at(12, 5)))
