"""Carries payment versus payment over the exchange, and looks into the logs of both nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.hashing.hashtree import leaf_hash, root_from_path
from zhidao.core.ids import PartyId, parse_id
from zhidao.exchange.commands import Exchange
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.events import DocumentAccepted
from zhidao.finance.domain.pvp.pvp import Letter
from zhidao.finance.service.pvp.service import KINDS, PvpService
from zhidao.store.reading import Stored
from zhidao.trust.domain.log_key import former_logs
from zhidao.trust.domain.note import Note
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.witness.ports import CosignedNotes
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint
from zhidao.trust.wire.log.tlog_proof import TlogProof, decode_tlog_proof, encode_tlog_proof

_STREAM: Final = "pvp"
_MEDIA_TYPE: Final = "application/json"
_KEEP: Final = ~((0xF << 76) | (3 << 62)) & (2**128 - 1)


class ExchangePost:
    """The post of payment versus payment: documents of the exchange, one stream for each peer."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def send(self, actor: Actor, *, node: str, party: str, kind: str, content: bytes) -> None:
        """Keeps a document for the peer; its id follows from what is sent."""
        named = f"{node}\n{party}\n{kind}\n0\n".encode() + content
        number = int.from_bytes(hashlib.sha256(named).digest()[:16], "big") & _KEEP
        await self._exchange.send(
            actor,
            document=UUID(int=number | 8 << 76 | 2 << 62),  # RFC 9562 section 5.8
            recipient=node,
            to_party=party,
            consignment=_STREAM,
            kind=kind,
            media_type=_MEDIA_TYPE,
            content=content,
        )


class PvpInbox:
    """Hands what peers sent to the service, and answers each with accepted or refused."""

    TYPES: Final = (DocumentAccepted.TYPE,)

    def __init__(self, exchange: Exchange, service: PvpService, archive: Archive) -> None:
        self._exchange = exchange
        self._service = service
        self._archive = archive

    async def handle(self, event: SignedEvent) -> None:
        """Takes one document in. Raises Unavailable for what must come again."""
        told = DocumentAccepted.of(event)
        if told.kind not in KINDS:
            return
        letter = Letter(told.kind, told.sender, told.from_party, told.to_party)
        outcome, code, reason = "accepted", "", ""
        try:
            await self._service.take(letter, await self._archive.get(told.content))
        except (Refused, MalformedInput) as error:
            outcome, code, reason = "refused", error.code, str(error)[:500]
        await self._exchange.decide(
            Actor(PartyId(told.to_party), Role.PARTY),
            sender=told.sender,
            document=parse_id(told.document),
            outcome=outcome,
            code=code,
            reason=reason,
        )


class StoredEvents(Protocol):
    """Finds events with their places in the log."""

    async def find(self, event_id: UUID, *, viewer: PartyId | None) -> Stored | None:
        """One event, if the viewer may see it; None sees all."""
        ...


class LoggedDecisions:
    """Proofs from this node's own log, and checks of proofs from a peer's.

    A peer's log is known by the keys that its trust list gives the peer. Where policies of this
    node know the log, its own word is not enough: the witnesses of one of them must have cosigned
    the head, so that a log that shows two faces cannot make one side pay alone.
    """

    def __init__(
        self,
        reader: LogReader,
        events: StoredEvents,
        peer_of: Callable[[str], Peer],
        *,
        policies: Sequence[Policy],
        cosigned: CosignedNotes,
    ) -> None:
        """`policies`: of this node's corridors; `cosigned`: heads of its own log."""
        self._reader = reader
        self._events = events
        self._peer_of = peer_of
        self._policies = [each for each in policies if each.needs_witnesses]
        self._cosigned = cosigned

    async def prove(self, event: SignedEvent) -> bytes | None:
        """A C2SP tlog-proof of the event's leaf, or None while no head that counts covers it."""
        stored = await self._events.find(event.id, viewer=None)
        if stored is None or stored.leaf_index is None:
            return None
        try:
            note = await self._head()
        except NotFound:
            return None
        size = parse_checkpoint(note.text).size
        if stored.leaf_index >= size:
            return None
        path = await self._reader.inclusion(stored.leaf_index, size)
        return encode_tlog_proof(TlogProof(stored.leaf_index, path, note))

    async def _head(self) -> Note:
        """The newest head that this node's own policies count. Raises NotFound."""
        note = decode_note(await self._reader.checkpoint())
        asked = self._asked(parse_checkpoint(note.text).origin)
        if not asked:
            return note
        newest = await self._cosigned.newest()
        found = decode_note(newest) if newest is not None else note
        if not any(_is_met(each, found) for each in asked):
            raise NotFound("no head is cosigned by a quorum of witnesses yet")
        return found

    async def check(self, event: SignedEvent, proof: bytes, *, node: str) -> None:
        """Returns if the leaf stands under a head that the peer's log signed, and a quorum saw.

        Raises Refused (`pvp_unlogged`, `quorum_not_met`).
        """
        told = decode_tlog_proof(proof)
        head = parse_checkpoint(told.note.text)
        signers = told.note.signed_by(former_logs(PartyId(node), self._peer_of(node).keys))
        if not event.open or head.origin not in {key.name for key in signers}:
            raise Refused(f"no log of {node} signed this head", code="pvp_unlogged")
        leaf = leaf_hash(leaf_bytes(event, b""))
        if root_from_path(leaf, told.index, head.size, told.path) != head.root:
            raise Refused("the decision is not in the log", code="pvp_unlogged")
        asked = self._asked(head.origin)
        if asked and not any(_is_met(each, told.note) for each in asked):
            raise Refused(
                f"no quorum of witnesses cosigned this head of {node}'s log",
                code="quorum_not_met",
                remedy="both nodes need a policy with the same witnesses; nobody posts before",
            )

    def keys(self, node: str) -> tuple[str, ...]:
        """The peer's keys. Raises NotFound (`unknown_peer`)."""
        return tuple(key.multikey for key in self._peer_of(node).keys)

    def _asked(self, origin: str) -> list[Policy]:
        """The policies that know a log and ask for witnesses of it."""
        return [each for each in self._policies if each.log_keys(origin)]


def _is_met(policy: Policy, note: Note) -> bool:
    try:
        return bool(policy.judge(note).by)
    except Refused:
        return False
