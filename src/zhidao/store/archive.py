"""Bytes under their digest in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.archive import check_digest, digest_of
from zhidao.core.errors import NotFound
from zhidao.store.database import Database, Session


class PostgresArchive:
    """Implements `core.archive.Archive`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, data: bytes) -> str:
        """Keeps the bytes and returns their digest; durable when it returns."""
        async with self._database.session() as session:
            return await put_in(session, data)

    async def put_many(self, many: Sequence[bytes]) -> Sequence[str]:
        """The same for several in one statement."""
        async with self._database.session() as session:
            return await put_many_in(session, many)

    async def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises NotFound, MalformedInput if it is no digest."""
        key = bytes.fromhex(check_digest(digest))
        async with self._database.session() as session:
            row = await session.fetch_one("select bytes from store.blob where digest = %s", (key,))
        if row is None:
            raise NotFound("the archive holds no bytes of that digest")
        data: bytes = row["bytes"]
        return data


async def put_in(session: Session, data: bytes) -> str:
    """Keeps bytes inside a transaction of yours; returns their digest."""
    (digest,) = await put_many_in(session, [data])
    return digest


async def put_many_in(session: Session, many: Sequence[bytes]) -> Sequence[str]:
    """Keeps several bytes inside a transaction of yours; returns their digests."""
    digests = [digest_of(data) for data in many]
    await session.execute(
        "insert into store.blob (digest, bytes)"
        " select * from unnest(%b::bytea[], %b::bytea[]) on conflict do nothing",
        ([bytes.fromhex(digest) for digest in digests], list(many)),
    )
    return digests
