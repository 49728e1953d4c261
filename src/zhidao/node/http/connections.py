"""Who may hold how many connections: counted by block of addresses, from the moment of accept.

A connection is counted before its TLS handshake, for that is where it is cheapest for whoever
holds it. One over the block's share is closed at once. Where the whole node is full, the block
that holds most loses its oldest, so that a crowd from one place never keeps others out.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import struct
import time
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.node.security.sign_in_delays import address_block

HANDSHAKE_S: Final = 10.0
_SWEEP_S: Final = 1.0
_REFUSED_AT_ONCE: Final = 64
# Closing so sends a reset at once, and the kernel keeps nothing of the connection.
_RESET: Final = struct.pack("ii", 1, 0)
_FILES_WANTED: Final = 65_536
# Database, bus, terminals and the node's own files.
_FILES_KEPT: Final = 512
Networks = tuple[IPv4Network | IPv6Network, ...]


class Connections:
    """Those that are open, by block of addresses."""

    def __init__(
        self,
        *,
        block_max: int,
        total_max: int,
        proxies: Networks = (),
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """`proxies` stand for many callers each and are bounded by `total_max` only."""
        self._block_max = block_max
        self._total_max = total_max
        self._proxies = proxies
        self._handshake_s = handshake_s
        self._open: dict[str, dict[int, _Counted]] = {}
        self._count = 0
        self._waiting: dict[int, float] = {}
        self._swept_s = 0.0
        self.refused = 0

    def __len__(self) -> int:
        return self._count

    def admits(self, block: str) -> bool:
        """Whether one more of this block may stay."""
        if block and len(self._open.get(block, ())) >= self._block_max:
            self.refused += 1
            return False
        if self._count >= self._total_max:
            self._drop_one()
        return True

    def block_of(self, address: str) -> str:
        """What an address counts for; empty for a trusted proxy's."""
        return "" if is_in(address, self._proxies) else address_block(address) or address

    def opened(self, connection: _Counted) -> None:
        """Counts it; its handshake has begun."""
        self._open.setdefault(connection.block, {})[id(connection)] = connection
        self._count += 1
        now_s = time.monotonic()
        self._waiting[connection.fileno()] = now_s
        if now_s - self._swept_s > _SWEEP_S:
            self.sweep(now_s)

    def shook(self, handle: int) -> None:
        """Its handshake is done (`handle`: its file number)."""
        self._waiting.pop(handle, None)

    def closed(self, connection: _Counted, handle: int) -> None:
        """Forgets it."""
        mine = self._open.get(connection.block, {})
        if mine.pop(id(connection), None) is not None:
            self._count -= 1
            self._waiting.pop(handle, None)
        if not mine:
            self._open.pop(connection.block, None)

    def sweep(self, now_s: float) -> None:
        """Ends handshakes that take too long."""
        self._swept_s = now_s
        late = {
            handle
            for handle, since_s in self._waiting.items()
            if now_s - since_s > self._handshake_s
        }
        if late:
            for connection in [one for mine in self._open.values() for one in mine.values()]:
                if connection.fileno() in late:
                    self.shook(connection.fileno())
                    connection.hang_up()

    def _drop_one(self) -> None:
        block = max(self._open, key=lambda one: len(self._open[one]))
        oldest = next(iter(self._open[block].values()))
        oldest.hang_up()
        self.closed(oldest, oldest.fileno())


class _Counted(socket.socket):
    """An accepted connection that tells when it is closed."""

    block = ""
    _connections: Connections | None = None

    def count_in(self, connections: Connections, block: str) -> None:
        """From now on it is counted."""
        self.block, self._connections = block, connections
        connections.opened(self)

    def hang_up(self) -> None:
        """Ends both ways; whoever reads it sees its end."""
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes it and takes it from the count."""
        connections, self._connections = self._connections, None
        handle = self.fileno()
        super().close()
        if connections is not None:
            connections.closed(self, handle)


class Door(socket.socket):
    """A listening socket that lets in whom `connections` admits.

    `inner`: for processes of this node; those of this machine stand for many callers each.
    """

    connections: Connections
    inner: bool = False

    @classmethod
    def of(cls, listening: socket.socket, connections: Connections, *, inner: bool = False) -> Door:
        """The same socket, from now on with a count."""
        door = cls(listening.family, listening.type, listening.proto, fileno=listening.detach())
        door.connections, door.inner = connections, inner
        return door

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that may stay. Raises BlockingIOError when none waits."""
        for _ in range(_REFUSED_AT_ONCE):
            handle, address = self._accept()  # type: ignore[attr-defined]
            connection = _Counted(self.family, self.type, self.proto, fileno=handle)
            connection.setblocking(False)
            near = self.inner and ip_address(address[0]).is_loopback
            block = "" if near else self.connections.block_of(address[0])
            if self.connections.admits(block):
                connection.count_in(self.connections, block)
                return connection, address
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()
        # Others have their turn before more of the crowd is turned away.
        raise BlockingIOError


def networks_of(text: str, where: str) -> Networks:
    """The networks of a setting, separated by commas. Raises MalformedInput."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise MalformedInput(
            f"{error}", where=where, remedy="write networks such as 10.0.0.0/8, 2001:db8::/32"
        ) from error


def is_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address lies in one of them."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def room_for(connections: int) -> int:
    """How many connections this process may hold of those wanted, once it has asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    best = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
    if soft < best:
        resource.setrlimit(resource.RLIMIT_NOFILE, (best, hard))
        soft = best
    return max(1, min(connections, soft - _FILES_KEPT))
