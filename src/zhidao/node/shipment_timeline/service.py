"""Answers for the page: timelines as far as the asking actor may see them, and proofs of events."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound
from zhidao.core.events import SignedEvent
from zhidao.core.timescale import Utc
from zhidao.devices.events import Ride
from zhidao.finance.events import DealOpened
from zhidao.node.identity.parties import Parties, RegisteredParty
from zhidao.node.operations.tracing import set_trace, trace_of_consignment
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.build import build_timeline, summary
from zhidao.node.shipment_timeline.corridor import CorridorView, corridor
from zhidao.node.shipment_timeline.followed import Report, followed_of, spans_of
from zhidao.node.shipment_timeline.histories import Histories, StoredEvents
from zhidao.node.shipment_timeline.related import RelatedBook, links_of
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered

TIMELINES_MAX: Final = 100
_LOG: Final = logging.getLogger("zhidao.road")


class Tracks(Protocol):
    """Where terminals said that they were."""

    async def track(self, terminal: str, begin: Utc, end: Utc | None) -> list[Report]:
        """(longitude, latitude, device time) of the last reports, oldest first; degrees.

        Of those that came in from `begin` on and before `end`; None: until now.
        """
        ...


class Rides(Protocol):
    """When terminals rode with whose goods."""

    async def rides(self, terminal: str) -> list[Ride]:
        """By the seals of a terminal, the oldest first."""
        ...


async def _here(consignment: str) -> str:
    del consignment
    return ""


class TimelineService:
    """Keeps the projection up to date and answers for the page."""

    def __init__(
        self,
        *,
        related: RelatedBook,
        events: StoredEvents,
        parties: Parties,
        tracks: Tracks,
        rides: Rides,
        changed: Callable[[str], None],
    ) -> None:
        self._related = related
        self._histories = Histories(related, events)
        self._events = events
        self._parties = parties
        self._tracks = tracks
        self._rides = rides
        self._changed = changed
        # The node that writes a consignment's history. Told by wiring, once there are peers.
        self.home: Callable[[str], Awaitable[str]] = _here

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

    async def timeline(self, actor: Actor, consignment: str) -> view.TimelineView:
        """The timeline of one consignment. Raises NotFound if the actor may not see it."""
        for found in await self._timelines(actor, [consignment]):
            return found
        raise NotFound("no consignment of that name")

    async def timelines(self, actor: Actor) -> view.TimelineList:
        """The newest consignments that the actor may see."""
        names = await self._events.consignments(viewer=actor.viewer, limit=TIMELINES_MAX)
        return view.TimelineList(
            roads=[summary(each) for each in await self._timelines(actor, names)]
        )

    async def corridor(self, actor: Actor, *, since: Utc | None) -> CorridorView:
        """The corridor at a glance, of the newest consignments that the actor may see."""
        names = await self._events.consignments(viewer=actor.viewer, limit=TIMELINES_MAX + 1)
        seen = await self._timelines(actor, names[:TIMELINES_MAX])
        return corridor(seen, since=since, more=len(names) > TIMELINES_MAX)

    async def _timelines(self, actor: Actor, names: Sequence[str]) -> list[view.TimelineView]:
        """Those of these consignments that the actor may see, in this order."""
        viewer = actor.viewer
        seen = await self._histories.of(names, viewer=viewer)
        whole = seen if viewer is None else await self._histories.of(list(seen), viewer=None)
        parties = await self._parties.every(actor) if seen else []
        return [
            await self._timeline(actor, name, (seen[name], whole[name]), parties)
            for name in names
            if name in seen
        ]

    async def _timeline(
        self,
        actor: Actor,
        consignment: str,
        events: tuple[list[Stored], list[Stored]],
        parties: Sequence[RegisteredParty],
    ) -> view.TimelineView:
        stored, whole = events
        tracks = await self._tracks_of(consignment, stored, whole)
        try:
            home = await self._home_of(whole)
            return build_timeline(
                stored,
                parties=parties,
                tracks=tracks,
                whole=whole,
                viewer=actor.viewer,
                home=home,
            )
        except LookupError as error:
            raise NotFound("no consignment of that name") from error

    async def _tracks_of(
        self, consignment: str, stored: Sequence[Stored], whole: Sequence[Stored]
    ) -> dict[str, list[Report]]:
        """Where the terminals said that they were while they rode, by container (`` if alone)."""
        tracks: dict[str, list[Report]] = {}
        for each in followed_of(stored, whole):
            rides = await self._rides.rides(each.terminal)
            spans = spans_of(each, rides, consignment=consignment)
            parts = [await self._tracks.track(each.terminal, *span) for span in spans]
            tracks[each.container] = [report for part in parts for report in part]
        return tracks

    async def _home_of(self, whole: Sequence[Stored]) -> str:
        """Who goes on with a consignment, asked only while no deal tells where that is."""
        kinds = {stored.event.type for stored in whole}
        if not kinds.isdisjoint(DealOpened.types()):
            return ""
        entries = ConsignmentEntered.types()
        entry = next((s.event for s in whole if s.event.type in entries), None)
        return await self.home(ConsignmentEntered.of(entry).consignment) if entry else ""

    async def may_see(self, actor: Actor, consignment: str) -> bool:
        """Whether the actor sees anything of a consignment."""
        own = [f"consignment/{consignment}"]
        return bool(await self._events.of("trade", own, viewer=actor.viewer))

    async def stored(self, actor: Actor, consignment: str) -> list[Stored]:
        """All events of a consignment that the actor may see, room by room."""
        found = await self._histories.of([consignment], viewer=actor.viewer)
        if consignment not in found:
            raise NotFound("no consignment of that name")
        return found[consignment]

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


def _tell_log(event: SignedEvent, room: str, consignment: str) -> None:
    """One line an event, so that a consignment's trace runs from signal to payment."""
    set_trace(trace_of_consignment(consignment))
    _LOG.info(
        "%s by %s",
        event.type,
        event.asserted_by.party,
        extra={"consignment": consignment, "service": room},
    )
