"""EPCIS events in PostgreSQL: as they were sent, and the things that they name as an index."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.memory_events import united
from zhidao.industry.adapters.postgres_said import said
from zhidao.industry.domain.epcis_event import DAY_NS, EARLIEST, EpcisEvent, read_event
from zhidao.industry.domain.event_pages import Place
from zhidao.industry.domain.event_query import PAGE_BYTES, EventQuery, event_id
from zhidao.industry.domain.genealogy_loading import Said
from zhidao.industry.domain.mass_balance import Quantity, QuantityKind, quantities_of
from zhidao.industry.service.ports import StoredEvent
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_LOG: Final = logging.getLogger("zhidao.epcis")
_ADD: Final = (
    "insert into industry.epcis_event (name, owner, visible, job, captured_ns, at_ns, kind, action,"
    " biz_step, disposition, read_point, biz_location, transformation, event_id, event)"
    " select name, owner, string_to_array(visible, ','), job, captured_ns, at_ns, kind, action,"
    " biz_step, disposition, read_point, biz_location, transformation, event_id, event from unnest("
    "%(name)b::text[], %(owner)b::text[], %(visible)b::text[], %(job)b::text[],"
    " %(captured_ns)b::bigint[], %(at_ns)b::bigint[], %(kind)b::text[], %(action)b::text[],"
    " %(biz_step)b::text[], %(disposition)b::text[], %(read_point)b::text[],"
    " %(biz_location)b::text[], %(transformation)b::text[], %(event_id)b::text[],"
    " %(event)b::bytea[]) as new (name, owner, visible, job, captured_ns, at_ns, kind, action,"
    " biz_step, disposition, read_point, biz_location, transformation, event_id, event)"
    " on conflict (name, owner) do update set visible = array(select distinct party"
    " from unnest(epcis_event.visible || excluded.visible) as party order by party)"
    " where not epcis_event.visible @> excluded.visible"
)
_ADD_THINGS: Final = (
    "insert into industry.epcis_thing (thing, role, name, owner)"
    " select * from unnest(%(things)b::text[], %(roles)b::text[], %(names)b::text[],"
    " %(owners)b::text[]) on conflict do nothing"
)
_ADD_QUANTITIES: Final = (
    "insert into industry.epcis_quantity (lot, owner, name, unit, way, at_ns, quantity)"
    " select * from unnest(%(lot)b::text[], %(by)b::text[], %(event)b::text[], %(unit)b::text[],"
    " %(way)b::text[], %(at_ns)b::bigint[], %(amount)b::numeric[]) on conflict do nothing"
)
_QUANTITIES: Final = (
    "select said.lot, said.owner, said.name, said.unit, said.way, said.at_ns, said.quantity"
    " from industry.epcis_quantity as said join industry.epcis_event as told"
    " on told.name = said.name and told.owner = said.owner"
    " where said.lot = any (%(lots)b::text[]) and (%(viewer)s::text is null"
    " or told.owner = %(viewer)s or %(viewer)s = any (told.visible))"
    " and not exists (select 1 from industry.epcis_event as gone"
    " where gone.name = said.name || '-' and gone.owner = said.owner)"
    " order by said.lot, said.owner, said.unit, said.at_ns, said.name limit %(limit)s"
)
_MAKER: Final = (
    # Nothing of a request stands in the text.
    "select told.owner from industry.epcis_thing as named join industry.epcis_event as told"  # noqa: S608
    " on told.name = named.name and told.owner = named.owner"
    " where named.thing = %(lot)s and (named.role in ('output', 'lot')"
    " or (named.role = 'epc' and told.kind = 'ObjectEvent' and told.action = 'ADD'))"
    f" and told.at_ns >= {EARLIEST.tai_ns} and told.at_ns <= told.captured_ns + {DAY_NS}"
    " and right(told.name, 1) <> '-' and not exists (select 1 from industry.epcis_event as gone"
    " where gone.name = told.name || '-' and gone.owner = told.owner)"
    " order by told.captured_ns, told.name, told.owner limit 1"
)
_EVERY: Final = (
    "select name, owner, visible, job, captured_ns, event from industry.epcis_event"
    " order by captured_ns, owner, name"
)
_SEEN: Final = "(%(viewer)s::text is null or owner = %(viewer)s or %(viewer)s = any (visible))"
_COLUMNS: Final = (
    *("kind", "action", "biz_step", "disposition", "read_point", "biz_location"),
    *("transformation", "event_id"),
)


class PostgresEventStore:
    """Implements `industry.service.ports.EventStore`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def add(self, entries: Sequence[Entry], events: Sequence[StoredEvent]) -> None:
        """Writes the fact of a capture and its events in one transaction."""

        async def work(session: Session) -> None:
            if entries:
                await self._journal.append_in(session, entries)
            else:
                await session.check_fence()
            if events:
                await session.execute(_ADD, columns)
                await session.execute(_ADD_THINGS, things)
            if quantities["lot"]:
                await session.execute(_ADD_QUANTITIES, quantities)

        columns = await asyncio.to_thread(_columns, events)
        things = await asyncio.to_thread(_things, events)
        quantities = await asyncio.to_thread(_quantities, events)
        await self._database.run(work)
        self._journal.wake()

    async def find(
        self, query: EventQuery, *, viewer: PartyId | None
    ) -> tuple[list[StoredEvent], str]:
        """A page of what fits and may be seen, and where the next begins."""
        sql, parameters = _search(query)
        async with self._database.session() as session:
            rows = await session.fetch_all(sql, parameters | {"viewer": viewer})
        page = rows[: query.per_page]
        more = bool(page) and page[0]["found"] > len(page)
        # From the row and not from the event: the last one may be one that nobody can read.
        return await asyncio.to_thread(_read, page), _place(page[-1], query) if more else ""

    async def quantities(
        self, lots: Sequence[str], *, viewer: PartyId | None, limit: int
    ) -> list[Quantity]:
        """What events that stand and may be seen say of how much of these lots."""
        asked = {"lots": list(lots), "viewer": viewer, "limit": limit}
        async with self._database.session() as session:
            rows = await session.fetch_all(_QUANTITIES, asked)
        return [
            Quantity(
                lot=row["lot"],
                by=row["owner"],
                unit=row["unit"],
                way=QuantityKind(row["way"]),
                amount=row["quantity"],
                at_ns=row["at_ns"],
                event=row["name"],
            )
            for row in rows
        ]

    async def maker(self, lot: str) -> PartyId | None:
        """The party that said first that it made a lot, of what stands."""
        async with self._database.session() as session:
            row = await session.fetch_one(_MAKER, {"lot": lot})
        return PartyId(row["owner"]) if row else None

    async def every(self) -> list[StoredEvent]:
        """All events, those captured first in front."""
        async with self._database.session() as session:
            rows = await session.fetch_all(_EVERY)
        return await asyncio.to_thread(_read, rows)

    def said(self) -> AsyncGenerator[Said]:
        """All that a trace goes through, of one instant."""
        return said(self._database)


