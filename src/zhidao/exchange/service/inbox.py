"""The inbox: each document once, in its order, and a signed receipt for every stage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, ZhidaoError
from zhidao.core.events import Fact
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Scribe
from zhidao.core.remedies import with_remedy
from zhidao.exchange.domain.content import check_content
from zhidao.exchange.domain.envelope import SALT_BYTES, Envelope
from zhidao.exchange.domain.limits import AHEAD_MAX, REASON_CHARACTERS_MAX
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.domain.receipt import Outcome, Stage
from zhidao.exchange.events import (
    Delivery,
    DeliveryConflicted,
    DocumentAccepted,
    DocumentDecided,
    DocumentReceived,
)
from zhidao.exchange.service.outbox import seen_by
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Book, Due, Got, Inspection, NoInspection, Store
from zhidao.exchange.service.receipt_issuing import ReceiptIssuer
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.service.views import delivery_of
from zhidao.exchange.wire.envelope import decode_envelope, open_envelope
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.exchange.wire.subscription import SUBSCRIPTION_KIND, decode_subscription
from zhidao.exchange.wire.withdrawal import WITHDRAWAL_KIND, WITHDRAWN, decode_withdrawal

MAY_DECIDE: Final = access(
    Role.PARTY, Role.NODE, relation=Relation.OWNER, of="the received document"
)

# More would keep the event loop from others for longer than they should wait.
_IN_LINE_BYTES: Final = 128 * 1024


@dataclass(slots=True)
class _Opened:
    """An envelope and what came out of it: the content, or why there is none."""

    envelope: Envelope
    content: bytes | None
    code: str = ""
    reason: str = ""


@dataclass(slots=True)
class _Round:
    """What one transaction did, for those who hear of it after its commit."""

    receipts: list[bytes] = field(default_factory=list)
    accepted: list[Got] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)


class Inbox:
    """Takes, opens, orders and decides. `told` hears of accepted documents, `wake` of receipts."""

    def __init__(
        self,
        store: Store,
        peers: Peers,
        *,
        scribe: Scribe,
        identity: SigningIdentity,
        sealing: SealingKey,
        clock: Clock,
        is_party: Callable[[PartyId], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._peers = peers
        self._scribe = scribe
        self._receipts = ReceiptIssuer(scribe.node, identity, clock)
        self._sealing = sealing
        self._clock = clock
        self._is_party = is_party
        # Of each peer the bundle that came last; the next one waits for it.
        self._turns: dict[PartyId, asyncio.Event] = {}
        self.told: Callable[[Delivery], None] = lambda _: None
        self.wake: Callable[[PartyId], None] = lambda _: None
        # By it what this node's rules refuse is answered with a refusal.
        self.inspection: Inspection = NoInspection()

    async def take(self, peer: Peer, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        """Takes a peer's envelopes and returns the receipts for them.

        Everything that a receipt speaks of is durable before it is returned. The same document
        again gets the same receipts; another content under its id is refused by a receipt.
        A document too far ahead of its predecessor gets none: its sender asks again later.
        Raises MalformedInput, Refused (`bad_signature`, `wrong_peer`) for what is no envelope of
        this peer for this node.
        """
        before, after = self._turns.get(peer.node), asyncio.Event()
        self._turns[peer.node] = after
        try:
            return await self._take_in_turn(peer, envelopes, before)
        finally:
            after.set()
            if self._turns.get(peer.node) is after:
                del self._turns[peer.node]

    async def _take_in_turn(
        self, peer: Peer, envelopes: Sequence[bytes], before: asyncio.Event | None
    ) -> Sequence[bytes]:
        """Opens while the bundle before is written down, and is written down after it."""
        if sum(map(len, envelopes)) > _IN_LINE_BYTES:
            opened = await asyncio.to_thread(self._open_all, peer, envelopes)
        else:
            opened = self._open_all(peer, envelopes)
        await self._inspect(opened)
        await self._check_parties(opened)
        if before is not None:
            await before.wait()
        # In order, so that two transactions that meet take their streams in the same order.
        opened.sort(key=lambda o: (o.envelope.heading.consignment, o.envelope.heading.sequence))

        async def work(book: Book) -> _Round:
            done = _Round()
            headings = [each.envelope.heading for each in opened]
            await book.look_up(
                got=[(peer.node, heading.document) for heading in headings],
                accepting={(peer.node, heading.consignment) for heading in headings},
            )
            for each in opened:
                await self._take(book, each, done)
            return done

        done = await self._store.run(work)
        self._tell(done)
        return done.receipts

    async def decide(
        self, actor: Actor, *, sender: str, document: UUID, outcome: str, code: str, reason: str
    ) -> Delivery:
        """Decides about an accepted document; see `commands.Exchange.decide`."""
        MAY_DECIDE.admit(actor)
        said = _outcome(outcome, code, reason)

        async def work(book: Book) -> tuple[Got, bool]:
            row = await self._own(book, actor, sender, document)
            if row.state == "decided":
                if (row.outcome, row.code, row.reason) != (outcome, code, reason):
                    raise Conflict(
                        f"the document was {row.outcome} already", code="decided_already"
                    )
                return row, False
            if row.state != "accepted":
                raise Refused(
                    "a document before this one is missing; it cannot be decided yet",
                    code="held",
                )
            decided = await self._decided(book, row, said, code, reason, by=actor.party)
            await _owe(book, decided)
            return decided, True

        row, fresh = await self._store.run(work)
        if fresh:
            self.wake(row.sender)
        return delivery_of(row)

    async def one(self, actor: Actor, sender: str, document: UUID) -> Delivery:
        """A document in the inbox. Raises NotFound."""

        async def work(book: Book) -> Got:
            return await self._own(book, actor, sender, document)

        return delivery_of(await self._store.run(work))

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: tuple[PartyId, UUID] | None = None,
    ) -> list[Delivery]:
        """What came for the actor's party, newest first."""
        rows = await self._store.list_got(
            party=seen_by(actor), state=state, consignment=consignment, limit=limit, after=after
        )
        return [delivery_of(row) for row in rows]

    async def undecided(self, kinds: Sequence[str], *, limit: int = 50) -> list[Delivery]:
        """Documents of these kinds that wait for a decision, in the order in which they came."""
        return [delivery_of(row) for row in await self._store.undecided(kinds, limit=limit)]

    def payload(self, envelope: bytes) -> bytes:
        """Salt and content of an envelope that was taken before."""
        return open_envelope(decode_envelope(envelope), self._sealing)

    def _open_all(self, peer: Peer, envelopes: Sequence[bytes]) -> list[_Opened]:
        return [self._open(peer, data) for data in envelopes]

    def _open(self, peer: Peer, data: bytes) -> _Opened:
        envelope = decode_envelope(data)
        heading = envelope.heading
        if heading.sender != peer.node or not peer.speaks(envelope.key):
            raise Refused(f"document {heading.document} is not {peer.node}'s", code="wrong_peer")
        if heading.recipient != self._scribe.node:
            raise Refused(
                f"document {heading.document} is for {heading.recipient}", code="wrong_recipient"
            )
        try:
            content = open_envelope(envelope, self._sealing)[SALT_BYTES:]
            check_content(heading.media_type, content, kind=heading.kind)
        except ZhidaoError as error:
            return _Opened(envelope, None, error.code, with_remedy(error)[:REASON_CHARACTERS_MAX])
        return _Opened(envelope, content)

    async def _inspect(self, opened: Sequence[_Opened]) -> None:
        """Turns away what this node's rules call invalid, whatever its sender's say."""
        for each in opened:
            if each.content is None:
                continue
            try:
                heading = each.envelope.heading
                await self.inspection.check(heading.media_type, each.content, kind=heading.kind)
            except ZhidaoError as error:
                each.content = None
                each.code, each.reason = error.code, with_remedy(error)[:REASON_CHARACTERS_MAX]

    async def _check_parties(self, opened: Sequence[_Opened]) -> None:
        known = {self._scribe.node}
        for party in {each.envelope.heading.to_party for each in opened} - known:
            if await self._is_party(party):
                known.add(party)
        for each in opened:
            party = each.envelope.heading.to_party
            if each.content is not None and party not in known:
                each.content = None
                each.code, each.reason = "unknown_party", f"no party {party} is at this node"

    async def _take(self, book: Book, opened: _Opened, done: _Round) -> None:
        heading = opened.envelope.heading
        standing = await book.got(heading.sender, heading.document)
        if standing is not None:
            if standing.digest == heading.digest:
                done.receipts += [data for data in standing.receipts if data]
            else:
                await self._conflict(book, opened.envelope, standing, done)
            return
        last = await book.last_accepted(heading.sender, heading.consignment)
        taken = heading.sequence <= last or await book.held(
            heading.sender, heading.consignment, heading.sequence
        )
        if taken:
            reason = f"another document has number {heading.sequence} of this consignment"
            done.receipts.append(self._receipts.refusal(opened.envelope, "sequence_taken", reason))
            return
        if heading.sequence > last + AHEAD_MAX:
            return
        row = await self._received(book, opened)
        if heading.sequence != last + 1:
            row = await self._held(book, row)
            done.receipts.append(row.receipts[0])
            return
        row = await self._accept(book, row, done)
        done.receipts += [data for data in row.receipts if data]
        await self._followers(book, row, done)

    async def _received(self, book: Book, opened: _Opened) -> Got:
        heading, now = opened.envelope.heading, self._clock.now()
        content = "" if opened.content is None else await book.keep(opened.content)
        row = Got(
            document=heading.document,
            sender=heading.sender,
            from_party=heading.from_party,
            to_party=heading.to_party if content else self._scribe.node,
            consignment=heading.consignment,
            sequence=heading.sequence,
            kind=heading.kind,
            media_type=heading.media_type,
            digest=heading.digest,
            content=content,
            envelope=opened.envelope.encoded,
            received_ns=now.tai_ns,
            code=opened.code,
            reason=opened.reason,
            events=0,
        )
        return self._receipts.stamped(row, Stage.RECEIVED, Outcome.ACCEPTED, "", "")

    async def _held(self, book: Book, row: Got) -> Got:
        """Keeps a row until its predecessor is here."""
        fact = DocumentReceived(
            document=str(row.document),
            sender=row.sender,
            to_party=row.to_party,
            consignment=row.consignment,
            sequence=row.sequence,
            kind=row.kind,
            digest=row.digest,
        )
        held = replace(row, events=1)
        await book.append([self._event(row, fact, 1)])
        await book.put_got(held)
        return held

    async def _followers(self, book: Book, row: Got, done: _Round) -> None:
        """Accepts what was held until now because `row` was missing."""
        sequence = row.sequence
        while held := await book.held(row.sender, row.consignment, sequence + 1):
            await _owe(book, await self._accept(book, held, done))
            done.after.append(lambda: self.wake(row.sender))
            sequence += 1
        await book.accepted_up_to(row.sender, row.consignment, sequence)

    async def _accept(self, book: Book, row: Got, done: _Round) -> Got:
        """The row after its acceptance, written down: accepted, or refused for good."""
        if not row.content:
            refused = self._receipts.stamped(
                row, Stage.ACCEPTED, Outcome.REFUSED, row.code, row.reason
            )
            refused = replace(refused, state="decided", outcome="refused", events=row.events + 1)
            fact: Fact = DocumentDecided(
                document=str(row.document),
                sender=row.sender,
                outcome="refused",
                code=row.code,
                reason=row.reason,
            )
            await book.append([self._event(row, fact, row.events + 1)])
            await book.put_got(refused)
            return refused
        fact = DocumentAccepted(
            document=str(row.document),
            sender=row.sender,
            from_party=row.from_party,
            to_party=row.to_party,
            consignment=row.consignment,
            sequence=row.sequence,
            kind=row.kind,
            media_type=row.media_type,
            digest=row.digest,
            content=row.content,
        )
        await book.append([self._event(row, fact, row.events + 1)])
        accepted = replace(
            self._receipts.stamped(row, Stage.ACCEPTED, Outcome.ACCEPTED, "", ""),
            state="accepted",
            events=row.events + 1,
        )
        if row.kind == SUBSCRIPTION_KIND:
            return await self._subscribe(book, accepted, done)
        if row.kind == WITHDRAWAL_KIND:
            return await self._withdraw(book, accepted, done)
        await book.put_got(accepted)
        done.accepted.append(accepted)
        return accepted

    async def _subscribe(self, book: Book, row: Got, done: _Round) -> Got:
        """A subscription is decided by the room itself."""
        try:
            wanted = decode_subscription(self.payload(row.envelope)[SALT_BYTES:])
        except MalformedInput as error:
            reason = str(error)[:REASON_CHARACTERS_MAX]
            return await self._decided(
                book, row, Outcome.REFUSED, error.code, reason, by=self._scribe.node
            )
        done.after.append(await self._peers.subscribed(book, row.sender, wanted))
        return await self._decided(book, row, Outcome.ACCEPTED, "", "", by=self._scribe.node)

    async def _withdraw(self, book: Book, row: Got, done: _Round) -> Got:
        """A withdrawal is decided by the room: what nobody has decided about yet is taken back."""
        node = self._scribe.node
        try:
            document, reason = decode_withdrawal(self.payload(row.envelope)[SALT_BYTES:])
            target = _withdrawable(await book.got(row.sender, document), row)
        except (MalformedInput, NotFound, Conflict) as error:
            said = str(error)[:REASON_CHARACTERS_MAX]
            return await self._decided(book, row, Outcome.REFUSED, error.code, said, by=node)
        taken = await self._decided(book, target, Outcome.REFUSED, WITHDRAWN, reason, by=node)
        await _owe(book, taken)
        done.after.append(lambda: self.wake(target.sender))
        return await self._decided(book, row, Outcome.ACCEPTED, "", "", by=node)

    async def _decided(
        self, book: Book, row: Got, outcome: Outcome, code: str, reason: str, *, by: PartyId
    ) -> Got:
        decided = replace(
            self._receipts.stamped(row, Stage.DECIDED, outcome, code, reason),
            state="decided",
            outcome=outcome.value,
            code=code,
            reason=reason,
            events=row.events + 1,
        )
        fact = DocumentDecided(
            document=str(row.document),
            sender=row.sender,
            outcome=outcome.value,
            code=code,
            reason=reason,
        )
        await book.append([self._event(row, fact, row.events + 1, by=by)])
        await book.put_got(decided)
        return decided

    async def _conflict(self, book: Book, envelope: Envelope, standing: Got, done: _Round) -> None:
        heading = envelope.heading
        aggregate = f"conflict/{heading.sender}/{heading.document}/{heading.digest}"
        reason = f"document {heading.document} stands already with digest {standing.digest}"
        done.receipts.append(self._receipts.refusal(envelope, "document_differs", reason))
        if await book.events(aggregate):
            return
        fact = DeliveryConflicted(
            document=str(heading.document),
            sender=heading.sender,
            digest=heading.digest,
            standing_digest=standing.digest,
        )
        entry = self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=aggregate,
            version=1,
            owner=standing.to_party,
            visible=(),
            occurred_at=None,
        )
        await book.append([entry])

    def _event(self, row: Got, fact: Fact, version: int, by: PartyId | None = None) -> Entry:
        return self._scribe.write(
            fact,
            by=by or self._scribe.node,
            aggregate=f"incoming/{row.sender}/{row.document}",
            version=version,
            owner=row.to_party,
            visible=(),
            occurred_at=None,
        )

    async def _own(self, book: Book, actor: Actor, sender: str, document: UUID) -> Got:
        row = await book.got(PartyId(sender), document)
        if row is None or seen_by(actor) not in (None, row.to_party):
            raise NotFound("no document of that id from that sender in the inbox")
        return row

    def _tell(self, done: _Round) -> None:
        for after in done.after:
            after()
        for row in done.accepted:
            self.told(delivery_of(row))


