"""Tells peers of this node's new and revoked keys, and hears of theirs, without a new admission.

The news is a proof file: the node's own open key events, as its log has them. A peer holds it
against the trust list by which it admitted the node, so that who only stole a key, and not the log,
cannot bring another. It travels as a document, on the wire or on a stick; its receipt says that the
peer knows, and only then the new key speaks there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import UUID, uuid5

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry
from zhidao.core.keys import PublicKey
from zhidao.core.retry_policy import RetryPolicy
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.node.federation.kinds import KEYS, PACKED
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.sharing import Outgoing
from zhidao.node.shipment_timeline.histories import StoredEvents
from zhidao.trust.domain.key_history import KeyHistory
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.events import KeyRotated
from zhidao.trust.service.log.key_register import aggregate_of_keys
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.proof_file.zdproof import decode_proof

# News of keys is ordered among itself under this name, and its proof is about no consignment.
SUBJECT: Final = "keys"
# A peer that is reached by stick alone answers in days.
_LOOKS: Final = RetryPolicy(first_s=0.5, longest_s=30.0)
_LOG: Final = logging.getLogger("zhidao.federation")


class SentBefore(Protocol):
    """The outbox, as far as news needs it."""

    async def one(self, actor: Actor, document: UUID) -> Dispatch:
        """A document that was sent. Raises NotFound."""
        ...


class Learns(Protocol):
    """The peers of this node; see `exchange.service.peers.Peers`."""

    def of(self, node: str) -> Peer:
        """A peer. Raises NotFound."""
        ...

    async def learn(self, node: str, keys: Sequence[PublicKey], *, proof: str) -> Peer:
        """Writes down which keys a peer has."""
        ...


class KeyNews:
    """Brings the news to every peer, each once for each change, until it is accepted."""

    def __init__(
        self,
        *,
        node: PartyId,
        peers: Callable[[], Sequence[Peer]],
        events: StoredEvents,
        writer: ProofWriter,
        outgoing: Outgoing,
        sent: SentBefore,
        identity: SigningIdentity,
    ) -> None:
        self._node = node
        self._actor = Actor(node, Role.NODE)
        self._peers = peers
        self._events = events
        self._writer = writer
        self._outgoing = outgoing
        self._sent = sent
        self._identity = identity

    async def run(self) -> None:
        """Runs until cancelled. Keys change while the node stands still, so once they are told."""
        looks, met = 0, 0
        while True:
            try:
                await self.step()
            except ZhidaoError as error:
                _LOG.warning("news of keys waits: %s", error, extra={"code": error.code})
            if met != len(self._peers()):
                looks, met = 0, len(self._peers())
            looks += 1
            await asyncio.sleep(_LOOKS.ceiling_s(looks))

    async def step(self) -> None:
        """Tells those who do not know yet. Raises Unavailable while a key event is not logged."""
        ignorant = [p.node for p in self._peers() if not self._identity.is_known_to(p.node)]
        if not ignorant:
            return
        stored = await self._events.of("trust", [aggregate_of_keys(self._node)], viewer=None)
        if not stored:
            # This node has had one key only.
            for peer in ignorant:
                self._identity.known_to(peer)
            return
        if any(each.leaf_index is None for each in stored):
            raise Unavailable("a key event is still on its way into the log", code="not_logged_yet")
        logged = [
            (s.leaf_index, Entry(s.event, s.salt)) for s in stored if s.leaf_index is not None
        ]
        newest = max(logged, key=lambda each: each[0])[1].event
        for peer in ignorant:
            await self._tell(peer, newest, logged)

    async def _tell(
        self, peer: PartyId, newest: SignedEvent, logged: Sequence[tuple[int, Entry]]
    ) -> None:
        document = uuid5(newest.id, f"{KEYS} {peer}")
        try:
            standing = await self._sent.one(self._actor, document)
        except NotFound:
            await self._outgoing.send(
                self._actor,
                document=document,
                recipient=peer,
                to_party=peer,
                consignment=SUBJECT,
                kind=KEYS,
                media_type=PACKED,
                content=await self._writer.write(SUBJECT, logged, (), packed=True),
            )
            return
        if (standing.state, standing.outcome) == ("decided", "accepted"):
            self._identity.known_to(peer)


class KeyStudy:
    """Takes what a peer says of its own keys."""

    def __init__(self, *, archive: Archive, directory: PartyDirectory, peers: Learns) -> None:
        self._archive = archive
        self._directory = directory
        self._peers = peers

    async def take(self, delivery: Delivery) -> None:
        """Learns a peer's keys; again changes nothing.

        Raises MalformedInput; Refused: what the proof's check says, `unlisted_peer`,
        `wrong_origin` for another's log, `wrong_speaker` for a party of the peer, `no_news` where
        no key event is opened, `key_spent` where the peer would have no key left.
        """
        sender = PartyId(delivery.sender)
        if delivery.from_party != sender:
            raise Refused(
                f"{delivery.from_party} does not speak for {sender}", code="wrong_speaker"
            )
        trust = self._directory.list_of(sender)
        if trust is None:
            raise Refused(
                f"no trust list of {sender} is kept here",
                code="unlisted_peer",
                remedy="admit it again: zhidao peer add CARD --trust TRUSTFILE",
            )
        proof = decode_proof(await self._archive.get(delivery.content))
        findings = verify_log_part(proof, trust, of_consignment=False)
        if not findings.holds:
            raise Refused(findings.sentence, code=findings.reason)
        if proof.origin not in [n.log.name for n in trust.nodes if n.party == sender]:
            raise Refused(f"the proof is not of {sender}'s log", code="wrong_origin")
        events = [o.event for o in proof.events if o.event.aggregate == aggregate_of_keys(sender)]
        if not events:
            raise Refused("no event about the peer's keys is opened", code="no_news")
        keys = _keys_of(self._peers.of(sender), KeyHistory.of(trust, events), events)
        await self._peers.learn(sender, keys, proof=delivery.content)


def _keys_of(peer: Peer, history: KeyHistory, events: Sequence[SignedEvent]) -> list[PublicKey]:
    """The keys that a peer's history leaves it, the newest last. Raises Refused (`key_spent`)."""
    rotated = [PublicKey.from_multikey(fact.key) for fact in every(tuple(events), KeyRotated)]
    gone_over = [key for key in rotated if history.records(peer.node, key)]
    known = dict.fromkeys((*(key for key in peer.keys if key not in gone_over), *gone_over))
    now = max(event.recorded_at for event in events)
    kept = [key for key in known if history.fault(peer.node, key, now) != "revoked_key"]
    if not kept:
        raise Refused(f"{peer.node} would have no key left", code="key_spent")
    return kept
