"""Operators' code lists in one SQLite file: taken whole or not at all, read by many at once.

SQLite is part of Python; its file is replaced by no copy while others read it, and its transaction
is what makes an import whole. A list stands under its kind and its file's name: the same file again
changes nothing, a newer one under that name takes the place of the older.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from zhidao.core.errors import MalformedInput, NotFound, Unavailable
from zhidao.core.files.bounded import open_given
from zhidao.trade.domain.model.code_lists import Station
from zhidao.trade.domain.model.known_codes import HS_EDITION, SHORT_CODES, NamedCode
from zhidao.trade.wire.code_rows import CodeRow, ListKind, kind_of, read_rows

LIST_BYTES_MAX: Final = 256 * 1024 * 1024
_FORMAT: Final = 1
_HEAD_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_BATCH: Final = 5_000
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS lists (
    kind TEXT, source TEXT, digest TEXT, rows INTEGER, PRIMARY KEY (kind, source)) STRICT;
CREATE TABLE IF NOT EXISTS codes (
    kind TEXT, source TEXT, code TEXT, name TEXT, more TEXT, folded TEXT) STRICT;
CREATE INDEX IF NOT EXISTS by_code ON codes (kind, code);
CREATE INDEX IF NOT EXISTS by_name ON codes (kind, folded);
"""


@dataclass(frozen=True, slots=True)
class InstalledList:
    """A list that stands. `changed`: whether this import brought it."""

    kind: ListKind
    source: str
    digest: str
    rows: int
    changed: bool = False


def default_file() -> Path:
    """Where lists of this installation live: under the environment's own prefix."""
    return Path(sys.prefix) / "share" / "zhidao" / "codes.sqlite"


