"""A drill: the newest backup comes back in a scratch place, and all of it is looked through.

Nothing there has keys, nothing is asked over a network, and the database is read only from the
moment its rows are back.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.files.bounded import open_given
from zhidao.core.ids import IdSource
from zhidao.core.programs.child import hold_folder
from zhidao.core.timescale import NS, Utc
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.service.ledger.recovery import recover
from zhidao.node.adapters.drill_records import WaitingDrill, is_logged, leave
from zhidao.node.adapters.records_check import examine_records, log_apart
from zhidao.node.config import Config
from zhidao.node.events import DrillDone
from zhidao.node.operations.backup import Conditions, newest_counter, newest_head, number_of
from zhidao.node.operations.checkup import running_state
from zhidao.node.wiring.backups import Ambient, Progress, on_database, own_signers
from zhidao.store import backup as archives
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate
from zhidao.trust.domain.note import Checkpoint

SCRATCH: Final = "drill"
SENTENCES_MAX: Final = 10
# Rows, their indexes and the server's own files, beside one byte of an archive.
_SPACE_TIMES: Final = 6
_SPACE_LEAST: Final = 512 * 2**20
_PART_BYTES: Final = 2**20
_LOGGED_TRIES: Final = 150
_LOGGED_STEP_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """What an archive is held to. `signers`: fingerprints, none: the data folder's own keys."""

    signers: Sequence[str] = ()
    older: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the examination of a restored database says."""

    ledgers: int
    transfers: int
    wrong: tuple[str, ...]


def drill_node(
    config: Config,
    archive: archives.Archive,
    held: Held,
    *,
    scratch: Path,
    live: str,
    ambient: Ambient,
    monotonic: Callable[[], int],
    progress: Progress,
) -> DrillDone:
    """Restores an archive into `scratch` and examines what came back; all there goes again.

    `live`: URL of the node's own database, whose log must have gone on from the backup's; empty:
    not at hand. `monotonic`: nanoseconds. Blocks. Raises as `restore_node` does for an archive that
    is not to be restored, Refused (`data_in_use`) beside another drill, (`scratch_small`) where
    the disk is too small.
    """
    began, at = monotonic(), ambient.clock.now()
    conditions = Conditions(
        held.signers or own_signers(config), newest_counter(config.data).number, held.older
    )
    progress("checking the archive")
    conditions.judge(archives.inspect(archive))
    with _server(scratch, archive.file) as url:
        summary = archives.restore(archive, url, judge=conditions.judge, progress=progress)
        on_database(url, migrate)
        restored = monotonic()
        on_database(url, _close)
        progress("examining what came back")
        head = _head_of(summary)
        found = on_database(url, lambda database: _examine(database, head))
    ready = monotonic()
    meta, newest = summary.meta, newest_head(config)
    apart = on_database(live, lambda database: _log_apart(database, head)) if live else []
    made_at = str(meta.get("at", ""))
    size = head.size if head else 0
    return DrillDone(
        backup=number_of(meta),
        made_at=made_at,
        sha256=_digest(archive.file),
        signed_by=summary.signer.fingerprint if summary.signer else "",
        rows=sum(summary.rows.values()),
        log_size=size,
        log_root=head.root.hex() if head else "",
        ledgers=found.ledgers,
        transfers=found.transfers,
        wrong=[*apart, *found.wrong][:SENTENCES_MAX],
        lost_s=_seconds_since(made_at, at),
        lost_leaves=max(0, newest.size - size) if newest else 0,
        restored_ms=(restored - began) // 1_000_000,
        ready_ms=(ready - began) // 1_000_000,
    )


def record(config: Config, live: str, done: DrillDone, ambient: Ambient) -> tuple[str, bool]:
    """Leaves a drill for the node to sign; its id, and whether a running node has logged it.

    `live`: URL of the node's database. The id is empty if that has no place for drills yet.
    """
    now = ambient.clock.now()
    drill = WaitingDrill(
        id=str(IdSource(ambient.clock, ambient.randomness).new()), at=str(now), fact=done
    )

    async def write(database: Database) -> tuple[str, bool]:
        if not await leave(database, drill):
            return "", False
        for _ in range(_LOGGED_TRIES if running_state(config) else 0):
            if await is_logged(database, drill):
                return drill.id, True
            await asyncio.sleep(_LOGGED_STEP_S)
        return drill.id, False

    return on_database(live, write)


@contextmanager
def _server(scratch: Path, archive: Path) -> Iterator[str]:
    """An empty database of its own, which is gone afterwards, also one of a killed drill."""
    try:
        lock = hold_folder(scratch)
    except OSError as error:
        raise MalformedInput(
            f"{scratch} cannot be a folder for a drill: {error.strerror}",
            code="file_unusable",
            remedy="name a folder that is there, or whose parent is: --scratch FOLDER",
        ) from error
    server = EmbeddedPostgres(scratch / "postgres")
    try:
        server.discard()
        _require_space(scratch, archive.stat().st_size)
        yield server.start()
    finally:
        server.discard()
        os.close(lock)
        (scratch / "lock").unlink(missing_ok=True)
        if not any(scratch.iterdir()):
            scratch.rmdir()


def _require_space(scratch: Path, archive_bytes: int) -> None:
    needed = max(_SPACE_LEAST, _SPACE_TIMES * archive_bytes)
    status = os.statvfs(scratch)
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise Refused(
            f"a drill of this archive may need {needed // 2**20} MiB; {scratch} has"
            f" {free // 2**20} MiB free",
            code="scratch_small",
            remedy="name a folder on a larger disk: --scratch FOLDER",
        )


async def _close(database: Database) -> None:
    """From the next connection on nothing can be written."""
    async with database.session() as session:
        await session.script(
            "do $$ begin execute format("
            "'alter database %I set default_transaction_read_only = on', current_database());"
            " end $$"
        )


async def _examine(database: Database, head: Checkpoint | None) -> _Found:
    """Acts against the log, the log against its head, and each ledger from its first transfer."""
    wrong = list(await examine_records(database, head))
    store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
    shards, transfers = await store.shards(), 0
    for shard in shards:
        try:
            replayed = await recover(store, shard, from_start=True)
            kept = await recover(store, shard)
        except ZhidaoError as error:
            wrong.append(error.finding)
            continue
        transfers += replayed.replayed
        if list(replayed.book.accounts()) != list(kept.book.accounts()):
            wrong.append(f"ledger {shard}: the kept balances are not those of its transfers")
    return _Found(len(shards), transfers, tuple(wrong))


def _head_of(summary: archives.Summary) -> Checkpoint | None:
    log = summary.meta.get("log")
    if not log:
        return None
    return Checkpoint(str(log["origin"]), int(log["size"]), bytes.fromhex(str(log["root"])))


async def _log_apart(database: Database, head: Checkpoint | None) -> list[str]:
    """Whether the node's log is one that went on from the backup's."""
    async with database.session(snapshot=True) as session:
        return [f"beside the node's own log: {each}" for each in await log_apart(session, head)]


def _seconds_since(made_at: str, now: Utc) -> int:
    return max(0, (now.tai_ns - Utc.parse(made_at).tai_ns) // NS) if made_at else 0


def _digest(file: Path) -> str:
    running = hashlib.sha256()
    with open_given(file) as opened:
        while part := opened.read(_PART_BYTES):
            running.update(part)
    return running.hexdigest()
