"""Who is at home where: the parties of admitted peers, as their trust lists say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.node.federation.first_come import Bearer, FirstCome
from zhidao.trust.domain.evm import Address
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.wire.evm.keccak import address_of
from zhidao.trust.wire.governance.trust_list import decode_trust_list

_NOBODY: Final[frozenset[PartyId]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Listed:
    """`trust` without what is another's."""

    peer: Peer
    trust: TrustList


def parties_in(listed: bytes) -> list[PartyId]:
    """The parties that a trust list names, none of a list that was not kept."""
    return [each.party for each in decode_trust_list(listed).parties] if listed else []


class PartyDirectory:
    """Reads the lists of all peers. A party of this node is never one of another's.

    An id means one party, at home at one node: the first that came with it keeps it. What a later
    peer's list says of that id with other keys is a clash, and counts for nothing here. One
    governed list for several nodes does not say who is at home where: its parties speak through
    each of the nodes that it names, until one of them comes with a list of its own.
    """

    def __init__(
        self,
        peers: Callable[[], Sequence[Peer]],
        is_here: Callable[[PartyId], bool],
        own_keys: Callable[[str], Sequence[PublicKey]],
    ) -> None:
        """`is_here` tells whether a name is this node's or one of its parties'.

        `own_keys`: all keys that a party has had here, none of one that is not at home here.
        """
        self._peers = peers
        self._is_here = is_here
        self._own_keys = own_keys
        self._read: dict[tuple[bytes, tuple[PublicKey, ...]], TrustList] = {}
        self._met: tuple[Peer, ...] = ()
        self._first = FirstCome(())
        self._lists: list[_Listed] = []

    def list_of(self, node: str) -> TrustList | None:
        """The list by which a peer was admitted, with the keys that it went over to since.

        Without parties whose id is another's. None if it was not kept (before version 0.1.1).
        """
        return next((e.trust for e in self._every() if e.peer.node == node), None)

    def nodes(self) -> list[PartyId]:
        """The peers whose lists are known, in the order in which they came."""
        return [each.peer.node for each in self._every()]

    def parties(self) -> list[TrustedParty]:
        """All parties at other nodes, each once, in order."""
        found: dict[PartyId, TrustedParty] = {}
        for each in self._every():
            for party in self._away(each):
                if party.party not in found or self.home_of(party.party) == each.peer.node:
                    found[party.party] = party
        return [found[name] for name in sorted(found)]

    def parties_of(self, node: str) -> frozenset[PartyId]:
        """The parties that are at home at a peer, and the peer itself."""
        named = {p.party for e in self._every() for p in self._away(e)}
        itself = {PartyId(node)} - self.clashes_of(node)
        return frozenset(itself | {p for p in named if self.home_of(p) == node})

    def clashes_of(self, node: str) -> frozenset[PartyId]:
        """Ids by which a peer means its own and this node somebody else: one here, or a peer's.

        One of this node's with a key of ours is the same: a governed list for all names them too.
        What the peer told since its admission counts here too, and here alone.
        """
        return next((self._clashes(peer) for peer in self._peers() if peer.node == node), _NOBODY)

    def home_of(self, party: str) -> PartyId | None:
        """The peer at which a party is at home, or None."""
        self._every()
        return None if self._is_here(PartyId(party)) else self._first.home(party)

    def bearer_of(self, party: str) -> PartyId | None:
        """The peer that bears an id, has it at home or says that it has, or None."""
        if any(peer.node == party for peer in self._peers()):
            return PartyId(party)
        says = (p.node for p in self._peers() if any(s.party == party for s in self._said(p)))
        return self.home_of(party) or next(says, None)

    def speaks_through(self, party: str, node: str) -> bool:
        """Whether a peer may bring a party's word: the party is at home there."""
        self._every()
        return not self._is_here(PartyId(party)) and node in self._first.speakers(party)

    def disputes(self, party: str, key: PublicKey, node: str) -> bool:
        """Whether an id is another's than the peer `node`'s, who does not give it this key.

        Of itself, and of the parties with which it came first, a peer's own list tells.
        """
        self._every()
        return self._first.disputes(party, key, node)

    def is_here(self, party: str) -> bool:
        """Whether this is the node itself or one of its parties."""
        return self._is_here(PartyId(party))

    def address_of(self, party: PartyId) -> Address | None:
        """A party's account on a title chain, by its newest key of that kind, or None."""
        return next((_account_of(p) for p in self.parties() if p.party == party), None)

    def party_at(self, address: Address) -> str:
        """The party at another node whose account this is, or ``."""
        return next((p.party for p in self.parties() if _account_of(p) == address), "")

    def merged(self, own: TrustList, peer: str) -> TrustList:
        """This node's list and a peer's as one; where both name somebody, the own one counts."""
        theirs = self.list_of(peer)
        if theirs is None:
            return own
        nodes = {n.party: n for n in (*theirs.nodes, *own.nodes)}
        logs = {n.log.name for n in own.nodes}
        known = [n for n in nodes.values() if n in own.nodes or n.log.name not in logs]
        parties = {p.party: p for p in (*theirs.parties, *own.parties)}
        return trust_list(own.name, own.created, known, parties.values())

    def with_peers(self, own: TrustList) -> TrustList:
        """This node's list and those of all its peers as one: whose keys it goes by itself."""
        whole = own
        for peer in self.nodes():
            whole = self.merged(whole, peer)
        return replace(whole, policy=own.policy)

    def _every(self) -> list[_Listed]:
        """The lists, read anew when a peer changed."""
        peers = tuple(self._peers())
        if peers != self._met:
            self._first = FirstCome([self._bearer(peer) for peer in peers])
            ordered = sorted(peers, key=lambda peer: (peer.since(peer.node), peer.node))
            self._lists = [self._cleared(peer) for peer in ordered if peer.listed]
            self._met = peers
        return self._lists

    def _clashes(self, peer: Peer) -> frozenset[PartyId]:
        self._every()
        listed = self._of(peer).parties if peer.listed else ()
        found = {p.party for p in (*listed, *self._said(peer)) if self._is_anothers(p, peer)}
        if self._is_here(peer.node) or self._first.lost(peer.node, peer.node):
            found.add(peer.node)
        return frozenset(found)

    def _is_anothers(self, party: TrustedParty, peer: Peer) -> bool:
        return self._is_another_here(party) or self._first.is_anothers(
            party.party, party.keys, peer.node
        )

    def _bearer(self, peer: Peer) -> Bearer:
        return Bearer(peer, self._of(peer) if peer.listed else None)

    def _cleared(self, peer: Peer) -> _Listed:
        trust = self._of(peer)
        lost = {p.party for p in trust.parties if self._first.lost(p.party, peer.node)}
        kept = tuple(p for p in trust.parties if p.party not in lost)
        return _Listed(peer, replace(trust, parties=kept))

    def _of(self, peer: Peer) -> TrustList:
        name = (peer.listed, peer.keys)
        if name not in self._read:
            trust = decode_trust_list(peer.listed)
            nodes = [_with(each, peer) for each in trust.nodes]
            self._read[name] = replace(trust, nodes=tuple(nodes))
        return self._read[name]

    def _said(self, peer: Peer) -> tuple[TrustedParty, ...]:
        """The parties of which a peer told since; it gives them neither key nor word here."""
        if not peer.said:
            return ()
        name = (peer.said, ())
        if name not in self._read:
            self._read[name] = decode_trust_list(peer.said)
        return self._read[name].parties

    def _away(self, listed: _Listed) -> list[TrustedParty]:
        return [party for party in listed.trust.parties if not self._is_here(party.party)]

    def _is_another_here(self, party: TrustedParty) -> bool:
        return self._is_here(party.party) and not (
            set(self._own_keys(party.party)) & set(party.keys)
        )


def _account_of(party: TrustedParty) -> Address | None:
    keys = [key for key in party.keys if key.algorithm is Algorithm.SECP256K1]
    return Address(address_of(keys[-1])) if keys else None


def _with(node: TrustedNode, peer: Peer) -> TrustedNode:
    if node.party != peer.node:
        return node
    return replace(node, keys=tuple(dict.fromkeys((*node.keys, *peer.keys))))
