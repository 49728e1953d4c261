"""A witness's heads in one append-only file: synchronised before any signature leaves.

Each line is a JSON object and its CRC-32; a torn last line is what a crash left and is dropped,
any other damage is refused. The file is written anew when it has grown long.
"""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput
from zhidao.core.files.output import unwritable
from zhidao.trust.adapters.witness.memory import MemoryWitnessStore, foreign_state
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.ports import Move

_COMPACT_BYTES: Final = 16 * 1024 * 1024


class FileWitnessStore:
    """Implements `WitnessStore` over a file that only this process writes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._heads = MemoryWitnessStore()
        self._identity = ""
        self._read = False
        self._torn_at: int | None = None

    async def bind(self, identity: str) -> bool:
        """Ties the file to the keys; the first line says to which."""
        await asyncio.to_thread(self._load)
        if self._identity:
            if self._identity != identity:
                raise foreign_state()
            return False
        self._identity = identity
        await asyncio.to_thread(self._append, [{"identity": identity}])
        return True

    async def held(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        await asyncio.to_thread(self._load)
        return await self._heads.held()

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Writes what fits, synchronises, and only then counts it as held."""
        held = await self._heads.held()
        stands = []
        for move in moves:
            before = held.get(move.origin, HeldHead())
            stands.append((before.size, before.root) == (move.before.size, move.before.root))
        kept = [move for move, fits in zip(moves, stands, strict=True) if fits]
        if kept:
            await asyncio.to_thread(self._append, [_plain(m.origin, m.after) for m in kept])
            await self._heads.advance(kept)
        return stands

    def _load(self) -> None:
        if self._read:
            return
        self._read = True
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return
        at = 0
        for line in data.splitlines(keepends=True):
            fields = _fields(line)
            if fields is None:
                if at + len(line) < len(data):
                    raise MalformedInput(
                        "the witness's state is damaged",
                        where=f"{self._file}, byte {at}",
                        remedy="restore it; signing without it could be a second history",
                    )
                self._torn_at = at
                return
            self._take(fields)
            at += len(line)

    def _take(self, fields: dict[str, Any]) -> None:
        if "identity" in fields:
            self._identity = fields["identity"]
            return
        head = HeldHead(
            fields["size"],
            parse_base64url(fields["root"]),
            fields["at_s"],
            fields["note"].encode(),
        )
        self._heads.put(fields["origin"], head)

    def _append(self, lines: Sequence[dict[str, Any]]) -> None:
        data = b"".join(_line(fields) for fields in lines)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self._file.exists()
            with self._file.open("r+b" if not fresh else "wb") as out:
                if self._torn_at is not None:
                    out.truncate(self._torn_at)
                    self._torn_at = None
                end = out.seek(0, os.SEEK_END)
                # What a failed write leaves would stand before the next line: cut it off then.
                self._torn_at = end
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
                self._torn_at = None
            if fresh:
                _sync_folder(self._file.parent)
            if end > _COMPACT_BYTES:
                self._compact(lines)
        except OSError as error:
            raise unwritable(self._file, error) from error

    def _compact(self, newest: Sequence[dict[str, Any]]) -> None:
        for fields in newest:
            if "origin" in fields:
                self._take(fields)
        beside = self._file.with_name(self._file.name + ".new")
        with beside.open("wb") as out:
            out.write(_line({"identity": self._identity}))
            for origin, head in self._heads.items():
                out.write(_line(_plain(origin, head)))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._file)
        _sync_folder(self._file.parent)


def damaged_line(data: bytes) -> int | None:
    """The number, from 1, of the first line of such a file that is not whole; None if all are."""
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        if _fields(line) is None:
            return number
    return None


def _plain(origin: str, head: HeldHead) -> dict[str, Any]:
    return {
        "origin": origin,
        "size": head.size,
        "root": base64url(head.root),
        "at_s": head.at_s,
        "note": head.note.decode(),
    }


def _line(fields: dict[str, Any]) -> bytes:
    data = json.dumps(fields, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(data), data)


def _fields(line: bytes) -> dict[str, Any] | None:
    """The object of a whole line, or None for a damaged one."""
    check, _, data = line.partition(b" ")
    if not data.endswith(b"\n") or b"%08x" % zlib.crc32(data[:-1]) != check:
        return None
    fields: dict[str, Any] = json.loads(data)
    return fields


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
