"""Backups of a node and the way back, with what they need of its keys, database and files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from zhidao import __version__
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.canonical import Json
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId, party_id
from zhidao.core.keys import Algorithm, Signer
from zhidao.core.timescale import Utc
from zhidao.node.adapters import backup_records as records
from zhidao.node.adapters.console_acts import ConsoleActs
from zhidao.node.adapters.keys.export import list_keys
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.config import Config
from zhidao.node.identity.own_keys import own_key_name, recording_keys
from zhidao.node.operations.backup import (
    Conditions,
    Counter,
    keep_counter,
    newest_counter,
    newest_head,
    number_of,
)
from zhidao.node.operations.checkup import running_state
from zhidao.node.operations.database_access import database_of
from zhidao.node.security.administration import Act
from zhidao.node.wiring.keys import key_source
from zhidao.store import backup as archives
from zhidao.store.database import Database, Session
from zhidao.store.migrate import migrate
from zhidao.trust.domain.note import Checkpoint

Progress = Callable[[str], None]
_T = TypeVar("_T")
_OWN: Final = Algorithm.ED25519.label


@dataclass(frozen=True, slots=True)
class Ambient:
    """What every act takes from the machine."""

    clock: Clock
    randomness: Randomness


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and what the node will say of it when it starts.

    `log_size`: leaves of the backup's log, None if it had none; `newest_size`: leaves of the copy
    of the newest head beside the database, None without a copy. `keys`: how many key files stand
    in the data folder. `tokens`, `people`: who was withdrawn by the restore. `newest`: the number
    of the newest backup that was known before, 0 if nobody knew of one.
    """

    summary: archives.Summary
    migrations: tuple[str, ...]
    log_size: int | None
    newest_size: int | None
    keys: int
    tokens: tuple[str, ...]
    people: tuple[str, ...]
    newest: int

    @property
    def recovering(self) -> bool:
        """Whether the database lacks leaves that the newest head covers."""
        return (self.newest_size or 0) > (self.log_size or 0)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who restores asks for.

    `signers`: fingerprints to which the archive is held, none: the keys of the data folder.
    `older`: the number of an older archive. `live`: settings of the node as it is now. `tokens`:
    ids of those that go on living.
    """

    signers: Sequence[str] = ()
    older: int | None = None
    live: Config | None = None
    tokens: Sequence[str] = ()


@dataclass(slots=True)
class _Withdrawn:
    tokens: list[tuple[str, PartyId]] = field(default_factory=list)
    people: list[tuple[str, PartyId]] = field(default_factory=list)


def backup_node(
    config: Config,
    passphrase: Callable[[], bytes],
    out: Path,
    *,
    recipient: bytes | None,
    ambient: Ambient,
    warn: Callable[[str], None],
    progress: Progress,
) -> archives.Summary:
    """Writes the node's database to a new file of mode 0600; the node may go on serving.

    `passphrase` is asked for once there is something to sign with: the key with which the node
    records now. An act in the node's log numbers the archive.
    `warn` hears of what could not be written down: a full disk is no reason to be without a backup.
    Raises Refused (`file_exists`, `no_node`, `no_keys`), Unavailable (`disk_full`).
    """
    at = ambient.clock.now()
    recovery = archives.Recovery(recipient, ambient.randomness) if recipient else None
    with database_of(config) as url:
        key = on_database(url, lambda database: _signing_key(config, passphrase, database, ambient))
        kept = newest_counter(config.data).number
        note = _Noted(config, out.name, kept, sealed=recovery is not None)
        number = on_database(url, lambda database: note.number(database, ambient, warn))
        named = on_database(url, lambda database: _console(config, database, ambient).node())
        meta = _meta(config, at, number) | {"node": str(named)}
        summary = archives.backup(url, out, meta, key=key, recovery=recovery, progress=progress)
    try:
        keep_counter(config, Counter(number=number, at=str(at)))
    except OSError as error:
        warn(f"the number of this backup was not kept beside the database: {error}")
    return summary


def own_signers(config: Config) -> tuple[str, ...]:
    """Fingerprints of the data folder's own keys, which may have signed its backups."""
    listed = {key.name: key for key in list_keys(config.data / "keys") if key.algorithm == _OWN}
    found: list[str] = []
    while key := listed.get(own_key_name(len(found) + 1)):
        found.append(key.fingerprint)
    return tuple(found)


def restore_node(
    config: Config,
    archive: archives.Archive,
    wishes: Wishes,
    *,
    ambient: Ambient,
    progress: Progress,
) -> Restored:
    """Fills the node's empty database from a backup and brings its schema up to date.

    The whole file is checked and judged before anything is made. No token lives again but those
    that were asked for, and nobody who was withdrawn since. Raises MalformedInput and Refused as
    `store.backup.restore` and `Conditions.judge` do; Refused (`token_withdrawn`, `no_such_token`).
    """
    known = _known(wishes.live)
    newest = max(known.newest, newest_counter(config.data).number)
    conditions = Conditions(wishes.signers or own_signers(config), newest, wishes.older)
    refuse_withdrawn(wishes.tokens, known)
    conditions.judge(archives.inspect(archive))
    withdrawn = _Withdrawn()

    def closing(link: archives.Link) -> None:
        strangers = sorted(set(wishes.tokens) - records.living_tokens(link))
        if strangers:
            raise Refused(
                f"the backup has no living token {strangers[0]}",
                code="no_such_token",
                remedy="name ids as zhidao token list shows them",
            )
        withdrawn.tokens = records.withdraw_tokens(link, kept=wishes.tokens)
        records.close_people(link, sorted(known.people))

    with database_of(config, make=True) as url:
        summary = archives.restore(
            archive, url, judge=conditions.judge, closing=closing, progress=progress
        )
        said = {
            "made_at": str(summary.meta.get("at", "")),
            "node": str(summary.meta.get("node", "")),
            "signed_by": summary.signer.fingerprint if summary.signer else "",
            records.NUMBER: str(number_of(summary.meta)),
            records.NEWEST: str(newest),
        }
        finish = _Finish(config, archive.file.name, said, known, withdrawn)
        migrations, size = on_database(url, lambda database: finish.run(database, ambient))
    head = newest_head(config)
    return Restored(
        summary=summary,
        migrations=migrations,
        log_size=size,
        newest_size=head.size if head else None,
        keys=len(list((config.data / "keys").glob("*.key"))),
        tokens=tuple(token for token, _ in withdrawn.tokens),
        people=tuple(name for name, _ in withdrawn.people),
        newest=newest,
    )


