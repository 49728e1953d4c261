"""Outbox, inbox and peers in this process, for unit tests and simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, outgoing
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Stage
from zhidao.exchange.service.ports import Book, Due, Got, Sent, Stream
from zhidao.store.journal import check_entries, version_taken

T = TypeVar("T")


@dataclass(slots=True)
class _State:
    peers: dict[PartyId, Peer] = field(default_factory=dict)
    sent: dict[UUID, Sent] = field(default_factory=dict)
    numbers: dict[tuple[PartyId, str], int] = field(default_factory=dict)
    got: dict[tuple[PartyId, UUID], Got] = field(default_factory=dict)
    accepted: dict[tuple[PartyId, str], int] = field(default_factory=dict)
    dues: dict[tuple[PartyId, UUID, Stage], Due] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    histories: dict[str, list[Entry]] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(
            dict(self.peers),
            dict(self.sent),
            dict(self.numbers),
            dict(self.got),
            dict(self.accepted),
            dict(self.dues),
            dict(self.blobs),
            {name: list(entries) for name, entries in self.histories.items()},
        )


class MemoryExchange:
    """Implements `service.ports.Store`; `blobs` and `histories` show what was written."""

    def __init__(self) -> None:
        self._state = _State()
        self._turn = asyncio.Lock()

    @property
    def blobs(self) -> dict[str, bytes]:
        """Kept content by digest."""
        return self._state.blobs

    @property
    def histories(self) -> dict[str, list[Entry]]:
        """Events by aggregate."""
        return self._state.histories

    async def run(self, work: Callable[[Book], Awaitable[T]]) -> T:
        """One transaction at a time; nothing of one that raises stays."""
        async with self._turn:
            draft = self._state.copy()
            answer = await work(_MemoryBook(draft))
            self._state = draft
            return answer

    async def peers(self) -> Sequence[Peer]:
        """All peers, by name."""
        return [self._state.peers[name] for name in sorted(self._state.peers)]

    async def content(self, digest: str) -> bytes:
        """Kept content."""
        if digest not in self._state.blobs:
            raise NotFound("the archive holds no bytes of that digest")
        return self._state.blobs[digest]

    async def waiting(self, recipient: PartyId, *, limit: int, bytes_max: int) -> Sequence[Sent]:
        """Outbox rows without a receipt, oldest first."""
        rows = [
            row
            for row in self._state.sent.values()
            if row.recipient == recipient and row.state == "waiting"
        ]
        return fitting(sorted(rows, key=lambda r: (r.since_ns, r.sequence))[:limit], bytes_max)

    async def count_waiting(self, party: PartyId) -> int:
        """How many documents of a party have no receipt yet."""
        rows = self._state.sent.values()
        return sum(row.state == "waiting" and row.from_party == party for row in rows)

    async def due_receipts(self, recipient: PartyId, *, limit: int) -> Sequence[Due]:
        """Receipts on their way to a peer."""
        return [due for due in self._state.dues.values() if due.recipient == recipient][:limit]

    async def failed(self, documents: Sequence[UUID], *, code: str, reason: str) -> None:
        """Notes one more failure of these outbox rows."""
        for document in documents:
            row = self._state.sent[document]
            self._state.sent[document] = replace(
                row, attempts=row.attempts + 1, code=code, reason=reason
            )

    async def bury(self, document: UUID) -> None:
        """Turns a waiting document into a dead letter."""
        row = self._state.sent[document]
        if row.state == "waiting":
            self._state.sent[document] = replace(row, state="dead")

    async def give_up(self, recipient: PartyId, *, before_ns: int) -> int:
        """Turns what has waited too long into dead letters."""
        rows = [
            row
            for row in self._state.sent.values()
            if row.recipient == recipient and row.state == "waiting" and row.since_ns < before_ns
        ]
        for row in rows:
            self._state.sent[row.document] = replace(row, state="dead")
        return len(rows)

    async def list_sent(
        self, *, party: PartyId | None, state: str, consignment: str, limit: int, after: UUID | None
    ) -> Sequence[Sent]:
        """Outbox rows, newest first."""
        rows = sorted(
            self._state.sent.values(), key=lambda r: (r.created_ns, r.document), reverse=True
        )
        mark = self._state.sent.get(after) if after else None
        return [
            row
            for row in rows
            if party in (None, row.from_party)
            and state in ("", row.state)
            and consignment in ("", row.consignment)
            and (mark is None or (row.created_ns, row.document) < (mark.created_ns, mark.document))
        ][:limit]

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

        def place(row: Got) -> tuple[int, str, UUID]:
            return (row.received_ns, row.sender, row.document)

        mark = self._state.got.get(after) if after else None
        return [
            row
            for row in sorted(self._state.got.values(), key=place, reverse=True)
            if party in (None, row.to_party)
            and state in ("", row.state)
            and consignment in ("", row.consignment)
            and (mark is None or place(row) < place(mark))
        ][:limit]

    async def undecided(self, kinds: Sequence[str], *, limit: int) -> Sequence[Got]:
        """Accepted inbox rows of these kinds, oldest first."""
        rows = [r for r in self._state.got.values() if r.state == "accepted" and r.kind in kinds]
        return sorted(rows, key=lambda r: (r.received_ns, r.consignment, r.sequence))[:limit]


class _MemoryBook:
    """Implements `service.ports.Book` over a draft of the state."""

    def __init__(self, state: _State) -> None:
        self._state = state

    async def look_up(
        self,
        *,
        sent: Sequence[UUID] = (),
        got: Sequence[tuple[PartyId, UUID]] = (),
        numbering: Collection[Stream] = (),
        accepting: Collection[Stream] = (),
    ) -> None:
        """Nothing to read ahead."""

    async def sent(self, document: UUID) -> Sent | None:
        return self._state.sent.get(document)

    async def next_sequence(self, recipient: PartyId, consignment: str) -> int:
        number = self._state.numbers.get((recipient, consignment), 0) + 1
        self._state.numbers[recipient, consignment] = number
        return number

    async def put_sent(self, row: Sent) -> None:
        self._state.sent[row.document] = row

    async def got(self, sender: PartyId, document: UUID) -> Got | None:
        return self._state.got.get((sender, document))

    async def put_got(self, row: Got) -> None:
        self._state.got[row.sender, row.document] = row

    async def last_accepted(self, sender: PartyId, consignment: str) -> int:
        return self._state.accepted.get((sender, consignment), 0)

    async def accepted_up_to(self, sender: PartyId, consignment: str, sequence: int) -> None:
        self._state.accepted[sender, consignment] = sequence

    async def held(self, sender: PartyId, consignment: str, sequence: int) -> Got | None:
        wanted = (sender, consignment, sequence, "held")
        for row in self._state.got.values():
            if (row.sender, row.consignment, row.sequence, row.state) == wanted:
                return row
        return None

    async def queue_receipt(self, due: Due) -> None:
        self._state.dues[due.recipient, due.document, due.stage] = due

    async def drop_receipts(self, dues: Sequence[Due]) -> None:
        for due in dues:
            self._state.dues.pop((due.recipient, due.document, due.stage), None)

    async def keep(self, content: bytes) -> str:
        digest = digest_of(content)
        self._state.blobs[digest] = content
        return digest

    async def peers(self) -> Sequence[Peer]:
        return list(self._state.peers.values())

    async def put_peer(self, peer: Peer) -> None:
        self._state.peers[peer.node] = peer

    async def begin_anew(self, node: PartyId) -> None:
        for stream in [each for each in self._state.numbers if each[0] == node]:
            del self._state.numbers[stream]

    async def drop_peer(self, node: PartyId) -> None:
        self._state.peers.pop(node, None)

    async def events(self, aggregate: str) -> int:
        return len(self._state.histories.get(aggregate, ()))

    async def append(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            outgoing(entry)
        aggregate, version = check_entries(entries)
        history = self._state.histories.setdefault(aggregate, [])
        if version != len(history) + 1:
            raise version_taken(aggregate, version)
        history.extend(entries)


def fitting(rows: Sequence[Sent], bytes_max: int) -> Sequence[Sent]:
    """The first rows whose envelopes fit so many bytes together; one at least."""
    size = 0
    for at, row in enumerate(rows):
        size += len(row.envelope)
        if size > bytes_max and at:
            return rows[:at]
    return rows
