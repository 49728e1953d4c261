"""One file that holds one state of a node's whole database, and the way back.

Keys are no part of it (they are files of their own, moved by an act of their own), and neither
are secrets and sign-ins that the database holds: `LEFT_OUT` names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import msgspec
import psycopg
from psycopg import sql

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import Refused
from zhidao.core.files.bounded import open_given
from zhidao.core.files.output import PRIVATE, written
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.store.age import MAGIC, AgeReader, AgeWriter
from zhidao.store.backup_contents import (
    FORMAT,
    Applied,
    Contents,
    Head,
    Seal,
    Table,
    check,
    table_parts,
)
from zhidao.store.backup_format import HEAD, PART_BYTES, VERSION, Sink, Source, Writer, damaged
from zhidao.store.database import translated
from zhidao.store.families import Family
from zhidao.store.families.partitions import DAY_NS, by_day, day_of, making
from zhidao.store.migrate import BOOK, Migration, all_migrations

Link: TypeAlias = psycopg.Connection[Any]
LEFT_OUT: Final = frozenset(
    {
        *("devices.secret", "exchange.invitation", "node.code", "node.invitation", "node.session"),
        # Of the processes that ran when the backup was made.
        *("node.lease", "node.process"),
    }
)

_BY_DAY: Final = {family.table: family for family in by_day()}
_STAGED: Final = sql.Identifier("staged")

# Ordinary and partitioned tables of ours; what an extension brought is the server's business.
_TABLES: Final = """
select n.nspname || '.' || c.relname as name,
       array_agg(a.attname::text order by a.attnum) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
group by 1 order by 1
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds. `rows` by table; `signer`: None if unsigned.

    `sealed`: only an identity opens it. `sha256`: of the file (hex), where it was just written.
    """

    meta: Mapping[str, Any]
    rows: Mapping[str, int]
    bytes: int
    signer: PublicKey | None
    sealed: bool
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery key (an age recipient) to which an archive is sealed."""

    recipient: bytes
    randomness: Randomness


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on disk, and with what it may be read.

    `identities`: age secret keys for a sealed one. `unsigned`: one of version 1 is read too.
    """

    file: Path
    identities: Sequence[bytes] = ()
    unsigned: bool = False

    @contextmanager
    def opened(self) -> Iterator[tuple[Source, bool]]:
        """Its bytes, and whether they were sealed.

        Raises Refused (`file_unusable`, `backup_sealed`, `not_sealed_to_you`), MalformedInput.
        """
        try:
            file = open_given(self.file)
        except OSError as error:
            raise Refused(
                f"cannot use {self.file}: {error.strerror}", code="file_unusable"
            ) from error
        with file:
            sealed = file.read(len(MAGIC)).startswith(MAGIC.rstrip(b"1\n"))
            file.seek(0)
            if sealed and not self.identities:
                raise Refused(
                    "the backup is sealed to a recovery key",
                    code="backup_sealed",
                    remedy="name the file that holds the key with --identity FILE",
                )
            yield (AgeReader(file, self.identities) if sealed else _Plain(file)), sealed

    def summary(self, contents: Contents, *, sealed: bool) -> Summary:
        """What it holds, in short."""
        rows = {table.name: table.rows for table in contents.tables.values()}
        size = self.file.stat().st_size
        return Summary(contents.head.meta, rows, size, contents.signer, sealed)


class _Plain:
    """An archive that is not sealed."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.tell = file.tell
        self._file = file

    def rewind(self) -> None:
        """Back to the beginning."""
        self._file.seek(0)


