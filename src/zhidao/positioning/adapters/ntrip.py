"""An NTRIP client: streams of corrections from a caster, kept up over broken connections."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from zhidao import __version__
from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.retry_policy import RetryPolicy
from zhidao.positioning.wire.receivers.ntrip import (
    PORT,
    AnswerReader,
    Login,
    Source,
    request,
    sources_of,
)

TABLE_BYTES_MAX: Final = 8 * 1024 * 1024
_READ_BYTES: Final = 16_384
_AGENT: Final = f"Zhidao/{__version__}"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Caster:
    """Where a caster is and who asks. tls: encrypted, and the caster's name is checked."""

    host: str
    port: int = PORT
    login: Login | None = None
    tls: bool = True
    authority: ssl.SSLContext | None = None


# By chance between half and all of each pause: many clients lose one caster at once.
RETRY: Final = RetryPolicy(first_s=1.0, longest_s=60.0, jitter=0.5, attempts_max=8)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Seconds and counts after which the client acts.

    silence_s: without a byte, the connection counts as dead. retry: how long it waits after
    attempts in a row without any data, and after how many the caster is given up.
    gga_s: between reports of the receiver's own place.
    """

    connect_s: float = 10.0
    silence_s: float = 30.0
    gga_s: float = 10.0
    retry: RetryPolicy = RETRY


async def dial(caster: Caster) -> Connection:
    """A TCP connection, with TLS 1.2 or later where the caster is asked by it."""
    context = None
    if caster.tls:
        context = caster.authority or ssl.create_default_context()
    return await asyncio.open_connection(
        caster.host, caster.port, ssl=context, limit=4 * _READ_BYTES
    )


class NtripClient:
    """Asks a caster for its sources, and for the stream of one of them.

    dial, sleep: the ways to the world, so that a node can put its rules of egress, and a test its
    own clock, in their place. randomness spreads the pauses of many clients of one caster.
    """

    def __init__(
        self,
        caster: Caster,
        randomness: Randomness,
        *,
        limits: StreamLimits | None = None,
        dial: Callable[[Caster], Awaitable[Connection]] = dial,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._caster = caster
        self._randomness = randomness
        self._limits = limits or StreamLimits()
        self._dial = dial
        self._sleep = sleep
        self.reconnected = 0

    async def sources(self) -> list[Source]:
        """The caster's table of sources.

        Raises Unavailable where the caster cannot be reached or is silent, MalformedInput where it
        sends more than 8 MiB or something else.
        """
        table = b""
        async with contextlib.aclosing(self._once("", "", wants_table=True)) as parts:
            async for part in parts:
                table += part
                if len(table) > TABLE_BYTES_MAX:
                    raise MalformedInput(f"a table of sources over {TABLE_BYTES_MAX} bytes")
                if b"ENDSOURCETABLE" in part:
                    break
        return sources_of(table)

    async def stream(
        self, mount: str, *, gga: Callable[[], str] = lambda: ""
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a stream, without end; a broken connection is made again.

        Bytes lost with a connection stay lost: frames have checksums, their reader finds the next.
        gga: the receiver's place as a sentence, asked for anew each time; empty for none.
        Raises Unauthenticated, NotFound or Refused at once, Unavailable after as many
        attempts in a row as its policy has that brought no data.
        """
        failed = 0
        while True:
            why = "the caster closed the connection"
            try:
                async with contextlib.aclosing(self._once(mount, gga, wants_table=False)) as parts:
                    async for part in parts:
                        failed = 0
                        yield part
            except Unavailable as error:
                why = str(error)
            failed += 1
            if self._limits.retry.is_over(failed):
                raise Unavailable(
                    f"{self._caster.host}: {failed} attempts brought no data; last: {why}"
                )
            await self._sleep(self._limits.retry.pause_s(failed, self._randomness))
            self.reconnected += 1

    async def _once(
        self, mount: str, gga: Callable[[], str] | str, *, wants_table: bool
    ) -> AsyncGenerator[bytes, None]:
        """The body of one answer. Raises Unavailable where the connection fails or falls silent."""
        place = gga if isinstance(gga, str) else gga()
        words = request(
            mount,
            host=f"{self._caster.host}:{self._caster.port}",
            agent=_AGENT,
            login=self._caster.login,
            gga=place,
        )
        reader, writer = await self._connected()
        try:
            writer.write(words)
            answer = AnswerReader(wants_table=wants_table)
            told_at = asyncio.get_running_loop().time()
            while not answer.ended:
                data = await self._read(reader)
                if not data:
                    return
                for part in answer.feed(data):
                    yield part
                now = asyncio.get_running_loop().time()
                if place and not isinstance(gga, str) and now - told_at >= self._limits.gga_s:
                    told_at = now
                    writer.write(gga().strip().encode() + b"\r\n")
        finally:
            writer.close()
            # The other side may have broken the connection already; nothing is lost by that.
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._limits.connect_s):
                    await writer.wait_closed()

    async def _connected(self) -> Connection:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await self._dial(self._caster)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{self._caster.host}:{self._caster.port}: {error!r}") from error

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._limits.silence_s):
                return await reader.read(_READ_BYTES)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{self._caster.host} is silent or gone: {error!r}") from error
