"""The bytes of a backup: a plain tar that any tar reads, closed by a digest of all before it.

Members in order: `zhidao-backup.json` (what this is), `tables/SCHEMA.TABLE/NNNNNNNN` (parts of
PostgreSQL's binary COPY), `manifest.json` (SHA-256 of each member before it), `signature.json` (the
node's, over the manifest; version 1 had none), `sha256` (hexadecimal digest of every byte before
its own header). Source of the container: POSIX.1-1988 ustar.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.errors import MalformedInput

HEAD: Final = "zhidao-backup.json"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.json"
DIGEST: Final = "sha256"
VERSION: Final = 2
PART_BYTES: Final = 8 * 1024 * 1024
_MEMBER_BYTES_MAX: Final = 64 * 1024 * 1024
_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)


def truncated(where: str) -> MalformedInput:
    """What a reader says of a file that ends too early."""
    return MalformedInput(
        "the backup is truncated: its end is missing",
        code="backup_truncated",
        where=where,
        remedy="copy the file again from where it was written",
    )


def foreign() -> MalformedInput:
    """What a reader says of a file of another kind."""
    return MalformedInput(
        "this is no backup of ours: it does not start with zhidao-backup.json",
        code="backup_foreign",
    )


def damaged(what: str) -> MalformedInput:
    """What a reader says of changed bytes."""
    return MalformedInput(
        f"the backup is damaged: {what}",
        code="backup_damaged",
        remedy="use another copy; this one was changed after it was written",
    )


class Sink(Protocol):
    """Where a backup is written to: a file, or what seals into one."""

    def write(self, data: bytes, /) -> object:
        """Takes all of the bytes."""
        ...


class Source(Protocol):
    """What a backup is read from: a file, or what opens a sealed one."""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        ...

    def tell(self) -> int:
        """How many bytes were read."""
        ...

    def rewind(self) -> None:
        """Back to the beginning."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside."""

    name: str
    data: bytes


class Writer:
    """Writes members and, at last, their digest."""

    def __init__(self, out: Sink) -> None:
        self._out = out
        self._digest = hashlib.sha256()

    def add(self, name: str, data: bytes) -> None:
        """Appends one member."""
        self._put(_header(name, len(data)))
        self._put(data)
        self._put(bytes(-len(data) % _BLOCK))

    def finish(self) -> str:
        """Closes the file with its digest, and returns that."""
        digest = self._digest.hexdigest()
        self.add(DIGEST, digest.encode())
        self._put(_END)
        return digest

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._digest.update(data)


def read(source: Source) -> Iterator[Member]:
    """The members in order, without the digest, which is checked on the way.

    Raises MalformedInput with code `backup_foreign`, `backup_truncated` or `backup_damaged`, the
    last two possibly only after the last member: use nothing before the end.
    """
    running = hashlib.sha256()
    first = True
    while True:
        before = running.hexdigest()
        block = source.read(_BLOCK)
        where = f"byte {source.tell()}"
        if first and len(block) < _BLOCK:
            raise foreign() if block else truncated(where)
        if len(block) < _BLOCK or block == bytes(_BLOCK):
            raise truncated(where)
        name, size = _parse(block, first=first)
        first = False
        data = source.read(size)
        padding = source.read(-size % _BLOCK)
        if len(data) < size or len(padding) < -size % _BLOCK:
            raise truncated(where)
        for piece in (block, data, padding):
            running.update(piece)
        if any(padding):
            raise damaged(f"bytes stand behind {name}")
        if name == DIGEST:
            _check_end(data, before, source)
            return
        yield Member(name, data)


def _check_end(data: bytes, computed: str, source: Source) -> None:
    if data.decode("ascii", "replace") != computed:
        raise damaged(f"its digest is {data[:64]!r}, computed {computed}")
    rest = source.read(len(_END) + 1)
    if len(rest) < len(_END):
        raise truncated(f"byte {source.tell()}")
    if rest != _END:
        raise damaged("bytes follow its end")


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info.tobuf(tarfile.USTAR_FORMAT)


def _parse(block: bytes, *, first: bool) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise foreign() if first else damaged("a member's header is not readable") from error
    if first and info.name != HEAD:
        raise foreign()
    # Only what our writer makes: no links, no owners, no other spelling of the same member.
    if info.size > _MEMBER_BYTES_MAX:
        raise damaged(f"a member has more than {_MEMBER_BYTES_MAX} bytes")
    if _header(info.name, info.size) != block:
        raise damaged("a member's header is not as written")
    return info.name, info.size
