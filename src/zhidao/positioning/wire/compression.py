"""Plain RINEX text out of what people send: gzip and Compact RINEX, with a bound on the size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from zhidao.core.errors import MalformedInput

# A station-day of every system and signal at 30 s has 33 MB; one at 1 s would be 1 GB.
PLAIN_BYTES_MAX: Final = 256 * 1024 * 1024
CHUNK_BYTES: Final = 4 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"


def plain_text(data: bytes, *, bytes_max: int = PLAIN_BYTES_MAX) -> bytes:
    """The RINEX text, whether it came plain, gzipped, as Compact RINEX, or both.

    Raises MalformedInput for a damaged or cut stream, and where the text would exceed `bytes_max`.
    """
    data = unpacked(data, bytes_max=bytes_max)
    return _from_compact(data, bytes_max=bytes_max) if is_compact(data) else data


def is_compact(data: bytes) -> bool:
    """Whether this is Compact RINEX by its first line."""
    return b"CRINEX VERS   / TYPE" in data[:200]


def unpacked(data: bytes, *, bytes_max: int) -> bytes:
    """The bytes without gzip, whether they had it or not; at most `bytes_max` of them."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise MalformedInput(
            f"the bytes of a file are read here, not {type(data).__name__}",
            remedy=f"positioning.read({str(data)[:80]!r}) takes a path",
        )
    if data.startswith(_GZIP):
        data = gunzip(data, bytes_max=bytes_max)
    if len(data) > bytes_max:
        raise MalformedInput(f"{len(data)} bytes of RINEX; at most {bytes_max} are read")
    return data


def unpacked_chunks(
    chunks: Iterable[bytes], *, cut: Callable[[str], None] | None = None
) -> Iterator[bytes]:
    """The bytes of a file part after part, without gzip; no part is larger than CHUNK_BYTES.

    cut: told why a stream ends too early, whose beginning is then given; without it such a stream
    is refused. Raises MalformedInput for damaged gzip data.
    """
    member = None
    begun = packed = False
    for chunk in chunks:
        rest = chunk
        if not begun and rest:
            # Told by its first bytes: names of files say what somebody thought they were.
            begun, packed = True, rest.startswith(_GZIP)
        if not packed:
            yield from (rest[at : at + CHUNK_BYTES] for at in range(0, len(rest), CHUNK_BYTES))
            continue
        while rest:
            if member is None:
                # Zero bytes may pad the end of a tape block; all else must be a further member.
                rest = rest.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31) if rest else None
                continue
            try:
                # At most one chunk comes out: a few kilobytes of gzip can stand for gigabytes.
                out = member.decompress(rest, CHUNK_BYTES)
            except zlib.error as error:
                raise MalformedInput(f"damaged gzip data: {error}") from error
            if out:
                yield out
            rest = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    if member is not None:
        if cut is None:
            raise MalformedInput("the gzip data ends too early", remedy="send the whole file")
        cut("the gzip data ends too early")


def gunzip(data: bytes, *, bytes_max: int) -> bytes:
    """All members of a gzip stream; never expands beyond `bytes_max`."""
    out = bytearray()
    rest = data
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            out += member.decompress(rest, bytes_max + 1 - len(out))
        except zlib.error as error:
            raise MalformedInput(f"damaged gzip data: {error}") from error
        if len(out) > bytes_max:
            raise MalformedInput(f"gzip data expands beyond {bytes_max} bytes")
        if not member.eof:
            raise MalformedInput("the gzip data ends too early", remedy="send the whole file")
        # Zero bytes may pad the end of a tape block; anything else must be a further member.
        rest = member.unused_data.lstrip(b"\0")
    return bytes(out)


def _from_compact(data: bytes, *, bytes_max: int) -> bytes:
    """Compact RINEX expanded by the `hatanaka` package (the RNXCMP programs)."""
    if not data.rstrip(b"\0").endswith(b"\n"):
        # A difference that is cut is another difference, which nothing would tell.
        raise MalformedInput(
            "damaged Compact RINEX: the file ends within a line", remedy="send the whole file"
        )
    # Each line of the compact form becomes at most one line of the plain one; this bounds the
    # output before anything is expanded.
    columns = _columns_max(data)
    if data.count(b"\n") * (3 + 16 * columns) > 4 * bytes_max:
        raise MalformedInput(f"Compact RINEX would expand beyond {bytes_max} bytes")
    import warnings

    import hatanaka

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plain: bytes = hatanaka.crx2rnx(data)
    except (hatanaka.HatanakaException, Warning, ValueError) as error:
        raise MalformedInput(f"damaged Compact RINEX: {str(error)[:200]}") from error
    if len(plain) > bytes_max:
        raise MalformedInput(f"Compact RINEX expands beyond {bytes_max} bytes")
    return plain


def _columns_max(data: bytes) -> int:
    columns = 1
    header = data[: data.find(b"END OF HEADER")]
    for line in header.splitlines():
        if line[60:79].strip() == b"SYS / # / OBS TYPES" and line[3:6].strip().isdigit():
            columns = max(columns, int(line[3:6]))
        elif line[60:79].strip() == b"# / TYPES OF OBSERV" and line[:6].strip().isdigit():
            columns = max(columns, int(line[:6]))
    return columns
