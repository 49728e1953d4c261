"""What a backup says of itself, who signed that, and whether every member is as it was signed.

Version 2 bears a signature over a manifest of all members. Version 1 has digests only, which
whoever changes the file can recompute: it is read where somebody asked for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keys import PublicKey, Signer
from zhidao.store.backup_format import (
    HEAD,
    MANIFEST,
    SIGNATURE,
    VERSION,
    Member,
    Source,
    Writer,
    damaged,
    read,
)

FORMAT: Final = "zhidao-backup"
UNSIGNED_VERSION: Final = 1
# What is signed begins so: no other statement of the same key can be taken for it.
_STATEMENT: Final = b"zhidao backup manifest, version 2\n"
_TABLES: Final = "tables"


class Applied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A migration that the backed up database had."""

    room: str
    name: str
    sha256: str


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first member: what this is, and what it was made from."""

    format: str
    v: int
    meta: dict[str, Any]
    migrations: list[Applied]
    left_out: list[str]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table in the manifest."""

    name: str
    columns: list[str]
    rows: int
    parts: int


class Digest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member in the manifest."""

    name: str
    bytes: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    members: list[Digest]
    tables: list[Table]


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    signature: str


class _UnsignedTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    columns: list[str]
    rows: int
    bytes: int
    parts: int
    sha256: str


class _UnsignedManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tables: list[_UnsignedTable]


class _AnyVersion(msgspec.Struct, frozen=True):
    format: str
    v: int


@dataclass(frozen=True, slots=True)
class Contents:
    """A backup that was read as a whole. `signer` is None for one of version 1.

    `digests`: SHA-256 of each table's parts, in order.
    """

    head: Head
    tables: Mapping[str, Table]
    digests: Mapping[str, str]
    signer: PublicKey | None


class Seal:
    """Collects what a manifest says of members, adds them to a writer, and signs at the end."""

    def __init__(self, writer: Writer, key: Signer) -> None:
        self._writer = writer
        self._key = key
        self._members: list[Digest] = []

    def add(self, name: str, data: bytes) -> None:
        """Appends one member."""
        self._writer.add(name, data)
        self._members.append(Digest(name, len(data), hashlib.sha256(data).hexdigest()))

    def finish(self, tables: Sequence[Table]) -> str:
        """Appends manifest and signature, closes the file and returns its digest."""
        manifest = jcs(msgspec.to_builtins(_Manifest(self._members, list(tables))))
        signature = base64url(self._key.sign(_STATEMENT + manifest))
        signed = _Signature(self._key.public.multikey, signature)
        self._writer.add(MANIFEST, manifest)
        self._writer.add(SIGNATURE, jcs(msgspec.to_builtins(signed)))
        return self._writer.finish()


def check(source: Source, *, unsigned: bool = False) -> Contents:
    """Reads everything once, so that nothing of a bad file ever reaches a database.

    `unsigned`: an archive of version 1 is read too. Raises MalformedInput (`backup_foreign`,
    `backup_truncated`, `backup_damaged`, `backup_forged`), Refused (`backup_unsigned`,
    `backup_newer`). Who signed is told, not judged.
    """
    members = read(source)
    head = _read_head(next(members))
    if head.v == UNSIGNED_VERSION:
        if not unsigned:
            raise Refused(
                "the backup is not signed: a release before signatures wrote it, and whoever had"
                " it since can have changed it",
                code="backup_unsigned",
                remedy="if you trust all who kept it, read it with --unsigned; then back up again",
            )
        return _check_unsigned(head, members)
    return _check_signed(head, members)


def grouped(members: Iterator[Member]) -> Iterator[tuple[str, Iterator[Member]]]:
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


def table_parts(source: Source) -> Iterator[tuple[str, Iterator[Member]]]:
    """The tables of a backup that was checked, in order, each with its parts.

    Reads to the end of the file, so that a change since the check is noticed.
    """
    members = read(source)
    next(members)
    for name, parts in grouped(members):
        if name in (MANIFEST, SIGNATURE):
            _only(parts)
        else:
            yield name, parts


def _check_signed(head: Head, members: Iterator[Member]) -> Contents:
    seen = [Digest(HEAD, *_size_and_digest(_head_bytes(head)))]
    digests: dict[str, str] = {}
    signed: dict[str, bytes] = {}
    for name, parts in grouped(members):
        if name in (MANIFEST, SIGNATURE):
            signed[name] = _only(parts).data
            continue
        if signed:
            raise damaged(f"{name} stands behind its manifest")
        running = hashlib.sha256()
        for part in parts:
            seen.append(Digest(part.name, *_size_and_digest(part.data)))
            running.update(part.data)
        digests[name] = running.hexdigest()
    if list(signed) != [MANIFEST, SIGNATURE]:
        raise damaged("it has no manifest and signature at its end")
    signer = _signer(signed[MANIFEST], signed[SIGNATURE])
    manifest = _convert(signed[MANIFEST], _Manifest)
    _compare(manifest, seen)
    return Contents(head, {table.name: table for table in manifest.tables}, digests, signer)


def _head_bytes(head: Head) -> bytes:
    return jcs(msgspec.to_builtins(head))


def _size_and_digest(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()


def _compare(manifest: _Manifest, seen: Sequence[Digest]) -> None:
    """Names the first member that is not what was signed."""
    for place, (said, found) in enumerate(zip(manifest.members, seen, strict=False)):
        if said.name != found.name:
            raise damaged(f"member {place} is {found.name}, where {said.name} was signed")
        if said != found:
            raise damaged(f"{found.name} is not what was signed")
    if len(manifest.members) != len(seen):
        raise damaged(f"it has {len(seen)} members; {len(manifest.members)} were signed")
    parts = [
        f"{_TABLES}/{table.name}/{part:08d}"
        for table in manifest.tables
        for part in range(table.parts)
    ]
    if parts != [digest.name for digest in seen[1:]]:
        raise damaged("its tables are not its members")


def _signer(manifest: bytes, signature: bytes) -> PublicKey:
    said: _Signature = _convert(signature, _Signature)
    try:
        key = PublicKey.from_multikey(said.key)
        bytes_of = parse_base64url(said.signature)
    except ZhidaoError as error:
        raise damaged(f"its signature is not readable: {error}") from error
    if jcs(msgspec.to_builtins(said)) != signature:
        raise damaged("its signature is not as written")
    if not key.verifies(bytes_of, _STATEMENT + manifest):
        raise MalformedInput(
            f"the backup's signature is not by the key that it names, {key.fingerprint}",
            code="backup_forged",
            remedy="use another copy; this one was changed by somebody who recomputed its digests",
        )
    return key


def _check_unsigned(head: Head, members: Iterator[Member]) -> Contents:
    manifest: _UnsignedManifest | None = None
    seen: list[tuple[str, int, str]] = []
    for name, parts in grouped(members):
        if name == MANIFEST:
            manifest = _convert(_only(parts).data, _UnsignedManifest)
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
    tables = {
        each.name: Table(each.name, each.columns, each.rows, each.parts) for each in manifest.tables
    }
    return Contents(head, tables, {name: digest for name, _, digest in seen}, None)


def _only(parts: Iterator[Member]) -> Member:
    first, *more = parts
    if more:
        raise damaged(f"it has two members named {first.name}")
    return first


def _table_of(member: Member) -> str:
    if member.name in (MANIFEST, SIGNATURE):
        return member.name
    folder, _, rest = member.name.partition("/")
    table, _, _part = rest.rpartition("/")
    if folder != _TABLES or table.count(".") != 1:
        raise damaged(f"a member named {member.name[:80]!r} has no place in it")
    return table


def _read_head(member: Member) -> Head:
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
    head: Head = _convert(member.data, Head)
    if head.v < UNSIGNED_VERSION or head.format != FORMAT:
        raise damaged("its head is of no version that was ever written")
    if head.v > UNSIGNED_VERSION and _head_bytes(head) != member.data:
        raise damaged("its head is not as written")
    return head


def _convert(data: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(_parse(data), kind, strict=True)
    except msgspec.ValidationError as error:
        raise damaged(f"a description is not readable: {error}") from error


def _parse(data: bytes) -> Any:
    try:
        return parse_strict(data, bytes_max=len(data))
    except MalformedInput as error:
        raise damaged(f"a description is not readable: {error}") from error
