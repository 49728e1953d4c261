"""Backups of a node, and the way back: everything but its keys and the copy of the log's head.

Both stay outside on purpose. Keys move by an act of their own. The copy of the newest checkpoint
is how a restored older database is noticed, so it must not be put back together with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao import __version__
from zhidao.core.canonical import Json
from zhidao.core.errors import ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.node.config import Config
from zhidao.node.database_access import database_of
from zhidao.store import backup as archive
from zhidao.store.database import Database
from zhidao.store.migrate import migrate
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.note import decode_note, parse_checkpoint

HEAD_COPY: Final = "log/checkpoint"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what the node will say of it when it starts.

    `log_size`: leaves of the backup's log, None if it had none; `newest_size`: leaves of the copy
    of the newest head beside the database, None without a copy. `keys`: how many key files stand
    in the data folder.
    """

    summary: archive.Summary
    migrations: tuple[str, ...]
    log_size: int | None
    newest_size: int | None
    keys: int

    @property
    def recovering(self) -> bool:
        """Whether the database lacks leaves that the newest head covers."""
        return (self.newest_size or 0) > (self.log_size or 0)


def backup_node(config: Config, out: Path, *, at: Utc, progress: Progress) -> archive.Summary:
    """Writes the node's database to a new file of mode 0600; the node may go on serving.

    Raises Refused (`file_exists`, `no_node`), Unavailable (`disk_full`).
    """
    head = newest_head(config)
    meta: dict[str, Json] = {
        "node": config.text("node.name"),
        "organisation": config.text("node.organisation"),
        "version": __version__,
        "at": str(at),
        "log": _plain(head) if head else None,
    }
    with database_of(config) as url:
        return archive.backup(url, out, meta, progress)


def restore_node(config: Config, source: Path, *, progress: Progress) -> Restored:
    """Fills the node's empty database from a backup and brings its schema up to date.

    The whole file is checked before anything is made. Raises MalformedInput (`backup_truncated`,
    `backup_damaged`, `backup_foreign`), Refused (`backup_newer`, `target_not_empty`).
    """
    checked = archive.inspect(source)
    with database_of(config, make=True) as url:
        summary = archive.restore(source, url, progress)
        migrations, size = asyncio.run(_brought_up(url))
    head = newest_head(config)
    return Restored(
        summary=summary if summary.rows else checked,
        migrations=migrations,
        log_size=size,
        newest_size=head.size if head else None,
        keys=len(list((config.data / "keys").glob("*.key"))),
    )


def newest_head(config: Config) -> Checkpoint | None:
    """The log's newest head by the copy beside the database, None if there is none to read."""
    try:
        return parse_checkpoint(decode_note((config.data / HEAD_COPY).read_bytes()).text)
    except (FileNotFoundError, ZhidaoError):
        return None


async def _brought_up(url: str) -> tuple[tuple[str, ...], int | None]:
    database = await Database.open(url)
    try:
        applied = await migrate(database)
        async with database.session() as session:
            row = await session.fetch_one("select max(size) as size from trust.log_head")
        return applied, None if row is None else row["size"]
    finally:
        await database.close()


def _plain(head: Checkpoint) -> dict[str, Json]:
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}
