"""Copies of other nodes' logs, proven to be of the heads that this node's witness cosigned.

Nothing is written before it is proven: each piece must lead, with the hashes of what is still
missing, to the cosigned root. So a mirror stays on one history whatever it is served.
Entries are fetched here, and brought by others in `mirror_adding`.
Source: C2SP tlog-mirror (revision 0838f7b4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.timescale import NS
from zhidao.trust.domain.merkle import Growth, extended, grow, leaf_hash
from zhidao.trust.domain.note import Cosigner, NoteKey, NoteSignature
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.log.ports import LogStore
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.witness.peers import Peers, RemoteTiles, origin_hash
from zhidao.trust.service.witness.ports import Network
from zhidao.trust.wire.log.note import decode_note, encode_note
from zhidao.trust.wire.log.tiles import TILE_WIDTH

BUNDLES_AT_ONCE: Final = 32
_LOG: Final = logging.getLogger("zhidao.mirror")


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of one log, under the lease that this process has."""

    store: LogStore
    epoch: int

    async def size(self) -> int:
        """How many entries it holds: the index of the first that it lacks."""
        return (await self.store.head()).edge.size

    async def extend(self, first: int, entries: Sequence[bytes]) -> None:
        """Adds proven entries from index `first` on; what is there already is left out.

        `first` is not beyond the copy's size: nothing is left open.
        """
        async with self.store.transaction() as transaction:
            edge = (await self.store.lock(transaction)).edge
            fresh = entries[edge.size - first :]
            if fresh:
                growth = grow(edge, map(leaf_hash, fresh))
                await self.store.extend(transaction, epoch=self.epoch, growth=growth, leaves=fresh)


@dataclass(frozen=True, slots=True)
class MirrorSigner:
    """The mirror's keys, under another name than the witness's, and its clock."""

    cosigners: tuple[Cosigner, ...]
    clock: Clock

    def lines(self, held: HeldHead) -> tuple[NoteSignature, ...]:
        """Cosignatures that say: all entries of this head are kept here."""
        text = decode_note(held.note).text
        now_s = max(self.clock.now().unix_ns // NS, held.at_s)
        return tuple(each.cosign(text, now_s) for each in self.cosigners)


class Mirrors:
    """One copy for each log of the policies; `open_store` gives the storage of an origin."""

    def __init__(
        self,
        *,
        peers: Peers,
        network: Network,
        open_store: Callable[[str], LogStore],
        signer: MirrorSigner | None = None,
    ) -> None:
        """signer: without one the copies' heads bear no cosignature of a mirror."""
        self._signer = signer
        self._peers = peers
        self._network = network
        self._open_store = open_store
        self._copies: dict[str, Copy] = {}
        self._readers: dict[str, LogReader] = {}
        self.problems: dict[str, str] = {}

    async def start(self) -> None:
        """Opens the copy of every log of the policies."""
        for origin in self._peers.log_keys():
            store = self._open_store(origin)
            self._copies[origin] = Copy(store, await store.take())
            self._readers[origin] = LogReader(store)

    def reader(self, hashed: str) -> LogReader:
        """The copy of the log with this origin hash. Raises NotFound."""
        for origin, reader in self._readers.items():
            if origin_hash(origin) == hashed:
                return reader
        raise NotFound("no such log is mirrored here")

    def of(self, origin: str) -> LogReader | None:
        """The copy of a log, or None."""
        return self._readers.get(origin)

    def copy_of(self, origin: str) -> Copy | None:
        """The copy of a log, to write to it, or None."""
        return self._copies.get(origin)

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys under which the mirror cosigns."""
        return tuple(each.note_key for each in self._signer.cosigners) if self._signer else ()

    async def sign(self, copy: Copy, held: HeldHead) -> tuple[NoteSignature, ...]:
        """Cosigns a head of which the copy holds all entries, and serves it from now on.

        Raises NotFound if this mirror has no keys.
        """
        if self._signer is None:
            raise NotFound("this mirror signs nothing")
        lines = self._signer.lines(held)
        await _serve(copy, held, lines)
        return lines

    async def follow(self, origin: str, held: HeldHead) -> bool:
        """Fetches what the copy lacks of a cosigned head; True when nothing is missing.

        A source that does not answer, or whose entries do not lead to the cosigned root, is
        passed over for the next one.
        """
        copy = self._copies[origin]
        while True:
            if await copy.size() >= held.size:
                await _serve(copy, held, self._signer.lines(held) if self._signer else ())
                self.problems.pop(origin, None)
                return True
            if not await self._piece(copy, origin, held):
                return False

    async def _piece(self, copy: Copy, origin: str, held: HeldHead) -> bool:
        for prefix in self._peers.sources(origin):
            try:
                leaves, growth = await self._proven(copy.store, prefix, held)
            except (Refused, MalformedInput, Unavailable, KeyError) as error:
                self.problems[origin] = f"{prefix}: {error}"
                continue
            # Somebody may have brought some of them meanwhile.
            await copy.extend(growth.before.size, leaves)
            return True
        _LOG.warning("no source gives what %s lacks: %s", origin, self.problems.get(origin, ""))
        return False

    async def _proven(
        self, store: LogStore, prefix: str, held: HeldHead
    ) -> tuple[Sequence[bytes], Growth]:
        """The next entries from a source, and the tree with them. Raises Refused (`unproven`)."""
        edge = (await store.head()).edge
        tiles = RemoteTiles(self._network, prefix, held.size)
        first = edge.size // TILE_WIDTH
        last = min(-(-held.size // TILE_WIDTH), first + BUNDLES_AT_ONCE)
        leaves: list[bytes] = []
        for index in range(first, last):
            leaves += await tiles.bundle(index)
        leaves = leaves[edge.size - first * TILE_WIDTH : held.size - first * TILE_WIDTH]
        growth = grow(edge, map(leaf_hash, leaves))
        rest = await tiles.hashes.spanning((growth.after.size, held.size))
        if not leaves or extended(growth.after, held.size, rest).root != held.root:
            raise Refused("what it serves is not the cosigned history", code="unproven")
        return leaves, growth


async def _serve(copy: Copy, held: HeldHead, lines: Sequence[NoteSignature]) -> None:
    """Keeps the head; of one size the first that was kept is served."""
    note = encode_note(decode_note(held.note).with_lines(lines)) if lines else held.note
    await copy.store.keep_checkpoint(held.size, note)
