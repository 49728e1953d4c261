"""PostgreSQL as the house uses it: one pool, one transaction at a time, errors of our own tree."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self, TypeAlias, TypeVar

import numpy as np
import psycopg
from psycopg import sql as composing

from zhidao.core.ambient import Randomness, SeededRandomness
from zhidao.core.errors import MalformedInput, Unavailable, WrittenMeanwhile
from zhidao.core.retry_policy import RetryPolicy
from zhidao.store.copying import HEADER, TRAILER, binary_rows, records_of, rows_in
from zhidao.store.fence import Fence, over
from zhidao.store.pool import Connection, Pool, absent

_T = TypeVar("_T")
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]

CHECKOUT_S: Final = 5.0
# Full jitter, so that two transactions that met do not meet again.
RETRY: Final = RetryPolicy(first_s=0.01, longest_s=1.28, jitter=1.0, attempts_max=9)
# SQLSTATE codes and classes: PostgreSQL 18, appendix A.
_CONTENTION: Final = ("40001", "40P01")
_DISK_FULL: Final = "53100"
# What a transaction that only reads says to one that would write.
_READ_ONLY: Final = "25006"
_UNIQUE: Final = "23505"
_WORLD: Final = ("08", "53", "55", "57", "58", "XX")
_DATA: Final = "22"
# Of a COPY out at once, before it is made into rows.
_OUT_BYTES: Final = 8 << 20
# Citus numbers the tables on its workers, and days stand behind the names of partitions.
_SHARD: Final = re.compile(r"(?:_[0-9]{6,})+\Z")


class Contended(Unavailable):
    """Another transaction was in the way; the whole transaction may be run again."""

    default_code = "contended"


class Session:
    """One transaction. Use it inside `async with database.session()` only."""

    def __init__(
        self,
        connection: Connection,
        column_types: dict[str, dict[str, int]],
        *,
        low_space: bool = False,
        fence: Fence | None = None,
    ) -> None:
        """`low_space`: the transaction reads only, because the disk is nearly full."""
        self._connection = connection
        self._column_types = column_types
        self._low_space = low_space
        self._fence = fence

    async def execute(self, sql: str, params: Params = ()) -> int:
        """Runs a statement and returns how many rows it touched; within `at_once` it says -1."""
        with translated(low_space=self._low_space):
            cursor = await self._connection.execute(sql.encode(), params, binary=True)
            return cursor.rowcount

    async def fetch_one(self, sql: str, params: Params = ()) -> dict[str, Any] | None:
        """The first row of the answer, or None."""
        with translated(low_space=self._low_space):
            cursor = await self._connection.execute(sql.encode(), params, binary=True)
            return await cursor.fetchone()

    async def fetch_all(self, sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """All rows of the answer."""
        with translated(low_space=self._low_space):
            cursor = await self._connection.execute(sql.encode(), params, binary=True)
            return await cursor.fetchall()

    async def check_fence(self) -> None:
        """Makes sure that this process may write until the transaction ends.

        Raises Unavailable (`lease_lost`) if not. A database without a fence lets everybody write.
        """
        if self._fence is None:
            return
        asked = f"select 1 as one where {self._fence.condition}"
        if await self.fetch_one(asked, self._fence.parameters) is None:
            raise over()

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[None]:
        """Sends the statements of the block without waiting between them: one round trip for all.

        For `execute` alone, whose answer means nothing inside. What a statement raises comes at
        the next one or at the end of the block.
        """
        with translated(low_space=self._low_space):
            async with self._connection.pipeline():
                yield

    async def script(self, sql: str) -> None:
        """Runs several statements of a trusted text without parameters, as migrations need."""
        with translated(low_space=self._low_space):
            await self._connection.execute(sql.encode(), prepare=False)

    async def copy(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]] | np.ndarray[Any, Any],
    ) -> None:
        """Binary COPY into `schema.table`. `rows`: tuples, or a numpy record array.

        A record array's fields stand in the order of `columns` and are sent without a Python
        object per value; `store.copying` tells which types fit.
        """
        types = await self._types(table)
        oids = [types[column] for column in columns]
        statement = composing.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            composing.Identifier(*table.split(".")),
            composing.SQL(", ").join(map(composing.Identifier, columns)),
        )
        with translated(low_space=self._low_space):
            async with (
                self._connection.cursor() as cursor,
                cursor.copy(statement) as copy,
            ):
                if isinstance(rows, np.ndarray):
                    for chunk in binary_rows(rows, oids):
                        await copy.write(chunk)
                else:
                    copy.set_types(oids)
                    for row in rows:
                        await copy.write_row(row)

    async def copy_out(
        self, table: str, dtype: np.dtype[Any], where: composing.Composable
    ) -> np.ndarray[Any, Any]:
        """Binary COPY out of `schema.table`: the columns that `dtype` names, all of them integers.

        Raises MalformedInput for a row with a null or another width.
        """
        names = dtype.names or ()
        statement = composing.SQL(
            "COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT BINARY)"
        ).format(
            composing.SQL(", ").join(map(composing.Identifier, names)),
            composing.Identifier(*table.split(".")),
            where,
        )
        width, waiting = rows_in(dtype).itemsize, bytearray()
        found = [np.empty(0, dtype)]
        with translated(low_space=self._low_space):
            async with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                async for piece in copy:
                    waiting += piece
                    if len(waiting) >= _OUT_BYTES:
                        whole = len(HEADER) + (len(waiting) - len(HEADER)) // width * width
                        found.append(records_of(bytes(waiting[len(HEADER) : whole]), dtype))
                        # The header stays in front of what is left.
                        del waiting[len(HEADER) : whole]
        body = bytes(waiting[len(HEADER) : -len(TRAILER)])
        return np.concatenate([*found, records_of(body, dtype)])

    @property
    def connection(self) -> Connection:
        """The driver's own connection, for what only it can do (backup's COPY OUT)."""
        return self._connection

    async def _types(self, table: str) -> dict[str, int]:
        known = self._column_types.get(table)
        if known is None:
            found = await self.fetch_all(
                "select attname::text as name, atttypid::int8 as oid from pg_attribute"
                " where attrelid = %s::text::regclass and attnum > 0 and not attisdropped",
                (table,),
            )
            known = self._column_types[table] = {row["name"]: row["oid"] for row in found}
        return known


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(
        self,
        pool: Pool,
        low_space: Callable[[], bool],
        randomness: Randomness,
        fence: Fence | None = None,
    ) -> None:
        self._pool = pool
        self.fence = fence
        self._randomness = randomness
        self._low_space = low_space
        self._column_types: dict[str, dict[str, int]] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections_max: int = 12,
        checkout_s: float = CHECKOUT_S,
        low_space: Callable[[], bool] = lambda: False,
        randomness: Randomness | None = None,
        fence: Fence | None = None,
        holder: str = "",
    ) -> Self:
        """Connects. Raises Unavailable if the server does not answer within `checkout_s`.

        fence: without it nobody else writes here, or whoever opened this takes care of that.
        holder: the name under which the server shows these connections.

        While `low_space` says so, every transaction reads only and writing is Unavailable with
        code `disk_full` (`store.space`). randomness: spreads those that were in each other's way;
        without one, a stream of the process's own.
        """
        pool = Pool(url, connections_max=connections_max, checkout_s=checkout_s, name=holder)
        await pool.give(await pool.take())
        return cls(pool, low_space, randomness or SeededRandomness(os.urandom(16)), fence)

    async def close(self) -> None:
        """Closes all connections."""
        await self._pool.close()

    @asynccontextmanager
    async def session(self, *, snapshot: bool = False) -> AsyncIterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        With `snapshot` it reads one state of the database throughout and cannot write.
        Raises Unavailable when the server is gone; whether a commit in flight stood is unknown
        then, so every caller can repeat its work. Raises Contended (40001, 40P01), Conflict
        (unique violation), MalformedInput (a value that PostgreSQL cannot hold).
        """
        # Refused by the server and not by us: no statement that writes can be overlooked.
        low = self._low_space()
        mode = b"BEGIN READ ONLY" if low else b"BEGIN"
        if snapshot:
            mode = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        connection = await self._begin(mode)
        try:
            yield Session(connection, self._column_types, low_space=low, fence=self.fence)
            # Inside the try: a commit that fails (a deferred constraint, a serialisation error) is
            # rolled back, and the connection may be used again.
            with translated():
                await connection.execute(b"COMMIT")
        except BaseException:
            await _roll_back(connection)
            raise
        finally:
            await self._pool.give(connection)

    async def read(self, sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """All rows of one `select`, in one round trip instead of a transaction's three.

        It sees one committed state. Errors as of `session`; a connection that turns out to be
        dead costs nothing but another, since reading can be repeated.
        """
        assert sql.startswith("select "), "a statement that writes needs a transaction"
        for _ in range(self._pool.connections_max + 1):
            connection = await self._pool.take()
            try:
                return await Session(connection, self._column_types).fetch_all(sql, params)
            except Unavailable:
                if not connection.closed:
                    raise
            finally:
                await self._pool.give(connection)
        raise absent("connections end as soon as they are made")

    async def alone(self, sql: str) -> None:
        """Runs one statement of ours that stands in no transaction, such as REINDEX CONCURRENTLY.

        Raises Unavailable (`disk_full`) while space is low.
        """
        if self._low_space():
            raise Unavailable("the database's disk is nearly full", code="disk_full")
        connection = await self._pool.take()
        try:
            with translated():
                await connection.execute(sql.encode(), prepare=False)
        finally:
            await self._pool.give(connection)

    async def run(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Runs `work` in a transaction, and again from the start while others are in the way."""
        failures = 0
        while True:
            try:
                async with self.session() as session:
                    return await work(session)
            except Contended:
                failures += 1
                if RETRY.is_over(failures):
                    raise
                await asyncio.sleep(RETRY.pause_s(failures, self._randomness))

    async def ready(self) -> bool:
        """Whether the server answers now."""
        try:
            async with self.session() as session:
                return await session.fetch_one("select 1 as one") is not None
        except Unavailable:
            return False

    async def _begin(self, mode: bytes) -> Connection:
        """A connection inside a fresh transaction; dead connections of the pool are passed over."""
        for _ in range(self._pool.connections_max + 1):
            connection = await self._pool.take()
            try:
                await connection.execute(mode)
            except psycopg.OperationalError:
                await self._pool.give(connection)
            except BaseException:
                await self._pool.give(connection)
                raise
            else:
                return connection
        raise absent("connections end as soon as they are made")


@contextmanager
def translated(*, low_space: bool = False) -> Iterator[None]:
    """Turns the driver's errors into those of the house; leaves what only a bug can cause.

    `low_space`: the transaction reads only for want of space, by our own doing.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, low_space=low_space) from error


def _translate(error: psycopg.Error, *, low_space: bool) -> Exception:
    state = error.sqlstate or ""
    if state in _CONTENTION:
        return Contended("another transaction was in the way", remedy="repeat the request")
    if state == _READ_ONLY and not low_space:
        return _leads_to_standby()
    if state in (_DISK_FULL, _READ_ONLY):
        return Unavailable(
            "the database's disk is full; nothing was written",
            code="disk_full",
            remedy="free space on the database's disk; reading goes on",
        )
    if state == _UNIQUE:
        return WrittenMeanwhile(f"already written in {_table_of(error)}")
    if state.startswith(_DATA) or (not state and isinstance(error, psycopg.DataError)):
        return MalformedInput(f"the database cannot hold this value: {_first_line(error)}")
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if state.startswith(_WORLD) or (not state and lost):
        code = "disk_full" if "No space left" in str(error) else "database_unavailable"
        return Unavailable(
            f"the database failed: {_first_line(error)}", code=code, remedy="try again"
        )
    return error


def _leads_to_standby() -> Unavailable:
    return Unavailable(
        "the address of the database leads to a standby that only reads; nothing was written",
        code="database_read_only",
        remedy="name all servers in database.url and add target_session_attrs=read-write",
    )


def _table_of(error: psycopg.Error) -> str:
    """The table whose key is taken, without what a distributed database adds to its name."""
    schema, table = error.diag.schema_name, error.diag.table_name
    return f"{schema}.{_SHARD.sub('', table)}" if schema and table else "a table"


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


async def _roll_back(connection: Connection) -> None:
    try:
        await connection.execute(b"ROLLBACK")
    except psycopg.Error:
        # A connection that cannot roll back is of no use; the pool makes a new one.
        await connection.close()
