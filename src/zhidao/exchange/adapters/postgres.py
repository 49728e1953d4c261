"""Outbox, inbox and peers in PostgreSQL, with their events in the same transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from zhidao.core.errors import Conflict
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.keys import PublicKey
from zhidao.exchange.adapters.memory import fitting
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Stage
from zhidao.exchange.service.ports import Book, Due, Got, Sent
from zhidao.exchange.wire.subscription import decode_subscription, encode_subscription
from zhidao.store.archive import PostgresArchive, put_in
from zhidao.store.database import Contended, Database, Session
from zhidao.store.journal import PostgresJournal

T = TypeVar("T")
_SENT: Final = (
    *("document", "recipient", "from_party", "to_party", "consignment", "sequence", "kind"),
    *("media_type", "digest", "content", "salt", "envelope", "created_ns", "since_ns", "state"),
    *("outcome", "code", "reason", "attempts", "received", "accepted", "decided", "events"),
)
_SENT_CHANGES: Final = (
    *("since_ns", "state", "outcome", "code", "reason", "attempts"),
    *("received", "accepted", "decided", "events"),
)
_GOT: Final = (
    *("document", "sender", "from_party", "to_party", "consignment", "sequence", "kind"),
    *("media_type", "digest", "content", "envelope", "received_ns", "state", "outcome", "code"),
    *("reason", "received", "accepted", "decided", "events"),
)
_GOT_CHANGES: Final = (
    *("state", "outcome", "code", "reason", "received", "accepted", "decided", "events"),
)


def _write(table: str, columns: Sequence[str], key: str, changes: Sequence[str]) -> str:
    values = ", ".join(f"%({name})s" for name in columns)
    changed = ", ".join(f"{name} = excluded.{name}" for name in changes)
    return (
        f"insert into exchange.{table} ({', '.join(columns)}) values ({values})"  # noqa: S608
        f" on conflict ({key}) do update set {changed}"
    )


_PUT_SENT: Final = _write("outgoing", _SENT, "document", _SENT_CHANGES)
_PUT_GOT: Final = _write("incoming", _GOT, "sender, document", _GOT_CHANGES)
_STAGES: Final = ("received", "accepted", "decided")
_PEER: Final = (
    *("node", "organisation", "url", "keys", "sealing", "certificate", "trust", "card", "wanted"),
)
_PUT_PEER: Final = _write("peer", _PEER, "node", _PEER[1:])


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
            book = _PostgresBook(session, self._journal)
            try:
                answer = await work(book)
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
        return [_peer(row) for row in rows]

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
        return fitting([_sent(row) for row in rows], bytes_max)

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
        return [_sent(row) for row in rows]

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
        return [_got(row) for row in rows]

    async def _all(self, sql: str, params: Any = ()) -> list[dict[str, Any]]:
        async with self._database.session() as session:
            return await session.fetch_all(sql, params)

    async def _change(self, sql: str, params: Any) -> int:
        async with self._database.session() as session:
            return await session.execute(sql, params)


class _PostgresBook:
    """Implements `service.ports.Book` over one transaction."""

    def __init__(self, session: Session, journal: PostgresJournal) -> None:
        self._session = session
        self._journal = journal
        self.wrote_events = False

    async def sent(self, document: UUID) -> Sent | None:
        row = await self._session.fetch_one(
            "select * from exchange.outgoing where document = %s", (document,)
        )
        return _sent(row) if row else None

    async def next_sequence(self, recipient: PartyId, consignment: str) -> int:
        row = await self._session.fetch_one(
            "insert into exchange.outgoing_stream (recipient, consignment, last)"
            " values (%s, %s, 1) on conflict (recipient, consignment)"
            " do update set last = outgoing_stream.last + 1 returning last",
            (recipient, consignment),
        )
        assert row is not None
        return int(row["last"])

    async def put_sent(self, row: Sent) -> None:
        columns = {name: getattr(row, name) for name in _SENT if name not in _STAGES}
        await self._session.execute(
            _PUT_SENT, columns | dict(zip(_STAGES, row.receipts, strict=True))
        )

    async def got(self, sender: PartyId, document: UUID) -> Got | None:
        row = await self._session.fetch_one(
            "select * from exchange.incoming where sender = %s and document = %s",
            (sender, document),
        )
        return _got(row) if row else None

    async def put_got(self, row: Got) -> None:
        columns = {name: getattr(row, name) for name in _GOT if name not in _STAGES}
        await self._session.execute(
            _PUT_GOT, columns | dict(zip(_STAGES, row.receipts, strict=True))
        )

    async def last_accepted(self, sender: PartyId, consignment: str) -> int:
        # The update that changes nothing keeps other transactions out of this stream.
        row = await self._session.fetch_one(
            "insert into exchange.incoming_stream (sender, consignment, last)"
            " values (%s, %s, 0) on conflict (sender, consignment)"
            " do update set last = incoming_stream.last returning last",
            (sender, consignment),
        )
        assert row is not None
        return int(row["last"])

    async def accepted_up_to(self, sender: PartyId, consignment: str, sequence: int) -> None:
        await self._session.execute(
            "update exchange.incoming_stream set last = %s where sender = %s and consignment = %s",
            (sequence, sender, consignment),
        )

    async def held(self, sender: PartyId, consignment: str, sequence: int) -> Got | None:
        row = await self._session.fetch_one(
            "select * from exchange.incoming where sender = %s and consignment = %s"
            " and sequence = %s and state = 'held'",
            (sender, consignment, sequence),
        )
        return _got(row) if row else None

    async def queue_receipt(self, due: Due) -> None:
        await self._session.execute(
            "insert into exchange.receipt_due (recipient, document, stage, receipt)"
            " values (%s, %s, %s, %s) on conflict do nothing",
            (due.recipient, due.document, due.stage.value, due.receipt),
        )

    async def drop_receipts(self, dues: Sequence[Due]) -> None:
        await self._session.execute(
            "delete from exchange.receipt_due as due using"
            " unnest(%s::text[], %s::uuid[], %s::text[]) as gone (recipient, document, stage)"
            " where (due.recipient, due.document, due.stage)"
            " = (gone.recipient, gone.document, gone.stage)",
            (
                [due.recipient for due in dues],
                [due.document for due in dues],
                [due.stage.value for due in dues],
            ),
        )

    async def keep(self, content: bytes) -> str:
        return await put_in(self._session, content)

    async def put_peer(self, peer: Peer) -> None:
        await self._session.execute(
            _PUT_PEER,
            {
                "node": peer.node,
                "organisation": peer.organisation,
                "url": peer.url,
                "keys": [key.multikey for key in peer.keys],
                "sealing": peer.sealing,
                "certificate": peer.certificate,
                "trust": peer.trust,
                "card": peer.card,
                "wanted": None if peer.wanted is None else encode_subscription(peer.wanted),
            },
        )

    async def drop_peer(self, node: PartyId) -> None:
        await self._session.execute("delete from exchange.peer where node = %s", (node,))

    async def events(self, aggregate: str) -> int:
        row = await self._session.fetch_one(
            "select coalesce(max(version), 0) as newest from exchange.event where aggregate = %s",
            (aggregate,),
        )
        return int(row["newest"]) if row else 0

    async def append(self, entries: Sequence[Entry]) -> None:
        self.wrote_events = True
        await self._journal.append_in(self._session, entries)


def _stages(row: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    return row["received"], row["accepted"], row["decided"]


def _sent(row: dict[str, Any]) -> Sent:
    plain = {name: row[name] for name in _SENT if name not in _STAGES}
    return Sent(**plain, receipts=_stages(row))


def _got(row: dict[str, Any]) -> Got:
    plain = {name: row[name] for name in _GOT if name not in _STAGES}
    return Got(**plain, receipts=_stages(row))


def _peer(row: dict[str, Any]) -> Peer:
    wanted = row["wanted"]
    return Peer(
        node=PartyId(row["node"]),
        organisation=row["organisation"],
        url=row["url"],
        keys=tuple(PublicKey.from_multikey(key) for key in row["keys"]),
        sealing=row["sealing"],
        certificate=row["certificate"],
        trust=row["trust"],
        card=row["card"],
        wanted=None if wanted is None else decode_subscription(wanted),
    )
