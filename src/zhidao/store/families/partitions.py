"""Tables whose rows lie in a partition for each day (UTC) of a column of TAI nanoseconds.

A partition is made beside its table and then attached, which stops neither readers nor writers. It
is made days ahead by the node, and at once by a writer who meets a day that has none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from zhidao.core.timescale import NS, Utc
from zhidao.store.database import Database, Session
from zhidao.store.families import FAMILIES, Family

DAY_NS: Final = 86_400 * NS
AHEAD_DAYS: Final = 7
# With fewer than these made ahead somebody is told.
AHEAD_DAYS_LEAST: Final = 2
# "zhidao" and a version beside the migrations' own, so that two that make partitions take turns.
_LOCK: Final = 0x7A68_6964_616F_02
# Longer than this nobody waits behind a partition that is being attached.
_LOCK_MS: Final = 900
_DAY: Final = re.compile(r"_(\d{8})\Z")
_PARTITIONS: Final = (
    "select child.relname::text as name from pg_inherits as i"
    " join pg_class as child on child.oid = i.inhrelid"
    " where i.inhparent = %s::text::regclass"
)

# What is said of a partition whose indexes were rebuilt.
TIGHT: Final = "tight"
_LOOSE: Final = (
    "select child.relname::text as name from pg_inherits as i"
    " join pg_class as child on child.oid = i.inhrelid"
    " where i.inhparent = %s::text::regclass"
    " and obj_description(child.oid, 'pg_class') is distinct from %s"
)
_INVALID: Final = (
    "select indexrelid::regclass::text as name from pg_index"
    " where indrelid = %s::text::regclass and not indisvalid"
)


def by_day(families: Iterable[Family] = FAMILIES) -> tuple[Family, ...]:
    """The families that have a partition for each day."""
    return tuple(family for family in families if family.days)


def day_of(at: Utc) -> date:
    """The day on which an instant lies, in UTC."""
    return at.to_datetime().date()


def start_of(day: date) -> Utc:
    """The first instant of a day."""
    return Utc.from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))


def days_from(first: date, end: date) -> Sequence[date]:
    """The days from `first` to before `end`."""
    return [first + timedelta(days=each) for each in range((end - first).days)]


async def days_in(session: Session, table: str) -> list[date]:
    """The days that have a partition, in order."""
    return await _days(session, _PARTITIONS, (table,))


async def _days(session: Session, sql: str, params: tuple[str, ...]) -> list[date]:
    rows = await session.fetch_all(sql, params)
    found = (_DAY.search(row["name"]) for row in rows)
    return sorted(date.fromisoformat(match[1]) for match in found if match)


async def make(database: Database, family: Family, days: Collection[date]) -> int:
    """Makes the partitions of those days that are missing; returns how many.

    Each is a transaction of its own: interrupted, the next call goes on. Raises Unavailable if a
    lock is not had within a second.
    """
    async with database.session() as session:
        missing = sorted(set(days) - set(await days_in(session, family.table)))
    for day in missing:
        await _make(database, family, day)
    return len(missing)


async def make_ahead(database: Database, now: Utc, families: Iterable[Family] = FAMILIES) -> int:
    """Makes today's partitions and those of the next seven days; returns how many."""
    today = day_of(now)
    days = days_from(today, today + timedelta(days=AHEAD_DAYS + 1))
    return sum([await make(database, family, days) for family in by_day(families)])


async def days_ahead(database: Database, now: Utc, families: Iterable[Family] = FAMILIES) -> int:
    """For how many days after today every family has its partition."""
    today, least = day_of(now), AHEAD_DAYS
    async with database.session() as session:
        for family in by_day(families):
            days = set(await days_in(session, family.table))
            ahead = 0
            while ahead < AHEAD_DAYS and today + timedelta(days=ahead + 1) in days:
                ahead += 1
            least = min(least, ahead)
    return least


async def tighten(database: Database, now: Utc, families: Iterable[Family] = FAMILIES) -> int:
    """Rebuilds the indexes of one day of each family, over for a day or more; returns how many.

    While rows come from many keys in turns, pages of a B-tree stay a third empty. Rebuilt beside
    the old ones, so that nobody waits; what an interrupted attempt left is taken away first.
    """
    done = 0
    for family in by_day(families):
        async with database.session() as session:
            loose = await _days(session, _LOOSE, (family.table, TIGHT))
        if loose and loose[0] < day_of(now) - timedelta(days=1):
            await _tighten(database, f"{family.table}_{loose[0]:%Y%m%d}")
            done += 1
    return done


async def _tighten(database: Database, name: str) -> None:
    async with database.session() as session:
        for left in await session.fetch_all(_INVALID, (name,)):
            await session.script(f"drop index {left['name']}")
    await database.alone(f"reindex table concurrently {name}")
    async with database.session() as session:
        await session.script(f"comment on table {name} is '{TIGHT}'")


def making(family: Family, day: date) -> str:
    """The statements that make one partition beside its table and attach it."""
    name = f"{family.table}_{day:%Y%m%d}"
    first, end = (start_of(each).tai_ns for each in (day, day + timedelta(days=1)))
    return (
        f"create table {name} (like {family.table} including all);"
        f" create index on {name} using brin ({', '.join(family.brin)});"
        f" alter table {family.table} attach partition {name} for values from ({first}) to ({end})"
    )


async def _make(database: Database, family: Family, day: date) -> None:
    async def work(session: Session) -> None:
        await session.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        if day not in await days_in(session, family.table):
            await session.script(f"set local lock_timeout = {_LOCK_MS}; {making(family, day)}")

    await database.run(work)
