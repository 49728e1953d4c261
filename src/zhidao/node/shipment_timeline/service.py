"""Answers for the page: timelines as far as the asking actor may see them, and proofs of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.devices.events import TerminalRegistered
from zhidao.node.identity.parties import Parties, RegisteredParty
from zhidao.node.operations.tracing import set_trace, trace_of_consignment
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.build import build_timeline, summary
from zhidao.node.shipment_timeline.corridor import CorridorView, corridor
from zhidao.node.shipment_timeline.related import RelatedBook, links_of
from zhidao.positioning.events import ArrivalExpected
from zhidao.store.reading import Stored
from zhidao.trade.events import DocumentAdded

TIMELINES_MAX: Final = 100
# Timelines that are read side by side for one overview, of the database's connections.
_AT_ONCE: Final = 4
_LOG: Final = logging.getLogger("zhidao.road")


class StoredEvents(Protocol):
    """Reads stored events across rooms."""

    async def of(
        self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> list[Stored]:
        """Events of these aggregates that the viewer may see."""
        ...

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        """One event, if the viewer may see it."""
        ...

    async def consignments(self, *, viewer: PartyId | None, limit: int) -> list[str]:
        """Names of consignments that the viewer may see, newest first."""
        ...


class Tracks(Protocol):
    """Where terminals said that they were."""

    async def track(self, terminal: str) -> list[tuple[float, float, str]]:
        """(longitude, latitude, device time) of the last reports, oldest first; degrees."""
        ...


class TimelineService:
    """Keeps the projection up to date and answers for the page."""

    def __init__(
        self,
        *,
        related: RelatedBook,
        events: StoredEvents,
        parties: Parties,
        tracks: Tracks,
        changed: Callable[[str], None],
    ) -> None:
        self._related = related
        self._events = events
        self._parties = parties
        self._tracks = tracks
        self._changed = changed

    async def on_event(self, event: SignedEvent) -> None:
        """Consumes every event: notes what belongs together and tells open pages."""
        room = event.type.partition(".")[0]
        await self._related.relate(list(links_of(event)))
        for subject in await self._related.subjects_of(room, event.aggregate):
            kind, _, name = subject.partition("/")
            if kind == "consignment":
                _tell_log(event, room, name)
                self._changed(name)
            else:
                await self._tell_phone(subject)

    async def timeline(
        self,
        actor: Actor,
        consignment: str,
        *,
        parties: Sequence[RegisteredParty] | None = None,
    ) -> view.TimelineView:
        """The timeline of one consignment. Raises NotFound if the actor may not see it.

        `parties`: those of the node, where whoever asks has read them already.
        """
        stored = await self.stored(actor, consignment)
        viewer = actor.viewer
        whole = stored if viewer is None else await self._stored(None, consignment)
        terminal = next(
            (
                ArrivalExpected.of(s.event).terminal
                for s in reversed(stored)
                if ArrivalExpected.is_told_by(s.event.type)
            ),
            "",
        )
        reports = await self._tracks.track(terminal) if terminal else []
        position = None
        if reports:
            lon, lat, at = reports[-1]
            position = view.ReportedPositionView(lon=lon, lat=lat, at=at)
        try:
            return build_timeline(
                stored,
                parties=await self._parties.every(actor) if parties is None else parties,
                track=[[lon, lat] for lon, lat, _ in reports],
                position=position,
                whole=whole,
                viewer=viewer,
            )
        except LookupError as error:
            raise NotFound("no consignment of that name") from error

    async def timelines(self, actor: Actor) -> view.TimelineList:
        """The newest consignments that the actor may see."""
        names = await self._events.consignments(viewer=actor.viewer, limit=TIMELINES_MAX)
        return view.TimelineList(
            roads=[summary(await self.timeline(actor, name)) for name in names]
        )

    async def corridor(self, actor: Actor, *, since: Utc | None) -> CorridorView:
        """The corridor at a glance, of the newest consignments that the actor may see."""
        names = await self._events.consignments(viewer=actor.viewer, limit=TIMELINES_MAX + 1)
        parties = await self._parties.every(actor)
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> view.TimelineView:
            async with turns:
                return await self.timeline(actor, name, parties=parties)

        seen = await asyncio.gather(*(one(name) for name in names[:TIMELINES_MAX]))
        return corridor(seen, since=since, more=len(names) > TIMELINES_MAX)

    async def may_see(self, actor: Actor, consignment: str) -> bool:
        """Whether the actor sees anything of a consignment."""
        own = [f"consignment/{consignment}"]
        return bool(await self._events.of("trade", own, viewer=actor.viewer))

    async def stored(self, actor: Actor, consignment: str) -> list[Stored]:
        """All events of a consignment that the actor may see, room by room."""
        return await self._stored(actor.viewer, consignment)

    async def _stored(self, viewer: PartyId | None, consignment: str) -> list[Stored]:
        pairs = await self._related.of(f"consignment/{consignment}")
        by_room: dict[str, list[str]] = {}
        for room, aggregate in pairs:
            by_room.setdefault(room, []).append(aggregate)
        # The projection lags behind the journal; the entry itself is always looked up.
        own = f"consignment/{consignment}"
        if own not in by_room.setdefault("trade", []):
            by_room["trade"].append(own)
        stored: list[Stored] = []
        for room, aggregates in by_room.items():
            stored += await self._events.of(room, aggregates, viewer=viewer)
        for subject, room in _further(stored):
            linked = [a for r, a in await self._related.of(subject) if r == room]
            if linked:
                stored += await self._events.of(room, linked, viewer=viewer)
        if not any(s.event.aggregate == own for s in stored):
            raise NotFound("no consignment of that name")
        return stored

    async def event(self, actor: Actor, event_id: UUID) -> Stored:
        """One event with its salt and leaf. Raises NotFound."""
        found = await self._events.find(event_id, viewer=actor.viewer)
        if found is None:
            raise NotFound("no event of that id")
        return found

    async def _tell_phone(self, subject: str) -> None:
        for room, aggregate in await self._related.of(subject):
            if room != "devices":
                continue
            for owner in await self._related.subjects_of(room, aggregate):
                if owner.startswith("consignment/"):
                    self._changed(owner.partition("/")[2])


def _further(stored: Sequence[Stored]) -> list[tuple[str, str]]:
    """Subjects that hang on what was found: (subject, room), each once."""
    subjects: dict[tuple[str, str], None] = {}
    for each in stored:
        if each.event.type in TerminalRegistered.types():
            phone = TerminalRegistered.of(each.event).phone
            subjects[f"phone/{phone}", "connectivity"] = None
        elif each.event.type == DocumentAdded.TYPE:
            subjects[f"document/{DocumentAdded.of(each.event).digest}", "trust"] = None
    return list(subjects)


def _tell_log(event: SignedEvent, room: str, consignment: str) -> None:
    """One line an event, so that a consignment's trace runs from signal to payment."""
    set_trace(trace_of_consignment(consignment))
    _LOG.info(
        "%s by %s",
        event.type,
        event.asserted_by.party,
        extra={"consignment": consignment, "service": room},
    )
