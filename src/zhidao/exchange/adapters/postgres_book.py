"""One transaction of the exchange in PostgreSQL: reads ahead, and writes all at its end.

Statements cost more than rows: what a bundle of documents changes goes out in a handful of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from zhidao.core.archive import digest_of
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.service.ports import Due, Got, Sent, Stream
from zhidao.exchange.wire.subscription import decode_subscription, encode_subscription
from zhidao.store.archive import put_many_in
from zhidao.store.database import Session
from zhidao.store.journal import PostgresJournal

_STAGES: Final = ("received", "accepted", "decided")
_CHANGES: Final = {
    **dict.fromkeys(("state", "outcome", "code", "reason"), "text"),
    **dict.fromkeys(_STAGES, "bytea"),
    "events": "integer",
}
_SENT_CHANGES: Final = _CHANGES | {"since_ns": "bigint", "attempts": "integer"}
_BOTH: Final = {
    "document": "uuid",
    **dict.fromkeys(("from_party", "to_party", "consignment"), "text"),
    "sequence": "bigint",
    **dict.fromkeys(("kind", "media_type", "digest", "content"), "text"),
    "envelope": "bytea",
}
_SENT: Final = (
    _BOTH | {"recipient": "text", "salt": "bytea", "created_ns": "bigint"} | _SENT_CHANGES
)
_GOT: Final = _BOTH | {"sender": "text", "received_ns": "bigint"} | _CHANGES
_PEER: Final = (
    *("node", "organisation", "url", "keys", "sealing", "certificate", "trust", "card", "wanted"),
    *("listed", "ids", "ids_since", "said"),
)
_LOCK_PEERS: Final = "select pg_advisory_xact_lock(hashtext('zhidao exchange.peer'))"


def _arrays(columns: dict[str, str]) -> str:
    return ", ".join(f"%({name})b::{kind}[]" for name, kind in columns.items())


def _insert(table: str, columns: dict[str, str]) -> str:
    return (
        f"insert into exchange.{table} ({', '.join(columns)})"  # noqa: S608
        f" select * from unnest({_arrays(columns)})"
    )


def _update(table: str, key: dict[str, str], changes: dict[str, str]) -> str:
    columns = key | changes
    changed = ", ".join(f"{name} = new.{name}" for name in changes)
    same = " and ".join(f"old.{name} = new.{name}" for name in key)
    return (
        f"update exchange.{table} as old set {changed} from unnest({_arrays(columns)})"  # noqa: S608
        f" as new ({', '.join(columns)}) where {same}"
    )


_INSERT_SENT: Final = _insert("outgoing", _SENT)
_INSERT_GOT: Final = _insert("incoming", _GOT)
_UPDATE_SENT: Final = _update("outgoing", {"document": "uuid"}, _SENT_CHANGES)
_UPDATE_GOT: Final = _update("incoming", {"sender": "text", "document": "uuid"}, _CHANGES)
_PUT_PEER: Final = (
    "insert into exchange.peer"
    " (node, organisation, url, keys, sealing, certificate, trust, card, wanted, listed,"
    " ids, ids_since, said) values"
    " (%(node)s, %(organisation)s, %(url)s, %(keys)s, %(sealing)s, %(certificate)s, %(trust)s,"
    " %(card)s, %(wanted)s, %(listed)s, %(ids)s, %(ids_since)s, %(said)s)"
    " on conflict (node) do update set organisation = excluded.organisation, url = excluded.url,"
    " keys = excluded.keys, sealing = excluded.sealing, certificate = excluded.certificate,"
    " trust = excluded.trust, card = excluded.card, wanted = excluded.wanted,"
    " listed = excluded.listed, ids = excluded.ids, ids_since = excluded.ids_since,"
    " said = excluded.said"
)


def _hold(table: str, peer: str) -> str:
    """Takes the locks of streams in order, new ones too, and tells where they stand."""
    return (
        f"insert into exchange.{table} ({peer}, consignment, last)"  # noqa: S608
        " select peer, consignment, 0 from unnest(%s::text[], %s::text[]) as asked"
        f" (peer, consignment) order by 1, 2 on conflict ({peer}, consignment) do update"
        f" set last = {table}.last returning {peer} as peer, consignment, last"
    )


def _move(table: str, peer: str) -> str:
    return (
        f"update exchange.{table} as old set last = new.last"  # noqa: S608
        " from unnest(%s::text[], %s::text[], %s::bigint[]) as new (peer, consignment, last)"
        f" where old.{peer} = new.peer and old.consignment = new.consignment"
    )


# Without the new ones: looking ahead for what is refused afterwards must leave nothing behind.
_LOCK_OUTGOING: Final = (
    "select recipient as peer, consignment, last from exchange.outgoing_stream"
    " where (recipient, consignment) in (select * from unnest(%s::text[], %s::text[]))"
    " order by 1, 2 for update"
)
_HOLD_OUTGOING: Final = _hold("outgoing_stream", "recipient")
_HOLD_INCOMING: Final = _hold("incoming_stream", "sender")
_MOVE_OUTGOING: Final = _move("outgoing_stream", "recipient")
_MOVE_INCOMING: Final = _move("incoming_stream", "sender")
_HELD: Final = (
    "select * from exchange.incoming where state = 'held' and (sender, consignment)"
    " in (select * from unnest(%s::text[], %s::text[]))"
)


@dataclass(slots=True)
class _Streams:
    """Streams that this transaction holds: their last numbers, which of them moved, what waits."""

    last: dict[Stream, int] = field(default_factory=dict)
    moved: set[Stream] = field(default_factory=set)
    held: dict[Stream, dict[int, Got]] = field(default_factory=dict)

    def move(self, stream: Stream, last: int) -> None:
        self.last[stream] = last
        self.moved.add(stream)

    def columns(self) -> tuple[list[PartyId], list[str], list[int]]:
        moved = sorted(self.moved)
        peers, consignments = _columns_of(moved)
        return peers, consignments, [self.last[stream] for stream in moved]


def _columns_of(streams: Iterable[Stream]) -> tuple[list[PartyId], list[str]]:
    found = list(streams)
    return [peer for peer, _ in found], [consignment for _, consignment in found]


class PostgresBook:
    """Implements `service.ports.Book`; `flush` has to be called before the commit."""

    def __init__(self, session: Session, journal: PostgresJournal) -> None:
        self._session = session
        self._journal = journal
        self._sent: dict[UUID, Sent | None] = {}
        self._got: dict[tuple[PartyId, UUID], Got | None] = {}
        self._stored: set[object] = set()
        self._put: dict[object, Sent | Got] = {}
        self._outgoing = _Streams()
        self._incoming = _Streams()
        self._blobs: dict[str, bytes] = {}
        self._entries: list[Entry] = []
        self._dues: list[Due] = []

    @property
    def wrote_events(self) -> bool:
        """Whether the relay has something to do after the commit."""
        return bool(self._entries)

    async def look_up(
        self,
        *,
        sent: Sequence[UUID] = (),
        got: Sequence[tuple[PartyId, UUID]] = (),
        numbering: Collection[Stream] = (),
        accepting: Collection[Stream] = (),
    ) -> None:
        """Reads many rows with one statement for each kind; streams are this transaction's then."""
        if streams := set(numbering) - set(self._outgoing.last):
            await self._take_outgoing(_LOCK_OUTGOING, streams)
        if streams := set(accepting) - set(self._incoming.last):
            await self._hold_incoming(streams)
        if wanted := [document for document in sent if document not in self._sent]:
            rows = await self._session.fetch_all(
                "select * from exchange.outgoing where document = any (%s)", (wanted,)
            )
            self._sent |= dict.fromkeys(wanted)
            self._sent |= {row["document"]: sent_of(row) for row in rows}
            self._stored |= {row["document"] for row in rows}
        if keys := [key for key in got if key not in self._got]:
            rows = await self._session.fetch_all(
                "select * from exchange.incoming where sender = any (%s) and document = any (%s)",
                (sorted({sender for sender, _ in keys}), [document for _, document in keys]),
            )
            self._got |= dict.fromkeys(keys)
            found = {(row["sender"], row["document"]): got_of(row) for row in rows}
            self._got |= found
            self._stored |= set(found)

    async def sent(self, document: UUID) -> Sent | None:
        """The outbox row of a document."""
        await self.look_up(sent=[document])
        return self._sent[document]

    async def next_sequence(self, recipient: PartyId, consignment: str) -> int:
        """Takes the next number of a stream, which is this transaction's until it ends."""
        stream = (recipient, consignment)
        if stream not in self._outgoing.last:
            await self._take_outgoing(_HOLD_OUTGOING, [stream])
        self._outgoing.move(stream, self._outgoing.last[stream] + 1)
        return self._outgoing.last[stream]

    async def put_sent(self, row: Sent) -> None:
        """Writes an outbox row at the end."""
        self._sent[row.document] = self._put[row.document] = row

    async def got(self, sender: PartyId, document: UUID) -> Got | None:
        """The inbox row of a peer's document."""
        await self.look_up(got=[(sender, document)])
        return self._got[sender, document]

    async def put_got(self, row: Got) -> None:
        """Writes an inbox row at the end."""
        key = (row.sender, row.document)
        self._got[key] = self._put[key] = row
        waiting = self._incoming.held.get((row.sender, row.consignment))
        if waiting is not None:
            waiting.pop(row.sequence, None)
            if row.state == "held":
                waiting[row.sequence] = row

    async def last_accepted(self, sender: PartyId, consignment: str) -> int:
        """The last accepted number; other transactions keep out of the stream from now on."""
        await self.look_up(accepting=[(sender, consignment)])
        return self._incoming.last[sender, consignment]

    async def accepted_up_to(self, sender: PartyId, consignment: str, sequence: int) -> None:
        """Notes the last number that was accepted."""
        self._incoming.move((sender, consignment), sequence)

    async def held(self, sender: PartyId, consignment: str, sequence: int) -> Got | None:
        """The row that waits under this number; the stream must be this transaction's."""
        await self.look_up(accepting=[(sender, consignment)])
        return self._incoming.held[sender, consignment].get(sequence)

    async def _take_outgoing(self, statement: str, streams: Collection[Stream]) -> None:
        rows = await self._session.fetch_all(statement, _columns_of(streams))
        self._outgoing.last |= {(row["peer"], row["consignment"]): row["last"] for row in rows}

    async def _hold_incoming(self, streams: Collection[Stream]) -> None:
        columns = _columns_of(streams)
        for found in await self._session.fetch_all(_HOLD_INCOMING, columns):
            stream = (found["peer"], found["consignment"])
            self._incoming.last[stream], self._incoming.held[stream] = found["last"], {}
        for found in await self._session.fetch_all(_HELD, columns):
            row = got_of(found)
            self._incoming.held[row.sender, row.consignment][row.sequence] = row
            self._got.setdefault((row.sender, row.document), row)
            self._stored.add((row.sender, row.document))

    async def queue_receipt(self, due: Due) -> None:
        """Puts a receipt of ours into the outbox."""
        self._dues.append(due)

    async def drop_receipts(self, dues: Sequence[Due]) -> None:
        """The peer has these."""
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
        """Puts content into the archive at the end."""
        digest = digest_of(content)
        self._blobs[digest] = content
        return digest

    async def peers(self) -> Sequence[Peer]:
        """All peers; others that ask wait for the end of this transaction."""
        await self._session.execute(_LOCK_PEERS)
        rows = await self._session.fetch_all("select * from exchange.peer order by node")
        return [peer_of(row) for row in rows]

    async def put_peer(self, peer: Peer) -> None:
        """Writes a peer."""
        wanted = None if peer.wanted is None else encode_subscription(peer.wanted)
        columns: dict[str, Any] = {name: getattr(peer, name, None) for name in _PEER}
        columns |= {"keys": [key.multikey for key in peer.keys], "wanted": wanted}
        columns |= {
            "ids": [party for party, _ in peer.came],
            "ids_since": [number for _, number in peer.came],
        }
        await self._session.execute(_PUT_PEER, columns)

    async def begin_anew(self, node: PartyId) -> None:
        """Forgets the numbers of the streams to a peer."""
        await self._session.execute(
            "delete from exchange.outgoing_stream where recipient = %s", (node,)
        )

    async def drop_peer(self, node: PartyId) -> None:
        """Forgets a peer."""
        await self._session.execute("delete from exchange.peer where node = %s", (node,))

    async def events(self, aggregate: str) -> int:
        """How many events a history has, with those of this transaction."""
        row = await self._session.fetch_one(
            "select coalesce(max(version), 0) as newest from exchange.event where aggregate = %s",
            (aggregate,),
        )
        pending = [e.event.version for e in self._entries if e.event.aggregate == aggregate]
        return max([int(row["newest"]) if row else 0, *pending])

    async def append(self, entries: Sequence[Entry]) -> None:
        """Writes events at the end; a taken version makes the whole transaction start again."""
        self._entries += entries

    async def flush(self) -> None:
        """Writes everything. Raises Conflict if another transaction wrote the same first."""
        async with self._session.at_once():
            await self._write_streams()
            if self._blobs:
                # In order, so that two that keep the same bytes do not wait for each other.
                blobs = [self._blobs[name] for name in sorted(self._blobs)]
                await put_many_in(self._session, blobs)
            sent = [row for row in self._put.values() if isinstance(row, Sent)]
            got = [row for row in self._put.values() if isinstance(row, Got)]
            await self._write(sent, _INSERT_SENT, _UPDATE_SENT)
            await self._write(got, _INSERT_GOT, _UPDATE_GOT)
            if self._dues:
                await self._write_dues()
            if self._entries:
                await self._journal.append_many_in(self._session, self._entries)

    async def _write_streams(self) -> None:
        if self._outgoing.moved:
            await self._session.execute(_MOVE_OUTGOING, self._outgoing.columns())
        if self._incoming.moved:
            await self._session.execute(_MOVE_INCOMING, self._incoming.columns())

    async def _write(self, rows: Sequence[Sent] | Sequence[Got], insert: str, update: str) -> None:
        """Inserts rows that were not there when they were looked for, and changes the others."""
        fresh = [_plain(row) for row in rows if _key(row) not in self._stored]
        known = [_plain(row) for row in rows if _key(row) in self._stored]
        for statement, plain in ((insert, fresh), (update, known)):
            if plain:
                columns = {name: [row[name] for row in plain] for name in plain[0]}
                await self._session.execute(statement, columns)

    async def _write_dues(self) -> None:
        await self._session.execute(
            "insert into exchange.receipt_due (recipient, document, stage, receipt)"
            " select * from unnest(%b::text[], %b::uuid[], %b::text[], %b::bytea[])"
            " on conflict do nothing",
            (
                [due.recipient for due in self._dues],
                [due.document for due in self._dues],
                [due.stage.value for due in self._dues],
                [due.receipt for due in self._dues],
            ),
        )


def _key(row: Sent | Got) -> object:
    return row.document if isinstance(row, Sent) else (row.sender, row.document)


def _plain(row: Sent | Got) -> dict[str, Any]:
    names = _SENT if isinstance(row, Sent) else _GOT
    plain = {name: getattr(row, name) for name in names if name not in _STAGES}
    return plain | dict(zip(_STAGES, row.receipts, strict=True))


def sent_of(row: dict[str, Any]) -> Sent:
    """An outbox row."""
    plain = {name: row[name] for name in _SENT if name not in _STAGES}
    return Sent(**plain, receipts=_stages(row))


def got_of(row: dict[str, Any]) -> Got:
    """An inbox row."""
    plain = {name: row[name] for name in _GOT if name not in _STAGES}
    return Got(**plain, receipts=_stages(row))


def peer_of(row: dict[str, Any]) -> Peer:
    """A peer."""
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
        listed=row["listed"],
        came=tuple(zip(map(PartyId, row["ids"]), row["ids_since"], strict=True)),
        said=row["said"],
    )


def _stages(row: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    return row["received"], row["accepted"], row["decided"]
