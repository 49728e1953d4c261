"""EGTS through a real socket into a real PostgreSQL: told after the commit, and stored once."""

from __future__ import annotations

import asyncio

import pytest
from tests.devices.adapters.test_egts_gateway import (
    NOW_S,
    OK,
    UNIT,
    calling,
    points,
    register,
    serving,
)
from tests.devices.device_room import device_room
from tests.devices.egts_unit import TID, Told, packet, position, record

from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service


@pytest.fixture
def durable(database: Database):
    journal = PostgresJournal(database, "devices", lambda: None)
    return device_room(PostgresVault(database, journal), journal)


async def test_a_record_is_told_only_after_the_commit(durable, database: Database):
    await register(durable)
    async with serving(durable) as gateway:
        unit = await calling(gateway)
        await unit.come_in()
        said = packet(record(position(NOW_S), number=7, oid=TID), number=20)
        async with database.session() as other:
            # Whoever would add a frame waits from here on, and with him whoever is to be told.
            await other.execute("lock table devices.frame in share row exclusive mode")
            unit.writer.write(said)
            with pytest.raises(TimeoutError):
                await unit.heard(timeout_s=0.7)
        assert await database.read("select count(*) as n from devices.frame") == [{"n": 0}]
        # What was in doubt is sent again on the same line, and told for both.
        unit.close()
        again = await calling(gateway)
        await again.come_in()
        assert await again.say_raw(said) == Told(OK, {7: OK})
        assert await database.read("select count(*) as n from devices.frame") == [{"n": 1}]
        again.close()
    assert len(await points(durable)) == 1


async def test_a_repeat_is_told_again_and_stored_once(durable, database: Database):
    await register(durable)
    async with serving(durable) as gateway:
        for number in range(3):
            unit = await calling(gateway)
            await unit.come_in()
            said = [record(position(NOW_S - n), number=number * 9 + n, oid=TID) for n in range(20)]
            told = dict.fromkeys(range(number * 9, number * 9 + 20), OK)
            assert await unit.say(*said) == Told(OK, told)
            both = await asyncio.gather(*(_said_by(gateway, said) for _ in range(2)))
            assert Told(OK, told) in both
            unit.close()
    assert len(await points(durable)) == await durable.vault.count_frames(UNIT) == 20
    assert await durable.tracks.record() == 20


async def _said_by(gateway, said) -> Told:
    """What a line is told that another one of the same unit may end."""
    unit = await calling(gateway)
    try:
        await unit.come_in()
        return await unit.say(*said)
    except (OSError, EOFError):
        return Told(-1)
    finally:
        unit.close()
