"""The TCP server for terminals: sockets, time-outs and caps; the talk itself is in the sessions."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Unavailable, ZhidaoError
from zhidao.devices.adapters.listeners import PROTOCOLS, Conversation, Listener, WireProtocol
from zhidao.devices.adapters.tls_server import TlsServer, shaken
from zhidao.devices.service.lines import network_of
from zhidao.devices.service.session_services import SessionServices

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_READ_BYTES: Final = 32 * 1024
_WRITE_S: Final = 10.0
_TEND_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the server. Heartbeats come each 60 s, so `idle_s` allows two to be lost.

    `per_address_max`: a fleet behind one address of its mobile network is many terminals; of those
    that showed no token yet only `early_per_address_max` are heard at once.
    """

    idle_s: float = 180.0
    early_s: float = 15.0
    gap_s: float = 2.0
    per_address_max: int = 10_000
    early_per_address_max: int = 1_000
    sessions_max: int = 20_000


class Gateway:
    """Accepts terminals over TCP; its bounds hold for all its ports together."""

    def __init__(
        self,
        services: SessionServices,
        *,
        host: str,
        port: int,
        tend: Callable[[], Awaitable[None]],
        limits: Limits | None = None,
        others: Sequence[Listener] = (),
    ) -> None:
        """`port`: of JT/T 808; 0 takes a free one. `tend` runs every few seconds beside all.

        `others`: more ports, of this protocol or another.
        """
        self._services = services
        self._tend = tend
        self._limits = limits or Limits()
        self._addresses: Counter[str] = Counter()
        self._early: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.listeners = (Listener(host, port), *others)
        self.counts: Counter[str] = Counter()

    async def open(self) -> None:
        """Takes the ports, so that `address` is true; nobody is served before `run`.

        Raises Unavailable (`port_unavailable`) if one cannot be had; then it has none.
        """
        try:
            for each in self.listeners:
                await self._open(each)
        except Unavailable:
            self._close()
            raise

    async def _open(self, each: Listener) -> None:
        spoken = PROTOCOLS[each.protocol]
        try:
            if each.tls is not None:
                serve = partial(self._encrypted, spoken, each.tls)
                each.server = TlsServer(each.host, each.port, serve)
            else:
                each.server = await asyncio.start_server(
                    partial(self._connected, spoken),
                    each.host,
                    each.port,
                    limit=_READ_BYTES,
                    backlog=512,
                    start_serving=False,
                )
        except (OSError, OverflowError) as error:
            raise Unavailable(
                f"port {each.port} of {each.host}, for terminals, cannot be taken: {error}",
                code="port_unavailable",
                remedy=f"end the program that has it, or set {each.setting} to another one",
            ) from error
        each.port = each.server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        for each in self.listeners:
            if each.server is not None:
                each.server.close()
                each.server = None

    async def run(self) -> None:
        """Serves until cancelled; after a failure it may be run again, at the same ports."""
        if self.listeners[0].server is None:
            await self.open()
        writing = asyncio.create_task(self._services.writer.run())
        tending = asyncio.create_task(self._tend_always())
        try:
            for each in self.listeners:
                assert each.server is not None
                await each.server.start_serving()
            await asyncio.gather(writing, tending)
        finally:
            self._close()
            await _cancelled(*self._tasks, writing, tending)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port where terminals of JT/T 808 connect."""
        return self.listeners[0].host, self.listeners[0].port

    @property
    def ports(self) -> tuple[tuple[str, int, bool], ...]:
        """All ports: protocol, number, whether it is encrypted."""
        return tuple((each.protocol, each.port, each.tls is not None) for each in self.listeners)

    @property
    def sessions(self) -> int:
        """How many connections are open."""
        return sum(self._addresses.values())

    @property
    def connected(self) -> tuple[str, ...]:
        """Terminals that are connected and showed their token."""
        return self._services.lines.connected

    async def _tend_always(self) -> None:
        while True:
            try:
                await self._tend()
            except ZhidaoError:
                # The database or bus is away; the next round does what this one could not.
                self.counts["tend_failed"] += 1
            await asyncio.sleep(_TEND_S)

    async def _connected(
        self, spoken: WireProtocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = str((writer.get_extra_info("peername") or ("?",))[0])

        async def opened() -> Streams:
            return reader, writer

        await self._serve(spoken, address, opened)
        writer.close()

    async def _encrypted(
        self, spoken: WireProtocol, tls: ssl.SSLContext, caller: socket.socket, address: str
    ) -> None:
        timeout_s, counted = self._limits.early_s, False

        async def opened() -> Streams:
            nonlocal counted
            counted = True
            return await shaken(caller, tls, timeout_s=timeout_s, limit=_READ_BYTES)

        await self._serve(spoken, address, opened)
        if not counted:
            caller.close()

    async def _serve(
        self, spoken: WireProtocol, address: str, opened: Callable[[], Awaitable[Streams]]
    ) -> None:
        """One caller, from his being counted until he is gone."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self._is_full(address):
            self.counts["turned_away"] += 1
            self._tasks.discard(task)
            return
        self._addresses[address] += 1
        self._early[address] += 1
        early, writer = True, None

        def came_in() -> None:
            nonlocal early
            early = False
            self._one_less(self._early, address)

        try:
            reader, writer = await opened()
            session = spoken.session(
                self._services,
                network=network_of(address),
                hang_up=writer.close,
                send=partial(self._write, writer),
            )
            await self._talk(session, spoken.deframer(), came_in, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.counts["broken"] += 1
        except asyncio.CancelledError:
            self.counts["cancelled"] += 1
        finally:
            self._tasks.discard(task)
            self._one_less(self._addresses, address)
            if early:
                self._one_less(self._early, address)
            if writer is not None:
                writer.close()

    def _is_full(self, address: str) -> bool:
        return (
            self._addresses[address] >= self._limits.per_address_max
            or self._early[address] >= self._limits.early_per_address_max
            or self.sessions >= self._limits.sessions_max
        )

    @staticmethod
    def _one_less(counted: Counter[str], address: str) -> None:
        counted[address] -= 1
        if not counted[address]:
            del counted[address]

    async def _talk(
        self,
        session: Conversation,
        deframer: Any,
        came_in: Callable[[], None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        now_s = asyncio.get_running_loop().time
        # A stranger has this long in all, however slowly he feeds his bytes.
        early_until_s = now_s() + self._limits.early_s
        try:
            while not session.closed:
                early_s = early_until_s - now_s()
                timeout_s = self._limits.idle_s if session.authenticated else early_s
                data = await self._read(reader, writer, session, timeout_s)
                if not data:
                    return
                was_in = session.authenticated
                answers = await session.receive(deframer.feed(data))
                if session.authenticated and not was_in:
                    came_in()
                    self.counts["taken_over"] += session.took_over
                await self._write(writer, answers)
                if session.waits_for_packets:
                    # A line that is never silent is asked as well.
                    await self._write(writer, await session.ask_again(self._limits.gap_s))
        except MalformedInput as error:
            self.counts[error.code] += 1
            with contextlib.suppress(ZhidaoError):
                await session.lost(error)
        except Unavailable:
            # Nothing was acknowledged; the terminal keeps its frames and comes back.
            self.counts["not_stored"] += 1
        except ZhidaoError as error:
            self.counts[error.code] += 1
        finally:
            with contextlib.suppress(ZhidaoError):
                await session.leave()

    async def _read(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: Conversation,
        timeout_s: float,
    ) -> bytes:
        """The next bytes; nothing at the end of the stream or of the time-out."""
        while timeout_s > 0:
            wait_s = min(timeout_s, self._limits.gap_s) if session.waits_for_packets else timeout_s
            try:
                async with asyncio.timeout(wait_s):
                    return await reader.read(_READ_BYTES)
            except TimeoutError:
                timeout_s -= wait_s
                await self._write(writer, await session.ask_again())
        self.counts["idle"] += 1
        return b""

    async def _write(self, writer: asyncio.StreamWriter, answers: list[bytes]) -> None:
        if not answers:
            return
        writer.write(b"".join(answers))
        try:
            async with asyncio.timeout(_WRITE_S):
                await writer.drain()
        except TimeoutError as error:
            # To close it would wait until the terminal reads what is buffered.
            writer.transport.abort()
            raise ConnectionError("the terminal does not read its answers") from error


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
