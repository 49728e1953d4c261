"""The node's own tables, and the journals of all rooms, read from PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from zhidao.core.errors import Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.security.administration import Record
from zhidao.store.database import Database
from zhidao.store.reading import Stored, find_event, read_events


class PostgresRelated:
    """The table node.related."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def relate(self, links: Sequence[tuple[str, str, str]]) -> None:
        """Notes (subject, room, aggregate) triples; known ones change nothing."""
        if not links:
            return
        async with self._database.session() as session:
            await session.execute(
                "insert into node.related (consignment, room, aggregate)"
                " select * from unnest(%s::text[], %s::text[], %s::text[])"
                " on conflict do nothing",
                tuple(list(column) for column in zip(*links, strict=True)),
            )

    async def of(self, subject: str) -> list[tuple[str, str]]:
        """The (room, aggregate) pairs of a subject."""
        return (await self.of_each([subject])).get(subject, [])

    async def of_each(self, subjects: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Those of several subjects; one that has none is left out."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select consignment, room, aggregate from node.related"
                " where consignment = any (%s)",
                (list(subjects),),
            )
        found: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            found.setdefault(row["consignment"], []).append((row["room"], row["aggregate"]))
        return found

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        """The subjects that an aggregate belongs to."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select consignment from node.related where room = %s and aggregate = %s",
                (room, aggregate),
            )
        return [row["consignment"] for row in rows]


class PostgresStoredEvents:
    """The journals of all rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(
        self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> list[Stored]:
        """Events of these aggregates that the viewer may see."""
        async with self._database.session() as session:
            return await read_events(session, room, aggregates, viewer=viewer)

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        """One event, if the viewer may see it."""
        async with self._database.session() as session:
            return await find_event(session, event_id, viewer=viewer)

    async def consignments(self, *, viewer: PartyId | None, limit: int) -> list[str]:
        """Names of consignments that the viewer may see, newest first."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                "select aggregate from trade.event where version = 1"
                " and starts_with(aggregate, 'consignment/')"
                " and (%(viewer)s::text is null or owner = %(viewer)s::text"
                " or %(viewer)s::text = any (visible)) order by id desc limit %(limit)s",
                {"viewer": viewer, "limit": limit},
            )
        return [row["aggregate"].partition("/")[2] for row in rows]


class PostgresPartyBook:
    """The table node.party."""

    def __init__(self, database: Database, acts: PostgresActs) -> None:
        self._database = database
        self._acts = acts

    async def add(
        self,
        *,
        party: str,
        name: str,
        trade_role: str,
        country: str,
        keys: Sequence[str],
        record: Record | None,
    ) -> bool:
        """Writes a party down with the act; False, and nothing written, if the name is taken."""
        async with self._database.session() as session:
            touched = await session.execute(
                "insert into node.party (party, name, trade_role, country, keys)"
                " values (%s, %s, %s, %s, %s) on conflict do nothing",
                (party, name, trade_role, country, [*keys]),
            )
            if touched:
                await self._acts.add_in(session, record)
        self._acts.wake()
        return touched == 1

    async def every(self) -> list[tuple[str, str, str, str]]:
        """All parties: party, name, trade role, country; in order of party."""
        async with self._database.session() as session:
            rows = await session.fetch_all("select * from node.party order by party", ())
        return [(r["party"], r["name"], r["trade_role"], r["country"]) for r in rows]

    async def is_named(self, party: str) -> bool:
        """Whether a consignment's history names it as owner or reader."""
        async with self._database.session() as session:
            row = await session.fetch_one(
                "select exists (select 1 from trade.event where aggregate >= 'consignment/'"
                " and aggregate < 'consignment0' and (owner = %s or %s = any (visible))) as named",
                (party, party),
            )
        return bool(row and row["named"])


class PostgresListTimes:
    """The table node.trust_list: since when the node's own list says what it says."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: tuple[bytes, Utc] | None = None

    async def since(self, digest: bytes, now: Utc) -> Utc:
        """The first time at which a list of these words was told; `now` if never before.

        A database that takes nothing answers as if it were told for the first time.
        """
        if self._newest and self._newest[0] == digest:
            return self._newest[1]
        try:
            async with self._database.session() as session:
                await session.execute(
                    "insert into node.trust_list (digest, since) values (%s, %s)"
                    " on conflict do nothing",
                    (digest, now.to_datetime()),
                )
                found = await session.fetch_one(
                    "select since from node.trust_list where digest = %s", (digest,)
                )
        except Unavailable:
            return now
        if found is None:
            return now
        self._newest = (digest, Utc.from_datetime(found["since"]))
        return self._newest[1]


class PostgresDeadLetters:
    """The table node.dead_letter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, *, consumer: str, message_id: str, subject: str, reason: str, data: bytes, at: int
    ) -> None:
        """Keeps a message that a consumer gave up; `at` in TAI nanoseconds."""
        async with self._database.session() as session:
            await session.execute(
                "insert into node.dead_letter"
                " (consumer, message_id, subject, reason, data, dead_tai_ns)"
                " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
                (consumer, message_id, subject, reason, data, at),
            )

    async def count(self) -> int:
        """How many wait for a person."""
        async with self._database.session() as session:
            row = await session.fetch_one("select count(*) as letters from node.dead_letter")
        return int(row["letters"]) if row else 0
