"""Sounds where a peer does not take this node for a peer, or another answers in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.ids import PartyId
from zhidao.exchange.service.dispatch import STRANGERS
from zhidao.node.operations.alarms import Alarms


class StrangerAlarms:
    """One alarm a peer, `peer_refuses:NODE`, until a bundle goes or it is a peer no longer."""

    def __init__(self, alarms: Alarms, peers: Callable[[], Sequence[PartyId]]) -> None:
        self._alarms = alarms
        self._peers = peers
        self._sounding: set[PartyId] = set()

    def ended(self, node: PartyId, code: str, reason: str) -> None:
        """A bundle to a peer failed with this code, or went (empty); other failures say nothing."""
        if not code:
            self._clear(node)
        elif code in STRANGERS and node in self._peers():
            self._sounding.add(node)
            self._alarms.sound(
                _alarm(node),
                f"{node} and this node do not know each other's key: {reason}",
                f"by telephone, compare fingerprints (zhidao peer show {node}): either side may"
                " have admitted another node of that name",
                args={"node": node},
            )

    def peers_changed(self) -> None:
        """A peer came, went or changed: what was said of it counts no more."""
        for node in tuple(self._sounding):
            self._clear(node)

    def _clear(self, node: PartyId) -> None:
        if node in self._sounding:
            self._sounding.discard(node)
            self._alarms.clear(_alarm(node))


def _alarm(node: PartyId) -> str:
    return f"peer_refuses:{node}"
