"""The peers of a side in memory, as far as news of keys and parties changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.node.federation.sides_bench import Side

from zhidao.core.errors import NotFound
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer


class BareBook:
    """Implements `Learns` and `Hears` over a side's list of peers."""

    def __init__(self, side: Side) -> None:
        self._side = side

    def of(self, node: str) -> Peer:
        for peer in self._side.peers:
            if peer.node == node:
                return peer
        raise NotFound("no such peer")

    async def learn(self, node: str, keys: Sequence[PublicKey], *, proof: str) -> Peer:
        del proof
        peers = self._side.peers
        peers[:] = [replace(p, keys=tuple(keys)) if p.node == node else p for p in peers]
        return self.of(node)

    async def hear(self, node: str, said: bytes) -> Peer:
        peers = self._side.peers
        peers[:] = [replace(p, said=said) if p.node == node else p for p in peers]
        return self.of(node)
