"""Tiles and entry bundles of the log: their paths, widths and bytes.

Source: C2SP tlog-tiles (c2sp.org, revision 0ad71eb1).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.merkle import SIZE_MAX, TILE_BITS

TILE_WIDTH: Final = 1 << TILE_BITS
# A uint16 stands before each entry of a bundle.
ENTRY_BYTES_MAX: Final = 65_535
LEVEL_MAX: Final = 63
ENTRIES: Final = "entries"
_PATH: Final = re.compile(
    r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class TileName:
    """Which tile: `level` is None for a bundle of entries, `width` counts hashes or entries."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (self.level is None or 0 <= self.level <= LEVEL_MAX):
            raise MalformedInput(f"no tile level {self.level}; at most {LEVEL_MAX}")
        if not 0 <= self.index < SIZE_MAX or not 1 <= self.width <= TILE_WIDTH:
            raise MalformedInput(f"no tile {self.index} of width {self.width}")

    @property
    def path(self) -> str:
        """The path after `/tile/`."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"{ENTRIES if self.level is None else self.level}/{name}{partial}"


def parse_tile_path(path: str) -> TileName:
    """Reads the path after `/tile/`. Raises MalformedInput for any but the one spelling.

    >>> parse_tile_path("1/x001/234.p/7")
    TileName(level=1, index=1234, width=7)
    """
    match = _PATH.match(path) if len(path) <= 64 else None
    if not match:
        raise MalformedInput(f"not the path of a tile: {path[:64]!r}")
    level = None if match[1] == ENTRIES else int(match[1])
    name = TileName(level, int(re.sub("[x/]", "", match[2])), int(match[3] or TILE_WIDTH))
    # One tile has one path: `x000/001` and `001` would be two entries in every cache in between.
    if name.path != path:
        raise MalformedInput(f"not the canonical path of a tile: {path[:64]!r}")
    return name


def width_at(*, level: int, index: int, size: int) -> int:
    """How many hashes that tile has in a tree of `size` leaves; 0 if there is none."""
    # A hash of level n stands only once all of its 256^n leaves do: incomplete ones have no tile.
    hashes = size >> (TILE_BITS * level)
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Up to 256 entries, each after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """Reads a bundle. Raises MalformedInput if it is cut, empty or too wide."""
    entries = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise MalformedInput("a bundle of entries is cut", where=f"byte {at}")
        entries.append(data[at + 2 : end])
        at = end
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise MalformedInput(f"a bundle of {len(entries)} entries; it holds 1 to {TILE_WIDTH}")
    return tuple(entries)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110 section 12.5.3) lets a bundle be compressed.

    >>> accepts_gzip("br, gzip;q=0.5"), accepts_gzip("gzip;q=0, *"), accepts_gzip("")
    (True, False, False)
    """
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, more = part.partition(";")
        name, _, weight = more.strip().partition("=")
        weights[coding.strip()] = name.strip() != "q" or weight.strip(" 0.") != ""
    return weights.get("gzip", weights.get("*", False))


def gzipped(bundle: bytes) -> bytes:
    """A bundle as tlog-tiles recommends to serve it; the same bytes each time."""
    # mtime 0: with the time in the header, the same tile would differ each time it is asked for.
    return gzip.compress(bundle, compresslevel=6, mtime=0)