def backup(
    database_url: str,
    out: Path,
    meta: Mapping[str, Json],
    *,
    key: Signer,
    recovery: Recovery | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Writes one state of the whole database to `out` (0600), which then is complete on disk.

    `meta` is for whoever finds the file: who, when, which head the log had. `key` signs it. Blocks;
    a node may go on serving. Raises Refused if `out` stands already, Unavailable (`disk_full`) when
    the disk is full, and leaves no part of a file behind.
    """
    with (
        written(out, mode=PRIVATE, new=True) as file,
        translated(),
        _connect(database_url) as link,
    ):
        hashed = _Hashed(file)
        if recovery is None:
            summary = _write(link, hashed, meta, key, progress)
        else:
            sealing = AgeWriter(hashed, recovery.recipient, recovery.randomness)
            summary = _write(link, sealing, meta, key, progress)
            sealing.close()
        return replace(
            summary, bytes=file.tell(), sealed=recovery is not None, sha256=hashed.hexdigest()
        )


class _Hashed:
    """A file that is written from its beginning to its end, and its SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._running = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Appends to both."""
        self._running.update(data)
        return self._file.write(data)

    def hexdigest(self) -> str:
        """Of all that was written."""
        return self._running.hexdigest()


def inspect(archive: Archive) -> Summary:
    """Reads a whole backup, checks every digest and signature; needs no database."""
    with archive.opened() as (source, sealed):
        return archive.summary(check(source, unsigned=archive.unsigned), sealed=sealed)


def restore(
    archive: Archive,
    database_url: str,
    *,
    judge: Callable[[Summary], None],
    closing: Callable[[Link], None] = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Fills an empty database from a backup, in one transaction; nothing of a failed one stays.

    `judge` raises if the archive is not to be trusted; `closing` does what must be done before
    anybody sees the database. Afterwards run `migrate`, which applies what is newer than the
    backup. Raises as `check` does, and Refused (`migration_changed`, `target_not_empty`).
    """
    with archive.opened() as (source, sealed):
        contents = check(source, unsigned=archive.unsigned)
        summary = archive.summary(contents, sealed=sealed)
        judge(summary)
        migrations = _known(contents.head)
        source.rewind()
        with translated(), _connect(database_url) as link:
            _require_empty(link)
            link.execute(BOOK.encode())
            for migration in migrations:
                link.execute(migration.sql.encode())
            _fill(link, source, contents, progress)
            closing(link)
    return summary


def _write(
    link: Link,
    out: Sink,
    meta: Mapping[str, Json],
    key: Signer,
    progress: Callable[[str], None],
) -> Summary:
    link.execute(b"set transaction isolation level repeatable read, read only")
    head = Head(
        format=FORMAT,
        v=VERSION,
        meta=dict(meta),
        migrations=_applied(link),
        left_out=sorted(LEFT_OUT),
    )
    seal = Seal(Writer(out), key)
    seal.add(HEAD, jcs(msgspec.to_builtins(head)))
    tables = []
    for name, columns in link.execute(_TABLES.encode()).fetchall():
        if name not in LEFT_OUT:
            progress(name)
            tables.append(_copy_out(link, seal, name, columns))
    seal.finish(tables)
    rows = {table.name: table.rows for table in tables}
    return Summary(head.meta, rows, 0, key.public, sealed=False)


def _copy_out(link: Link, seal: Seal, name: str, columns: list[str]) -> Table:
    statement = sql.SQL("copy (select {} from {}) to stdout (format binary)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*name.split(".", 1))
    )
    parts = 0
    waiting = bytearray()

    def put(part: bytes) -> None:
        nonlocal parts
        seal.add(f"tables/{name}/{parts:08d}", part)
        parts += 1

    with link.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for piece in copy:
                waiting += piece
                while len(waiting) >= PART_BYTES:
                    put(bytes(waiting[:PART_BYTES]))
                    del waiting[:PART_BYTES]
        rows = cursor.rowcount
    put(bytes(waiting))
    return Table(name, columns, rows, parts)


def _applied(link: Link) -> list[Applied]:
    rows = link.execute(b"select room, name, sha256 from store.migration order by 1, 2").fetchall()
    return [Applied(*row) for row in rows]


def _known(head: Head) -> tuple[Migration, ...]:
    """This program's text of the backup's migrations, in order."""
    wanted = {(each.room, each.name): each.sha256 for each in head.migrations}
    mine = [each for each in all_migrations() if (each.room, each.name) in wanted]
    unknown = sorted(set(wanted) - {(each.room, each.name) for each in mine})
    if unknown:
        raise Refused(
            f"the backup bears a migration unknown to this program: {'/'.join(unknown[0])}",
            code="backup_newer",
            remedy="restore with the newer release that wrote it",
        )
    for each in mine:
        if wanted[each.room, each.name] != each.sha256:
            raise Refused(
                f"migration {each.room}/{each.name} has another text in the backup",
                code="migration_changed",
                remedy="restore with the release that wrote it",
            )
    return tuple(mine)


def _require_empty(link: Link) -> None:
    found = link.execute(_TABLES.encode()).fetchall()
    if found:
        raise Refused(
            f"the target is not empty: it has {len(found)} tables, such as {found[0][0]}",
            code="target_not_empty",
            remedy="name a new database",
        )


def _fill(link: Link, source: Source, contents: Contents, progress: Callable[[str], None]) -> None:
    waiting = dict(contents.tables)
    for name, parts in table_parts(source):
        progress(name)
        table, running = waiting.pop(name, None), hashlib.sha256()
        if table is None:
            raise damaged(f"{name} was added while it was read")
        where = sql.Identifier(*name.split(".", 1))
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        # A migration may have put rows of its own there; the backup has them as they became.
        link.execute(sql.SQL("delete from {}").format(where))
        family = _BY_DAY.get(name)
        if family:
            where = _beside(link, where)
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(where, columns)
        with link.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for part in parts:
                    running.update(part.data)
                    copy.write(part.data)
            if cursor.rowcount != table.rows:
                raise damaged(f"{name} has {cursor.rowcount} rows, not {table.rows}")
        if running.hexdigest() != contents.digests[name]:
            raise damaged(f"{name} was changed while it was read")
        if family:
            _into_days(link, family)
    if waiting:
        raise damaged(f"{min(waiting)} was taken out while it was read")


def _beside(link: Link, table: sql.Identifier) -> sql.Identifier:
    """A table like one that has a partition for each day: those days are known once it is full."""
    link.execute(sql.SQL("create temporary table {} (like {})").format(_STAGED, table))
    return _STAGED


def _into_days(link: Link, family: Family) -> None:
    # A day of TAI touches at most two of UTC, in which its first and its last row lie.
    ends = sql.SQL("select min({time}), max({time}) from {staged} group by {time} / {day}").format(
        time=sql.Identifier(family.time), day=sql.Literal(DAY_NS), staged=_STAGED
    )
    rows = link.execute(ends).fetchall()
    for day in sorted({day_of(Utc(end)) for row in rows for end in row}):
        link.execute(making(family, day).encode())
    where = sql.Identifier(*family.table.split(".", 1))
    link.execute(sql.SQL("insert into {} select * from {}").format(where, _STAGED))
    link.execute(sql.SQL("drop table {}").format(_STAGED))


def _connect(url: str) -> Link:
    return psycopg.connect(url, connect_timeout=10)
