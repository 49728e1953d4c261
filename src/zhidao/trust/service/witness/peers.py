"""What the policies say of other nodes: which logs there are, and where their copies lie."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhidao.core.errors import NotFound, Unavailable
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log.ports import TilePlace
from zhidao.trust.service.log.tile_hashes import TileHashes
from zhidao.trust.service.witness.ports import Network
from zhidao.trust.wire.log.tiles import TILE_WIDTH, TileName, decode_bundle, width_at


def origin_hash(origin: str) -> str:
    """The name of a log in URLs of witnesses and mirrors: SHA-256 of its origin."""
    return hashlib.sha256(origin.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Peers:
    """The policies of this node by corridor, and its own submission prefix (or ``)."""

    policies: Mapping[str, Policy]
    own_url: str = ""

    def log_keys(self) -> dict[str, tuple[NoteKey, ...]]:
        """The keys of every log by origin."""
        keys: dict[str, tuple[NoteKey, ...]] = {}
        for policy in self.policies.values():
            for log in policy.logs:
                known = keys.get(log.key.name, ())
                keys[log.key.name] = tuple(dict.fromkeys((*known, log.key)))
        return keys

    def witness_keys(self) -> tuple[NoteKey, ...]:
        """The keys of every witness."""
        each = [key for policy in self.policies.values() for key in policy.keys]
        return tuple(dict.fromkeys(each))

    def log_urls(self) -> dict[str, str]:
        """Where each log is served, as far as policies say."""
        return {
            log.key.name: log.url
            for policy in self.policies.values()
            for log in policy.logs
            if log.url
        }

    def urls(self) -> tuple[str, ...]:
        """The submission prefixes of the other witnesses."""
        each = [w.url for policy in self.policies.values() for w in policy.witnesses]
        return tuple(dict.fromkeys(url for url in each if url and url != self.own_url))

    def sources(self, origin: str) -> tuple[str, ...]:
        """Where a log's tiles may be had: from itself, then from the others' mirrors."""
        own = self.log_urls().get(origin)
        mirrors = [f"{url}/mirror/{origin_hash(origin)}" for url in self.urls()]
        return (*([own] if own else []), *mirrors)


class RemoteTiles:
    """The tiles of a log of `size` leaves at a URL prefix; nothing in them is believed."""

    def __init__(self, network: Network, prefix: str, size: int) -> None:
        self._network = network
        self._prefix = prefix
        self._size = size
        self.hashes = TileHashes(self._tiles)

    async def bundle(self, index: int) -> tuple[bytes, ...]:
        """The entries of one bundle. Raises NotFound, Unavailable, MalformedInput."""
        width = width_at(level=0, index=index, size=self._size)
        return decode_bundle(await self._read(TileName(None, index, width)))

    async def _tiles(self, names: Sequence[TilePlace]) -> list[bytes]:
        # One after the other: a peer is asked politely.
        return [await self._tile(level, index) for level, index in names]

    async def _tile(self, level: int, index: int) -> bytes:
        width = width_at(level=level, index=index, size=self._size)
        return await self._read(TileName(level, index, width)) if width else b""

    async def _read(self, name: TileName) -> bytes:
        """A tile, or the whole one that has replaced a partial one."""
        names = [name] if name.width == TILE_WIDTH else [name, TileName(name.level, name.index)]
        for each in names:
            answer = await self._network.get(f"{self._prefix}/tile/{each.path}")
            if answer.status == 200:
                return answer.body
            if answer.status >= 500:
                raise Unavailable(f"{self._prefix} answers {answer.status}")
        raise NotFound(f"{self._prefix} has no tile {name.path}")
