"""What the exchange asks of the world: where it is kept, and how it travels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Stage
from zhidao.exchange.events import DocumentLook

T = TypeVar("T")
# A peer and a consignment: documents of one have numbers without a gap.
Stream = tuple[PartyId, str]


class Inspection(Protocol):
    """What a node knows of documents by their bytes, beyond their media type."""

    async def check(self, media_type: str, content: bytes, *, kind: str = "") -> None:
        """Raises Refused for what its own rules call invalid; what nobody judges may pass.

        Raises MalformedInput for what is called an invoice (`kind`) and cannot be read as one.
        """

    async def look(self, media_type: str, content: bytes, *, kind: str = "") -> DocumentLook:
        """What a document is; raises nothing for one that nobody knows."""


class NoInspection:
    """Knows nothing of any document: an exchange by itself."""

    async def check(self, media_type: str, content: bytes, *, kind: str = "") -> None:
        """Everything may pass."""

    async def look(self, media_type: str, content: bytes, *, kind: str = "") -> DocumentLook:
        """Its type and size alone."""
        del kind
        return DocumentLook(media_type=media_type, size=len(content))


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of the outbox. Instants in TAI nanoseconds; `since_ns`: giving up counts from here.

    `receipts`: the peer's signed receipts by stage, empty where there is none. `events`: how many
    events its history has. `state`: waiting, received, accepted, decided, dead.
    """

    document: UUID
    recipient: PartyId
    from_party: PartyId
    to_party: PartyId
    consignment: str
    sequence: int
    kind: str
    media_type: str
    digest: str
    content: str
    salt: bytes
    envelope: bytes
    created_ns: int
    since_ns: int
    state: str = "waiting"
    outcome: str = ""
    code: str = ""
    reason: str = ""
    attempts: int = 0
    receipts: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    events: int = 1


@dataclass(frozen=True, slots=True)
class Got:
    """A row of the inbox. `content` is empty if the envelope could not be opened.

    `receipts`: our signed receipts by stage. `state`: held, accepted, decided.
    """

    document: UUID
    sender: PartyId
    from_party: PartyId
    to_party: PartyId
    consignment: str
    sequence: int
    kind: str
    media_type: str
    digest: str
    content: str
    envelope: bytes
    received_ns: int
    state: str = "held"
    outcome: str = ""
    code: str = ""
    reason: str = ""
    receipts: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    events: int = 1


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt of ours on its way to the sender of a document."""

    recipient: PartyId
    document: UUID
    stage: Stage
    receipt: bytes


class Book(Protocol):
    """One transaction over outbox, inbox, peers and events.

    It reads what it wrote; the rest of the world sees all of it or nothing, at the end.
    """

    async def look_up(
        self,
        *,
        sent: Sequence[UUID] = (),
        got: Sequence[tuple[PartyId, UUID]] = (),
        numbering: Collection[Stream] = (),
        accepting: Collection[Stream] = (),
    ) -> None:
        """Reads many rows at once that will be asked for one by one.

        `numbering`: streams to peers of which numbers may be taken; `accepting`: streams of peers.
        """
        ...

    async def sent(self, document: UUID) -> Sent | None:
        """The outbox row of a document."""
        ...

    async def next_sequence(self, recipient: PartyId, consignment: str) -> int:
        """Takes the next number of a stream; given back if the transaction fails."""
        ...

    async def put_sent(self, row: Sent) -> None:
        """Writes a new outbox row, or what has changed of one."""
        ...

    async def got(self, sender: PartyId, document: UUID) -> Got | None:
        """The inbox row of a peer's document."""
        ...

    async def put_got(self, row: Got) -> None:
        """Writes a new inbox row, or what has changed of one."""
        ...

    async def last_accepted(self, sender: PartyId, consignment: str) -> int:
        """The last number of a stream that was accepted (0: none).

        The stream is then this transaction's until it ends.
        """
        ...

    async def accepted_up_to(self, sender: PartyId, consignment: str, sequence: int) -> None:
        """Notes the last number that was accepted."""
        ...

    async def held(self, sender: PartyId, consignment: str, sequence: int) -> Got | None:
        """The row that waits under this number."""
        ...

    async def queue_receipt(self, due: Due) -> None:
        """Puts a receipt of ours into the outbox."""
        ...

    async def drop_receipts(self, dues: Sequence[Due]) -> None:
        """The peer has these."""
        ...

    async def keep(self, content: bytes) -> str:
        """Puts content into the archive and returns its digest."""
        ...

    async def peers(self) -> Sequence[Peer]:
        """All peers; no other transaction that asks this goes on before the end of this one."""
        ...

    async def put_peer(self, peer: Peer) -> None:
        """Writes a peer, new or changed."""
        ...

    async def begin_anew(self, node: PartyId) -> None:
        """Another node took a peer's place: the numbers of what goes to it begin with the first."""
        ...

    async def drop_peer(self, node: PartyId) -> None:
        """Forgets a peer."""
        ...

    async def events(self, aggregate: str) -> int:
        """How many events a history has."""
        ...

    async def append(self, entries: Sequence[Entry]) -> None:
        """Writes events of one aggregate that continue its versions."""
        ...


