"""Whose an id is among peers: of the one that came with it first, as long as that one stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.trust.domain.trust_list import TrustList


@dataclass(frozen=True, slots=True)
class Bearer:
    """A peer with its list, None if that was not kept."""

    peer: Peer
    trust: TrustList | None

    @property
    def is_alone(self) -> bool:
        """Whether its list is of no other node: its parties are at home there."""
        return self.trust is not None and {n.party for n in self.trust.nodes} == {self.peer.node}

    def vouches_for(self, other: Peer) -> bool:
        """Whether its list names that node, with a key that the node has."""
        return self.trust is not None and any(
            node.party == other.node and set(node.keys) & set(other.keys)
            for node in self.trust.nodes
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    number: int
    bearer: Bearer
    keys: frozenset[PublicKey]
    is_party: bool

    @property
    def node(self) -> PartyId:
        return self.bearer.peer.node


class FirstCome:
    """All ids of some peers: their own, and those of the parties in their lists.

    Order of admission counts, never a name. A later peer that gives an id no key but the first
    one's means the same party; it may bring its word only if the first one's list names that node.
    """

    def __init__(self, bearers: Iterable[Bearer]) -> None:
        self._claims: dict[str, list[_Claim]] = defaultdict(list)
        for bearer in bearers:
            listed = {each.party for each in bearer.trust.parties} if bearer.trust else set()
            for party, keys in _named(bearer).items():
                number = bearer.peer.since(party)
                claim = _Claim(number, bearer, frozenset(keys), party in listed)
                self._claims[party].append(claim)
        for claims in self._claims.values():
            claims.sort(key=lambda claim: (claim.number, claim.node))

    def lost(self, party: str, node: str) -> bool:
        """Whether a peer brings an id that is an earlier one's, with other keys."""
        claims = self._claims.get(party, [])
        return any(claim.node == node and not claim.keys <= claims[0].keys for claim in claims)

    def is_anothers(self, party: str, keys: Iterable[PublicKey], node: str) -> bool:
        """Whether an id is another's than `node`'s, who does not give it all of these keys."""
        claims = self._claims.get(party, [])
        return bool(claims) and claims[0].node != node and not set(keys) <= claims[0].keys

    def speakers(self, party: str) -> Sequence[PartyId]:
        """The peers that may bring a party's word, its home first; none if none lists it."""
        claims = self._claims.get(party, [])
        if not claims or not claims[0].is_party:
            return ()
        able = [claim for claim in claims if _may_speak(claim, claims[0])]
        at_home = [claim for claim in able if claim.bearer.is_alone]
        return [claim.node for claim in at_home[:1] or able]

    def home(self, party: str) -> PartyId | None:
        """The peer at which a party is at home, or None."""
        return next(iter(self.speakers(party)), None)

    def disputes(self, party: str, key: PublicKey, node: str) -> bool:
        """Whether the id is another's than `node`'s, and that one does not give it this key."""
        claims = self._claims.get(party, [])
        return bool(claims) and claims[0].node != node and key not in claims[0].keys


def _may_speak(claim: _Claim, first: _Claim) -> bool:
    """The first one, and a later one that its list names, of the party with the same keys."""
    return claim is first or (
        claim.is_party and claim.keys <= first.keys and first.bearer.vouches_for(claim.bearer.peer)
    )


def _named(bearer: Bearer) -> dict[PartyId, set[PublicKey]]:
    """Ids with their keys: of the node itself those that the list and its own log give it."""
    found: dict[PartyId, set[PublicKey]] = {bearer.peer.node: set(bearer.peer.keys)}
    if bearer.trust is None:
        return found
    for node in bearer.trust.nodes:
        if node.party == bearer.peer.node:
            found[node.party] |= set(node.keys)
    for party in bearer.trust.parties:
        found.setdefault(party.party, set()).update(party.keys)
    return found
