"""Where a log is read from: a node of this software, or any log that serves C2SP tlog-tiles.

Nothing that comes from either is believed: proofs are checked against signed heads by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from zhidao.cli.console.remote import RemoteNode
from zhidao.core.errors import MalformedInput, NotFound

if TYPE_CHECKING:
    from zhidao.trust.service.log.ports import TilePlace
    from zhidao.trust.wire.log.tiles import TileName


class LogSource(Protocol):
    """Answers of one log."""

    def head(self) -> bytes:
        """The newest signed head, as a note's bytes."""
        ...

    def consistency(self, *, first: int, second: int) -> tuple[bytes, ...]:
        """The proof that the tree of `first` leaves begins that of `second`."""
        ...

    def leaf(self, index: int) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """A signed head, a leaf of its tree, and the leaf's inclusion proof."""
        ...

    def frauds(self) -> dict[str, bytes]:
        """Files of proven frauds that the source tells of, by name."""
        ...


class NodeLog:
    """A node's log, which computes proofs itself."""

    def __init__(self, node: RemoteNode) -> None:
        self._node = node

    def head(self) -> bytes:
        """The newest signed head."""
        return self._node.data("/log/checkpoint")

    def consistency(self, *, first: int, second: int) -> tuple[bytes, ...]:
        """As the node's own route answers."""
        from zhidao.core.encoding import parse_base64url

        found = self._node.get(f"/v1/trust/log/consistency?first={first}&second={second}")
        return tuple(parse_base64url(one) for one in found["proof"])

    def leaf(self, index: int) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """As the node's own route answers."""
        from zhidao.core.encoding import parse_base64url

        found = self._node.get(f"/v1/trust/log/{index}")
        path = tuple(parse_base64url(one) for one in found["inclusion"])
        return found["checkpoint"].encode(), parse_base64url(found["leaf"]), path

    def frauds(self) -> dict[str, bytes]:
        """Those that the node's own witness found."""
        names = self._node.get("/v1/trust/witness")["frauds"]
        return {name: self._node.data(f"/v1/trust/frauds/{name}") for name in names}


class TileLog:
    """Any log by its address and its tiles alone; proofs are made here.

    Source: C2SP tlog-tiles (revision 0ad71eb1).
    """

    def __init__(self, log: RemoteNode) -> None:
        self._log = log

    def head(self) -> bytes:
        """The newest signed head."""
        return self._log.data("/checkpoint")

    def consistency(self, *, first: int, second: int) -> tuple[bytes, ...]:
        """Made of the tiles that a tree of `second` leaves has."""
        from zhidao.trust.domain.merkle import consistency_ranges

        return self._hashes(consistency_ranges(first, second), second)

    def leaf(self, index: int) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """Out of its bundle, with a proof made of tiles. Raises NotFound beyond the head."""
        from zhidao.trust.domain.merkle import inclusion_ranges
        from zhidao.trust.service.log.reader import checkpoint_of
        from zhidao.trust.wire.log.tiles import TILE_WIDTH, TileName, decode_bundle, width_at

        head = self.head()
        size = checkpoint_of(head).size
        if not 0 <= index < size:
            raise NotFound(f"the newest head covers no leaf {index}")
        bundle, at = divmod(index, TILE_WIDTH)
        width = width_at(level=0, index=bundle, size=size)
        entries = decode_bundle(self._tile(TileName(None, bundle, width)))
        if at >= len(entries):
            raise MalformedInput(f"bundle {bundle} of the log lacks leaf {index}")
        return head, entries[at], self._hashes(inclusion_ranges(index, size), size)

    def frauds(self) -> dict[str, bytes]:
        """None: a log tells of no fraud but by contradicting itself."""
        return {}

    def _hashes(self, ranges: Sequence[tuple[int, int]], size: int) -> tuple[bytes, ...]:
        import asyncio

        from zhidao.trust.service.log.tile_hashes import TileHashes
        from zhidao.trust.wire.log.tiles import TileName, width_at

        async def fetch(places: Sequence[TilePlace]) -> list[bytes]:
            # In a thread: who asks a node runs a loop of its own.
            return [
                await asyncio.to_thread(
                    self._tile,
                    TileName(level, index, width_at(level=level, index=index, size=size)),
                )
                for level, index in places
            ]

        try:
            return asyncio.run(TileHashes(fetch).over(ranges))
        except KeyError as error:
            raise MalformedInput(f"the log's tiles lack hashes of its {size} leaves") from error

    def _tile(self, name: TileName) -> bytes:
        """A tile; the whole one where the log no longer has the partial."""
        from zhidao.trust.wire.log.tiles import TileName

        try:
            return self._log.data(f"/tile/{name.path}")
        except NotFound:
            return self._log.data(f"/tile/{TileName(name.level, name.index).path}")
