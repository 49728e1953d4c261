"""How a room keeps its facts: append-only histories, one per aggregate, each written once.

`Journal` is the port (memory and PostgreSQL adapters in `store`); `Records` signs facts for an
actor and appends them. State is the fold of a history: there is nothing else to get out of step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import NotFound, Refused, Unavailable
from zhidao.core.events import (
    EVENT_BYTES_MAX,
    LEAF_BYTES_MAX,
    Fact,
    SignedEvent,
    Speaker,
    leaf_bytes,
)
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.judging import ON_BEHALF_OF
from zhidao.core.keys import Signer
from zhidao.core.quota import LeafQuota
from zhidao.core.timescale import Utc

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed event and the salt of its log commitment."""

    event: SignedEvent
    salt: bytes


@dataclass(frozen=True, slots=True)
class Handled:
    """Says that `consumer` has dealt with the event `id`: written in the same transaction."""

    consumer: str
    id: UUID


def outgoing(entry: Entry) -> tuple[bytes, bytes]:
    """The event's byte form and its public log entry, as a journal writes them.

    Raises Refused (`fact_too_large`) for what log or bus would not take: once written, it would
    stand in the way of everything after it.
    """
    data, leaf = entry.event.encode(), leaf_bytes(entry.event, entry.salt)
    if len(data) > EVENT_BYTES_MAX or len(leaf) > LEAF_BYTES_MAX:
        raise Refused(
            f"a {entry.event.type} of {len(data)} bytes is too large to be recorded: an event has"
            f" at most {EVENT_BYTES_MAX} bytes, a public one {LEAF_BYTES_MAX} in the log",
            code="fact_too_large",
            where=entry.event.aggregate,
            remedy="put the bulk into the archive and name it by its digest",
        )
    return data, leaf


