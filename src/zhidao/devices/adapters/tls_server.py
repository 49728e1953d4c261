"""A TCP port whose callers are known by their address before a byte of TLS is spoken with them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput

_BACKLOG: Final = 512
# Where no more files can be opened: so long until the next try.
_PAUSE_S: Final = 0.5


class TlsServer:
    """As `asyncio.Server`, as far as the gateway uses one.

    `asyncio` shakes hands before it tells of a caller: whoever says nothing would be counted by
    nobody. `serve` takes each caller's socket and address.
    """

    def __init__(
        self, host: str, port: int, serve: Callable[[socket.socket, str], Awaitable[None]]
    ) -> None:
        """Takes the port. Raises OSError, OverflowError."""
        self.sockets: list[socket.socket] = []
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            for family, kind, _, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                assert kind == socket.SOCK_STREAM
                self.sockets.append(
                    socket.create_server(address[:2], family=family, backlog=_BACKLOG)
                )
        except BaseException:
            self.close()
            raise
        for each in self.sockets:
            each.setblocking(False)

    async def start_serving(self) -> None:
        """From now on callers are taken."""
        for each in self.sockets:
            self._keep(asyncio.ensure_future(self._accept(each)))

    def is_serving(self) -> bool:
        """Whether callers are taken."""
        return bool(self._tasks)

    def close(self) -> None:
        """Gives the port back; who is being served is."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        for each in self.sockets:
            each.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop, talks = asyncio.get_running_loop(), set[asyncio.Future[None]]()
        while True:
            try:
                caller, address = await loop.sock_accept(listening)
            except OSError:
                await asyncio.sleep(_PAUSE_S)
                continue
            talk = asyncio.ensure_future(self._serve(caller, str(address[0])))
            talks.add(talk)
            talk.add_done_callback(talks.discard)


async def shaken(
    caller: socket.socket, context: ssl.SSLContext, *, timeout_s: float, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reader and writer of a caller with whom hands are shaken. Raises OSError."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, caller, ssl=context, ssl_handshake_timeout=timeout_s
        )
    except BaseException:
        with contextlib.suppress(OSError):
            caller.close()
        raise
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def context_of(certificate: str, key: str) -> ssl.SSLContext:
    """A context that shows this certificate. Raises MalformedInput if its files are no such."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise MalformedInput(
            f"{Path(certificate).name} and {Path(key).name} are no certificate with its key:"
            f" {error}",
            where="http.certificate",
            remedy="give PEM files of one certificate and its key",
        ) from error
    return context
