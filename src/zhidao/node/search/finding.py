"""Keeps the index of names and answers searches, each caller from its own part of the index.

The index is a projection of events: a row for each name and each party that may see it. A search
reads only rows of the caller's own party, so that neither what it finds nor how long it takes
tells anything about what others have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.access import LIST
from zhidao.core.actor import Actor
from zhidao.core.events import SignedEvent
from zhidao.node.search.entries import KINDS, Uetr, entries_of
from zhidao.node.search.terms import asked, terms_of

MAY_SEARCH: Final = LIST
FOUND_MAX: Final = 50
# No party has this name: under it stands what those find who read everything.
EVERYTHING: Final = "*"
# A thing has several names, so some rows more are read than things are shown.
_ROWS_PER_FOUND: Final = 8


@dataclass(frozen=True, slots=True)
class Named:
    """A name for one reader: a row of the index."""

    viewer: str
    term: str
    kind: str
    subject: str
    label: str
    consignment: str


class SearchIndex(Protocol):
    """Where names are written down."""

    async def add(self, rows: Sequence[Named]) -> None:
        """Writes rows; known ones change nothing."""
        ...

    async def beginning(self, viewer: str, term: str, *, limit: int) -> list[Named]:
        """The reader's rows whose term begins so, in order of term."""
        ...

    async def visible(self, viewer: str, consignments: Sequence[str]) -> frozenset[str]:
        """Which of these consignments the reader finds by itself."""
        ...

    async def is_filled(self) -> bool:
        """Whether all events of before were once gone through."""
        ...

    async def filled(self) -> None:
        """Notes that they were."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What was found. `consignment`: the one that it belongs to, if the caller sees that."""

    kind: str
    subject: str
    label: str
    consignment: str


Parties = Callable[[Actor], Awaitable[Sequence[tuple[str, str]]]]
"""(party, name) of all parties that an actor may know of."""

Everything = Callable[[], AsyncIterator[Sequence[SignedEvent]]]
"""All events of the node, a part at a time."""


class Search:
    """Answers what begins with a typed text, among what the caller may see."""

    def __init__(self, index: SearchIndex, parties: Parties, uetr: Uetr) -> None:
        self._index = index
        self._parties = parties
        self._uetr = uetr

    async def on_event(self, event: SignedEvent) -> None:
        """Consumes every event that names something; the same again changes nothing."""
        await self._index.add(self._rows(event))

    async def fill(self, everything: Everything) -> None:
        """Goes through all events once, for a node that has some from before it had an index."""
        if await self._index.is_filled():
            return
        async for events in everything():
            await self._index.add([row for event in events for row in self._rows(event)])
        await self._index.filled()

    async def search(self, actor: Actor, text: str, *, limit: int) -> list[Found]:
        """At most `limit` things whose name begins with the text, the exact ones first."""
        MAY_SEARCH.admit(actor)
        wanted = asked(text)
        if not wanted:
            return []
        viewer = EVERYTHING if actor.viewer is None else str(actor.viewer)
        rows = [
            row
            for term in wanted
            for row in await self._index.beginning(viewer, term, limit=limit * _ROWS_PER_FOUND)
        ]
        rows += await self._parties_called(actor, wanted)
        best: dict[tuple[str, str], Named] = {}
        for row in sorted(rows, key=lambda each: (each.term not in wanted, _rank(each))):
            best.setdefault((row.kind, row.subject), row)
        shown = list(best.values())[:limit]
        mine = await self._index.visible(viewer, [each.consignment for each in shown])
        return [
            Found(
                each.kind,
                each.subject,
                each.label,
                each.consignment if each.consignment in mine else "",
            )
            for each in shown
        ]

    async def _parties_called(self, actor: Actor, wanted: Sequence[str]) -> list[Named]:
        return [
            Named("", term, "party", party, name or party, "")
            for party, name in await self._parties(actor)
            for term in (*terms_of(party), *terms_of(name))
            if term.startswith(tuple(wanted))
        ]

    def _rows(self, event: SignedEvent) -> list[Named]:
        viewers = dict.fromkeys((EVERYTHING, str(event.owner), *map(str, event.visible)))
        return [
            Named(viewer, term, entry.kind, entry.subject, entry.label, entry.consignment)
            for entry in entries_of(event, self._uetr)
            for term in entry.terms
            for viewer in viewers
        ]


def _rank(row: Named) -> tuple[int, str, str]:
    return (KINDS.index(row.kind) if row.kind in KINDS else len(KINDS), row.term, row.subject)
