"""Statements that parties sign with keys of their own: checked, recorded, and answered durably.

Many requests share one transaction: while one batch is being committed, the next gathers. An
answer is given only after the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, NotFound, Refused, Unavailable
from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Scribe
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.node.events import Stated

MAY_STATE: Final = access(Role.PARTY, relation=Relation.OWNER, of="the statement")

BATCH_MAX: Final = 256
WAITING_MAX: Final = 4096


class FirstEvents(Protocol):
    """A journal that can open many aggregates at once."""

    async def load(self, aggregate: str, *, viewer: PartyId | None) -> tuple[Entry, ...]:
        """The history, oldest first, as far as `viewer` may see it."""
        ...

    async def open_all(self, entries: Sequence[Entry]) -> frozenset[UUID]:
        """Writes each entry as the first of its aggregate, all in one transaction.

        Returns the ids of those written; an aggregate that has begun already is left as it is.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a party asserts, with its signature over the asserted fields of an event."""

    id: UUID
    name: str
    key: PublicKey
    fact: Stated
    occurred_at: Utc
    readers: tuple[PartyId, ...]
    assertion: bytes


def aggregate_of(party: PartyId, name: str) -> str:
    """Where a statement stands."""
    return f"statement/{party}/{name}"


class Statements:
    """Takes statements in and shows them to who may read them."""

    def __init__(
        self,
        journal: FirstEvents,
        scribe: Scribe,
        has_key: Callable[[PartyId, str], Awaitable[bool]],
    ) -> None:
        """`has_key` tells whether a party has registered a key, given as a Multikey."""
        self._journal = journal
        self._scribe = scribe
        self._has_key = has_key
        self._waiting: list[tuple[Entry, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def state(self, actor: Actor, statement: Statement) -> SignedEvent:
        """Records a statement of the caller's party; again: the same event.

        Raises Refused (`unknown_key`, `bad_signature`), Conflict if the name says something else.
        """
        MAY_STATE.admit(actor)
        if not await self._has_key(actor.party, statement.key.multikey):
            raise Refused(
                f"{actor.party} has registered no such key",
                code="unknown_key",
                where="key",
                remedy="ask the node's admin to register it with a token of yours",
            )
        entry = self._scribe.countersign(self._asserted(actor.party, statement))
        if await self._write(entry):
            return entry.event
        return await self._standing(entry.event)

    async def one(self, actor: Actor, party: PartyId, name: str) -> SignedEvent:
        """A statement. Raises NotFound if there is none that the actor may see."""
        entries = await self._journal.load(aggregate_of(party, name), viewer=actor.viewer)
        if not entries:
            raise NotFound("no statement of that name")
        return entries[0].event

    def _asserted(self, party: PartyId, statement: Statement) -> SignedEvent:
        return SignedEvent(
            id=statement.id,
            type=Stated.TYPE,
            aggregate=aggregate_of(party, statement.name),
            version=1,
            owner=party,
            visible=statement.readers,
            occurred_at=statement.occurred_at,
            recorded_at=statement.occurred_at,
            payload=statement.fact.payload(),
            open=False,
            custodian=False,
            asserted_by=Speaker(party, statement.key),
            recorded_by=self._scribe.recorder,
            assertion=statement.assertion,
        )

    async def _standing(self, event: SignedEvent) -> SignedEvent:
        entries = await self._journal.load(event.aggregate, viewer=None)
        if not entries:
            raise Conflict(f"another event bears the id {event.id}", where="id")
        standing = entries[0].event
        if standing.assertion_message() != event.assertion_message():
            raise Conflict(f"{event.aggregate} says something else already", where="statement")
        return standing

    async def _write(self, entry: Entry) -> bool:
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable(
                f"{WAITING_MAX} statements wait to be written already; try again in a second"
            )
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            try:
                opened = await self._journal.open_all([entry for entry, _ in batch])
            except BaseException as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(_told(error))
                if not isinstance(error, Exception):
                    raise
                continue
            for entry, done in batch:
                if not done.done():
                    done.set_result(entry.event.id in opened)


def _told(error: BaseException) -> Exception:
    """What each waiting caller hears of a failed batch."""
    if isinstance(error, Exception):
        return error
    return Unavailable("the node stops; repeat the request")
