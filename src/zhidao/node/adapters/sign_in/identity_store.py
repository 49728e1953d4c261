"""Where identities are kept: PostgreSQL. What adds or removes one writes its act with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.security.administration import Record
from zhidao.node.security.openid.identities import Identity, Named
from zhidao.store.database import Database
from zhidao.store.database import Session as Transaction


class PostgresIdentities:
    """Identities in the schema `node`."""

    def __init__(self, database: Database, acts: PostgresActs) -> None:
        self._database = database
        self._acts = acts

    async def add(self, identity: Identity, record: Record | None) -> bool:
        """Keeps one; see the port."""
        named = identity.named
        values = (named.issuer, named.claim, named.value, identity.name, identity.made_at.tai_ns)
        return await self._write(record, _ADD, values)

    async def find(self, named: Named) -> Identity | None:
        """The one that a provider names."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                _FIND,
                (named.issuer, named.claim, named.value),
            )
        return identity_of(row) if row else None

    async def of(self, name: str) -> list[Identity]:
        """Those of a person, in order of their providers."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT * FROM node.identity WHERE name = %s ORDER BY issuer", (name,)
            )
        return [identity_of(row) for row in rows]

    async def remove(self, identity: Identity, record: Record | None) -> bool:
        """Forgets one; see the port."""
        named = identity.named
        values = (named.issuer, named.claim, named.value, identity.name)
        return await self._write(record, _REMOVE, values)

    async def _write(self, record: Record | None, sql: str, values: tuple[object, ...]) -> bool:
        async def work(session: Transaction) -> int:
            changed = await session.execute(sql, values)
            if changed:
                await self._acts.add_in(session, record)
            return changed

        changed = await self._database.run(work)
        if record:
            self._acts.wake()
        return bool(changed)


_FIND = "SELECT * FROM node.identity WHERE issuer = %s AND claim = %s AND value = %s"
_REMOVE = "DELETE FROM node.identity WHERE issuer = %s AND claim = %s AND value = %s AND name = %s"
_ADD = (
    "INSERT INTO node.identity (issuer, claim, value, name, made_tai_ns)"
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


def identity_of(row: Mapping[str, Any]) -> Identity:
    """An identity of its row."""
    named = Named(row["issuer"], row["claim"], row["value"])
    return Identity(named, row["name"], Utc(row["made_tai_ns"]))
