"""Entries that are brought to a mirror instead of fetched by it: a mirror's add-entries.

Nothing is believed: each package must be proven to lie in a head that this node's witness has
taken as a continuation of the ones before. A mirror signs a head once it holds all its entries,
under a name of its own. Source: C2SP tlog-mirror (revision 0838f7b4).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound, Unavailable
from zhidao.trust.domain.merkle import HASH_BYTES, leaf_hash, root_of, split_hashes, verify_subtree
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.log.reader import checkpoint_of
from zhidao.trust.service.witness.mirror import Copy, Mirrors
from zhidao.trust.wire.log.mirror import (
    PLAIN_BYTES_MAX,
    Package,
    Truncated,
    Upload,
    decode_upload,
    inflate,
)
from zhidao.trust.wire.log.note import encode_lines
from zhidao.trust.wire.log.tiles import TILE_WIDTH

# A client that starts further back than this is told where to start.
BEHIND_MAX: Final = 32 * TILE_WIDTH
_HEADS_KEPT: Final = 8
_AT_ONCE_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a request.

    `lines`: the mirror's cosignatures where it holds all entries of the head, else empty. Then
    `size` and `next_entry` tell where to go on; `is_saved`: some entries were taken.
    """

    size: int
    next_entry: int
    is_saved: bool
    lines: bytes = b""


class MirrorAdding:
    """Takes entries for the logs that are mirrored here.

    `held`: the newest head of a log that the witness cosigned, the pending checkpoint.
    """

    def __init__(self, mirrors: Mirrors, held: Callable[[str], HeldHead | None]) -> None:
        self._mirrors = mirrors
        self._held = held
        self._known: dict[str, OrderedDict[int, HeldHead]] = {}
        self._busy = 0

    async def add(self, body: bytes, *, is_gzip: bool = False) -> Added:
        """Saves the packages of a request as far as they go.

        Raises MalformedInput if nothing in it could be read, NotFound for a log that is not
        mirrored here, Refused (`bad_consistency`) at the first package that is not proven,
        Unavailable while others are served.
        """
        if self._busy >= _AT_ONCE_MAX:
            raise Unavailable("others bring entries to this mirror", code="busy")
        self._busy += 1
        try:
            plain = inflate(body) if is_gzip else body[:PLAIN_BYTES_MAX]
            upload, packages = decode_upload(plain)
            copy = self._mirrors.copy_of(upload.origin)
            if copy is None:
                raise NotFound("no such log is mirrored here")
            return await self._add(copy, upload, packages)
        finally:
            self._busy -= 1

    async def _add(self, copy: Copy, upload: Upload, packages: Iterator[Package]) -> Added:
        head = self._head(upload)
        held = self._held(upload.origin) or HeldHead()
        next_entry = await copy.size()
        mirrored = await _mirrored(copy)
        if head is None or upload.end < mirrored:
            return Added(held.size, next_entry, is_saved=False)
        if not next_entry - BEHIND_MAX <= upload.start <= next_entry:
            return Added(head.size, next_entry, is_saved=False)
        saved = await self._save(copy, head, packages)
        next_entry = await copy.size()
        if next_entry < upload.end:
            if not saved:
                raise MalformedInput("the request brings no whole package")
            return Added(head.size, next_entry, is_saved=True)
        if upload.end < await _mirrored(copy):
            return Added(held.size, next_entry, is_saved=saved)
        lines = await self._mirrors.sign(copy, head)
        return Added(head.size, next_entry, is_saved=saved, lines=encode_lines(lines))

    def _head(self, upload: Upload) -> HeldHead | None:
        """The head of that size: the newest, or one of the last that clients were told."""
        known = self._known.setdefault(upload.origin, OrderedDict())
        held = self._held(upload.origin)
        if held is not None:
            known[held.size] = held
            while len(known) > _HEADS_KEPT:
                known.popitem(last=False)
        return known.get(upload.end)

    async def _save(self, copy: Copy, head: HeldHead, packages: Iterator[Package]) -> bool:
        saved = False
        try:
            for package in packages:
                await _check(copy, head, package)
                await copy.extend(package.leaves[0], package.entries)
                saved = True
                # Thousands of hashes: others get their turn.
                await asyncio.sleep(0)
        except Truncated:
            # What is whole counts; the rest comes again.
            pass
        return saved


async def _check(copy: Copy, head: HeldHead, package: Package) -> None:
    """Raises Refused (`bad_consistency`) unless the entries lie in the head where they say."""
    begin, end = package.subtree
    before = package.leaves[0] - begin
    hashes: list[bytes] = []
    if before:
        [tile] = await copy.store.tiles([(0, begin // TILE_WIDTH)])
        hashes = list(split_hashes(tile[: before * HASH_BYTES]))
    hashes += map(leaf_hash, package.entries)
    verify_subtree(
        leaves=(begin, end),
        size=head.size,
        subtree_root=root_of(hashes),
        root=head.root,
        proof=package.proof,
    )


async def _mirrored(copy: Copy) -> int:
    """The size of the head that the mirror serves."""
    note = await copy.store.checkpoint()
    return checkpoint_of(note).size if note else 0