class Journal(Protocol):
    """Append-only histories of one room."""

    async def load(
        self, aggregate: str, *, viewer: PartyId | None, after: int = 0
    ) -> tuple[Entry, ...]:
        """The history after version `after`, oldest first; what `viewer` may see (None sees all).

        May be empty.
        """
        ...

    async def load_many(
        self, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> dict[str, tuple[Entry, ...]]:
        """The same for several at once; what has nothing to see is left out."""
        ...

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        """Writes events, their outbox rows and the inbox row in one transaction.

        All entries belong to one aggregate and continue its versions. Returns False, and writes
        nothing, if `handled` was written before. Raises Conflict if a version is taken, Refused
        (`fact_too_large`) for an event that log or bus would not take.
        """
        ...

    async def is_handled(self, handled: Handled) -> bool:
        """Whether the inbox row stands."""
        ...

    async def aggregates(
        self, prefix: str, *, viewer: PartyId | None, limit: int, after: str = ""
    ) -> tuple[str, ...]:
        """Names of aggregates with this prefix that the viewer may see, in order, after `after`."""
        ...


class KeyRing(Protocol):
    """Finds the key with which a party speaks on this node."""

    def signer(self, party: PartyId) -> Signer | None:
        """The party's key if this node is its custodian, else None."""
        ...


class Scribe:
    """Signs facts: for the party (as its named custodian) and for the node."""

    def __init__(
        self,
        *,
        node: PartyId,
        key: Signer,
        ring: KeyRing,
        clock: Clock,
        ids: IdSource,
        randomness: Randomness,
        permit: Callable[[], None] = lambda: None,
        quota: LeafQuota | None = None,
    ) -> None:
        """`permit` raises Unavailable while this node may sign nothing.

        `quota` bounds what a party's own requests write; what follows from them is not hindered.
        """
        self._quota = quota
        self._permit = permit
        self._node = Speaker(node, key.public)
        self._key = key
        self._ring = ring
        self._clock = clock
        self._ids = ids
        self._randomness = randomness

    @property
    def node(self) -> PartyId:
        """The party name under which this node records."""
        return self._node.party

    def write(
        self,
        fact: Fact,
        *,
        by: PartyId,
        aggregate: str,
        version: int,
        owner: PartyId,
        visible: Sequence[PartyId],
        occurred_at: Utc | None,
    ) -> Entry:
        """A fact asserted by `by` as a signed event with its salt.

        Raises Unavailable if this node holds no key of that party, or may not sign now.
        """
        self._permit()
        self._count(by)
        signer = self._key if by == self._node.party else self._ring.signer(by)
        if signer is None:
            raise Unavailable(f"this node holds no key of {by}", code="no_key")
        now = self._clock.now()
        draft = SignedEvent(
            id=self._ids.new(),
            type=fact.told_as,
            aggregate=aggregate,
            version=version,
            owner=owner,
            visible=tuple(sorted(set(visible) - {owner})),
            occurred_at=occurred_at or now,
            recorded_at=now,
            payload=fact.payload(),
            open=fact.OPEN,
            custodian=by != self._node.party,
            asserted_by=Speaker(by, signer.public),
            recorded_by=self._node,
        )
        asserted = replace(draft, assertion=signer.sign(draft.assertion_message()))
        return Entry(asserted.recorded(self._key), self._randomness.token(SALT_BYTES))

    def countersign(self, asserted: SignedEvent) -> Entry:
        """A fact that its party signed with its own key, now with this node's record.

        Raises Refused (`bad_signature`) if the assertion does not hold, Unavailable if this node
        may not sign now.
        """
        self._permit()
        self._count(asserted.asserted_by.party)
        message = asserted.assertion_message()
        if not asserted.asserted_by.key.verifies(asserted.assertion, message):
            raise Refused(
                f"{asserted.type} {asserted.id}: wrong assertion",
                code="bad_signature",
                remedy="sign the RFC 8785 form of the asserted fields with the key that you name",
            )
        draft = replace(
            asserted, recorded_at=self._clock.now(), recorded_by=self._node, custodian=False
        )
        return Entry(draft.recorded(self._key), self._randomness.token(SALT_BYTES))

    def _count(self, by: PartyId) -> None:
        if self._quota is not None and by != self._node.party and ON_BEHALF_OF.get() == by:
            self._quota.take(by)

    def speaks_for(self, party: PartyId) -> bool:
        """Whether this node may assert facts of that party: it is itself, or keeps its key."""
        return party == self._node.party or self._ring.signer(party) is not None

    @property
    def recorder(self) -> Speaker:
        """The node as it stands in what it records."""
        return self._node


class Records:
    """A room's journal with the scribe that signs for it."""

    def __init__(self, journal: Journal, scribe: Scribe) -> None:
        self._journal = journal
        self._scribe = scribe

    @property
    def node(self) -> PartyId:
        """The party name under which this node records."""
        return self._scribe.node

    async def history(
        self, aggregate: str, actor: Actor | None = None, *, after: int = 0
    ) -> tuple[SignedEvent, ...]:
        """The events of an aggregate after a version, oldest first, as the actor may see them.

        Without an actor the room itself reads everything, and an empty history is no error.
        Raises NotFound if the actor sees nothing: absent and hidden look the same.
        """
        viewer = actor.viewer if actor else None
        entries = await self._journal.load(aggregate, viewer=viewer, after=after)
        if actor and not entries:
            raise NotFound(f"no {aggregate.partition('/')[0]} of that name")
        return tuple(entry.event for entry in entries)

    async def histories(
        self, aggregates: Sequence[str], actor: Actor
    ) -> list[tuple[SignedEvent, ...]]:
        """Several histories by one reading, in the order asked for; unseen ones are left out."""
        found = await self._journal.load_many(aggregates, viewer=actor.viewer)
        return [tuple(e.event for e in found[name]) for name in aggregates if name in found]

    def speaker(self, actor: Actor) -> Actor:
        """Who says it here: the actor, or this node for a party that keeps its key at another."""
        return actor if self._scribe.speaks_for(actor.party) else Actor(self.node, Role.NODE)

    async def record(
        self,
        actor: Actor,
        aggregate: str,
        facts: Sequence[Fact],
        *,
        after: int,
        owner: PartyId,
        visible: Sequence[PartyId] = (),
        occurred_at: Utc | None = None,
        handled: Handled | None = None,
    ) -> tuple[SignedEvent, ...]:
        """Signs facts as the actor's party and appends them after version `after`.

        Returns () if `handled` stands already. Raises Conflict if somebody else wrote meanwhile.
        """
        entries = [
            self._scribe.write(
                fact,
                by=actor.party,
                aggregate=aggregate,
                version=after + 1 + offset,
                owner=owner,
                visible=visible,
                occurred_at=occurred_at,
            )
            for offset, fact in enumerate(facts)
        ]
        if not await self._journal.append(entries, handled=handled):
            return ()
        return tuple(entry.event for entry in entries)

    async def is_handled(self, handled: Handled) -> bool:
        """Whether this event was dealt with before."""
        return await self._journal.is_handled(handled)

    async def aggregates(
        self, prefix: str, actor: Actor, *, limit: int, after: str = ""
    ) -> tuple[str, ...]:
        """Names of the aggregates that the actor may see, in order."""
        return await self._journal.aggregates(prefix, viewer=actor.viewer, limit=limit, after=after)


class FixedKeyRing:
    """A key ring over a mapping."""

    def __init__(self, keys: Mapping[PartyId, Signer]) -> None:
        self._keys = keys

    def signer(self, party: PartyId) -> Signer | None:
        """The party's key, or None."""
        return self._keys.get(party)