def _search(query: EventQuery) -> tuple[str, dict[str, Any]]:
    column = "at_ns" if query.order == "at" else "captured_ns"
    way, sign = ("desc", "<") if query.descending else ("asc", ">")
    conditions = [
        _SEEN,
        "at_ns >= %(at_from)s and at_ns < %(at_to)s",
        "captured_ns >= %(captured_from)s and captured_ns < %(captured_to)s",
    ]
    parameters: dict[str, Any] = {
        "at_from": query.at_from_ns,
        "at_to": query.at_to_ns,
        "captured_from": query.captured_from_ns,
        "captured_to": query.captured_to_ns,
        "limit": query.per_page + 1,
    }
    for name, wanted in query.equals.items():
        assert name in _COLUMNS
        conditions.append(f"{name} = any (%({name})s)")
        parameters[name] = sorted(wanted)
    for number, (roles, things) in enumerate(query.matches):
        conditions.append(
            # Nothing of the request stands in the text: names are ours, values are parameters.
            "exists (select 1 from industry.epcis_thing as named where named.name = told.name"  # noqa: S608
            f" and named.owner = told.owner and named.thing = any (%(things{number})s)"
            f" and named.role = any (%(roles{number})s))"
        )
        parameters[f"things{number}"] = sorted(things)
        parameters[f"roles{number}"] = [str(role) for role in roles]
    if query.after:
        place = Place.of(query.after)
        conditions.append(f"({column}, name, owner) {sign} (%(ns)s, %(after)s, %(by)s)")
        parameters |= {"ns": place.ns, "after": place.name, "by": place.owner}
    order = f"{column} {way}, name {way}, owner {way}"
    page = (
        "select name, owner, visible, job, captured_ns, at_ns, event"  # noqa: S608
        " from industry.epcis_event as told"
        f" where {' and '.join(conditions)} order by {order} limit %(limit)s"
    )
    counted = (
        "select *, count(*) over () as found, sum(octet_length(event))"  # noqa: S608
        f" over (order by {order} rows unbounded preceding) - octet_length(event) as bytes_before"
        f" from ({page}) as page"
    )
    parameters["page_bytes"] = PAGE_BYTES
    sql = f"select * from ({counted}) as told where bytes_before < %(page_bytes)s order by {order}"  # noqa: S608
    return sql, parameters


