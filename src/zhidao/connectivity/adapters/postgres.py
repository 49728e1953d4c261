"""Observations, and a demonstration's network, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import orjson

from zhidao.connectivity.adapters.coverage import INHABITED, Coverage
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.domain.subscriber_location import (
    Holding,
    Subscriber,
    SubscriberLocation,
)
from zhidao.connectivity.service.ports import Card
from zhidao.connectivity.service.short_messages import BEARER
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.geo import Geodetic
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal


class ScenarioNetwork:
    """Implements `service.ports.ScenarioBook`: a network whose knowledge a demonstration sets.

    It survives a restart, since the road must go on after one. Everything it says is marked as
    simulated.
    """

    def __init__(self, database: Database, coverage: Coverage = INHABITED) -> None:
        self._database = database
        self._coverage = coverage

    async def holding(self, phone: str) -> Holding:
        """Whose it is, as was set. Raises NotFound."""
        return (await self.subscriber(phone)).holding

    async def subscriber(self, phone: str) -> Subscriber:
        """What it knows of a device. Raises NotFound."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select applicable, holder, readers, sightings::text as sightings"
                " from connectivity.scenario where phone = %s",
                (phone,),
            )
        if row is None:
            raise NotFound(f"no subscriber {phone}")
        return Subscriber(
            phone=phone,
            applicable=row["applicable"],
            readers=tuple(PartyId(reader) for reader in row["readers"]),
            locations=tuple(map(_location, orjson.loads(row["sightings"]))),
            holder=PartyId(row["holder"]),
        )

    def covers(self, _phone: str, place: Geodetic, _radius_m: float, /) -> bool:
        """Whether the middle of the circle is covered, whoever is asked about."""
        return self._coverage.covers(place)

    async def set(self, subscriber: Subscriber) -> None:
        """Replaces what it knows of a device."""
        locations = [
            {
                "latitude_ndeg": s.centre.latitude_ndeg,
                "longitude_ndeg": s.centre.longitude_ndeg,
                "radius_m": s.radius_m,
                "at": str(s.at),
                "network": s.network,
                "simulated": s.simulated,
            }
            for s in subscriber.locations
        ]
        async with self._database.session() as s:
            await s.execute(
                "insert into connectivity.scenario (phone, applicable, holder, readers, sightings)"
                " values (%s, %s, %s, %s, %s::text::jsonb)"
                " on conflict (phone) do update set applicable = excluded.applicable,"
                " holder = excluded.holder, readers = excluded.readers,"
                " sightings = excluded.sightings",
                (
                    subscriber.phone,
                    subscriber.applicable,
                    subscriber.holder,
                    list(subscriber.readers),
                    orjson.dumps(locations).decode(),
                ),
            )


class PostgresObservations:
    """Implements `service.ports.Observations`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def take(self, terminal: str, points: Sequence[Point], bearer: str) -> tuple[bool, ...]:
        """Notes points; true for each new one."""
        return await self._database.run(lambda s: _note(s, terminal, points, bearer))

    async def receive(
        self,
        card: Card,
        message: bytes,
        points: Sequence[Point],
        entries_of: Callable[[Sequence[bool]], Sequence[Entry]],
    ) -> bool:
        """Notes a message with its facts in one transaction, once."""

        async def work(s: Session) -> bool:
            fresh = await s.execute(
                "insert into connectivity.message (card, digest) values (%s, %s)"
                " on conflict do nothing",
                (card.card, message),
            )
            if not fresh:
                return False
            firsts = await _note(s, card.terminal, points, BEARER)
            await self._journal.append_in(s, entries_of(firsts))
            return True

        written = await self._database.run(work)
        self._journal.wake()
        return written

    async def bearers(self, terminal: str, digest: str) -> tuple[str, ...]:
        """Over which bearers an observation came."""
        async with self._database.session() as s:
            row = await s.fetch_one(
                "select bearers from connectivity.observation where terminal = %s and digest = %s",
                (terminal, digest),
            )
        return tuple(sorted(row["bearers"])) if row else ()


class PostgresQuestions:
    """Implements `service.ports.QuestionBook`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def keep(self, question: UUID, *, owner: PartyId, phone: str, entry: Entry) -> None:
        """Writes a question with its fact in one transaction."""

        async def work(s: Session) -> None:
            await s.execute(
                "insert into connectivity.sim_question (id, owner, phone) values (%s, %s, %s)",
                (question, owner, phone),
            )
            await self._journal.append_in(s, [entry])

        await self._database.run(work)
        self._journal.wake()

    async def newest(
        self, *, viewer: PartyId | None, phone: str, before: UUID, limit: int
    ) -> tuple[SignedEvent, ...]:
        """The newest facts before a question."""
        asked = {"viewer": viewer, "phone": phone, "before": before, "limit": limit}
        async with self._database.session() as s:
            rows = await s.fetch_all(
                "select id from connectivity.sim_question where id < %(before)s"
                " and (%(viewer)s::text is null or owner = %(viewer)s::text)"
                " and (%(phone)s::text = '' or phone = %(phone)s::text)"
                " order by id desc limit %(limit)s",
                asked,
            )
        names = [f"sim-question/{row['id']}" for row in rows]
        found = await self._journal.load_many(names, viewer=viewer)
        return tuple(entry.event for name in names for entry in found.get(name, ()))


async def _note(
    s: Session, terminal: str, points: Sequence[Point], bearer: str
) -> tuple[bool, ...]:
    """Writes points down in the order of their digests, so that two writers never cross."""
    fresh: dict[str, bool] = {}
    for digest, point in sorted({p.digest(terminal): p for p in points}.items()):
        added = await s.execute(
            "insert into connectivity.observation"
            " (terminal, digest, unix_s, latitude_e5, longitude_e5, bearers)"
            " values (%s, %s, %s, %s, %s, array[%s]::text[]) on conflict do nothing",
            (terminal, digest, point.unix_s, point.latitude_e5, point.longitude_e5, bearer),
        )
        fresh[digest] = bool(added)
        if not added:
            await s.execute(
                "update connectivity.observation set bearers = bearers || %s::text"
                " where terminal = %s and digest = %s and not %s::text = any (bearers)",
                (bearer, terminal, digest, bearer),
            )
    # Of two equal points in one message only the first is new.
    return tuple(fresh.pop(point.digest(terminal), False) for point in points)


def _location(plain: dict[str, Any]) -> SubscriberLocation:
    return SubscriberLocation(
        centre=Geodetic.from_ndeg(
            latitude_ndeg=plain["latitude_ndeg"], longitude_ndeg=plain["longitude_ndeg"]
        ),
        radius_m=plain["radius_m"],
        at=Utc.parse(plain["at"]),
        network=plain["network"],
        simulated=plain["simulated"],
    )
