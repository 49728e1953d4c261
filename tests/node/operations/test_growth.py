"""Growth is sampled and thinned evenly; letters given up are told without what stands in them."""

from __future__ import annotations

import itertools

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.timescale import NS, Utc
from zhidao.node.adapters.operation_records import PostgresOperationRecords
from zhidao.node.adapters.postgres import PostgresDeadLetters
from zhidao.node.events import Sample
from zhidao.node.operations.growth import EVERY_S, KEPT_DAYS, Growth, thinned
from zhidao.store.database import Database

START = Utc.parse("2026-11-29T10:00:00Z")


def sample(place: int) -> Sample:
    at = START.plus_ns(place * NS)
    return Sample(at=at, database_bytes=place, free_bytes=1, leaves=2)


@pytest.mark.parametrize(("many", "most", "kept"), [(0, 3, 0), (3, 3, 3), (4, 3, 3), (1000, 3, 3)])
def test_a_plot_gets_the_first_the_last_and_evenly_between(many: int, most: int, kept: int) -> None:
    every = [sample(place) for place in range(many)]
    found = thinned(every, most)
    assert len(found) == kept
    if many:
        assert (found[0], found[-1]) == (every[0], every[-1])
    gaps = [b.database_bytes - a.database_bytes for a, b in itertools.pairwise(found)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.service
async def test_samples_are_kept_for_ninety_days(database: Database) -> None:
    clock = HandClock(START)
    records = PostgresOperationRecords(database)

    async def leaves() -> int:
        return 417

    growth = Growth(records, lambda: 1_000, leaves, clock)
    await growth.sample()
    clock.advance(EVERY_S)
    await growth.sample()
    first, second = await growth.told()
    assert (first.at, second.free_bytes, second.leaves) == (START, 1_000, 417)
    # An empty database of this release has all its tables already.
    assert first.database_bytes > 5_000_000
    clock.advance(KEPT_DAYS * 86_400)
    await growth.sample()
    assert [each.at for each in await growth.told()] == [
        START.plus_ns(EVERY_S * NS),
        clock.now(),
    ]


@pytest.mark.service
async def test_a_letter_given_up_is_told_without_what_stands_in_it(database: Database) -> None:
    dead = PostgresDeadLetters(database)
    for place in range(3):
        await dead.add(
            consumer="node-roads",
            message_id=str(place),
            subject="trade.X",
            reason=f"reason {place}",
            data=b"secret of a party",
            at=START.plus_ns(place * NS).tai_ns,
        )
    found = await PostgresOperationRecords(database).dead_letters(limit=2)
    assert [each.reason for each in found] == ["reason 2", "reason 1"]
    assert "secret" not in str(found)
    assert found[0].at == "2026-11-29T10:00:02Z"
