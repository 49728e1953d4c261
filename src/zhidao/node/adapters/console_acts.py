"""Acts done at the machine itself: written unsigned into the node's database, which it signs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.node.adapters.acts import PostgresActs
from zhidao.node.security.administration import PREFIX, Act, Record, console, pending_act
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

# As long as a command waits for a running node to sign and log an act.
_LOGGED_S: Final = 10.0
_LOGGED_TRIES: Final = 100


class ConsoleActs:
    """Writes acts of a command. `name`: the node as set, where no act of its own names it yet."""

    def __init__(
        self, database: Database, name: PartyId, clock: Clock, randomness: Randomness
    ) -> None:
        # Nobody here waits for the outbox; the node that signs does.
        self.acts = PostgresActs(database, PostgresJournal(database, "node", lambda: None))
        self._database = database
        self._name = name
        self._clock = clock
        self._ids = IdSource(clock, randomness)

    async def are_kept(self) -> bool:
        """Whether the database has a place for acts: a node of this release has served it."""
        known = "select to_regclass('node.waiting_act') is not null as known"
        [row] = await self._database.read(known)
        return bool(row["known"])

    async def node(self) -> PartyId:
        """The node's party as its own acts name it; before the first one, as it is set."""
        rows = await self._database.read(
            "select owner from node.event where starts_with(aggregate, %s)"
            " order by aggregate desc limit 1",
            (PREFIX,),
        )
        return PartyId(rows[0]["owner"]) if rows else self._name

    def record(
        self,
        node: PartyId,
        act: Act,
        *,
        subject: str,
        values: Mapping[str, str],
        party: PartyId | None = None,
    ) -> Record:
        """An act that waits for its signature. `party`: whom it concerns, if not the node."""
        pending = pending_act(
            console(node),
            act,
            id=self._ids.new(),
            at=self._clock.now(),
            subject=subject,
            party=party or node,
            values=values,
        )
        return Record(pending, None)

    async def add_in(self, session: Session, record: Record) -> None:
        """Writes it inside your transaction."""
        await self.acts.add_in(session, record)

    async def logged(self, record: Record) -> bool:
        """Waits until a running node has put it into its log, or for ten seconds."""
        for _ in range(_LOGGED_TRIES):
            if await self.acts.is_logged(record):
                return True
            await asyncio.sleep(_LOGGED_S / _LOGGED_TRIES)
        return False
