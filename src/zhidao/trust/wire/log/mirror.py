"""The body of a mirror's add-entries: a head, then entry packages of at most 256 entries each.

Source: C2SP tlog-mirror (revision 0838f7b4), add-entries.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.merkle import HASH_BYTES, Range
from zhidao.trust.wire.log.tiles import TILE_WIDTH

INFO_TYPE: Final = "text/x.tlog.mirror-info"
PROOF_HASHES_MAX: Final = 63
# What is read of one request; whoever has more sends the rest after it.
PLAIN_BYTES_MAX: Final = 16 * 1024 * 1024
_GZIP: Final = 31
# A ticket goes back with two bytes of length before it.
_INFO: Final = re.compile(
    rb"(0|[1-9][0-9]{0,18})\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{0,87380}={0,2})\n"
)


class Truncated(MalformedInput):
    """The bytes end before what they began to say."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Which leaves of which log are sent: `[start, end)`; `end` is the size of a signed head."""

    origin: str
    start: int
    end: int
    ticket: bytes

    def packages(self) -> Iterator[Range]:
        """The leaves of each package of the canonical sequence, cut at multiples of 256."""
        at = self.start
        while at < self.end:
            after = min(self.end, (at // TILE_WIDTH + 1) * TILE_WIDTH)
            yield at, after
            at = after


@dataclass(frozen=True, slots=True)
class Package:
    """Entries of a range of leaves, and the proof of the subtree that they end."""

    leaves: Range
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    @property
    def subtree(self) -> Range:
        """The range that the proof is about: it begins at a multiple of 256."""
        start, end = self.leaves
        return start // TILE_WIDTH * TILE_WIDTH, end


@dataclass(frozen=True, slots=True)
class MirrorInfo:
    """What a mirror told: a head's size, the first leaf that lacks, and a ticket to give back."""

    size: int
    next_entry: int
    ticket: bytes


def decode_upload(data: bytes) -> tuple[Upload, Iterator[Package]]:
    """The head of a request, and its packages one by one.

    Raises MalformedInput at once for a head that is none; the iterator raises Truncated where the
    bytes end inside the sequence, and MalformedInput for too many hashes. Bytes behind the
    sequence are not looked at.
    """
    reader = _Reader(data)
    try:
        origin = reader.take(reader.number(2)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("a log's origin is UTF-8") from error
    upload = Upload(origin, reader.number(8), reader.number(8), reader.take(reader.number(2)))
    if upload.start > upload.end:
        raise MalformedInput("an upload ends where it starts, or later")
    return upload, _packages(reader, upload)


def _packages(reader: _Reader, upload: Upload) -> Iterator[Package]:
    for start, end in upload.packages():
        entries = tuple(reader.take(reader.number(2)) for _ in range(start, end))
        count = reader.number(1)
        if count > PROOF_HASHES_MAX:
            raise MalformedInput(f"{count} hashes in a package; at most {PROOF_HASHES_MAX}")
        yield Package((start, end), entries, tuple(reader.take(HASH_BYTES) for _ in range(count)))


def encode_upload(upload: Upload, packages: Sequence[Package]) -> bytes:
    """The bytes of a request with the first packages of its sequence."""
    origin = upload.origin.encode()
    pieces = [
        _counted(2, origin),
        upload.start.to_bytes(8, "big"),
        upload.end.to_bytes(8, "big"),
        _counted(2, upload.ticket),
    ]
    for package in packages:
        pieces += [_counted(2, entry) for entry in package.entries]
        pieces += [bytes([len(package.proof)]), *package.proof]
    return b"".join(pieces)


def inflate(data: bytes) -> bytes:
    """The plain bytes of a gzip body, up to what is read of one request.

    Raises MalformedInput. A body that was cut off gives what came.
    """
    try:
        return zlib.decompressobj(_GZIP).decompress(data, PLAIN_BYTES_MAX)
    except zlib.error as error:
        raise MalformedInput(f"the body is no gzip: {error}") from error


def mirror_info(size: int, *, next_entry: int, ticket: bytes = b"") -> bytes:
    """What a client goes on from: a head's size, the first leaf that lacks, and a ticket."""
    return f"{size}\n{next_entry}\n{base64.b64encode(ticket).decode()}\n".encode()


def decode_mirror_info(data: bytes) -> MirrorInfo:
    """Where a mirror tells a client to go on. Raises MalformedInput."""
    found = _INFO.fullmatch(data)
    if found is None:
        raise MalformedInput("a mirror tells a size, a next entry and a ticket, a line each")
    try:
        ticket = base64.b64decode(found[3], validate=True)
    except ValueError as error:
        raise MalformedInput("a mirror's ticket is base64") from error
    return MirrorInfo(int(found[1]), int(found[2]), ticket)


def _counted(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise Truncated("the request ends too early")
        found = self._data[self._at : end]
        self._at = end
        return found

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")
