"""A small pool of connections that is back at once after the server was.

psycopg_pool waits one second and then ever longer between attempts to reconnect; a node whose
database restarts in a tenth of a second shall not stand still for seven.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from zhidao.core.errors import Unavailable

Connection: TypeAlias = psycopg.AsyncConnection[dict[str, Any]]
_PAUSE_S: Final = 0.05
# A server process holds memory for each connection, so a burst's connections go after a while.
_IDLE_S: Final = 20.0


class Pool:
    """At most `connections_max` connections, made when needed, last used first."""

    def __init__(
        self,
        url: str,
        *,
        connections_max: int,
        checkout_s: float,
        idle_s: float = _IDLE_S,
        name: str = "",
    ) -> None:
        """`name`: what the server shows of who connected; empty: what the URL says."""
        self.connections_max = connections_max
        self._url = make_conninfo(url, application_name=name) if name else url
        # Of each server of the URL; what it says itself goes by how many it names.
        self._server_s = conninfo_to_dict(url).get("connect_timeout") or max(2, int(checkout_s))
        self._checkout_s = checkout_s
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(connections_max)
        # Last used last, with the time of its return.
        self._idle: list[tuple[float, Connection]] = []
        self._closed = False
        # Why the last attempt to connect failed; empty after one that did not.
        self._why = ""
        self._turn = asyncio.Lock()

    async def take(self) -> Connection:
        """A connection, which may have died unseen. Give it back.

        Raises Unavailable after `checkout_s` without a server or without a free place.
        """
        deadline = time.monotonic() + self._checkout_s
        try:
            async with asyncio.timeout(self._checkout_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise absent("all connections are busy") from error
        try:
            return self._idle.pop()[1] if self._idle else await self._connect(deadline)
        except BaseException:
            self._places.release()
            raise

    async def give(self, connection: Connection) -> None:
        """Takes a connection back; one that is broken or inside a transaction is closed."""
        clean = connection.info.transaction_status == TransactionStatus.IDLE
        try:
            if clean and not self._closed:
                # Used last in, first out, so that what a burst made grows old at the other end and
                # is closed.
                self._idle.append((time.monotonic(), connection))
                await self._drop_idle()
            else:
                await connection.close()
        finally:
            self._places.release()

    async def close(self) -> None:
        """Closes what is idle now, and the rest as it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop()[1].close()

    async def _drop_idle(self) -> None:
        if len(self._idle) > 1 and self._idle[0][0] < time.monotonic() - self._idle_s:
            await self._idle.pop(0)[1].close()

    async def _connect(self, deadline: float) -> Connection:
        while not self._closed:
            try:
                return await (self._knock_in_turn(deadline) if self._why else self._knock())
            except psycopg.OperationalError as error:
                self._why = str(error).splitlines()[0]
            except TimeoutError:
                # Somebody else asks, and hears no answer.
                pass
            if time.monotonic() + _PAUSE_S >= deadline:
                raise absent(self._why or "no server answers in time")
            await asyncio.sleep(_PAUSE_S)
        raise absent("this node is stopping")

    async def _knock_in_turn(self, deadline: float) -> Connection:
        """While the server is away one asks for all.

        Dozens that each ask several servers by TLS twenty times a second take the processor that
        the server needs to come up.
        """
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            await self._turn.acquire()
        try:
            if self._why:
                return await self._knock()
        except psycopg.OperationalError:
            await asyncio.sleep(_PAUSE_S)
            raise
        finally:
            self._turn.release()
        # It is back: whoever waited goes on beside the others.
        return self._idle.pop()[1] if self._idle else await self._knock()

    async def _knock(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            row_factory=dict_row,
            connect_timeout=int(self._server_s),
        )
        self._why = ""
        return connection


def absent(why: str) -> Unavailable:
    """What a caller hears when there is no connection to be had."""
    return Unavailable(
        f"the database does not answer: {why}", code="database_unavailable", remedy="try again"
    )
