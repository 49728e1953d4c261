from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from zhidao.core.errors import Refused
from zhidao.store.database import Database
from zhidao.store.migrate import JOURNAL_ROOMS, Migration, all_migrations, migrate

service = pytest.mark.service
FIRST = Migration("trade", "0001_first", "create schema trade; create table trade.a (k int);")
SECOND = Migration("trade", "0002_second", "create table trade.b (k int);")


def test_every_room_gets_its_journal_before_its_own_tables():
    names = [f"{each.room}/{each.name}" for each in all_migrations()]
    assert names[0].startswith("store/")
    assert len(set(names)) == len(names)
    for room in JOURNAL_ROOMS:
        mine = [name for name in names if name.startswith(f"{room}/")]
        assert mine[0] == f"{room}/0000_journal"
        assert mine == sorted(mine)


@pytest.mark.parametrize("name", ["first.sql", "1_a.sql", "0000_a.sql", "0001_A.sql"])
def test_a_file_with_another_name_is_refused_by_name(tmp_path: Path, name: str):
    folder = tmp_path / "trade" / "adapters" / "migrations"
    folder.mkdir(parents=True)
    (folder / name).write_text("select 1")
    with pytest.raises(Refused, match=name):
        all_migrations(tmp_path)


def test_two_files_with_one_number_are_refused(tmp_path: Path):
    folder = tmp_path / "trade" / "adapters" / "migrations"
    folder.mkdir(parents=True)
    for name in ("0001_a.sql", "0001_b.sql"):
        (folder / name).write_text("select 1")
    with pytest.raises(Refused, match="0001_b"):
        all_migrations(tmp_path)


@service
async def test_each_migration_is_applied_once(empty_database_url: str):
    database = await Database.open(empty_database_url)
    try:
        assert await migrate(database, [FIRST]) == ("trade/0001_first",)
        assert await migrate(database, [FIRST, SECOND]) == ("trade/0002_second",)
        assert await migrate(database, [FIRST, SECOND]) == ()
    finally:
        await database.close()


@service
async def test_a_changed_or_unknown_migration_is_refused_by_name(empty_database_url: str):
    database = await Database.open(empty_database_url)
    try:
        await migrate(database, [FIRST, SECOND])
        with pytest.raises(Refused, match="trade/0001_first") as changed:
            await migrate(database, [replace(FIRST, sql=FIRST.sql + " "), SECOND])
        assert changed.value.code == "migration_changed"
        with pytest.raises(Refused, match="trade/0002_second") as newer:
            await migrate(database, [FIRST])
        assert newer.value.code == "newer_schema"
    finally:
        await database.close()


@service
async def test_a_failing_migration_leaves_nothing(empty_database_url: str):
    database = await Database.open(empty_database_url)
    try:
        broken = Migration("trade", "0002_broken", "create table trade.c (k int); select 1/0;")
        with pytest.raises(Exception, match="division by zero"):
            await migrate(database, [FIRST, broken])
        async with database.session() as session:
            found = await session.fetch_one("select to_regclass('trade.a') is not null as there")
        assert found == {"there": False}
    finally:
        await database.close()


@service
async def test_nodes_that_start_together_take_turns(empty_database_url: str):
    databases = [await Database.open(empty_database_url) for _ in range(3)]
    try:
        answers = await asyncio.gather(*(migrate(database) for database in databases))
    finally:
        for database in databases:
            await database.close()
    applied = [name for answer in answers for name in answer]
    assert len(applied) == len(set(applied)) == len(all_migrations())
    with psycopg.connect(empty_database_url) as link:
        row = link.execute("select count(*) from store.migration").fetchone()
    assert row == (len(applied),)
