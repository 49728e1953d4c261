"""Network and observations in this process, for unit tests and simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from uuid import UUID

from zhidao.connectivity.adapters.coverage import INHABITED, Coverage
from zhidao.connectivity.adapters.reported_cells import KEPT_S
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.domain.reported_cell import CellReport
from zhidao.connectivity.domain.subscriber_location import Holding, Subscriber
from zhidao.connectivity.service.ports import Card
from zhidao.connectivity.service.short_messages import BEARER
from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.geo import Geodetic
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Journal
from zhidao.core.timescale import NS, Utc


class MemoryNetwork:
    """Implements `service.ports.ScenarioBook`. `reachable` false: it does not answer."""

    def __init__(self, coverage: Coverage = INHABITED) -> None:
        self._coverage = coverage
        self._known: dict[str, Subscriber] = {}
        self.reachable = True

    async def subscriber(self, phone: str) -> Subscriber:
        """What it knows of a device. Raises NotFound, Unavailable."""
        if not self.reachable:
            raise Unavailable("the network does not answer")
        if phone not in self._known:
            raise NotFound(f"no subscriber {phone}")
        return self._known[phone]

    async def holding(self, phone: str) -> Holding:
        """Whose it is, as was set. Raises NotFound."""
        if phone not in self._known:
            raise NotFound(f"no subscriber {phone}")
        return self._known[phone].holding

    def covers(self, _phone: str, place: Geodetic, _radius_m: float, /) -> bool:
        """Whether the middle of the circle is covered, whoever is asked about."""
        return self._coverage.covers(place)

    async def set(self, subscriber: Subscriber) -> None:
        """Replaces what it knows of a device."""
        self._known[subscriber.phone] = subscriber


class MemoryObservations:
    """Implements `service.ports.Observations`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._messages: set[tuple[str, bytes]] = set()
        self._bearers: dict[tuple[str, str], set[str]] = {}

    async def take(self, terminal: str, points: Sequence[Point], bearer: str) -> tuple[bool, ...]:
        """Notes points; true for each new one."""
        firsts = self._firsts(terminal, points)
        self._note(terminal, points, bearer)
        return firsts

    async def receive(
        self,
        card: Card,
        message: bytes,
        points: Sequence[Point],
        entries_of: Callable[[Sequence[bool]], Sequence[Entry]],
    ) -> bool:
        """Notes a message with its facts, once."""
        if (card.card, message) in self._messages:
            return False
        await self._journal.append(entries_of(self._firsts(card.terminal, points)))
        self._messages.add((card.card, message))
        self._note(card.terminal, points, BEARER)
        return True

    async def bearers(self, terminal: str, digest: str) -> tuple[str, ...]:
        """Over which bearers an observation came."""
        return tuple(sorted(self._bearers.get((terminal, digest), ())))

    def _firsts(self, terminal: str, points: Sequence[Point]) -> tuple[bool, ...]:
        seen = {digest for known, digest in self._bearers if known == terminal}
        out = []
        for point in points:
            digest = point.digest(terminal)
            out.append(digest not in seen)
            seen.add(digest)
        return tuple(out)

    def _note(self, terminal: str, points: Sequence[Point], bearer: str) -> None:
        for point in points:
            self._bearers.setdefault((terminal, point.digest(terminal)), set()).add(bearer)


class MemoryReportedCells:
    """Implements `service.ports.ReportedCells`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], CellReport] = {}

    async def note(self, reports: Sequence[CellReport]) -> None:
        """Keeps reports to whole seconds; forgets what is a month older than the newest."""
        for each in reports:
            at_s = each.at.unix_ns // NS
            whole = replace(each, at=Utc.from_unix_ns(at_s * NS))
            self._kept.setdefault((each.terminal, at_s), whole)
        newest: dict[str, int] = {}
        for each in reports:
            newest[each.terminal] = max(newest.get(each.terminal, 0), each.at.unix_ns // NS)
        for terminal, at_s in [*self._kept]:
            if at_s < newest.get(terminal, 0) - KEPT_S:
                del self._kept[terminal, at_s]

    async def between(
        self, terminal: str, first: Utc, last: Utc, limit: int
    ) -> tuple[CellReport, ...]:
        """Reports of a terminal within two times, oldest first; of too many the newest."""
        first_s, last_s = first.unix_ns // NS, last.unix_ns // NS
        found = [
            report
            for (name, at_s), report in sorted(self._kept.items())
            if name == terminal and first_s <= at_s <= last_s
        ]
        return tuple(found[-limit:])

    async def heard_since(self, terminals: Sequence[str], at: Utc) -> int:
        """How many of these terminals told a cell at a time or later."""
        since_s = at.unix_ns // NS
        heard = {name for name, at_s in self._kept if name in terminals and at_s >= since_s}
        return len(heard)


class MemoryQuestions:
    """Implements `service.ports.QuestionBook`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: list[tuple[UUID, PartyId, str, SignedEvent]] = []

    async def keep(self, question: UUID, *, owner: PartyId, phone: str, entry: Entry) -> None:
        """Writes a question with its fact."""
        await self._journal.append([entry])
        self._kept.append((question, owner, phone, entry.event))

    async def newest(
        self, *, viewer: PartyId | None, phone: str, before: UUID, limit: int
    ) -> tuple[SignedEvent, ...]:
        """The newest facts before a question."""
        found = (
            event
            for question, owner, about, event in sorted(
                self._kept, key=lambda each: each[0], reverse=True
            )
            if question < before and viewer in (None, owner) and phone in ("", about)
        )
        return tuple(islice(found, limit))
