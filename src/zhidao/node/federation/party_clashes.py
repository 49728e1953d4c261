"""Ids that a peer's list gives to other keys than stand here: two firms under one name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.ids import PartyId
from zhidao.exchange.domain.peer import Peer
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.operations.alarms import Alarms


class PartyClashes:
    """Tells of them. Such an id is whose it was first: this node's own party, or an earlier peer's.

    What the later peer's party of that id says is refused here, and what names it does not go to
    that peer: nothing of the first reaches the other.
    """

    def __init__(
        self, directory: PartyDirectory, peers: Callable[[], Sequence[Peer]], alarms: Alarms
    ) -> None:
        self._directory = directory
        self._peers = peers
        self._alarms = alarms
        self._clashing: set[PartyId] = set()

    def of(self, peer: Peer) -> list[str]:
        """Ids that a peer brings and that are another's here, in order."""
        return sorted(self._directory.clashes_of(peer.node))

    def watch(self) -> None:
        """Sounds `party_clash:PEER` for each peer that brings such ids, and clears the others."""
        clashing = {peer.node: found for peer in self._peers() if (found := self.of(peer))}
        for node in self._clashing - set(clashing):
            self._alarms.clear(_alarm(node))
        self._clashing = set(clashing)
        for node, found in clashing.items():
            names = ", ".join(found[:20])
            self._alarms.sound(
                _alarm(node),
                f"{node} brings a party {names} that stands here already with different keys, as"
                " this node's own or an earlier peer's; here it stays that one, and nothing comes"
                " from or goes to the other",
                "agree which of them takes an id of its own before a consignment names it",
                args={"node": node, "parties": names},
            )


def _alarm(node: PartyId) -> str:
    return f"party_clash:{node}"
