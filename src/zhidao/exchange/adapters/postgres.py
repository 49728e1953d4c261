"""Outbox, inbox and peers in PostgreSQL, with their events in the same transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from zhidao.core.errors import Conflict
from zhidao.core.ids import PartyId
from zhidao.exchange.adapters.memory import fitting
from zhidao.exchange.adapters.postgres_book import PostgresBook, got_of, peer_of, sent_of
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Stage
from zhidao.exchange.service.ports import Book, Due, Got, Sent
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Contended, Database, Session
from zhidao.store.journal import PostgresJournal

T = TypeVar("T")


class PostgresExchange:
    """Implements `service.ports.Store`."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def run(self, work: Callable[[Book], Awaitable[T]]) -> T:
        """Runs work in one transaction; again from the start while others are in the way."""
        wrote = False

        async def in_session(session: Session) -> T:
            nonlocal wrote
            book = PostgresBook(session, self._journal)
            try:
                answer = await work(book)
                await book.flush()
            except Conflict as error:
                # Two that write the same new row: the later one must read what the first wrote.
                if error.code == "conflict":
                    raise Contended(str(error)) from error
                raise
            wrote = book.wrote_events
            return answer

        answer = await self._database.run(in_session)
        if wrote:
            self._journal.wake()
        return answer

    async def peers(self) -> Sequence[Peer]:
        """All peers, by name."""
        rows = await self._all("select * from exchange.peer order by node")
        return [peer_of(row) for row in rows]

    async def content(self, digest: str) -> bytes:
        """Archived content."""
        return await PostgresArchive(self._database).get(digest)

    async def waiting(self, recipient: PartyId, *, limit: int, bytes_max: int) -> Sequence[Sent]:
        """Outbox rows without a receipt, oldest first."""
        rows = await self._all(
            "select * from exchange.outgoing where recipient = %s and state = 'waiting'"
            " order by since_ns, sequence limit %s",
            (recipient, limit),
        )
        return fitting([sent_of(row) for row in rows], bytes_max)

    async def count_waiting(self, party: PartyId) -> int:
        """How many documents of a party have no receipt yet."""
        rows = await self._all(
            "select count(*) as waiting from exchange.outgoing"
            " where state = 'waiting' and from_party = %s",
            (party,),
        )
        return int(rows[0]["waiting"])

    async def due_receipts(self, recipient: PartyId, *, limit: int) -> Sequence[Due]:
        """Receipts on their way to a peer."""
        rows = await self._all(
            "select * from exchange.receipt_due where recipient = %s limit %s", (recipient, limit)
        )
        return [
            Due(PartyId(r["recipient"]), r["document"], Stage(r["stage"]), r["receipt"])
            for r in rows
        ]

    async def failed(self, documents: Sequence[UUID], *, code: str, reason: str) -> None:
        """Notes one more failure of these outbox rows."""
        if documents:
            await self._change(
                "update exchange.outgoing set attempts = attempts + 1, code = %s, reason = %s"
                " where document = any (%s) and state = 'waiting'",
                (code, reason, list(documents)),
            )

    async def bury(self, document: UUID) -> None:
        """Turns a waiting document into a dead letter."""
        await self._change(
            "update exchange.outgoing set state = 'dead' where document = %s and state = 'waiting'",
            (document,),
        )

    async def give_up(self, recipient: PartyId, *, before_ns: int) -> int:
        """Turns what has waited too long into dead letters."""
        return await self._change(
            "update exchange.outgoing set state = 'dead' where recipient = %s"
            " and state = 'waiting' and since_ns < %s",
            (recipient, before_ns),
        )

    async def list_sent(
        self, *, party: PartyId | None, state: str, consignment: str, limit: int, after: UUID | None
    ) -> Sequence[Sent]:
        """Outbox rows, newest first."""
        rows = await self._all(
            "select * from exchange.outgoing where"
            " (%(party)s::text is null or from_party = %(party)s::text)"
            " and %(state)s::text in ('', state) and %(consignment)s::text in ('', consignment)"
            " and (%(after)s::uuid is null or (created_ns, document) < (select created_ns,"
            " document from exchange.outgoing where document = %(after)s::uuid))"
            " order by created_ns desc, document desc limit %(limit)s",
            {
                "party": party,
                "state": state,
                "consignment": consignment,
                "after": after,
                "limit": limit,
            },
        )
        return [sent_of(row) for row in rows]

    async def list_got(
        self,
        *,
        party: PartyId | None,
        state: str,
        consignment: str,
        limit: int,
        after: tuple[PartyId, UUID] | None,
    ) -> Sequence[Got]:
        """Inbox rows, newest first."""
        sender, document = after or (None, None)
        rows = await self._all(
            "select * from exchange.incoming where"
            " (%(party)s::text is null or to_party = %(party)s::text)"
            " and %(state)s::text in ('', state) and %(consignment)s::text in ('', consignment)"
            " and (%(document)s::uuid is null or (received_ns, sender, document) < (select"
            " received_ns, sender, document from exchange.incoming where sender = %(sender)s::text"
            " and document = %(document)s::uuid))"
            " order by received_ns desc, sender desc, document desc limit %(limit)s",
            {
                "party": party,
                "state": state,
                "consignment": consignment,
                "sender": sender,
                "document": document,
                "limit": limit,
            },
        )
        return [got_of(row) for row in rows]

    async def undecided(self, kinds: Sequence[str], *, limit: int) -> Sequence[Got]:
        """Accepted inbox rows of these kinds, oldest first."""
        rows = await self._all(
            "select * from exchange.incoming where state = 'accepted' and kind = any (%s)"
            " order by received_ns, consignment, sequence limit %s",
            (list(kinds), limit),
        )
        return [got_of(row) for row in rows]

    async def _all(self, sql: str, params: Any = ()) -> list[dict[str, Any]]:
        async with self._database.session() as session:
            return await session.fetch_all(sql, params)

    async def _change(self, sql: str, params: Any) -> int:
        async with self._database.session() as session:
            return await session.execute(sql, params)