def refuse_withdrawn(tokens: Sequence[str], known: records.Known) -> None:
    """Raises Refused (`token_withdrawn`) if a token that is asked for was withdrawn since."""
    gone = sorted(set(tokens) & known.tokens)
    if gone:
        raise Refused(
            f"token {gone[0]} was withdrawn since",
            code="token_withdrawn",
            remedy="make a new one: zhidao token make",
        )


@dataclass(frozen=True, slots=True)
class _Noted:
    """Numbers a backup and writes that down, as far as the disk allows."""

    config: Config
    file: str
    kept: int
    sealed: bool

    async def number(
        self, database: Database, ambient: Ambient, warn: Callable[[str], None]
    ) -> int:
        console = _console(self.config, database, ambient)
        if not await console.are_kept():
            return self.kept + 1
        node = await console.node()

        async def numbered(session: Session) -> tuple[int, Any]:
            number = max(await records.next_number(session), self.kept + 1)
            values = {records.NUMBER: str(number), "sealed": "yes" if self.sealed else "no"}
            record = console.record(node, Act.BACKUP_BEGUN, subject=self.file, values=values)
            await console.add_in(session, record)
            return number, record

        try:
            number, record = await database.run(numbered)
        except Unavailable as error:
            warn(f"the backup is not written down: {error}")
            async with database.session() as session:
                return max((await records.known_in(session)).newest, self.kept) + 1
        if running_state(self.config):
            await console.logged(record)
        return number


@dataclass(frozen=True, slots=True)
class _Finish:
    """What is done to a database after its archive was filled in."""

    config: Config
    file: str
    said: dict[str, str]
    known: records.Known
    withdrawn: _Withdrawn

    async def run(self, database: Database, ambient: Ambient) -> tuple[tuple[str, ...], int | None]:
        """The migrations that were applied, and the log's size."""
        applied = await migrate(database)
        console = _console(self.config, database, ambient)
        node = await console.node()

        async def write(session: Session) -> int | None:
            self.withdrawn.people = await records.withdraw_people(
                session, sorted(self.known.people)
            )
            gone = [
                *((Act.TOKEN_WITHDRAWN, each) for each in self.withdrawn.tokens),
                *((Act.PERSON_WITHDRAWN, each) for each in self.withdrawn.people),
            ]
            for act, (subject, party) in gone:
                record = console.record(
                    node, act, subject=subject, party=party, values={"by": "restore"}
                )
                await console.add_in(session, record)
            record = console.record(node, Act.RESTORED, subject=self.file, values=self.said)
            await console.add_in(session, record)
            row = await session.fetch_one("select max(size) as size from trust.log_head")
            return None if row is None else row["size"]

        return applied, await database.run(write)


def _known(live: Config | None) -> records.Known:
    if live is None:
        return records.Known()

    async def read(database: Database) -> records.Known:
        async with database.session() as session:
            return await records.known_in(session)

    with database_of(live) as url:
        return on_database(url, read)


async def _signing_key(
    config: Config, passphrase: Callable[[], bytes], database: Database, ambient: Ambient
) -> Signer:
    """The key with which the node records now; none is made here."""
    folder = config.data / "keys"
    if not config.text("keys.token_module") and not own_signers(config):
        raise Refused(
            f"{folder} has no key of the node to sign with",
            code="no_keys",
            remedy="put the keys back: zhidao keys import FILE",
        )
    source = key_source(config, KeyFiles(folder, passphrase(), ambient.randomness))
    node = await _console(config, database, ambient).node()
    key, _ = await recording_keys(database, source, node)
    return key


def _console(config: Config, database: Database, ambient: Ambient) -> ConsoleActs:
    name = party_id(config.text("node.name"))
    return ConsoleActs(database, name, ambient.clock, ambient.randomness)


def _meta(config: Config, at: Utc, number: int) -> dict[str, Json]:
    head = newest_head(config)
    return {
        "organisation": config.text("node.organisation"),
        "version": __version__,
        "at": str(at),
        "number": number,
        "log": _plain(head) if head else None,
    }


def _plain(head: Checkpoint) -> dict[str, Json]:
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}


def on_database(url: str, work: Callable[[Database], Coroutine[Any, Any, _T]]) -> _T:
    """Work on the database of that URL, in an event loop of its own. Blocks."""

    async def done() -> _T:
        database = await Database.open(url, connections_max=2)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(done())
