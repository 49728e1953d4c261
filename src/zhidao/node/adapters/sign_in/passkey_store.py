"""Where passkeys are kept: PostgreSQL. What adds or removes one writes its act with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.adapters.caller_store import DROP_PASSKEY
from zhidao.node.security.administration import Record
from zhidao.node.security.passkeys.records import Passkey
from zhidao.store.database import Database
from zhidao.store.database import Session as Transaction


class PostgresPasskeys:
    """Passkeys in the schema `node`."""

    def __init__(self, database: Database, acts: PostgresActs) -> None:
        self._database = database
        self._acts = acts

    async def add(self, passkey: Passkey, record: Record | None) -> bool:
        """Keeps a new one; see the port."""
        values = (
            *(passkey.credential_id, passkey.name, passkey.label, passkey.host),
            *(passkey.public_key, passkey.sign_count, passkey.created_at.tai_ns),
        )
        return await self._write(record, _ADD, values)

    async def of(self, name: str) -> list[Passkey]:
        """Those of a person, oldest first."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT * FROM node.passkey WHERE name = %s ORDER BY created_tai_ns, credential_id",
                (name,),
            )
        return [passkey_of(row) for row in rows]

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The one of that credential."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "SELECT * FROM node.passkey WHERE credential_id = %s", (credential_id,)
            )
        return passkey_of(row) if row else None

    async def used(self, before: Passkey, sign_count: int, at: Utc) -> bool:
        """Notes a use; see the port."""
        counts = (sign_count, at.tai_ns, before.credential_id, sign_count, sign_count)
        return await self._write(None, _USED, counts)

    async def remove(self, passkey: Passkey, record: Record | None) -> bool:
        """Forgets one; see the port."""
        return await self._write(record, DROP_PASSKEY, (passkey.credential_id,))

    async def mark(self, name: str, *, falls: bool) -> None:
        """Notes whether those of a person go; see the port."""
        await self._write(None, "UPDATE node.passkey SET falls = %s WHERE name = %s", (falls, name))

    async def counts(self) -> Mapping[str, int]:
        """How many each person has, of those who have one."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "SELECT name, count(*) AS own FROM node.passkey GROUP BY name", ()
            )
        return {row["name"]: int(row["own"]) for row in rows}

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


_ADD = (
    "INSERT INTO node.passkey"
    " (credential_id, name, label, host, public_key, sign_count, created_tai_ns)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
# An authenticator that counts must count on; one that does not says 0 each time.
_USED = (
    "UPDATE node.passkey SET sign_count = %s, used_tai_ns = %s WHERE credential_id = %s"
    " AND (sign_count < %s OR (sign_count = 0 AND %s = 0))"
)


def passkey_of(row: Mapping[str, Any]) -> Passkey:
    """A passkey of its row."""
    used_tai_ns = row["used_tai_ns"]
    return Passkey(
        credential_id=bytes(row["credential_id"]),
        name=row["name"],
        label=row["label"],
        host=row["host"],
        public_key=bytes(row["public_key"]),
        sign_count=int(row["sign_count"]),
        created_at=Utc(row["created_tai_ns"]),
        used_at=Utc(used_tai_ns) if used_tai_ns else None,
        falls=row["falls"],
    )
