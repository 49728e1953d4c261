"""Days that are over: in the log before they leave the database, and readable from either."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.test_vault import NOW, _report
from tests.devices.device_room import NODE

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import IdSource
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.positions import ROW, TABLE, Positions, rows_of
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.node.adapters.archived_days import ArchivedDays, LoggedDays
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.retention import Retention, Rule
from zhidao.store.database import Database, Session
from zhidao.store.day_files import check_day, days_of
from zhidao.store.families import by_table
from zhidao.store.families.partitions import DAY_NS, day_of, days_in, make
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service
DAY = day_of(NOW)


class World:
    """A node's database with two days of positions, ten days later."""

    def __init__(self, database: Database, folder: Path, what: str) -> None:
        self.database, self.folder, self.alarms = database, folder, Alarms()
        clock = HandClock(NOW.plus_ns(10 * DAY_NS))
        randomness = SeededRandomness(1)
        scribe = Scribe(
            node=NODE,
            key=SoftwareKey(Algorithm.ED25519, bytes(32)),
            ring=FixedKeyRing({}),
            clock=clock,
            ids=IdSource(clock, randomness),
            randomness=randomness,
        )
        journal = PostgresJournal(database, "node", lambda: None)
        self.days = ArchivedDays(database, by_table()[TABLE], ROW, folder)
        self.log = LoggedDays(database, journal, scribe)
        self.retention = Retention(Rule(TABLE, what, 5), self.days, self.log, self.alarms, clock)
        self.vault = PostgresVault(
            database, PostgresJournal(database, "devices", lambda: None), folder
        )

    async def put(self, *reports: Any) -> None:
        await make(self.database, by_table()[TABLE], {day_of(r.point.received_at) for r in reports})
        async with self.database.session() as session:
            await Positions(self.database).add(session, rows_of(reports))

    async def relay(self) -> None:
        """What the relay does: every fact gets its leaf."""
        async with self.database.session() as session:
            await session.execute("update node.outbox set leaf_index = 1 where leaf_index is null")

    async def left(self) -> list[Any]:
        async with self.database.session() as session:
            return await days_in(session, TABLE)

    async def points(self) -> list[Any]:
        found = await self.vault.points_between("truck-7", NOW, NOW.plus_ns(3 * DAY_NS), 500)
        return [(point.observed_at.since_ns(NOW) // NS, point.altitude_m) for point in found]


async def _world(database: Database, tmp_path: Path, what: str) -> World:
    world = World(database, tmp_path, what)
    await world.put(*(_report(n, n, n, altitude_m=n) for n in range(1, 40)))
    await world.put(*(_report(n, 86_400 + n, 86_400 + n) for n in range(100, 120)))
    await world.put(_report(500, 9 * 86_400, 9 * 86_400))
    return world


async def test_a_day_is_in_the_log_before_it_leaves_and_is_read_from_its_file(
    database: Database, tmp_path: Path
):
    pytest.importorskip("pyarrow")
    world = await _world(database, tmp_path, "archive")
    before, days = await world.points(), await world.left()
    assert len(before) == 59
    assert not await world.retention.look()
    assert not await world.retention.look()
    # Said, but no leaf yet: it stays.
    assert await world.left() == days
    assert await world.points() == before
    await world.relay()
    assert await world.retention.look()
    assert await world.left() == days[2:]
    assert await world.points() == before
    files = list(days_of(tmp_path, TABLE))
    assert [path.stem for path in files] == [str(DAY), str(DAY + timedelta(days=1))]
    for path in files:
        fact, logged = await world.log.newest(TABLE, day_of(Utc.parse(f"{path.stem}T12:00:00Z")))
        assert logged
        assert fact is not None
        assert fact.root == check_day(path).root
    assert await world.retention.look()
    assert not world.alarms.standing()


async def test_rows_that_came_after_the_root_was_said_are_said_before_they_leave(
    database: Database, tmp_path: Path
):
    pytest.importorskip("pyarrow")
    world = await _world(database, tmp_path, "archive")
    await world.retention.look()
    await world.relay()
    await world.put(_report(999, 50, 50))
    before = await world.points()
    assert not await world.retention.look()
    assert DAY in await world.left()
    await world.relay()
    assert await world.retention.look()
    assert DAY not in await world.left()
    assert await world.points() == before


async def test_a_process_that_dies_at_any_statement_loses_no_row(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("pyarrow")
    world = await _world(database, tmp_path, "archive")
    before, deaths, done = await world.points(), 0, False
    real = {
        name: getattr(Session, name) for name in ("execute", "script", "fetch_one", "fetch_all")
    }
    left = [0]

    def dying(name: str) -> Any:
        async def run(self: Session, *asked: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise InterruptedError
            return await real[name](self, *asked)

        return run

    while not done:
        left[0] = deaths
        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(Session, name, dying(name))
            try:
                done = await world.retention.look()
            except InterruptedError:
                deaths += 1
        await world.relay()
        assert await world.points() == before
    assert deaths > 5
    assert len(await world.left()) == 1


async def test_a_damaged_file_is_told_and_its_day_stays(database: Database, tmp_path: Path):
    pytest.importorskip("pyarrow")
    world = await _world(database, tmp_path, "archive")
    await world.retention.look()
    await world.relay()
    path = next(days_of(tmp_path, TABLE))
    path.with_suffix(".parquet").write_bytes(b"other")
    await world.retention.look()
    assert [each.code for each in world.alarms.standing()] == ["archive_damaged"]
    assert DAY in await world.left()


async def test_kept_and_deleted_days(database: Database, tmp_path: Path):
    world = await _world(database, tmp_path, "keep")
    days = await world.left()
    assert await world.retention.look()
    assert await world.left() == days
    deleting = World(database, tmp_path, "delete")
    assert await deleting.retention.look()
    assert await world.left() == days[2:]


async def test_nothing_is_archived_while_frames_of_before_are_read(
    database: Database, tmp_path: Path
):
    world = await _world(database, tmp_path, "delete")
    days = await world.left()
    async with database.session() as session:
        await session.execute("update devices.position_fill set done = false where part = 'frames'")
    assert await world.retention.look()
    assert await world.left() == days


@pytest.mark.parametrize(("what", "days"), [("burn", 5), ("archive", 0), ("delete", -1)])
def test_a_rule_that_is_none_is_refused_by_its_name(what: str, days: int):
    with pytest.raises(MalformedInput, match=what):
        Rule(TABLE, what, days)