class Store(Protocol):
    """Where outbox, inbox and peers are kept."""

    async def run(self, work: Callable[[Book], Awaitable[T]]) -> T:
        """Runs work in one transaction, all or nothing; again while others are in the way."""
        ...

    async def peers(self) -> Sequence[Peer]:
        """All peers, by name."""
        ...

    async def content(self, digest: str) -> bytes:
        """Archived content. Raises NotFound."""
        ...

    async def waiting(self, recipient: PartyId, *, limit: int, bytes_max: int) -> Sequence[Sent]:
        """Outbox rows that have no receipt yet, oldest first; one at least if there is any."""
        ...

    async def count_waiting(self, party: PartyId) -> int:
        """How many documents of a party have no receipt yet."""
        ...

    async def due_receipts(self, recipient: PartyId, *, limit: int) -> Sequence[Due]:
        """Receipts on their way to a peer."""
        ...

    async def failed(self, documents: Sequence[UUID], *, code: str, reason: str) -> None:
        """Notes one more failure of these outbox rows."""
        ...

    async def bury(self, document: UUID) -> None:
        """Turns a waiting document into a dead letter at once."""
        ...

    async def give_up(self, recipient: PartyId, *, before_ns: int) -> int:
        """Turns what has waited since before then into dead letters; returns how many."""
        ...

    async def list_sent(
        self, *, party: PartyId | None, state: str, consignment: str, limit: int, after: UUID | None
    ) -> Sequence[Sent]:
        """Outbox rows of a party (None: of all), newest first, older than document `after`."""
        ...

    async def list_got(
        self,
        *,
        party: PartyId | None,
        state: str,
        consignment: str,
        limit: int,
        after: tuple[PartyId, UUID] | None,
    ) -> Sequence[Got]:
        """Inbox rows of a party (None: of all), newest first, older than the row `after`."""
        ...

    async def undecided(self, kinds: Sequence[str], *, limit: int) -> Sequence[Got]:
        """Accepted inbox rows of these kinds that nobody has decided about, oldest first."""
        ...


class Transport(Protocol):
    """Carries a bundle to a peer."""

    async def get_ready(self, peer: Peer) -> None:
        """Makes what bundles to a peer will need, so that the first one need not wait for it."""
        ...

    async def post(self, peer: Peer, bundle: bytes) -> bytes:
        """The peer's answer, a bundle too.

        Raises Unavailable if the peer did not answer or asks to wait, PeerRefused if it will not
        take this bundle however often it comes.
        """
        ...


class LogProofs(Protocol):
    """Proves by the node's log what it wrote down about documents."""

    async def of(self, actor: Actor, histories: Mapping[str, int]) -> Sequence[bytes]:
        """Proof files over what the actor may see of these histories, each up to a version.

        Raises Unavailable while one of them is on its way into the log.
        """
        ...
