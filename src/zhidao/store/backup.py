"""One file that holds one state of a node's whole database, and the way back.

Keys are no part of it (they are files of their own, moved by an act of their own), and neither
are secrets and sign-ins that the database holds: `LEFT_OUT` names them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import psycopg
from psycopg import sql

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.store.backup_format import (
    HEAD,
    MANIFEST,
    PART_BYTES,
    VERSION,
    Member,
    Writer,
    damaged,
    read,
)
from zhidao.store.database import translated
from zhidao.store.migrate import BOOK, Migration, all_migrations

LEFT_OUT: Final = frozenset({"devices.secret", "node.code", "node.session"})

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


class _Applied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    room: str
    name: str
    sha256: str


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    v: int
    meta: dict[str, Any]
    migrations: list[_Applied]
    left_out: list[str]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    columns: list[str]
    rows: int
    bytes: int
    parts: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tables: list[_Table]


class _AnyVersion(msgspec.Struct, frozen=True):
    format: str
    v: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds. `rows` by table; `sha256` closes the file."""

    meta: Mapping[str, Any]
    rows: Mapping[str, int]
    bytes: int
    sha256: str = ""


def backup(
    database_url: str,
    out: Path,
    meta: Mapping[str, Json],
    progress: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Writes one state of the whole database to `out` (0600), which then is complete on disk.

    `meta` is for whoever finds the file: who, when, which head the log had. Blocks; a node may
    go on serving. Raises Refused if `out` stands already, Unavailable (`disk_full`) when the
    disk is full, and leaves no part of a file behind.
    """
    if out.exists():
        raise Refused(
            f"{out} stands already", code="file_exists", remedy="name a new file or remove it"
        )
    aside = out.with_name(f".{out.name}.part")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file, translated(), _connect(database_url) as link:
            summary = _write(link, file, meta, progress)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(out)
        _sync_folder(out.parent)
    except OSError as error:
        raise _no_file(error, aside) from error
    finally:
        aside.unlink(missing_ok=True)
    return summary


def inspect(source: Path) -> Summary:
    """Reads a whole backup, checks every digest and tells what it holds; needs no database."""
    with _open(source) as file:
        head, manifest = _check(file)
    rows = {table.name: table.rows for table in manifest.tables}
    return Summary(head.meta, rows, source.stat().st_size)


def restore(
    source: Path, database_url: str, progress: Callable[[str], None] = lambda _: None
) -> Summary:
    """Fills an empty database from a backup, in one transaction; nothing of a failed one stays.

    Afterwards run `migrate`, which applies what is newer than the backup. Raises MalformedInput
    (`backup_foreign`, `backup_truncated`, `backup_damaged`) and Refused (`backup_newer`,
    `migration_changed`, `target_not_empty`).
    """
    with _open(source) as file:
        head, manifest = _check(file)
        migrations = _known(head)
        file.seek(0)
        with translated(), _connect(database_url) as link:
            _require_empty(link)
            link.execute(BOOK.encode())
            for migration in migrations:
                link.execute(migration.sql.encode())
            _fill(link, file, manifest, progress)
    rows = {table.name: table.rows for table in manifest.tables}
    return Summary(head.meta, rows, source.stat().st_size)


def _write(
    link: psycopg.Connection[Any],
    file: BinaryIO,
    meta: Mapping[str, Json],
    progress: Callable[[str], None],
) -> Summary:
    link.execute(b"set transaction isolation level repeatable read, read only")
    writer = Writer(file)
    head = _Head(
        format="zhidao-backup",
        v=VERSION,
        meta=dict(meta),
        migrations=_applied(link),
        left_out=sorted(LEFT_OUT),
    )
    writer.add(HEAD, jcs(msgspec.to_builtins(head)))
    tables = []
    for name, columns in link.execute(_TABLES.encode()).fetchall():
        if name not in LEFT_OUT:
            progress(name)
            tables.append(_copy_out(link, writer, name, columns))
    writer.add(MANIFEST, jcs(msgspec.to_builtins(_Manifest(tables))))
    digest = writer.finish()
    return Summary(head.meta, {table.name: table.rows for table in tables}, file.tell(), digest)


def _copy_out(
    link: psycopg.Connection[Any], writer: Writer, name: str, columns: list[str]
) -> _Table:
    statement = sql.SQL("copy (select {} from {}) to stdout (format binary)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*name.split(".", 1))
    )
    digest, parts, size = hashlib.sha256(), 0, 0
    waiting = bytearray()

    def put(part: bytes) -> None:
        nonlocal parts, size
        writer.add(f"tables/{name}/{parts:08d}", part)
        digest.update(part)
        parts, size = parts + 1, size + len(part)

    with link.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for piece in copy:
                waiting += piece
                while len(waiting) >= PART_BYTES:
                    put(bytes(waiting[:PART_BYTES]))
                    del waiting[:PART_BYTES]
        rows = cursor.rowcount
    put(bytes(waiting))
    return _Table(name, columns, rows, size, parts, digest.hexdigest())


def _applied(link: psycopg.Connection[Any]) -> list[_Applied]:
    rows = link.execute(b"select room, name, sha256 from store.migration order by 1, 2").fetchall()
    return [_Applied(*row) for row in rows]


def _check(file: BinaryIO) -> tuple[_Head, _Manifest]:
    """Reads everything once, so that nothing of a bad file ever reaches a database."""
    members = read(file)
    first = next(members)
    head = _read_head(first)
    manifest: _Manifest | None = None
    seen: list[tuple[str, int, str]] = []
    for name, parts in _grouped(members):
        if name == MANIFEST:
            manifest = _convert(_only(parts).data, _Manifest)
            continue
        digest, size = hashlib.sha256(), 0
        for part in parts:
            digest.update(part.data)
            size += len(part.data)
        seen.append((name, size, digest.hexdigest()))
    if manifest is None:
        raise damaged("it has no manifest")
    if [(table.name, table.bytes, table.sha256) for table in manifest.tables] != seen:
        raise damaged("a table is not what the manifest says")
    return head, manifest


def _grouped(members: Iterator[Member]) -> Iterator[tuple[str, Iterator[Member]]]:
    """Parts of one table together; each group must be used up before the next is asked for."""
    waiting = next(members, None)
    while waiting is not None:
        name, first = _table_of(waiting), waiting
        waiting = None

        def parts(name: str = name, first: Member = first) -> Iterator[Member]:
            nonlocal waiting
            yield first
            for member in members:
                if _table_of(member) != name:
                    waiting = member
                    return
                yield member

        yield name, parts()


def _only(parts: Iterator[Member]) -> Member:
    first, *more = parts
    if more:
        raise damaged("it has two manifests")
    return first


def _table_of(member: Member) -> str:
    if member.name == MANIFEST:
        return MANIFEST
    folder, _, rest = member.name.partition("/")
    table, _, _part = rest.rpartition("/")
    if folder != "tables" or table.count(".") != 1:
        raise damaged(f"a member named {member.name[:80]!r} has no place in it")
    return table


def _read_head(member: Member) -> _Head:
    plain = _parse(member.data)
    try:
        either = msgspec.convert(plain, _AnyVersion)
    except msgspec.ValidationError as error:
        raise damaged(f"its head is not readable: {error}") from error
    if either.v > VERSION:
        raise Refused(
            f"the backup is of version {either.v}; this program knows {VERSION}",
            code="backup_newer",
            remedy="restore with the newer release that wrote it",
        )
    head: _Head = _convert(member.data, _Head)
    return head


def _convert(data: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(_parse(data), kind, strict=True)
    except msgspec.ValidationError as error:
        raise damaged(f"a description is not readable: {error}") from error


def _parse(data: bytes) -> Any:
    try:
        return parse_strict(data)
    except MalformedInput as error:
        raise damaged(f"a description is not readable: {error}") from error


def _known(head: _Head) -> tuple[Migration, ...]:
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


def _require_empty(link: psycopg.Connection[Any]) -> None:
    found = link.execute(_TABLES.encode()).fetchall()
    if found:
        raise Refused(
            f"the target is not empty: it has {len(found)} tables, such as {found[0][0]}",
            code="target_not_empty",
            remedy="name a new database",
        )


def _fill(
    link: psycopg.Connection[Any],
    file: BinaryIO,
    manifest: _Manifest,
    progress: Callable[[str], None],
) -> None:
    tables = {table.name: table for table in manifest.tables}
    members = read(file)
    next(members)
    for name, parts in _grouped(members):
        if name == MANIFEST:
            _only(parts)
            continue
        progress(name)
        where = sql.Identifier(*name.split(".", 1))
        columns = sql.SQL(", ").join(map(sql.Identifier, tables[name].columns))
        # A migration may have put rows of its own there; the backup has them as they became.
        link.execute(sql.SQL("delete from {}").format(where))
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(where, columns)
        with link.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for part in parts:
                    copy.write(part.data)
            if cursor.rowcount != tables[name].rows:
                raise damaged(f"{name} has {cursor.rowcount} rows, not {tables[name].rows}")


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, connect_timeout=10)


def _open(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise _no_file(error, source) from error


def _no_file(error: OSError, path: Path) -> Refused | Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(
            "the disk is full; no backup was written",
            code="disk_full",
            where=str(path),
            remedy="free space or name another disk",
        )
    return Refused(f"cannot use {path}: {error.strerror}", code="file_unusable")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
