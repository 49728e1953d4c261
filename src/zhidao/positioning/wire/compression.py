"""Plain RINEX text out of what people send: gzip and Compact RINEX, with a bound on the size."""

from __future__ import annotations

import zlib
from typing import Final

from zhidao.core.errors import MalformedInput

# A station-day of every system and signal at 30 s has 33 MB; one at 1 s would be 1 GB.
PLAIN_BYTES_MAX: Final = 256 * 1024 * 1024
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
    if data.startswith(_GZIP):
        data = gunzip(data, bytes_max=bytes_max)
    if len(data) > bytes_max:
        raise MalformedInput(f"{len(data)} bytes of RINEX; at most {bytes_max} are read")
    return data


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
