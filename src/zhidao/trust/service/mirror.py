"""Copies of other nodes' logs, proven to be of the heads that this node's witness cosigned.

Nothing is written before it is proven: each piece must lead, with the hashes of what is still
missing, to the cosigned root. So a mirror stays on one history whatever it is served.
Source: C2SP tlog-mirror (revision 0838f7b4); entries are fetched, add-entries is not offered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable
from zhidao.trust.domain.merkle import Growth, extended, grow, leaf_hash
from zhidao.trust.domain.witness import HeldHead
from zhidao.trust.service.log_ports import LogStore
from zhidao.trust.service.log_reader import LogReader
from zhidao.trust.service.peers import Peers, RemoteTiles, origin_hash
from zhidao.trust.service.witness_ports import Network
from zhidao.trust.wire.tiles import TILE_WIDTH

BUNDLES_AT_ONCE: Final = 32
_LOG: Final = logging.getLogger("zhidao.mirror")


class Mirrors:
    """One copy for each log of the policies; `open_store` gives the storage of an origin."""

    def __init__(
        self, *, peers: Peers, network: Network, open_store: Callable[[str], LogStore]
    ) -> None:
        self._peers = peers
        self._network = network
        self._open_store = open_store
        self._stores: dict[str, tuple[LogStore, int]] = {}
        self._readers: dict[str, LogReader] = {}
        self.problems: dict[str, str] = {}

    async def start(self) -> None:
        """Opens the copy of every log of the policies."""
        for origin in self._peers.log_keys():
            store = self._open_store(origin)
            self._stores[origin] = (store, await store.take())
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

    async def follow(self, origin: str, held: HeldHead) -> bool:
        """Fetches what the copy lacks of a cosigned head; True when nothing is missing.

        A source that does not answer, or whose entries do not lead to the cosigned root, is
        passed over for the next one.
        """
        store, epoch = self._stores[origin]
        while True:
            size = (await store.head()).edge.size
            if size >= held.size:
                await store.keep_checkpoint(held.size, held.note)
                self.problems.pop(origin, None)
                return True
            if not await self._piece(store, epoch, origin, held):
                return False

    async def _piece(self, store: LogStore, epoch: int, origin: str, held: HeldHead) -> bool:
        for prefix in self._peers.sources(origin):
            try:
                leaves, growth = await self._proven(store, prefix, held)
            except (Refused, MalformedInput, Unavailable, KeyError) as error:
                self.problems[origin] = f"{prefix}: {error}"
                continue
            async with store.transaction() as transaction:
                await store.lock(transaction)
                await store.extend(transaction, epoch=epoch, growth=growth, leaves=leaves)
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
