"""Who is at home where: the parties of admitted peers, as their trust lists say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.trust.domain.evm import Address
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.wire.evm.keccak import address_of
from zhidao.trust.wire.governance.trust_list import decode_trust_list


@dataclass(frozen=True, slots=True)
class _Listed:
    peer: Peer
    trust: TrustList


class PartyDirectory:
    """Reads the lists of all peers. A party of this node is never one of another's.

    Where the lists of two peers name one party (one governed list for all, say), it is at home
    with the first of them by name of which nothing else is known; documents tell more.
    """

    def __init__(
        self, peers: Callable[[], Sequence[Peer]], is_here: Callable[[PartyId], bool]
    ) -> None:
        """`is_here` tells whether a name is this node's or one of its parties'."""
        self._peers = peers
        self._is_here = is_here
        self._read: dict[tuple[bytes, tuple[PublicKey, ...]], TrustList] = {}

    def list_of(self, node: str) -> TrustList | None:
        """The list by which a peer was admitted, with the keys that it went over to since.

        None if it was not kept (before version 0.1.1).
        """
        return next((e.trust for e in self._every() if e.peer.node == node), None)

    def nodes(self) -> list[PartyId]:
        """The peers whose lists are known."""
        return [each.peer.node for each in self._every()]

    def parties(self) -> list[TrustedParty]:
        """All parties at other nodes, each once, in order."""
        found = {p.party: p for e in reversed(self._every()) for p in self._away(e)}
        return [found[name] for name in sorted(found)]

    def parties_of(self, node: str) -> frozenset[PartyId]:
        """The parties that are at home at a peer, and the peer itself."""
        homes = {p.party: self.home_of(p.party) for e in self._every() for p in self._away(e)}
        return frozenset({PartyId(node)} | {p for p, home in homes.items() if home == node})

    def home_of(self, party: str) -> PartyId | None:
        """The peer at which a party is at home, or None."""
        return next(
            (e.peer.node for e in self._every() if any(p.party == party for p in self._away(e))),
            None,
        )

    def speaks_through(self, party: str, node: str) -> bool:
        """Whether a peer may bring a party's word: its list names the party."""
        return any(
            e.peer.node == node and any(p.party == party for p in self._away(e))
            for e in self._every()
        )

    def disputes(self, party: str, key: PublicKey, node: str) -> bool:
        """Whether another peer's list gives a party, or that peer itself, and not this key.

        `node` is the peer that brings the key. Of itself a peer's own list tells.
        """
        for each in self._every():
            if node in (each.peer.node, party):
                continue
            named = [p.keys for p in each.trust.parties if p.party == party]
            if party == each.peer.node:
                named += [n.keys for n in each.trust.nodes if n.party == party]
            if named and not any(key in keys for keys in named):
                return True
        return False

    def is_here(self, party: str) -> bool:
        """Whether this is the node itself or one of its parties."""
        return self._is_here(PartyId(party))

    def address_of(self, party: PartyId) -> Address | None:
        """A party's account on a title chain, by its newest key of that kind, or None."""
        keys = [
            key
            for each in self.parties()
            if each.party == party
            for key in each.keys
            if key.algorithm is Algorithm.SECP256K1
        ]
        return Address(address_of(keys[-1])) if keys else None

    def party_at(self, address: Address) -> str:
        """The party at another node whose account this is, or ``."""
        return next((p.party for p in self.parties() if self.address_of(p.party) == address), "")

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
        return [_Listed(peer, self._of(peer)) for peer in self._peers() if peer.listed]

    def _of(self, peer: Peer) -> TrustList:
        name = (peer.listed, peer.keys)
        if name not in self._read:
            trust = decode_trust_list(peer.listed)
            nodes = [_with(each, peer) for each in trust.nodes]
            self._read[name] = replace(trust, nodes=tuple(nodes))
        return self._read[name]

    def _away(self, listed: _Listed) -> list[TrustedParty]:
        return [party for party in listed.trust.parties if not self._is_here(party.party)]


def _with(node: TrustedNode, peer: Peer) -> TrustedNode:
    if node.party != peer.node:
        return node
    return replace(node, keys=tuple(dict.fromkeys((*node.keys, *peer.keys))))
