"""Drafts of entries in PostgreSQL: a party's own rows, changed in place."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.store.database import Database
from zhidao.trade.service.ports import Draft


class PostgresDrafts:
    """Implements `ports.Drafts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, owner: PartyId, draft: Draft) -> None:
        """Keeps a draft in the place of the one that had its name."""
        async with self._database.session() as session:
            await session.execute(
                "insert into trade.draft (owner, name, fields, saved_ns) values (%s, %s, %s, %s)"
                " on conflict (owner, name) do update set fields = excluded.fields,"
                " saved_ns = excluded.saved_ns",
                (owner, draft.name, jcs(dict(draft.fields)), draft.saved_at.tai_ns),
            )

    async def get(self, owner: PartyId, name: str) -> Draft:
        """A draft. Raises NotFound."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "select name, fields, saved_ns from trade.draft where owner = %s and name = %s",
                (owner, name),
            )
        if row is None:
            raise NotFound("no draft of that name")
        return Draft(row["name"], _fields(bytes(row["fields"])), Utc(row["saved_ns"]))

    async def remove(self, owner: PartyId, name: str) -> None:
        """Drops a draft; one that is not there is no error."""
        async with self._database.session() as session:
            await session.execute(
                "delete from trade.draft where owner = %s and name = %s", (owner, name)
            )

    async def listed(self, owner: PartyId) -> list[Draft]:
        """The owner's drafts without their fields, the newest first."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select name, saved_ns from trade.draft where owner = %s"
                " order by saved_ns desc, name limit 100",
                (owner,),
            )
        return [Draft(r["name"], {}, Utc(r["saved_ns"])) for r in rows]


def _fields(data: bytes) -> Mapping[str, str]:
    found: dict[str, str] = parse_strict(data)
    return found
