"""Numbered SQL migrations: applied once each, in order, and never changed afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.errors import Refused
from zhidao.store.database import Database, Session

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\Z")
# "zhidao" and a version, so that no other program's advisory lock is met by chance.
_LOCK: Final = 0x7A68_6964_616F_01
JOURNAL_NAME: Final = "0000_journal"

# Floor order: a room's tables may lean on what stands below.
JOURNAL_ROOMS: Final = (
    "devices",
    "connectivity",
    "trust",
    "exchange",
    "positioning",
    "industry",
    "insight",
    "trade",
    "finance",
    "node",
)

# The book of what was applied.
BOOK: Final = """
create schema if not exists store;
create table if not exists store.migration (
    room text not null,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null,
    primary key (room, name)
);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a room's schema. `name` is the file's name without its ending."""

    room: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the text in lower-case hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations(package: Path = _PACKAGE) -> tuple[Migration, ...]:
    """Every migration of this program, in the order in which they are applied."""
    template = (_PACKAGE / "store" / "journal.sql").read_text()
    found = _read("store", _PACKAGE / "store" / "migrations")
    for room in JOURNAL_ROOMS:
        found.append(Migration(room, JOURNAL_NAME, template.replace("{room}", room)))
        found += _read(room, package / room / "adapters" / "migrations")
    return tuple(found)


async def migrate(
    database: Database, migrations: Sequence[Migration] | None = None
) -> tuple[str, ...]:
    """Applies what is missing in one transaction and returns the names (`room/name`).

    Several nodes may call this at once: they take turns. Raises Refused with code
    `migration_changed` if an applied one has other text now, and `newer_schema` if the database
    bears one that this program does not know.
    """
    wanted = tuple(all_migrations() if migrations is None else migrations)

    async def work(session: Session) -> tuple[str, ...]:
        await session.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        await session.script(BOOK)
        missing = _missing(wanted, await _applied(session))
        for migration in missing:
            await session.script(migration.sql)
            await session.execute(
                "insert into store.migration (room, name, sha256, applied_at)"
                " values (%s, %s, %s, clock_timestamp())",
                (migration.room, migration.name, migration.sha256),
            )
        return tuple(f"{each.room}/{each.name}" for each in missing)

    return await database.run(work)


async def _applied(session: Session) -> dict[tuple[str, str], str]:
    rows = await session.fetch_all("select room, name, sha256 from store.migration")
    return {(row["room"], row["name"]): row["sha256"] for row in rows}


def _missing(
    wanted: Sequence[Migration], applied: dict[tuple[str, str], str]
) -> tuple[Migration, ...]:
    for migration in wanted:
        before = applied.get((migration.room, migration.name))
        if before not in (None, migration.sha256):
            raise Refused(
                f"migration {migration.room}/{migration.name} was changed after it was applied",
                code="migration_changed",
                remedy="put its old text back and add a new migration instead",
            )
    unknown = sorted(set(applied) - {(each.room, each.name) for each in wanted})
    if unknown:
        raise Refused(
            f"the database bears a migration unknown to this program: {'/'.join(unknown[0])}",
            code="newer_schema",
            remedy="start the newer release that wrote this database",
        )
    return tuple(each for each in wanted if (each.room, each.name) not in applied)


def _read(room: str, folder: Path) -> list[Migration]:
    files = sorted(folder.glob("*.sql")) if folder.is_dir() else []
    numbers: set[str] = set()
    for file in files:
        match = _NAME.match(file.stem)
        if not match or match[1] in numbers or match[1] == "0000":
            raise Refused(
                f"migration {room}/{file.name}: the name is not NNNN_words.sql with a number of"
                " its own from 0001",
                code="migration_name",
            )
        numbers.add(match[1])
    return [Migration(room, file.stem, file.read_text()) for file in files]
