"""The log's storage in plain files: tiles and bundles as C2SP tlog-tiles names them.

One record appended to the journal and synchronised is the commit; the tiles are written after it
and made again from the journal if the process dies before. Whole tiles never change. The folder
may be served by any web server as it stands, except that the newest partial tiles lie under
`partial/` (they grow in place) and are cut to width by the reader.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zhidao.core.errors import Conflict, MalformedInput, Unavailable
from zhidao.trust.domain.merkle import HASH_BYTES, TILE_BITS, Edge, Growth, grow, leaf_hash
from zhidao.trust.service.log_ports import StoredHead, TilePlace
from zhidao.trust.wire.tiles import TILE_WIDTH, TileName, decode_bundle, encode_bundle

_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
# The journal is emptied when it is longer; a start never replays more than this.
_JOURNAL_BYTES: Final = 2 * 1024 * 1024
_HEADER_BYTES: Final = 8


@dataclass(slots=True)
class FileTransaction:
    """Writes that wait for the end of their block."""

    edge: Edge
    writes: list[tuple[Growth, tuple[bytes, ...]]] = field(default_factory=list)


class FileLogStore:
    """Implements `LogStore` over a folder that one process writes (it holds a lock on it)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._edge = Edge()
        self._epoch = 0
        self._tails: dict[int, bytearray] = {}
        self._bundle: list[bytes] = []
        self._checkpoints: dict[int, bytes] = {}
        self._newest = -1
        self._journal: int | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[object]:
        """A transaction; one journal record is its commit, written when the block ends."""
        async with self._lock:
            pending = FileTransaction(self._edge)
            yield pending
            if pending.writes:
                await asyncio.to_thread(self._commit, pending.writes)

    async def take(self) -> int:
        """Takes the folder's lock, reads what was committed and raises the epoch."""
        return await asyncio.to_thread(self._take)

    async def lock(self, transaction: object) -> StoredHead:
        """The head as the transaction sees it."""
        assert isinstance(transaction, FileTransaction)
        return StoredHead(transaction.edge, self._on_disk())

    async def extend(
        self, transaction: object, *, epoch: int, growth: Growth, leaves: Sequence[bytes]
    ) -> None:
        """Notes the writes; see the port."""
        assert isinstance(transaction, FileTransaction)
        if epoch != self._on_disk() or growth.before != transaction.edge:
            raise Conflict("another writer has taken the log", code="lease_lost")
        transaction.writes.append((growth, tuple(leaves)))
        transaction.edge = growth.after

    async def head(self) -> StoredHead:
        """The newest committed head."""
        return StoredHead(self._edge, self._on_disk())

    async def newest(self) -> tuple[StoredHead, bytes | None]:
        """The newest committed head and the newest signed note."""
        return await self.head(), await self.checkpoint()

    async def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Committed leaves."""
        return await asyncio.to_thread(self._entries, first, count)

    async def tiles(self, names: Sequence[TilePlace]) -> tuple[bytes, ...]:
        """The committed hashes of tiles so far."""
        return tuple(self._tile(level, index) for level, index in names)

    def _tile(self, level: int, index: int) -> bytes:
        full = self._edge.size >> (TILE_BITS * (level + 1))
        if index == full:
            return bytes(self._tails.get(level, b""))
        if index > full:
            return b""
        # Eight kilobytes: a thread would cost more than reading them.
        return self._path(level, index).read_bytes()

    async def keep_checkpoint(self, size: int, note: bytes) -> bytes:
        """Keeps the first note of a size."""
        return await asyncio.to_thread(self._keep, size, note)

    async def checkpoint(self) -> bytes | None:
        """The note of the largest size, or None."""
        return self._checkpoints.get(self._newest)

    def close(self) -> None:
        """Lets go of the folder."""
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def _take(self) -> int:
        try:
            (self._folder / "partial").mkdir(parents=True, exist_ok=True)
            (self._folder / "checkpoints").mkdir(exist_ok=True)
            epoch = self._on_disk() + 1
            _replace(self._folder / "epoch", str(epoch).encode())
            if self._journal is None:
                self._journal = os.open(self._folder / "journal", os.O_RDWR | os.O_CREAT, 0o644)
                try:
                    fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    self.close()
                    raise Unavailable(
                        f"another process writes the log in {self._folder}", code="lease_lost"
                    ) from error
                self._read_back()
        except OSError as error:
            raise Unavailable(f"cannot open the log in {self._folder}: {error}") from error
        return epoch

    def _on_disk(self) -> int:
        """The epoch that the folder bears: whoever took it last may write."""
        try:
            return int((self._folder / "epoch").read_bytes())
        except FileNotFoundError:
            return 0

    def _read_back(self) -> None:
        state = self._folder / "state"
        if state.exists():
            size, _, edge = state.read_bytes().partition(b"\n")
            self._edge = Edge.decode(int(size), edge)
            for level in range(-(-self._edge.size.bit_length() // TILE_BITS) or 1):
                self._tails[level] = bytearray(self._partial(level))
            width = self._edge.size % TILE_WIDTH
            data = (self._folder / "partial" / "entries").read_bytes() if width else b""
            self._bundle = list(decode_bundle(data)) if width else []
        assert self._journal is not None
        data = os.pread(self._journal, os.fstat(self._journal).st_size, 0)
        whole = 0
        for leaves, end in _records(data):
            first = int.from_bytes(leaves[0], "big")
            if first >= self._edge.size:
                self._apply(grow(self._edge, map(leaf_hash, leaves[1:])), leaves[1:])
            whole = end
        os.ftruncate(self._journal, whole)
        os.lseek(self._journal, whole, os.SEEK_SET)
        for file in (self._folder / "checkpoints").iterdir():
            if file.suffix != ".new":
                self._checkpoints[int(file.name)] = file.read_bytes()
        self._newest = max(self._checkpoints, default=-1)

    def _commit(self, writes: Sequence[tuple[Growth, tuple[bytes, ...]]]) -> None:
        if self._journal is None:
            raise Unavailable("the log's folder is not taken", code="lease_lost")
        first = self._edge.size.to_bytes(8, "big")
        record = _record([first, *(leaf for _, leaves in writes for leaf in leaves)])
        end = os.lseek(self._journal, 0, os.SEEK_CUR)
        try:
            os.write(self._journal, record)
            os.fdatasync(self._journal)
        except OSError as error:
            os.ftruncate(self._journal, end)
            os.lseek(self._journal, end, os.SEEK_SET)
            raise Unavailable(f"the log cannot be written: {error}", code="disk_full") from error
        for growth, leaves in writes:
            self._apply(growth, leaves)
        if end + len(record) > _JOURNAL_BYTES:
            self._settle()

    def _apply(self, growth: Growth, leaves: Sequence[bytes]) -> None:
        """Brings committed leaves into tiles; whole ones are written, the rest stays in memory."""
        for level, hashes in enumerate(growth.tiles):
            tail = self._tails.setdefault(level, bytearray())
            index = growth.first(level) // TILE_WIDTH
            tail += b"".join(hashes)
            while len(tail) >= _TILE_BYTES:
                _write(self._path(level, index), bytes(tail[:_TILE_BYTES]))
                del tail[:_TILE_BYTES]
                index += 1
        index = growth.before.size // TILE_WIDTH
        self._bundle += leaves
        while len(self._bundle) >= TILE_WIDTH:
            _write(self._path(None, index), encode_bundle(self._bundle[:TILE_WIDTH]))
            del self._bundle[:TILE_WIDTH]
            index += 1
        self._edge = growth.after

    def _settle(self) -> None:
        """Makes tiles and state durable, then empties the journal that stood for them."""
        # One call for a hundred small files: synchronising each took ten times as long here.
        os.sync()
        for level, tail in self._tails.items():
            _replace(self._folder / "partial" / str(level), bytes(tail))
        _replace(self._folder / "partial" / "entries", encode_bundle(self._bundle))
        _replace(self._folder / "state", b"%d\n%b" % (self._edge.size, self._edge.encode()))
        assert self._journal is not None
        os.ftruncate(self._journal, 0)
        os.lseek(self._journal, 0, os.SEEK_SET)

    def _partial(self, level: int) -> bytes:
        file = self._folder / "partial" / str(level)
        width = (self._edge.size >> (TILE_BITS * level)) % TILE_WIDTH
        data = file.read_bytes() if file.exists() else b""
        if len(data) != width * HASH_BYTES:
            raise MalformedInput("a partial tile does not fit the log's state", where=str(file))
        return data

    def _entries(self, first: int, count: int) -> tuple[bytes, ...]:
        last = min(first + count, self._edge.size)
        found: list[bytes] = []
        at = first
        while at < last:
            index = at // TILE_WIDTH
            if index == self._edge.size // TILE_WIDTH:
                bundle: Sequence[bytes] = self._bundle
            else:
                bundle = decode_bundle(self._path(None, index).read_bytes())
            piece = bundle[at % TILE_WIDTH : at % TILE_WIDTH + last - at]
            found += piece
            at += len(piece)
        return tuple(found)

    def _keep(self, size: int, note: bytes) -> bytes:
        kept = self._checkpoints.get(size)
        if kept is not None:
            return kept
        (self._folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        _replace(self._folder / "checkpoints" / str(size), note)
        self._checkpoints[size] = note
        older, self._newest = self._newest, max(size, self._newest)
        # A size that is passed never comes again: only the newest two are of use.
        for each in [s for s in self._checkpoints if s not in (size, older, self._newest)]:
            (self._folder / "checkpoints" / str(each)).unlink(missing_ok=True)
            del self._checkpoints[each]
        return note

    def _path(self, level: int | None, index: int) -> Path:
        return self._folder / "tile" / TileName(level, index).path


def _record(parts: Sequence[bytes]) -> bytes:
    """Length and CRC-32, then each part after its own length."""
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def _records(data: bytes) -> list[tuple[list[bytes], int]]:
    """Whole records with where they end; a torn end is what a crash left."""
    found, at = [], 0
    while at + _HEADER_BYTES <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        check = int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + _HEADER_BYTES : at + _HEADER_BYTES + size]
        if len(body) != size or zlib.crc32(body) != check:
            break
        parts, inside = [], 0
        while inside < size:
            end = inside + 4 + int.from_bytes(body[inside : inside + 4], "big")
            parts.append(body[inside + 4 : end])
            inside = end
        at += _HEADER_BYTES + size
        found.append((parts, at))
    return found


def _write(file: Path, data: bytes) -> None:
    """Writes a whole tile; the same bytes may be written again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".new")
    beside.write_bytes(data)
    beside.replace(file)


def _replace(file: Path, data: bytes) -> None:
    """Old or new whole, durable when it returns."""
    beside = file.with_name(file.name + ".new")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    _synchronise(file.parent)


def _synchronise(place: Path) -> None:
    """A file or a folder, as far as the disk is told."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