async def _owe(book: Book, row: Got) -> None:
    """Queues all receipts of a row: the answer that brought the earlier ones may have been lost.

    Its sender would not ask for them again: with a later receipt the document waits no more.
    """
    for stage in Stage:
        if receipt := row.receipts[stage.rank]:
            await book.queue_receipt(Due(row.sender, row.document, stage, receipt))


def _withdrawable(target: Got | None, by: Got) -> Got:
    """The document that may still be taken back. Raises NotFound, Conflict (`decided_already`)."""
    # Another party's document looks like one that is not there.
    if target is None or target.from_party != by.from_party or not target.content:
        raise NotFound("no document of that id is here to be withdrawn")
    if target.state == "decided":
        raise Conflict(f"the document was {target.outcome} already", code="decided_already")
    return target


def _outcome(outcome: str, code: str, reason: str) -> Outcome:
    try:
        said = Outcome(outcome)
    except ValueError as error:
        raise MalformedInput(f"a decision is accepted or refused, not {outcome[:32]!r}") from error
    if (said is Outcome.REFUSED) != bool(code):
        raise MalformedInput("a refusal names its reason by a code, an acceptance has none")
    if len(reason) > REASON_CHARACTERS_MAX or len(code) > 64:
        raise MalformedInput(f"a reason has at most {REASON_CHARACTERS_MAX} characters")
    if not (reason.isprintable() and code.isprintable()):
        raise MalformedInput("a reason is one line of text without control characters")
    return said