def import_lists(
    files: Iterable[Path], store: Path, *, kind: ListKind | None = None
) -> list[InstalledList]:
    """Takes every list into the store, or none.

    Raises MalformedInput for a list with bad lines, of no known kind or past its bound, and for two
    files of one name; OSError, Unavailable where a file or the store cannot be read or written.
    """
    given = list(files)
    names = [file.name for file in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise MalformedInput(
            f"two files are called {twice}",
            where=twice,
            remedy="a list stands under its file's name",
        )
    store.parent.mkdir(parents=True, exist_ok=True)
    with _opened(store, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        found = [_import(database, file, kind) for file in given]
        database.execute("COMMIT")
    return found


def installed_lists(store: Path) -> list[InstalledList]:
    """The lists of a store by kind and name; none where there is no store."""
    if not store.exists():
        return []
    with _opened(store) as database:
        rows = database.execute("SELECT kind, source, digest, rows FROM lists ORDER BY 1, 2")
        return [InstalledList(ListKind(k), source, digest, n) for k, source, digest, n in rows]


def drop_list(store: Path, *, kind: ListKind, source: str) -> None:
    """Takes a list out. Raises NotFound."""
    if not store.exists():
        raise NotFound(f"no list {kind}/{source[:80]}", remedy="zhidao trade codes list")
    with _opened(store, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        gone = database.execute("DELETE FROM lists WHERE kind = ? AND source = ?", (kind, source))
        database.execute("DELETE FROM codes WHERE kind = ? AND source = ?", (kind, source))
        database.execute("COMMIT")
        if not gone.rowcount:
            raise NotFound(f"no list {kind}/{source[:80]}", remedy="zhidao trade codes list")


@dataclass(frozen=True, slots=True)
class StoredCodes:
    """Implements `KnownCodes` by a store before the house's lists; it may not stand yet.

    Only its path crosses to another process, and each question opens the file: a list that was
    imported in between is known at once.
    """

    store: Path

    def place(self, code: str) -> str:
        """See `KnownCodes`; the house's own name goes first."""
        return SHORT_CODES.place(code) or self._name(ListKind.PLACES, code)

    def places_called(self, name: str) -> frozenset[str]:
        """See `KnownCodes`."""
        sql = "SELECT code FROM codes WHERE kind = ? AND folded = ?"
        found = self._asked(sql, (ListKind.PLACES, name.casefold()))
        return SHORT_CODES.places_called(name) | {code for (code,) in found}

    def commodity(self, code: str, edition: str = HS_EDITION) -> str:
        """See `KnownCodes`; the lists are of 2022."""
        return self._name(ListKind.HS, code) if edition == HS_EDITION else ""

    def is_commodity(self, code: str, edition: str = HS_EDITION) -> bool | None:
        """See `KnownCodes`; a list may have codes that the house has not."""
        told = SHORT_CODES.is_commodity(code, edition)
        return True if told is False and self.commodity(code, edition) else told

    def station(self, code: str) -> Station | None:
        """See `KnownCodes`."""
        sql = "SELECT name, more FROM codes WHERE kind = ? AND code = ? LIMIT 1"
        for name, more in self._asked(sql, (ListKind.STATIONS, code)):
            return Station(code, name, more[:2], more[2:])
        return None

    def knows_stations_of(self, country: str) -> bool:
        """See `KnownCodes`."""
        sql = "SELECT 1 FROM codes WHERE kind = ? AND substr(more, 1, 2) = ? LIMIT 1"
        return bool(self._asked(sql, (ListKind.STATIONS, country)))

    def suggest(self, kind: str, text: str, limit: int) -> list[NamedCode]:
        """See `KnownCodes`."""
        found = dict(SHORT_CODES.suggest(kind, text, limit))
        listed = {"place": ListKind.PLACES, "station": ListKind.STATIONS, "hs": ListKind.HS}[kind]
        for sql, start in ((_BY_CODE, text.upper()), (_BY_NAME, text.casefold())):
            for code, name in self._asked(sql, (listed, start, start + _LAST, limit)):
                found[code] = found.get(code) or name
        return [NamedCode(code, name) for code, name in sorted(found.items())][:limit]

    def places_with(self, text: str) -> list[NamedCode]:
        """Places of a code, or with a text in their name."""
        sql = "SELECT code, name FROM codes WHERE kind = ? AND (code = ? OR instr(folded, ?) > 0)"
        found = self._asked(
            sql + " ORDER BY code", (ListKind.PLACES, text.upper(), text.casefold())
        )
        return [NamedCode(code, name) for code, name in found]

    def correlations(self) -> dict[str, tuple[str, ...]]:
        """Codes of 2022 by those of 2017, as the lists pair them."""
        pairs: dict[str, list[str]] = {}
        sql = "SELECT code, more FROM codes WHERE kind = ? ORDER BY code, more"
        for old, new in self._asked(sql, (ListKind.CORRELATION,)):
            pairs.setdefault(old, []).append(new)
        return {old: tuple(dict.fromkeys(new)) for old, new in pairs.items()}

    def everywhere(self, code: str) -> list[tuple[str, str, CodeRow]]:
        """Kind, list and row of everything that a code is in the lists."""
        sql = (
            "SELECT kind, source, code, name, more FROM codes WHERE code = ? ORDER BY kind, source"
        )
        return [(k, s, CodeRow(c, n, m)) for k, s, c, n, m in self._asked(sql, (code,))]

    def _name(self, kind: ListKind, code: str) -> str:
        sql = "SELECT name FROM codes WHERE kind = ? AND code = ? LIMIT 1"
        return next((name for (name,) in self._asked(sql, (kind, code))), "")

    def _asked(self, sql: str, values: tuple[object, ...]) -> list[tuple[str, ...]]:
        if not self.store.exists():
            return []
        with _opened(self.store) as database:
            return database.execute(sql, values).fetchall()


# Past every character that a name begins with.
_LAST: Final = "\U0010ffff"
_BY_CODE: Final = """
SELECT code, name FROM codes WHERE kind = ? AND code >= ? AND code < ? ORDER BY code LIMIT ?"""
_BY_NAME: Final = """
SELECT code, name FROM codes WHERE kind = ? AND folded >= ? AND folded < ?
ORDER BY folded LIMIT ?"""


def _import(database: sqlite3.Connection, file: Path, kind: ListKind | None) -> InstalledList:
    digest = _digest(file)
    with _text(file) as lines:
        found = kind or kind_of(lines, file.name)
    key = (found, file.name)
    standing = database.execute(
        "SELECT digest, rows FROM lists WHERE kind = ? AND source = ?", key
    ).fetchone()
    if standing is not None and standing[0] == digest:
        return InstalledList(*key, digest, standing[1])
    database.execute("DELETE FROM codes WHERE kind = ? AND source = ?", key)
    count = 0
    with _text(file) as lines:
        for batch in _batches(read_rows(lines, kind=found, where=file.name)):
            count += len(batch)
            database.executemany(
                "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?)",
                [(*key, row.code, row.name, row.more, row.name.casefold()) for row in batch],
            )
    database.execute("INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)", (*key, digest, count))
    return InstalledList(*key, digest, count, changed=True)


def _batches(rows: Iterable[CodeRow]) -> Iterator[list[CodeRow]]:
    batch: list[CodeRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _digest(file: Path) -> str:
    """SHA-256 of a file, which is read to its bound and no further: a device never ends."""
    digest, size = hashlib.sha256(), 0
    with open_given(file) as opened:
        while data := opened.read(_CHUNK_BYTES):
            size += len(data)
            if size > LIST_BYTES_MAX:
                raise _too_large(file.name)
            digest.update(data)
    return digest.hexdigest()


def _too_large(where: str) -> MalformedInput:
    return MalformedInput(
        f"more than {LIST_BYTES_MAX} bytes, or a line of {_HEAD_BYTES}",
        code="file_too_large",
        where=where,
        remedy="import the list in parts, each under a name of its own",
    )


@contextmanager
def _text(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a list, unpacked if it is packed, each decoded on its own."""
    with open_given(file) as opened:
        head = opened.read(4)
        opened.seek(0)
        unpacked: IO[bytes] | gzip.GzipFile | bz2.BZ2File
        if head[:3] == b"BZh":
            unpacked = bz2.BZ2File(opened)
        elif head[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=opened)
        else:
            unpacked = opened
        yield _lines(unpacked, file.name)


def _lines(data: IO[bytes] | gzip.GzipFile | bz2.BZ2File, name: str) -> Iterator[str]:
    size = 0

    def read() -> bytes:
        try:
            return data.readline(_HEAD_BYTES)
        except (EOFError, OSError) as error:
            raise MalformedInput(
                f"the packed list breaks off: {error}", where=name, remedy="pack it again"
            ) from error

    for number, line in enumerate(iter(read, b""), start=1):
        size += len(line)
        if size > LIST_BYTES_MAX or len(line) == _HEAD_BYTES:
            raise _too_large(f"{name} line {number}")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise MalformedInput(
                "the list is not UTF-8",
                where=f"{name} line {number}",
                remedy="save it as UTF-8; UNECE publishes one beside the older ISO 8859-1",
            ) from error


@contextmanager
def _opened(store: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if write else "ro"
    uri = f"{store.resolve().as_uri()}?mode={mode}"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if write and not version:
                database.executescript(_TABLES)
                database.execute(f"PRAGMA user_version = {_FORMAT}")
            elif version != _FORMAT:
                raise sqlite3.DatabaseError(f"it is of version {version}, not {_FORMAT}")
            yield database
    except sqlite3.Error as error:
        raise Unavailable(
            f"the store of code lists cannot be used: {error}",
            remedy=f"move {store.name} away and import the lists again",
        ) from error
