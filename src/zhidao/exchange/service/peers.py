"""Peers: admitted by an operator, with the keys that a trust list gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import Scribe
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Card, Peer, Wanted, check_url
from zhidao.exchange.events import PeerAdmitted, PeerDismissed, PeerKeysLearned
from zhidao.exchange.service.ports import Book, Store
from zhidao.exchange.wire.card import decode_card
from zhidao.exchange.wire.sealing import seal

MAY_ADMIT_PEER: Final = access(Role.ADMIN, Role.OPERATOR)

# Later than any instant that a row can bear.
_EVER_NS: Final = 2**63 - 1


class Peers:
    """The peers of this node. Held in memory too, since every request asks."""

    def __init__(
        self, store: Store, scribe: Scribe, ids_of: Callable[[bytes], Sequence[PartyId]]
    ) -> None:
        """`ids_of` reads the parties that a trust list names."""
        self._store = store
        self._scribe = scribe
        self._ids_of = ids_of
        # One change after the other, so that what is held here is what was written last.
        self._alone = asyncio.Lock()
        self._peers: dict[PartyId, Peer] = {}
        self.changed: Callable[[], None] = lambda: None
        # Ids of a peer's list that are this node's own or an earlier peer's, with other keys.
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
            raise _unknown(node)
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
        wished = Peer(
            node=said.node,
            organisation=said.organisation,
            url=address,
            keys=tuple(keys),
            sealing=said.seals,
            certificate=certificate or said.certificate,
            trust=trust,
            card=card,
            listed=listed,
        )

        async def work(book: Book) -> Peer:
            # Asked in the transaction: of two that come at once the second meets the first.
            standing = {each.node: each for each in await book.peers()}
            before = standing.get(said.node)
            _check_takes_back(before, said)
            replaced = _replaced(before, said.key, keys, replaces=replaces)
            came = self._came(wished, None if replaced else before, standing.values())
            peer = replace(wished, wanted=before.wanted if before else None, came=came)
            if before and not replaced:
                peer = replace(peer, said=before.said)
            if peer == before:
                return peer
            fact = PeerAdmitted(
                peer=peer.node,
                url=peer.url,
                card=digest_of(card),
                keys=[key.multikey for key in keys],
                trust=trust,
                replaced=replaced,
            )
            if before and not set(peer.keys) & set(before.keys):
                await book.begin_anew(peer.node)
            await book.put_peer(peer)
            await self._note(book, peer.node, fact, reader=actor.party)
            return peer

        async with self._alone:
            before = self._peers.get(said.node)
            peer = await self._store.run(work)
            self._peers[peer.node] = peer
        if before and not set(peer.keys) & set(before.keys):
            # It was sealed and numbered for the node that is gone.
            await self._store.give_up(peer.node, before_ns=_EVER_NS)
        if before != peer:
            self.changed()
        return peer

    def _came(
        self, peer: Peer, before: Peer | None, standing: Iterable[Peer]
    ) -> tuple[tuple[PartyId, int], ...]:
        """Ids keep the number with which they came; new ones get a higher one than all have."""
        ids = sorted({peer.node, *self._ids_of(peer.listed)})
        had = {before.node, *self._ids_of(before.listed)} if before else set()
        number = 1 + max((n for each in standing for _, n in each.came), default=0)
        return tuple((one, before.since(one) if before and one in had else number) for one in ids)

    async def learn(self, node: str, keys: Sequence[PublicKey], *, proof: str) -> Peer:
        """Takes the keys that a peer's own log gives it; the same again: nothing is written.

        `proof`: SHA-256 of what shows it; whoever calls has checked that. What the peer's card
        takes back does not come back. Raises NotFound, Refused (`key_spent`) if no key is left.
        """

        async def work(book: Book) -> Peer:
            before = await self._standing(book, node)
            revoked = decode_card(before.card).revoked
            left = [key for key in keys if key not in revoked]
            if not left:
                raise Refused(f"{before.node} would have no key left", code="key_spent")
            peer = replace(before, keys=tuple(left))
            if peer != before:
                said = [key.multikey for key in left]
                fact = PeerKeysLearned(peer=peer.node, keys=said, proof=proof)
                await book.put_peer(peer)
                await self._note(book, peer.node, fact, reader=self._scribe.node)
            return peer

        async with self._alone:
            peer = await self._store.run(work)
            self._peers[peer.node] = peer
        return peer

    async def hear(self, node: str, said: bytes) -> Peer:
        """Keeps the list by which a peer tells of its parties; whoever calls has read it.

        Raises NotFound.
        """

        async def work(book: Book) -> Peer:
            before = await self._standing(book, node)
            peer = replace(before, said=said)
            if peer != before:
                await book.put_peer(peer)
            return peer

        async with self._alone:
            peer = await self._store.run(work)
            self._peers[peer.node] = peer
        self.changed()
        return peer

    async def dismiss(self, actor: Actor, node: str) -> None:
        """Ends the exchange with a peer; what waits for it becomes dead letters at once."""
        MAY_ADMIT_PEER.admit(actor)

        async def work(book: Book) -> Peer:
            peer = await self._standing(book, node)
            await book.drop_peer(peer.node)
            fact = PeerDismissed(peer=peer.node)
            await self._note(book, peer.node, fact, reader=actor.party)
            return peer

        async with self._alone:
            peer = await self._store.run(work)
            self._peers.pop(peer.node, None)
        self.changed()
        await self._store.give_up(peer.node, before_ns=_EVER_NS)

    async def subscribed(self, book: Book, node: PartyId, wanted: Wanted) -> Callable[[], None]:
        """Writes what a peer wants; call what comes back once the transaction stands."""
        await book.put_peer(replace(await self._standing(book, node), wanted=wanted))

        def done() -> None:
            if node in self._peers:
                self._peers[node] = replace(self._peers[node], wanted=wanted)

        return done

    async def _standing(self, book: Book, node: str) -> Peer:
        """The peer as a transaction finds it. Raises NotFound (`unknown_peer`)."""
        for each in await book.peers():
            if each.node == node:
                return each
        raise _unknown(node)

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


def _unknown(node: str) -> NotFound:
    return NotFound(
        f"{node[:64]!r} is no peer of this node",
        code="unknown_peer",
        remedy="an operator admits it: zhidao peer add CARD --trust TRUSTFILE",
    )


def _check_takes_back(before: Peer | None, said: Card) -> None:
    """A card takes back all that the one before took back. Raises Refused (`untrusted_card`)."""
    if before and not set(decode_card(before.card).revoked) <= set(said.revoked):
        raise Refused(
            f"a newer card of {said.node} takes keys back that this one does not",
            code="untrusted_card",
            remedy="ask for its newest card",
        )


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
