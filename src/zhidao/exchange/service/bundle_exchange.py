"""The exchange as others use it: one bundle in, one bundle out, on the wire or on a stick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.ids import IdSource
from zhidao.exchange.domain.limits import EXPORT_BYTES_MAX, FILE_BYTES_MAX, FILE_ITEMS_MAX
from zhidao.exchange.domain.peer import Peer, Wanted
from zhidao.exchange.events import Delivery, Dispatch, DocumentLook
from zhidao.exchange.service.inbox import Inbox
from zhidao.exchange.service.outbox import Outbox
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Inspection, LogProofs, NoInspection, Store
from zhidao.exchange.wire.bundle import (
    ENVELOPE,
    OPENED,
    PROOF,
    RECEIPT,
    Item,
    decode_bundle,
    encode_bundle,
)
from zhidao.exchange.wire.envelope import decode_envelope
from zhidao.exchange.wire.receipt import decode_receipt
from zhidao.exchange.wire.subscription import (
    SUBSCRIPTION_CONSIGNMENT,
    SUBSCRIPTION_KIND,
    SUBSCRIPTION_TYPE,
    encode_subscription,
)

MAY_SUBSCRIBE: Final = access(Role.ADMIN, Role.OPERATOR)
MAY_CARRY: Final = access(Role.OPERATOR)
MAY_READ_DOCUMENT: Final = access(
    Role.PARTY, Role.AUDITOR, relation=Relation.OWNER, of="the document"
)

_FILE_ROUND: Final = 24
_PAGE: Final = 200
# A document has a handful of events: so many stay below what one proof file may hold.
_PROVEN_AT_ONCE: Final = 400
# Received, accepted, decided.
_GOT_EVENTS_MAX: Final = 3


class ExchangeService:
    """Implements `commands.Exchange`, and takes what peers and sticks bring."""

    def __init__(
        self, store: Store, peers: Peers, outbox: Outbox, inbox: Inbox, *, ids: IdSource
    ) -> None:
        self._store = store
        self._peers = peers
        self._outbox = outbox
        self._inbox = inbox
        self._ids = ids
        # Set where the node keeps a log: its export then proves what stands there.
        self.proofs: LogProofs | None = None
        self.send = outbox.send
        self.publish = outbox.publish
        # What a document is by its bytes; set where the node knows any.
        self.inspection: Inspection = NoInspection()
        self.decide = inbox.decide

    async def subscribe(self, actor: Actor, node: str, wanted: Wanted) -> Dispatch:
        """Tells a peer what this node wants to hear of; its receipt says whether it will."""
        MAY_SUBSCRIBE.admit(actor)
        own = Actor(self._outbox.node, Role.NODE)
        return await self._outbox.send(
            own,
            document=self._ids.new(),
            recipient=node,
            to_party=node,
            consignment=SUBSCRIPTION_CONSIGNMENT,
            kind=SUBSCRIPTION_KIND,
            media_type=SUBSCRIPTION_TYPE,
            content=encode_subscription(wanted),
        )

    async def take_bundle(self, peer: Peer, data: bytes) -> bytes:
        """Takes a peer's bundle; the answer holds the receipts for its envelopes.

        Raises MalformedInput, Refused: then nothing of it was taken.
        """
        items = decode_bundle(data)
        receipts = await self._take(peer, items)
        return encode_bundle([Item(RECEIPT, each) for each in receipts])

    async def pack(self, actor: Actor, node: str) -> bytes:
        """Everything that waits for a peer as one file, to be carried there.

        It goes on waiting until the receipts are here, by whichever way.
        """
        MAY_CARRY.admit(actor)
        peer = self._peers.of(node)
        rows = await self._store.waiting(
            peer.node, limit=FILE_ITEMS_MAX // 2, bytes_max=FILE_BYTES_MAX // 2
        )
        dues = await self._store.due_receipts(peer.node, limit=FILE_ITEMS_MAX // 2)
        items = [Item(ENVELOPE, row.envelope) for row in rows]
        return encode_bundle([*items, *(Item(RECEIPT, due.receipt) for due in dues)])

    async def unpack(self, actor: Actor, data: bytes) -> bytes:
        """Takes a carried file; the answer is the file of receipts to carry back.

        What is in it is signed piece by piece by admitted peers, so who carried it does not
        matter. Raises NotFound (`unknown_peer`), MalformedInput, Refused at the first piece that
        is not so; pieces before it stay, and the same file again is harmless.
        """
        MAY_CARRY.admit(actor)
        items = decode_bundle(data, bytes_max=FILE_BYTES_MAX, items_max=FILE_ITEMS_MAX)
        by_peer: dict[str, list[Item]] = {}
        for item in items:
            by_peer.setdefault(_from(item), []).append(item)
        if self._outbox.node in by_peer:
            raise Refused("this node packed the file itself", code="own_file")
        answer: list[bytes] = []
        for node in sorted(by_peer):
            peer, theirs = self._peers.of(node), by_peer[node]
            for first in range(0, len(theirs), _FILE_ROUND):
                answer += await self._take(peer, theirs[first : first + _FILE_ROUND])
        return encode_bundle([Item(RECEIPT, each) for each in answer])

    async def export(self, actor: Actor, consignment: str = "") -> bytes:
        """All documents of the actor's party with envelopes, content and receipts, as one file.

        At its end stand proofs that this node's log has what was written down about them.
        `zhidao exchange verify` checks all of it without any node. `consignment`: only that one.
        Raises Refused (`export_too_large`), Unavailable while an event is not in the log yet.
        """
        MAY_READ_DOCUMENT.admit(actor)
        found = _Export()
        # What is written after a row was read is not in this export, nor then in its proofs.
        histories: dict[str, int] = {}
        after: UUID | None = None
        while rows := await self._store.list_sent(
            party=actor.viewer, state="", consignment=consignment, limit=_PAGE, after=after
        ):
            for row in rows:
                payload = row.salt + await self._store.content(row.content)
                found.add(row.envelope, payload, row.receipts)
                histories[f"outgoing/{row.document}"] = row.events
            after = rows[-1].document
        mark = None
        while got := await self._store.list_got(
            party=actor.viewer, state="", consignment=consignment, limit=_PAGE, after=mark
        ):
            for each in got:
                payload = self._inbox.payload(each.envelope) if each.content else b""
                found.add(each.envelope, payload, each.receipts)
                histories[f"incoming/{each.sender}/{each.document}"] = _GOT_EVENTS_MAX
            mark = (got[-1].sender, got[-1].document)
        names = list(histories) if self.proofs else []
        for first in range(0, len(names), _PROVEN_AT_ONCE):
            assert self.proofs is not None
            some = {name: histories[name] for name in names[first : first + _PROVEN_AT_ONCE]}
            for proof in await self.proofs.of(actor, some):
                found.prove(proof)
        return encode_bundle(found.items)

    async def one(self, actor: Actor, sender: str, document: UUID) -> Delivery:
        """A document in the inbox."""
        return await self._inbox.one(actor, sender, document)

    async def content(self, actor: Actor, sender: str, document: UUID) -> tuple[bytes, str]:
        """The content of a document in the inbox and its media type."""
        found = await self._inbox.one(actor, sender, document)
        MAY_READ_DOCUMENT.admit(actor)
        if not found.content:
            raise NotFound("the document could not be opened: there is no content")
        return await self._store.content(found.content), found.media_type

    async def look(self, actor: Actor, sender: str, document: UUID) -> DocumentLook:
        """What a document in the inbox is by its bytes."""
        content, media_type = await self.content(actor, sender, document)
        kind = (await self._inbox.one(actor, sender, document)).kind
        return await self.inspection.look(media_type, content, kind=kind)

    async def look_at_sent(self, actor: Actor, document: UUID) -> DocumentLook:
        """What a document in the outbox is by its bytes."""
        found = await self._outbox.one(actor, document)
        MAY_READ_DOCUMENT.admit(actor)
        content = await self._store.content(found.content)
        return await self.inspection.look(found.media_type, content, kind=found.kind)

    async def _take(self, peer: Peer, items: Sequence[Item]) -> Sequence[bytes]:
        if any(item.kind in (OPENED, PROOF) for item in items):
            raise MalformedInput("an export is no bundle to be taken in")
        await self._outbox.take_receipts(
            peer, [item.data for item in items if item.kind == RECEIPT]
        )
        return await self._inbox.take(peer, [i.data for i in items if i.kind == ENVELOPE])


def _from(item: Item) -> str:
    """The node that signed a piece of a bundle, by its own word."""
    if item.kind == ENVELOPE:
        return decode_envelope(item.data).heading.sender
    if item.kind == RECEIPT:
        return decode_receipt(item.data).recipient
    raise MalformedInput("an export is no bundle to be taken in")


class _Export:
    """Items of an export, as far as they fit into memory."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._bytes = 0

    def add(self, envelope: bytes, payload: bytes, receipts: Sequence[bytes]) -> None:
        """One document. Raises Refused (`export_too_large`)."""
        items = [Item(ENVELOPE, envelope)]
        if payload:
            items.append(Item(OPENED, payload))
        items += [Item(RECEIPT, each) for each in receipts if each]
        self._put(items)

    def prove(self, proof: bytes) -> None:
        """A proof of the node's log. Raises Refused (`export_too_large`)."""
        self._put([Item(PROOF, proof)])

    def _put(self, items: Sequence[Item]) -> None:
        self._bytes += sum(len(item.data) for item in items)
        # As many as whoever reads the export takes.
        many = len(self.items) + len(items) > FILE_ITEMS_MAX
        if many or self._bytes > EXPORT_BYTES_MAX:
            raise Refused(
                f"the export has more than {FILE_ITEMS_MAX} items"
                if many
                else f"the export has more than {EXPORT_BYTES_MAX} bytes",
                code="export_too_large",
                remedy="export one consignment after the other",
            )
        self.items += items