def _name(event: EpcisEvent) -> str:
    """The event's name in the table: an error declaration stands beside what it withdraws."""
    return event.name + ("-" if event.withdrawn else "")


def _columns(events: Sequence[StoredEvent]) -> dict[str, list[Any]]:
    # In order, so that two captures of the same never wait for each other; each once a statement.
    once: dict[tuple[str, str], StoredEvent] = {}
    for stored in events:
        place = (_name(stored.event), stored.event.by)
        once[place] = united(once.get(place, stored), stored)
    rows = [_row(once[place]) for place in sorted(once)]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _row(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    return {
        "name": _name(event),
        "owner": event.by,
        # A party's name holds no comma, so one text carries the array through unnest.
        "visible": ",".join(stored.visible),
        "job": stored.job,
        "captured_ns": stored.captured_ns,
        "at_ns": event.at.tai_ns,
        **{name: getattr(event, name) for name in _COLUMNS[:-1]},
        "event_id": event_id(event),
        "event": jcs(event.plain),
    }


def _things(events: Sequence[StoredEvent]) -> dict[str, list[str]]:
    rows = [
        (thing, str(role), _name(stored.event), stored.event.by)
        for stored in events
        for role, thing in stored.event.things
    ]
    names = ("things", "roles", "names", "owners")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _quantities(events: Sequence[StoredEvent]) -> dict[str, list[Any]]:
    said = [each for stored in events for each in quantities_of(stored.event)]
    names = ("lot", "by", "event", "unit", "at_ns", "amount")
    columns: dict[str, list[Any]] = {name: [getattr(each, name) for each in said] for name in names}
    return columns | {"way": [str(each.way) for each in said]}


def _place(row: Mapping[str, Any], query: EventQuery) -> str:
    ns = row["at_ns"] if query.order == "at" else row["captured_ns"]
    return Place(ns, row["name"], row["owner"]).token()


def _read(rows: Sequence[Mapping[str, Any]]) -> list[StoredEvent]:
    """The events of rows. One that cannot be read is left out and logged: it ends no list."""
    found, lost = [], []
    for row in rows:
        try:
            found.append(_stored(row))
        except ZhidaoError as error:
            lost.append(f"{row['owner']} {row['name']}: {error}")
    if lost:
        _LOG.error("%d stored events cannot be read and are left out; first %s", len(lost), lost[0])
    return found


def _stored(row: Mapping[str, Any]) -> StoredEvent:
    plain = parse_strict(row["event"])
    if not isinstance(plain, dict) or not isinstance(plain.get("@context"), dict):
        raise MalformedInput("the stored event is no object with its context")
    captured = Utc(row["captured_ns"])
    # What was judged once is read again by the same rules, under the clock of then.
    event = read_event(plain, plain["@context"], by=row["owner"], now=captured)
    visible = tuple(PartyId(party) for party in row["visible"])
    return StoredEvent(event, visible, row["job"], row["captured_ns"])
