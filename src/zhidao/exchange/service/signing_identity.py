"""With which of its keys this node speaks to each peer."""

from __future__ import annotations

from zhidao.core.ids import PartyId
from zhidao.core.keys import Signer


class SigningIdentity:
    """The present key to whoever knows it, and to all others the one that they surely know.

    Whoever was told of a rotation says so by a receipt; until then he would refuse the new key.
    """

    def __init__(self, present: Signer, met: Signer | None = None) -> None:
        """`met`: the key with which peers were met; by default the present one."""
        self._present = present
        self._met = met or present
        self._knowing: set[PartyId] = set()

    def to(self, node: PartyId) -> Signer:
        """The key that signs what goes to a peer."""
        return self._present if node in self._knowing else self._met

    def is_known_to(self, node: PartyId) -> bool:
        """Whether a peer is known to know the present key."""
        return node in self._knowing

    def known_to(self, node: PartyId) -> None:
        """From now on the present key speaks to this peer."""
        self._knowing.add(node)
