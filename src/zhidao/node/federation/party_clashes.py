"""Ids that a peer's list and this node both give, to different keys: two firms under one name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.exchange.domain.peer import Peer
from zhidao.node.operations.alarms import Alarms
from zhidao.trust.wire.governance.trust_list import decode_trust_list


class PartyClashes:
    """Tells of them. Here such an id is this node's own party, whatever a peer says of it.

    What the peer's party of that id says is refused here (`wrong_speaker`), and what names it
    means the one at home here: nothing of a local party reaches the other.
    """

    def __init__(
        self,
        node: PartyId,
        keys_of: Callable[[str], Sequence[PublicKey]],
        peers: Callable[[], Sequence[Peer]],
        alarms: Alarms,
    ) -> None:
        """`keys_of`: all keys that a party has had here, none of one that is not at home here."""
        self._node = node
        self._keys_of = keys_of
        self._peers = peers
        self._alarms = alarms
        self._clashing: dict[PartyId, list[str]] = {}

    def of(self, peer: Peer) -> list[str]:
        """Ids that a peer brings and this node has, in order, as they were when peers changed."""
        return self._clashing.get(peer.node, [])

    def _found(self, peer: Peer) -> list[str]:
        """One with a key of ours is the same.

        One governed list for all names this node's parties too, with their own keys.
        """
        found = {str(peer.node)} if self._keys_of(peer.node) else set()
        if peer.listed:
            for party in decode_trust_list(peer.listed).parties:
                own = self._keys_of(party.party)
                is_other = bool(own) and not set(own) & set(party.keys)
                if is_other or party.party == self._node:
                    found.add(str(party.party))
        return sorted(found)

    def watch(self) -> None:
        """Sounds `party_clash:PEER` for each peer that brings such ids, and clears the others."""
        clashing = {peer.node: found for peer in self._peers() if (found := self._found(peer))}
        for node in set(self._clashing) - set(clashing):
            self._alarms.clear(_alarm(node))
        self._clashing = clashing
        for node, found in clashing.items():
            names = ", ".join(found[:20])
            self._alarms.sound(
                _alarm(node),
                f"{node} and this node both have a party {names}, with different keys; here it is"
                " this node's own, and nothing comes from or goes to the other",
                "agree which of them takes an id of its own before a consignment names it",
                args={"node": node, "parties": names},
            )


def _alarm(node: PartyId) -> str:
    return f"party_clash:{node}"
