"""The journal of one room in PostgreSQL: event, outbox row and inbox row in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from psycopg import sql as composing

from zhidao.core.errors import Conflict, WrittenMeanwhile
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Handled, outgoing
from zhidao.store.database import Database, Session
from zhidao.store.fence import over

_SEEN = "(%(viewer)s::text is null or owner = %(viewer)s::text or %(viewer)s::text = any (visible))"


def check_entries(entries: Sequence[Entry]) -> tuple[str, int]:
    """The one aggregate of the entries and its first version; asserts that they belong together."""
    first = entries[0].event
    for offset, entry in enumerate(entries):
        assert entry.event.aggregate == first.aggregate, "entries of two aggregates"
        assert entry.event.version == first.version + offset, "versions do not follow each other"
    return first.aggregate, first.version


def version_taken(aggregate: str, version: int) -> WrittenMeanwhile:
    """What a writer hears who was not the first, or who left out a version."""
    return WrittenMeanwhile(
        f"{aggregate} does not continue with version {version}: somebody else wrote meanwhile",
        remedy="read it again and repeat the request",
    )


class PostgresJournal:
    """Implements `core.journal.Journal`. `wake` is called after a commit that filled the outbox."""

    def __init__(self, database: Database, room: str, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        # In the statement itself: a question of its own would be a round trip for each fact.
        fence = database.fence
        self._fenced: Mapping[str, Any] = fence.parameters if fence else {}
        fenced = f"({fence.condition})" if fence else "true"

        def of_room(text: str) -> str:
            named = composing.SQL(text).format(
                room=composing.Identifier(room), seen=composing.SQL(_SEEN)
            )
            return named.as_string(None)

        self._load = of_room(
            "select event, salt from {room}.event where aggregate = %(aggregate)s"
            " and version > %(after)s and {seen} order by version"
        )
        self._load_many = of_room(
            "select aggregate, event, salt from {room}.event"
            " where aggregate = any (%(aggregates)s) and {seen} order by aggregate, version"
        )
        # The condition on the newest version refuses gaps; the primary key refuses races.
        self._write = of_room(
            "insert into {room}.event"
            " (aggregate, version, id, type, owner, visible, salt, event)"
            " select %(aggregate)s, version, id, type, owner, string_to_array(visible, ','),"
            " salt, event"
            " from unnest(%(versions)s::bigint[], %(ids)s::uuid[], %(types)s::text[],"
            " %(owners)s::text[], %(visible)s::text[], %(salts)s::bytea[], %(events)s::bytea[])"
            " as new (version, id, type, owner, visible, salt, event)"
            " where (select coalesce(max(version), 0) from {room}.event"
            " where aggregate = %(aggregate)s) = %(before)s"
        )
        self._post = of_room(
            "insert into {room}.outbox (aggregate, event_id, version, leaf)"
            " select %(aggregate)s, id, version, leaf from"
            " unnest(%(ids)s::uuid[], %(versions)s::bigint[], %(leaves)s::bytea[])"
            " as new (id, version, leaf) where "
        )
        self._post += fenced
        # Binary parameters: the text form of an array is quoted in Python, item by item.
        self._open = of_room(
            "insert into {room}.event"
            " (aggregate, version, id, type, owner, visible, salt, event)"
            " select aggregate, 1, id, type, owner, string_to_array(visible, ','), salt, event"
            " from unnest(%(aggregates)b::text[], %(ids)b::uuid[], %(types)b::text[],"
            " %(owners)b::text[], %(visible)b::text[], %(salts)b::bytea[], %(events)b::bytea[])"
            " as new (aggregate, id, type, owner, visible, salt, event)"
            " on conflict do nothing returning id"
        )
        self._post_opened = of_room(
            "insert into {room}.outbox (aggregate, event_id, version, leaf)"
            " select aggregate, id, 1, leaf from"
            " unnest(%(aggregates)b::text[], %(ids)b::uuid[], %(leaves)b::bytea[])"
            " as new (aggregate, id, leaf) where id = any(%(opened)b::uuid[]) and "
        )
        self._post_opened += fenced
        self._write_many = of_room(
            "insert into {room}.event"
            " (aggregate, version, id, type, owner, visible, salt, event)"
            " select aggregate, version, id, type, owner, string_to_array(visible, ','),"
            " salt, event from unnest(%(aggregates)b::text[], %(versions)b::bigint[],"
            " %(ids)b::uuid[], %(types)b::text[], %(owners)b::text[], %(visible)b::text[],"
            " %(salts)b::bytea[], %(events)b::bytea[])"
            " as new (aggregate, version, id, type, owner, visible, salt, event)"
        )
        # Counted in the answer: sent at once with others, a statement tells nothing else.
        self._post_many = of_room(
            "with posted as (insert into {room}.outbox (aggregate, event_id, version, leaf)"
            " select * from unnest(%(aggregates)b::text[], %(ids)b::uuid[],"
            " %(versions)b::bigint[], %(leaves)b::bytea[]) where "
        )
        self._post_many += fenced
        self._post_many += " returning 1) select count(*)::int8 as posted from posted"
        self._handle = of_room(
            "insert into {room}.inbox (event_id, consumer) values (%s, %s) on conflict do nothing"
        )
        self._handled = of_room(
            "select 1 as one from {room}.inbox where event_id = %s and consumer = %s"
        )
        self._aggregates = of_room(
            "select distinct aggregate from {room}.event where aggregate > %(after)s"
            " and starts_with(aggregate, %(prefix)s) and {seen}"
            " order by aggregate limit %(limit)s"
        )

    async def load(
        self, aggregate: str, *, viewer: PartyId | None, after: int = 0
    ) -> tuple[Entry, ...]:
        """The history after a version, oldest first, as far as `viewer` may see it."""
        async with self._database.session() as session:
            return await self.load_in(session, aggregate, viewer=viewer, after=after)

    async def load_in(
        self, session: Session, aggregate: str, *, viewer: PartyId | None = None, after: int = 0
    ) -> tuple[Entry, ...]:
        """The same inside a transaction of yours."""
        asked = {"aggregate": aggregate, "viewer": viewer, "after": after}
        rows = await session.fetch_all(self._load, asked)
        return tuple(Entry(SignedEvent.decode(row["event"]), row["salt"]) for row in rows)

    async def load_many(
        self, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> dict[str, tuple[Entry, ...]]:
        """Several histories in one query, as far as `viewer` may see them."""
        async with self._database.session() as session:
            rows = await session.fetch_all(
                self._load_many, {"aggregates": list(aggregates), "viewer": viewer}
            )
        return {
            name: tuple(Entry(SignedEvent.decode(row["event"]), row["salt"]) for row in some)
            for name, some in groupby(rows, key=itemgetter("aggregate"))
        }

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        """Writes events, outbox rows and inbox row in one transaction; see the port."""

        async def work(session: Session) -> bool:
            return await self.append_in(session, entries, handled)

        written = await self._database.run(work)
        self._wake()
        return written

    async def append_in(
        self, session: Session, entries: Sequence[Entry], handled: Handled | None = None
    ) -> bool:
        """Writes inside your transaction; call `wake` after its commit.

        On False nothing was written and the rest of your transaction should write nothing either.
        On Conflict the transaction is lost.
        """
        if handled and not await session.execute(self._handle, (handled.id, handled.consumer)):
            return False
        if not entries:
            return True
        aggregate, version = check_entries(entries)
        row = _row(entries, aggregate, version)
        try:
            written = await session.execute(self._write, row)
        except Conflict as error:
            raise version_taken(aggregate, version) from error
        if written != len(entries):
            raise version_taken(aggregate, version)
        await self._posted(session, self._post, row, len(entries))
        return True

    async def _posted(
        self, session: Session, statement: str, rows: dict[str, Any], count: int
    ) -> None:
        """Fills the outbox. Raises Unavailable (`lease_lost`) if this process may not write."""
        if await session.execute(statement, rows | dict(self._fenced)) != count:
            raise over()

    async def append_many_in(self, session: Session, entries: Sequence[Entry]) -> None:
        """Writes events of many aggregates inside your transaction; call `wake` after its commit.

        Where each history stands must have been read in this transaction: a taken version is a
        Conflict, a gap is not looked for.
        """
        columns = _columns(entries)
        await session.execute(self._write_many, columns)
        row = await session.fetch_one(self._post_many, columns | dict(self._fenced))
        if row is None or row["posted"] != len(entries):
            raise over()

    async def open_all(self, entries: Sequence[Entry]) -> frozenset[UUID]:
        """Writes the first events of many aggregates in one transaction; see the port."""

        async def work(session: Session) -> frozenset[UUID]:
            rows = _columns(entries)
            found = await session.fetch_all(self._open, rows)
            opened = [row["id"] for row in found]
            if opened:
                rows |= {"opened": opened}
                await self._posted(session, self._post_opened, rows, len(opened))
            return frozenset(opened)

        opened = await self._database.run(work)
        self._wake()
        return opened

    def wake(self) -> None:
        """Tells the relay that an outbox row was committed."""
        self._wake()

    async def is_handled(self, handled: Handled) -> bool:
        """Whether the inbox row stands."""
        async with self._database.session() as session:
            row = await session.fetch_one(self._handled, (handled.id, handled.consumer))
        return row is not None

    async def aggregates(
        self, prefix: str, *, viewer: PartyId | None, limit: int, after: str = ""
    ) -> tuple[str, ...]:
        """Names of aggregates that the viewer may see, in code point order, after `after`."""
        names = {"prefix": prefix, "viewer": viewer, "limit": limit, "after": after}
        async with self._database.session() as session:
            rows = await session.fetch_all(self._aggregates, names)
        return tuple(row["aggregate"] for row in rows)


def _row(entries: Sequence[Entry], aggregate: str, version: int) -> dict[str, Any]:
    return _columns(entries) | {"aggregate": aggregate, "before": version - 1}


def _columns(entries: Sequence[Entry]) -> dict[str, Any]:
    events = [entry.event for entry in entries]
    ways_out = [outgoing(entry) for entry in entries]
    return {
        "aggregates": [event.aggregate for event in events],
        "versions": [event.version for event in events],
        "ids": [event.id for event in events],
        "types": [event.type for event in events],
        "owners": [event.owner for event in events],
        # A party's name holds no comma, so one text carries the array through unnest.
        "visible": [",".join(event.visible) for event in events],
        "salts": [entry.salt for entry in entries],
        "events": [data for data, _ in ways_out],
        "leaves": [leaf for _, leaf in ways_out],
    }
