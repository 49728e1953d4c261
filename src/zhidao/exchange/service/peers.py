"""Peers: admitted by an operator, with the keys that a trust list gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import Scribe
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer, Wanted, check_url
from zhidao.exchange.events import PeerAdmitted, PeerDismissed, PeerKeysLearned
from zhidao.exchange.service.ports import Book, Store
from zhidao.exchange.wire.card import decode_card
from zhidao.exchange.wire.sealing import seal

MAY_ADMIT_PEER: Final = access(Role.ADMIN, Role.OPERATOR)

# Later than any instant that a row can bear.
_EVER_NS: Final = 2**63 - 1


class Peers:
    """The peers of this node. Held in memory too, since every request asks."""

    def __init__(self, store: Store, scribe: Scribe) -> None:
        self._store = store
        self._scribe = scribe
        self._peers: dict[PartyId, Peer] = {}
        self.changed: Callable[[], None] = lambda: None
        # Ids of a peer's list that are this node's own parties, with other keys.
        self.clashes: Callable[[Peer], Sequence[str]] = lambda _: ()

    async def load(self) -> None:
        """Reads them from the store; call it once before anything else."""
        self._peers = {peer.node: peer for peer in await self._store.peers()}

    def every(self) -> Sequence[Peer]:
        """All peers, by name."""
        return [self._peers[name] for name in sorted(self._peers)]

    def of(self, node: str) -> Peer:
        """The peer of that name. Raises NotFound (`unknown_peer`)."""
        peer = self._peers.get(PartyId(node))
        if peer is None:
            raise NotFound(
                f"{node[:64]!r} is no peer of this node",
                code="unknown_peer",
                remedy="an operator admits it: zhidao peer add CARD --trust TRUSTFILE",
            )
        return peer

    def by_key(self, key: PublicKey) -> Peer | None:
        """The peer that signs with that key, or None."""
        return next((peer for peer in self._peers.values() if peer.speaks(key)), None)

    async def admit(
        self,
        actor: Actor,
        card: bytes,
        *,
        keys: Sequence[PublicKey],
        trust: str,
        url: str = "",
        certificate: str = "",
        listed: bytes = b"",
        replaces: str = "",
    ) -> Peer:
        """Admits a node, or renews what is known of it; again: nothing is written.

        `keys`: those that the trust list named `trust`, whose bytes are `listed`, gives to the
        card's node; those that the card takes back count no more. `url` and `certificate`
        override the card's. `replaces`: fingerprint of a key of the peer of that name whose place
        the new keys take. Raises Refused (`untrusted_card`, `own_card`, `name_taken` for keys that
        the peer of that name has not shown, `fingerprint_differs` if it has no key `replaces`).
        """
        MAY_ADMIT_PEER.admit(actor)
        said = decode_card(card)
        if said.node == self._scribe.node:
            raise Refused("this is the node's own card", code="own_card")
        before = self._peers.get(said.node)
        if before and not set(decode_card(before.card).revoked) <= set(said.revoked):
            raise Refused(
                f"a newer card of {said.node} takes keys back that this one does not",
                code="untrusted_card",
                remedy="ask for its newest card",
            )
        keys = [key for key in keys if key not in said.revoked]
        if said.key not in keys:
            raise Refused(
                f"the trust list {trust!r} does not give {said.node} the key that signed the card",
                code="untrusted_card",
                remedy="get the newest trust list from the one who governs it",
            )
        # A key that nothing can be sealed to shows here, and not when a document has its number.
        seal(b"", said.seals, info=b"")
        address = url or said.url
        check_url(address)
        peer = Peer(
            node=said.node,
            organisation=said.organisation,
            url=address,
            keys=tuple(keys),
            sealing=said.seals,
            certificate=certificate or said.certificate,
            trust=trust,
            card=card,
            wanted=before.wanted if before else None,
            listed=listed,
        )
        if peer == before:
            return peer
        fact = PeerAdmitted(
            peer=peer.node,
            url=peer.url,
            card=digest_of(card),
            keys=[key.multikey for key in keys],
            trust=trust,
            replaced=_replaced(before, said.key, keys, replaces=replaces),
        )

        async def work(book: Book) -> None:
            await book.put_peer(peer)
            await self._note(book, peer.node, fact, reader=actor.party)

        await self._store.run(work)
        self._peers[peer.node] = peer
        self.changed()
        return peer

    async def learn(self, node: str, keys: Sequence[PublicKey], *, proof: str) -> Peer:
        """Takes the keys that a peer's own log gives it; the same again: nothing is written.

        `proof`: SHA-256 of what shows it; whoever calls has checked that. What the peer's card
        takes back does not come back. Raises NotFound, Refused (`key_spent`) if no key is left.
        """
        before = self.of(node)
        revoked = decode_card(before.card).revoked
        keys = [key for key in keys if key not in revoked]
        if not keys:
            raise Refused(f"{before.node} would have no key left", code="key_spent")
        peer = replace(before, keys=tuple(keys))
        if peer == before:
            return peer
        fact = PeerKeysLearned(peer=peer.node, keys=[key.multikey for key in keys], proof=proof)

        async def work(book: Book) -> None:
            await book.put_peer(peer)
            await self._note(book, peer.node, fact, reader=self._scribe.node)

        await self._store.run(work)
        self._peers[peer.node] = peer
        return peer

    async def dismiss(self, actor: Actor, node: str) -> None:
        """Ends the exchange with a peer; what waits for it becomes dead letters at once."""
        MAY_ADMIT_PEER.admit(actor)
        peer = self.of(node)

        async def work(book: Book) -> None:
            await book.drop_peer(peer.node)
            fact = PeerDismissed(peer=peer.node)
            await self._note(book, peer.node, fact, reader=actor.party)

        await self._store.run(work)
        self._peers.pop(peer.node, None)
        self.changed()
        await self._store.give_up(peer.node, before_ns=_EVER_NS)

    async def subscribed(self, book: Book, node: PartyId, wanted: Wanted) -> Callable[[], None]:
        """Writes what a peer wants; call what comes back once the transaction stands."""
        peer = replace(self.of(node), wanted=wanted)
        await book.put_peer(peer)

        def done() -> None:
            if node in self._peers:
                self._peers[node] = peer

        return done

    async def _note(
        self,
        book: Book,
        node: PartyId,
        fact: PeerAdmitted | PeerDismissed | PeerKeysLearned,
        *,
        reader: PartyId,
    ) -> None:
        aggregate = f"peer/{node}"
        entry = self._scribe.write(
            fact,
            by=self._scribe.node,
            aggregate=aggregate,
            version=await book.events(aggregate) + 1,
            owner=self._scribe.node,
            visible=(reader,),
            occurred_at=None,
        )
        await book.append([entry])


def _replaced(
    before: Peer | None, said: PublicKey, keys: Sequence[PublicKey], *, replaces: str
) -> list[str]:
    """The Multikeys whose place others take: none while the peer keeps to keys that it has shown.

    A name is whatever its bearer chose, and a list whatever its maker wrote: only a key that the
    peer had, or that its own log went over to, tells that it is the same node.
    """
    if before is None or set(keys) <= set(before.keys):
        return []
    wanted = replaces.strip().lower()
    if not wanted:
        raise _taken(before, said, keys)
    prints = [key.fingerprint for key in before.keys]
    if wanted not in prints:
        raise Refused(
            f"the peer {before.node} has no key {replaces[:64]!r}: it has {', '.join(prints)}",
            code="fingerprint_differs",
            remedy=f"zhidao peer show {before.node}",
        )
    return [key.multikey for key in before.keys if key not in keys]


def _taken(before: Peer, said: PublicKey, keys: Sequence[PublicKey]) -> Refused:
    stands = before.keys[-1].fingerprint
    new = next(key for key in (said, *keys) if key not in before.keys)
    return Refused(
        f"a peer of the name {before.node} is admitted already, with the key {stands};"
        f" this one has the key {new.fingerprint}, which that peer has not shown",
        code="name_taken",
        remedy="ask both on another way, such as by telephone: a peer's new key comes by itself"
        f" from its log; if another node takes its place on purpose: --replace {stands}",
    )
