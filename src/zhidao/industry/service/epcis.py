"""EPCIS events as parties capture them, the questions about them, and traces through them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Self

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Scribe
from zhidao.core.timescale import Utc
from zhidao.industry.domain.digital_link import canonical_link
from zhidao.industry.domain.event_query import read_query
from zhidao.industry.domain.genealogy import Genealogy, Sees
from zhidao.industry.domain.genealogy_loading import Loading
from zhidao.industry.domain.mass_balance import (
    LOTS_MAX,
    QUANTITIES_MAX,
    Balance,
    balances,
    is_lot,
    quantities_of,
)
from zhidao.industry.domain.trace import Direction, Trace
from zhidao.industry.domain.walk import short_trace, trace
from zhidao.industry.events import EventsCaptured
from zhidao.industry.service.ports import EventStore, StoredEvent
from zhidao.industry.wire.epcis_document import ReadDocument, Wrong, query_document, read_document

MAY_CAPTURE: Final = access(Role.PARTY, relation=Relation.OWNER, of="the events")
THING_CHARS_MAX: Final = 512
# One walk goes at a time and ends in about two seconds; so many wait for it, of a party and in all.
TRACES_MAX: Final = 8
TRACES_PARTY_MAX: Final = 3
# So many captured events wait for the next trace; with more, it builds the index anew.
_WAITING: Final = 50_000


@dataclass(frozen=True, slots=True)
class Captured:
    """What became of a capture. Without a job nothing was written.

    imbalances: lots that it names of which more was taken now than went in.
    """

    job: str
    events: tuple[str, ...]
    aside: tuple[tuple[str, str], ...]
    refused: tuple[Wrong, ...]
    imbalances: tuple[Balance, ...] = ()


@dataclass(frozen=True, slots=True)
class EventPage:
    """An EPCISQueryDocument, and where the next page begins; empty after the last."""

    document: dict[str, Any]
    token: str


class EpcisService:
    """Captures events, answers queries, and follows things through them."""

    def __init__(self, store: EventStore, scribe: Scribe, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._scribe = scribe
        self._archive = archive
        self._clock = clock
        self._index: _Index | None = None
        # One walks, or builds the index, at a time; captures wait for neither.
        self._turn = asyncio.Lock()
        self._line: list[PartyId] = []
        self._said: deque[StoredEvent] = deque()
        self._keeping: set[asyncio.Task[None]] = set()

    async def capture(
        self, actor: Actor, data: bytes, *, readers: Sequence[PartyId], proceed: bool
    ) -> Captured:
        """Writes the events of a document down as the actor's word.

        One wrong event refuses the whole document, unless `proceed`: then the others are written.
        The same event again changes nothing, nor the same document for the same readers: it is the
        same job. Raises MalformedInput with the first wrong place.
        """
        MAY_CAPTURE.admit(actor)
        now = self._clock.now()
        document = await asyncio.to_thread(read_document, data, by=actor.party, now=now)
        _refuse_wrong(document, proceed=proceed)
        visible = tuple(sorted(set(readers) - {actor.party}))
        digest = await self._archive.put(data)
        job = _job(actor.party, digest, visible)
        fact = EventsCaptured(
            job=job,
            document=digest,
            events=[event.name.partition(";")[2].partition("?")[0] for event in document.events],
            refused=len(document.wrong),
        )
        entry = self._scribe.write(
            fact,
            by=actor.party,
            aggregate=f"epcis/{job}",
            version=1,
            owner=actor.party,
            visible=visible,
            occurred_at=None,
        )
        stored = [StoredEvent(event, visible, job, now.tai_ns) for event in document.events]
        await self._keep([entry], stored)
        return Captured(
            job=job,
            events=tuple(event.name for event in document.events),
            aside=tuple((event.name, event.doubt) for event in document.events if event.doubt),
            refused=document.wrong,
            imbalances=await self.imbalances(
                actor, (each.lot for event in document.events for each in quantities_of(event))
            ),
        )

    async def balance(self, actor: Actor, lot: str) -> list[Balance]:
        """What went into a lot and what was taken, by party and unit, as far as the actor sees.

        Raises NotFound for a lot of which the actor sees no quantity.
        """
        if len(lot) > THING_CHARS_MAX:
            raise MalformedInput(f"an identifier has at most {THING_CHARS_MAX} characters")
        lots = [canonical_link(lot)]
        most = QUANTITIES_MAX + 1
        found = await self._store.quantities(lots, viewer=actor.viewer, limit=most)
        if len(found) == most:
            raise Refused(
                f"more than {QUANTITIES_MAX} quantities are said of this lot",
                code="too_many_quantities",
                remedy="ask for the lots that it was made of or went into",
            )
        if not found:
            raise NotFound(
                "no event says how much of this lot there is",
                remedy="capture the events that put something in or take it out, with quantities",
            )
        return balances(found)

    async def maker(self, lot: str) -> PartyId | None:
        """The party that said first that it made a lot; None if nobody did."""
        return await self._store.maker(lot)

    async def imbalances(self, actor: Actor, things: Iterable[str]) -> tuple[Balance, ...]:
        """Of the lots among things, those of which more was taken than went in; the first 1,000."""
        lots = list(islice((each for each in dict.fromkeys(things) if is_lot(each)), LOTS_MAX))
        if not lots:
            return ()
        most = QUANTITIES_MAX + 1
        said = await self._store.quantities(lots, viewer=actor.viewer, limit=most)
        if len(said) == most:
            # What is cut off may be what went in: of that lot and those behind it nothing is said.
            last = said[-1].lot
            said = [each for each in said if each.lot != last]
        weighed = await asyncio.to_thread(balances, said)
        return tuple(each for each in weighed if not each.holds)

    async def take(self, owner: PartyId, data: bytes, *, visible: Sequence[PartyId]) -> None:
        """Takes in the events of a lot, which its own fact says already; again changes nothing."""
        now = self._clock.now()
        document = await asyncio.to_thread(read_document, data, by=owner, now=now)
        stored = [StoredEvent(each, tuple(visible), "", now.tai_ns) for each in document.events]
        await self._keep([], stored)

    async def events(self, actor: Actor, parameters: Mapping[str, Sequence[str]]) -> EventPage:
        """The events that fit, of those that the actor may see, as an EPCISQueryDocument."""
        query = read_query(parameters)
        found, token = await self._store.find(query, viewer=actor.viewer)
        told = [_told(stored) for stored in found]
        return EventPage(query_document(told, at=self._clock.now()), token)

    async def trace(
        self, actor: Actor, thing: str, direction: Direction, *, at: Utc | None = None
    ) -> Trace:
        """Follows a thing through the events that the actor may see.

        Raises NotFound for a thing of which the actor sees nothing: unknown and hidden are alike.
        """
        if len(thing) > THING_CHARS_MAX:
            raise MalformedInput(f"an identifier has at most {THING_CHARS_MAX} characters")
        canonical = canonical_link(thing)
        full = len(self._line) >= TRACES_MAX or self._line.count(actor.party) >= TRACES_PARTY_MAX
        if full:
            raise Unavailable(
                "many traces wait already",
                remedy="ask again in a few seconds, and for one trace after the other",
            )
        self._line.append(actor.party)
        try:
            async with self._turn:
                index = await self._built()
                # A thing that few others lead to is found before a thread would have begun.
                short = index.short_trace(canonical, direction, viewer=actor.viewer, at=at)
                if short is not None:
                    return short
                return await asyncio.to_thread(
                    index.trace, canonical, direction, viewer=actor.viewer, at=at
                )
        finally:
            self._line.remove(actor.party)

    async def _keep(self, entries: Sequence[Entry], stored: Sequence[StoredEvent]) -> None:
        # Whoever asked may go away between the table and the index: the index gets it still.
        task = asyncio.ensure_future(self._write(entries, stored))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        await asyncio.shield(task)

    async def _write(self, entries: Sequence[Entry], stored: Sequence[StoredEvent]) -> None:
        with contextlib.suppress(Conflict):  # It was captured before, whole.
            await self._store.add(entries, stored)
        # Whoever builds the index may have read the table before this was written.
        if self._index is not None or self._turn.locked():
            self._said.extend(stored)
        if len(self._said) > _WAITING and not self._turn.locked():
            # Nobody traces: the next one reads the table instead.
            self._index = None
            self._said.clear()

    async def _built(self) -> _Index:
        if self._index is None:
            self._index = await _Index.built(
                self._store, self._said, lambda: self._clock.now().tai_ns
            )
        return self._index


class _Index:
    """The genealogy of this process. A view of the store: whatever ends it loses nothing."""

    def __init__(
        self, genealogy: Genealogy, said: deque[StoredEvent], now_ns: Callable[[], int]
    ) -> None:
        """said: what was captured since, taken in before the next walk."""
        self._genealogy, self._said, self._now_ns = genealogy, said, now_ns
        # Walks and changes go on in threads; neither may see half of the other.
        self._whole = threading.Lock()

    @classmethod
    async def built(
        cls, store: EventStore, said: deque[StoredEvent], now_ns: Callable[[], int]
    ) -> Self:
        """Built of all that the store says; the next page is read while one is taken in."""
        genealogy = Genealogy()
        loading = Loading(genealogy)
        async with contextlib.aclosing(store.said()) as pages:
            taking: asyncio.Future[None] | None = None
            async for page in pages:
                if taking is not None:
                    await taking
                taking = asyncio.ensure_future(asyncio.to_thread(loading.take, page))
            if taking is not None:
                await taking
        await asyncio.to_thread(loading.done)
        return cls(genealogy, said, now_ns)

    def trace(
        self, thing: str, direction: Direction, *, viewer: PartyId | None, at: Utc | None
    ) -> Trace:
        """Follows a thing through what a party may see; None sees all. Raises NotFound."""
        index = self._genealogy
        with self._whole:
            while self._said:
                stored = self._said.popleft()
                index.put(stored.event, stored.visible)
            index.settle()
            sees = self._seen(thing, viewer)
            return trace(index, thing, direction, sees=sees, at=at, now_ns=self._now_ns)

    def short_trace(
        self, thing: str, direction: Direction, *, viewer: PartyId | None, at: Utc | None
    ) -> Trace | None:
        """The same if it takes well under a millisecond, or None. Raises NotFound."""
        if self._said:
            return None
        with self._whole:
            sees = self._seen(thing, viewer)
            return short_trace(self._genealogy, thing, direction, sees=sees, at=at)

    def _seen(self, thing: str, viewer: PartyId | None) -> Sees:
        sees = self._genealogy.sight(viewer)
        if not self._genealogy.names(thing, sees):
            raise NotFound(
                "no event names this thing",
                remedy="capture the events that name it, or ask whoever made it",
            )
        return sees


def _job(party: PartyId, document: str, visible: Sequence[PartyId]) -> str:
    """What the capture of a document is called: the same for the same words to the same readers."""
    said = "\n".join((party, document, *visible))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _refuse_wrong(document: ReadDocument, *, proceed: bool) -> None:
    if not document.wrong or (proceed and document.events):
        return
    first = document.wrong[0]
    raise MalformedInput(
        f"{first.said}; {len(document.wrong)} events of the document are wrong, none was taken",
        where=f"/epcisBody/eventList/{first.index}{first.pointer.rstrip('/')}",
        remedy="mend it, or send GS1-Capture-Error-Behaviour: proceed to have the others taken",
    )


def _told(stored: StoredEvent) -> dict[str, Any]:
    recorded = Utc(stored.captured_ns).to_datetime().isoformat(timespec="milliseconds")
    plain = {**stored.event.plain, "recordTime": recorded.replace("+00:00", "Z")}
    plain["zhidao:assertedBy"] = stored.event.by
    if stored.event.doubt:
        plain["zhidao:aside"] = stored.event.doubt
    return plain
