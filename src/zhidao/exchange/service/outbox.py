"""The outbox: documents are sealed, numbered and kept until their receipts are here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.archive import digest_of
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Scribe
from zhidao.core.timescale import NS
from zhidao.exchange.domain.content import check_content
from zhidao.exchange.domain.envelope import SALT_BYTES, Heading
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX, WAITING_MAX
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage
from zhidao.exchange.events import Dispatch, DocumentSent, ReceiptTaken
from zhidao.exchange.service.group_commit import GroupCommit
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Book, Inspection, NoInspection, Sent, Store
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.service.views import dispatch_of
from zhidao.exchange.wire.envelope import commitment, seal_envelope
from zhidao.exchange.wire.receipt import decode_receipt
from zhidao.exchange.wire.withdrawal import WITHDRAWAL_KIND, WITHDRAWAL_TYPE, encode_withdrawal

MAY_RESEND: Final = access(Role.PARTY, Role.OPERATOR, relation=Relation.OWNER, of="the document")

MAY_SEND_DOCUMENT: Final = access(
    Role.PARTY, Role.OPERATOR, Role.NODE, relation=Relation.OWNER, of="the document"
)
MAY_WITHDRAW: Final = access(Role.PARTY, relation=Relation.OWNER, of="the document")


class Outbox:
    """Sends. `committed` hears of each new row, `wake` of a peer for which an old one waits."""

    def __init__(
        self,
        store: Store,
        peers: Peers,
        *,
        scribe: Scribe,
        identity: SigningIdentity,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._peers = peers
        self._scribe = scribe
        self._identity = identity
        self._clock = clock
        self._randomness = randomness
        self._group_commit = GroupCommit(store)
        # Of each party: how many documents wait, and until when that is believed (TAI).
        self._waiting: dict[PartyId, tuple[int, int]] = {}
        self.wake: Callable[[PartyId], None] = lambda _: None
        # By it what this node's rules refuse is never sealed.
        self.inspection: Inspection = NoInspection()
        self.committed: Callable[[Sent], None] = lambda _: None
        # Hears of each document about which its recipient said the last word.
        self.decided: Callable[[Dispatch], None] = lambda _: None

    @property
    def node(self) -> PartyId:
        """The name under which this node sends."""
        return self._scribe.node

    async def send(
        self,
        actor: Actor,
        *,
        document: UUID,
        recipient: str,
        to_party: str,
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> Dispatch:
        """Keeps a document for a peer; see `commands.Exchange.send`."""
        MAY_SEND_DOCUMENT.admit(actor)
        peer = self._peers.of(recipient)
        if len(content) > CONTENT_BYTES_MAX:
            raise MalformedInput(
                f"a document of {len(content)} bytes; at most {CONTENT_BYTES_MAX} are exchanged",
                code="content_too_large",
            )
        # Away from the loop: a large document takes some tens of milliseconds.
        await asyncio.to_thread(check_content, media_type, content, kind=kind)
        await self.inspection.check(media_type, content, kind=kind)
        salt, now = self._randomness.token(SALT_BYTES), self._clock.now()
        heading = Heading(
            document=document,
            sender=self._scribe.node,
            recipient=peer.node,
            from_party=actor.party,
            to_party=party_id(to_party),
            consignment=consignment,
            sequence=1,
            kind=kind,
            media_type=media_type,
            sent_at=now,
            digest=commitment(salt, content),
            size=len(content),
        )

        is_full = await self._is_full(actor.party)

        async def work(book: Book) -> tuple[Sent, bool]:
            standing = await book.sent(document)
            if standing is not None:
                _check_same(standing, heading, digest_of(content))
                return standing, False
            if is_full:
                raise Refused(
                    f"{WAITING_MAX} documents of {actor.party} wait for its peers already",
                    code="outbox_full",
                    remedy="wait until some are received, or ask the operator why they are not",
                )
            numbered = replace(heading, sequence=await book.next_sequence(peer.node, consignment))
            row = await self._row(book, numbered, peer, salt, content)
            return row, True

        stream = (peer.node, consignment)
        row, fresh = await self._group_commit.run(work, sent=document, stream=stream)
        if fresh:
            self.committed(row)
        return dispatch_of(row)

    async def _is_full(self, party: PartyId) -> bool:
        """Whether a party has as many documents waiting as it may; counted once a second."""
        now_ns = self._clock.now().tai_ns
        count, until_ns = self._waiting.get(party, (0, 0))
        if now_ns >= until_ns or count >= WAITING_MAX:
            # Who asks meanwhile goes by the last count: one query a second, not one a caller.
            self._waiting[party] = (count, now_ns + NS)
            count, until_ns = await self._store.count_waiting(party), now_ns + NS
        self._waiting[party] = (count + 1, until_ns)
        return count >= WAITING_MAX

    async def publish(
        self,
        actor: Actor,
        *,
        document: UUID,
        audience: Sequence[str],
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> Sequence[Dispatch]:
        """Sends to the peers of the audience that want it, to the node itself as a party.

        Each copy's id is made of `document` and the peer's name (RFC 9562 section 5.5).
        """
        found = []
        for node in sorted(set(audience)):
            wanted = self._peers.of(node).wanted
            if wanted is None or not wanted.matches(kind=kind, consignment=consignment):
                continue
            found.append(
                await self.send(
                    actor,
                    document=uuid5(document, node),
                    recipient=node,
                    to_party=node,
                    consignment=consignment,
                    kind=kind,
                    media_type=media_type,
                    content=content,
                )
            )
        return found

    async def resend(self, actor: Actor, document: UUID) -> Dispatch:
        """Takes a dead letter up again; one that waits is tried at once.

        Raises NotFound, Refused (`not_waiting`) if a receipt is there.
        """
        MAY_RESEND.admit(actor)

        async def work(book: Book) -> Sent:
            row = await self._own(book, actor, document)
            if row.state not in ("dead", "waiting"):
                raise Refused(f"the document is {row.state} already", code="not_waiting")
            again = replace(row, state="waiting", since_ns=self._clock.now().tai_ns)
            await book.put_sent(again)
            return again

        row = await self._store.run(work)
        self.wake(row.recipient)
        return dispatch_of(row)

    async def withdraw(self, actor: Actor, document: UUID, reason: str) -> Dispatch:
        """Takes back what nobody has decided about: says so to its recipient, which decides.

        Returns the withdrawal, a document of its own; its decision tells whether it was in time.
        Again: the same withdrawal. Raises NotFound, Refused (`decided_already`).
        """
        MAY_WITHDRAW.admit(actor)
        content = encode_withdrawal(document, reason)

        async def work(book: Book) -> Sent:
            row = await self._own(book, actor, document)
            if row.state == "decided":
                raise Refused(f"the document was {row.outcome} already", code="decided_already")
            return row

        row = await self._store.run(work)
        return await self.send(
            actor,
            document=uuid5(document, WITHDRAWAL_KIND),
            recipient=row.recipient,
            to_party=row.recipient,
            consignment=row.consignment,
            kind=WITHDRAWAL_KIND,
            media_type=WITHDRAWAL_TYPE,
            content=content,
        )

    async def take_receipts(self, peer: Peer, receipts: Sequence[bytes]) -> int:
        """Notes a peer's receipts; returns how many were new.

        One that is about nothing of ours is passed over. Raises MalformedInput, Refused
        (`bad_signature`, `wrong_peer`) if one is not a receipt of this peer for this node.
        """
        read = [(data, decode_receipt(data)) for data in receipts]
        for _, receipt in read:
            if receipt.recipient != peer.node or not peer.speaks(receipt.key):
                raise Refused(f"a receipt is not {peer.node}'s", code="wrong_peer")
            if receipt.sender != self._scribe.node:
                raise Refused("a receipt is for another node's document", code="wrong_peer")

        async def work(book: Book) -> tuple[int, list[Sent]]:
            documents = {receipt.document for _, receipt in read}
            await book.look_up(sent=sorted(documents))
            taken = [await self._take(book, each, read) for each in sorted(documents)]
            return sum(n for n, _ in taken), [row for n, row in taken if n and row]

        if not read:
            return 0
        new, changed = await self._store.run(work)
        for row in changed:
            if row.state == "decided":
                self.decided(dispatch_of(row))
        return new

    async def receipts(self, actor: Actor, document: UUID) -> Sequence[bytes]:
        """The signed receipts for a document of the actor's, by stage. Raises NotFound."""

        async def work(book: Book) -> Sent:
            return await self._own(book, actor, document)

        return [data for data in (await self._store.run(work)).receipts if data]

    async def one(self, actor: Actor, document: UUID) -> Dispatch:
        """A document of the actor's as it stands. Raises NotFound."""

        async def work(book: Book) -> Sent:
            return await self._own(book, actor, document)

        return dispatch_of(await self._store.run(work))

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: UUID | None = None,
    ) -> list[Dispatch]:
        """What the actor's party sent, newest first; operators see that of all, without content."""
        rows = await self._store.list_sent(
            party=seen_by(actor), state=state, consignment=consignment, limit=limit, after=after
        )
        return [dispatch_of(row) for row in rows]

    async def _row(
        self, book: Book, heading: Heading, peer: Peer, salt: bytes, content: bytes
    ) -> Sent:
        envelope = seal_envelope(
            heading,
            salt=salt,
            content=content,
            to=peer.sealing,
            signer=self._identity.to(peer.node),
        )
        now_ns = heading.sent_at.tai_ns
        row = Sent(
            document=heading.document,
            recipient=heading.recipient,
            from_party=heading.from_party,
            to_party=heading.to_party,
            consignment=heading.consignment,
            sequence=heading.sequence,
            kind=heading.kind,
            media_type=heading.media_type,
            digest=heading.digest,
            content=await book.keep(content),
            salt=salt,
            envelope=envelope.encoded,
            created_ns=now_ns,
            since_ns=now_ns,
        )
        fact = DocumentSent(
            document=str(row.document),
            recipient=row.recipient,
            from_party=row.from_party,
            to_party=row.to_party,
            consignment=row.consignment,
            sequence=row.sequence,
            kind=row.kind,
            media_type=row.media_type,
            digest=row.digest,
            content=row.content,
        )
        entry = self._scribe.write(
            fact,
            by=row.from_party,
            aggregate=f"outgoing/{row.document}",
            version=1,
            owner=row.from_party,
            visible=(),
            occurred_at=None,
        )
        await book.put_sent(row)
        await book.append([entry])
        return row

    async def _take(
        self, book: Book, document: UUID, read: Sequence[tuple[bytes, Receipt]]
    ) -> tuple[int, Sent | None]:
        """Notes all receipts for one document; returns how many were new, and how it stands."""
        row = await book.sent(document)
        if row is None:
            return 0, None
        stages, news = list(row.receipts), dict[Stage, tuple[bytes, Receipt]]()
        for data, receipt in read:
            about = (receipt.document, receipt.recipient, receipt.digest)
            if about == (document, row.recipient, row.digest) and not stages[receipt.stage.rank]:
                stages[receipt.stage.rank] = data
                news[receipt.stage] = (data, receipt)
        if not news:
            return 0, row
        _, furthest = news[max(news, key=lambda stage: stage.rank)]
        changed = replace(row, receipts=(stages[0], stages[1], stages[2]), events=row.events + 1)
        # Receipts may come in any order; the furthest stage tells where the document stands.
        if not any(stages[furthest.stage.rank + 1 :]) and row.state != "decided":
            refused = furthest.outcome is Outcome.REFUSED
            changed = replace(
                changed,
                state="decided" if refused else furthest.stage.value,
                outcome=furthest.outcome.value,
                code=furthest.code,
                reason=furthest.reason,
            )
        fact = ReceiptTaken(
            document=str(row.document),
            recipient=row.recipient,
            stage=furthest.stage.value,
            outcome=furthest.outcome.value,
            code=furthest.code,
            reason=furthest.reason,
            receipts=[digest_of(data) for data, _ in news.values()],
        )
        entry = self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=f"outgoing/{row.document}",
            version=row.events + 1,
            owner=row.from_party,
            visible=(),
            occurred_at=furthest.at,
        )
        await book.put_sent(changed)
        await book.append([entry])
        return len(news), changed

    async def _own(self, book: Book, actor: Actor, document: UUID) -> Sent:
        row = await book.sent(document)
        party = seen_by(actor)
        if row is None or party not in (None, row.from_party):
            raise NotFound("no document of that id in the outbox")
        return row


def seen_by(actor: Actor) -> PartyId | None:
    """Whose documents an actor sees: its party's; of all (None) if it runs or audits the node."""
    if actor.role is Role.PARTY:
        return actor.party
    if actor.role is Role.ADMIN:
        raise Forbidden("an admin sees no party's documents")
    return None


def _check_same(standing: Sent, heading: Heading, content: str) -> None:
    asked = (
        *(heading.recipient, heading.from_party, heading.to_party),
        *(heading.consignment, heading.kind, heading.media_type, content),
    )
    stands = (
        *(standing.recipient, standing.from_party, standing.to_party),
        *(standing.consignment, standing.kind, standing.media_type, standing.content),
    )
    if asked != stands:
        raise Conflict(
            f"document {standing.document} was sent with other content or to somebody else",
            code="document_differs",
            remedy="a document under its id never changes: send the new one under a new id",
        )
