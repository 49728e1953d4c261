"""Who looks at another party's data leaves a trace that the parties can see.

An auditor may read everything; that it did is a fact of its own in the node's journal, visible
to the parties of the consignment, and in the log before long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.ids import PartyId
from zhidao.core.journal import Scribe
from zhidao.node.events import DataRead
from zhidao.node.statements import FirstEvents
from zhidao.store.reading import Stored

_KNOWN_MAX: Final = 20_000
# Names in paths that belong to a consignment, and where each stands.
_AGGREGATES: Final = {
    "deal": ("finance", "deal/"),
    "title": ("trust", "title/"),
    "terminal": ("devices", "terminal/"),
    "seal": ("devices", "seal/"),
    "order": ("industry", "order/"),
}


class Subjects(Protocol):
    """Tells which consignments something belongs to."""

    async def subjects_of(self, room: str, aggregate: str) -> list[str]:
        """`consignment/X` and other subjects of an aggregate."""
        ...


class Histories(Protocol):
    """Reads stored events."""

    async def of(
        self, room: str, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> list[Stored]:
        """Events of these aggregates that the viewer may see."""
        ...


class Readings:
    """Notes looks of auditors: one a reader, consignment and hour."""

    def __init__(
        self,
        journal: FirstEvents,
        scribe: Scribe,
        *,
        subjects: Subjects,
        histories: Histories,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._scribe = scribe
        self._subjects = subjects
        self._histories = histories
        self._clock = clock
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def look(self, actor: Actor, named: Mapping[str, Any]) -> None:
        """Notes that `actor` asked for what `named` (a path's parameters) names.

        Called before the answer: what cannot be noted is not shown.
        """
        if actor.role is not Role.AUDITOR:
            return
        for consignment in await self._consignments(named):
            await self.note(actor, consignment)

    async def note(self, actor: Actor, consignment: str) -> None:
        """Notes a look at one consignment, once an hour."""
        hour = str(self._clock.now())[:13]
        key = (actor.party, consignment, hour)
        if key in self._known:
            return
        stored = await self._histories.of("trade", [f"consignment/{consignment}"], viewer=None)
        if not stored:
            return
        parties = {party for s in stored for party in (s.event.owner, *s.event.visible)}
        entry = self._scribe.write(
            DataRead(consignment=consignment, reader=actor.party, role=actor.role.value, hour=hour),
            by=self._scribe.node,
            aggregate=f"read/{consignment}/{actor.party}/{hour}",
            version=1,
            owner=self._scribe.node,
            visible=sorted(parties),
            occurred_at=None,
        )
        # Another process or an earlier run may have noted it: then it stands, and that is enough.
        await self._journal.open_all([entry])
        self._known[key] = None
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    async def _consignments(self, named: Mapping[str, Any]) -> list[str]:
        if "consignment" in named:
            return [str(named["consignment"])]
        found: list[str] = []
        for name, (room, prefix) in _AGGREGATES.items():
            if name in named:
                found += await self._subjects.subjects_of(room, f"{prefix}{named[name]}")
        return [
            subject.partition("/")[2] for subject in found if subject.startswith("consignment/")
        ]
