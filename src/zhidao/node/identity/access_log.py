"""Who looks at another party's data leaves a trace that the parties can see.

An auditor may read everything; that it did is a fact of its own in the node's journal, visible
to the parties of the consignment, and in the log before long.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId, parse_id
from zhidao.core.journal import Scribe
from zhidao.node.events import DataRead, RecordRead
from zhidao.node.identity.party_statements import FirstEvents
from zhidao.store.reading import Stored

_KNOWN_MAX: Final = 20_000
# With more parties than this a look at a list is the node's own fact, still in the log.
PARTIES_MAX: Final = 200
# Routes that show nobody's records: the node's state, who is signed in, public names and keys.
_NOBODYS: Final = (
    *("/healthz", "/readyz", "/metrics", "/schema", "/v1/node/", "/v1/session", "/v1/tokens"),
    *("/v1/parties", "/v1/trust-list", "/v1/trust/log", "/log/", "/v1/people"),
    *("/v1/scenario-time", "/v1/trust/credentials/verify", "/v1/trade/invoices/validate"),
    *("/v1/finance/passport/verify", "/v1/finance/calendars"),
)
# Names in paths that belong to a consignment, and where each stands.
_AGGREGATES: Final = {
    "deal": ("finance", "deal/"),
    "credit": ("finance", "credit/"),
    "escrow": ("finance", "escrow/"),
    "cycle": ("finance", "netting/"),
    "token": ("finance", "receivable/"),
    "approval": ("finance", "approval/"),
    "title": ("trust", "title/"),
    "terminal": ("devices", "terminal/"),
    "seal": ("devices", "seal/"),
    "order": ("industry", "order/"),
}
# What parties name themselves stands under the party and the name; the first ones under the name.
_NAMED_BY_OWNER: Final = ("credit", "escrow", "cycle")


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

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        """One event, if the viewer may see it."""
        ...


class Readings:
    """Notes looks of auditors: one a reader, consignment (or list, or record) and hour."""

    def __init__(
        self,
        journal: FirstEvents,
        scribe: Scribe,
        *,
        subjects: Subjects,
        histories: Histories,
        parties: Callable[[], Awaitable[Sequence[PartyId]]],
        owners: Callable[[str, str], Awaitable[Sequence[str]]],
        clock: Clock,
    ) -> None:
        """`parties`: all of this node, who may be in any list.

        `owners`: who gave a name to something of a kind (what its aggregate begins with).
        """
        self._owners = owners
        self._parties = parties
        self._journal = journal
        self._scribe = scribe
        self._subjects = subjects
        self._histories = histories
        self._clock = clock
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def look(self, actor: Actor, named: Mapping[str, Any], route: str) -> None:
        """Notes that `actor` asked for what `named` (a path's parameters) names.

        `route`: the path with its names in braces. Called before the answer: what cannot be noted
        is not shown.
        """
        if actor.role is not Role.AUDITOR or route.startswith(_NOBODYS):
            return
        if "event_id" in named:
            await self._note_event(actor, named["event_id"])
        elif "account" in named:
            with contextlib.suppress(MalformedInput):  # Such an account there is not.
                await self._note_record(
                    actor, "finance", f"account/{parse_id(str(named['account']))}"
                )
        elif found := await self._consignments(named):
            for consignment in found:
                await self.note(actor, consignment)
        elif records := await self._records(named):
            # Of a name that several gave, each has its note: which one was meant is not known here.
            for room, aggregate in records:
                await self._note_record(actor, room, aggregate)
        else:
            await self._note_route(actor, route)

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
        self._remember(key)

    async def _note_event(self, actor: Actor, event_id: UUID) -> None:
        """Notes a look at an event: at its consignments, or at what it belongs to."""
        stored = await self._histories.find(event_id, viewer=None)
        if stored is None:
            return
        event = stored.event
        room = event.type.partition(".")[0]
        own = [event.aggregate] if event.aggregate.startswith("consignment/") else []
        subjects = own or await self._subjects.subjects_of(room, event.aggregate)
        consignments = [s.partition("/")[2] for s in subjects if s.startswith("consignment/")]
        for consignment in consignments:
            await self.note(actor, consignment)
        if not consignments:
            parties = {event.owner, *event.visible}
            await self._write_record(actor, f"{room} {event.aggregate}", parties)

    async def _note_record(self, actor: Actor, room: str, aggregate: str) -> None:
        stored = await self._histories.of(room, [aggregate], viewer=None)
        if stored:
            parties = {party for s in stored for party in (s.event.owner, *s.event.visible)}
            await self._write_record(actor, f"{room} {aggregate}", parties)

    async def _note_route(self, actor: Actor, route: str) -> None:
        parties = set(await self._parties())
        await self._write_record(actor, route, parties if len(parties) <= PARTIES_MAX else set())

    async def _write_record(self, actor: Actor, what: str, parties: AbstractSet[PartyId]) -> None:
        hour = str(self._clock.now())[:13]
        key = (actor.party, what, hour)
        if key in self._known:
            return
        entry = self._scribe.write(
            RecordRead(what=what, reader=actor.party, role=actor.role.value, hour=hour),
            by=self._scribe.node,
            aggregate=f"read/{what}/{actor.party}/{hour}",
            version=1,
            owner=self._scribe.node,
            visible=sorted(parties),
            occurred_at=None,
        )
        await self._journal.open_all([entry])
        self._remember(key)

    def _remember(self, key: tuple[str, str, str]) -> None:
        self._known[key] = None
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    async def _consignments(self, named: Mapping[str, Any]) -> list[str]:
        if "consignment" in named:
            return [str(named["consignment"])]
        found: list[str] = []
        for room, aggregate in await self._records(named):
            found += await self._subjects.subjects_of(room, aggregate)
        return [
            subject.partition("/")[2] for subject in found if subject.startswith("consignment/")
        ]

    async def _records(self, named: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Room and aggregate of each record that a path may mean."""
        found: list[tuple[str, str]] = []
        for name, (room, prefix) in _AGGREGATES.items():
            if name not in named:
                continue
            found.append((room, f"{prefix}{named[name]}"))
            if name in _NAMED_BY_OWNER:
                owners = await self._owners(prefix.rstrip("/"), str(named[name]))
                found += [(room, f"{prefix}{owner}/{named[name]}") for owner in owners]
        return found
