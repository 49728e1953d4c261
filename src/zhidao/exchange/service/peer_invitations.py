"""Invitations of nodes by a one-time link: one side shows it, the other takes it.

Both then see each other's fingerprints and admit each other. The link itself admits nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.timescale import NS, Utc
from zhidao.exchange.service.peers import MAY_ADMIT_PEER
from zhidao.exchange.wire.invitation import PeerInvitation, decode_invitation
from zhidao.exchange.wire.peer_link import PeerLink, decode_link

INVITATION_SECONDS: Final = 48 * 3600
# So long a link that ran out still is told apart from one that never was.
REMEMBERED_SECONDS: Final = 30 * 24 * 3600
_SECRET_BYTES: Final = 24


class LinkState(StrEnum):
    """What became of a link."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link as it is kept: never its code. `taken`: the invitation of the node that took it."""

    secret_hash: bytes
    expires_at: Utc
    state: LinkState = LinkState.OPEN
    taken: bytes = b""

    @property
    def name(self) -> str:
        """By what its maker names it."""
        return self.secret_hash.hex()


class Links(Protocol):
    """Where links are kept."""

    async def add(self, link: KeptLink) -> None:
        """Keeps a new link."""
        ...

    async def link(self, secret_hash: bytes) -> KeptLink | None:
        """The link of that secret, whatever became of it."""
        ...

    async def every(self) -> Sequence[KeptLink]:
        """All links, the latest to run out first."""
        ...

    async def end(self, secret_hash: bytes, state: LinkState, taken: bytes = b"") -> bool:
        """Ends an open link. False, and nothing written, for one that is not open."""
        ...

    async def forget(self, before: Utc) -> None:
        """Forgets links that ran out before this."""
        ...


class Nodes(Protocol):
    """Asks a node that invites, and no other."""

    async def ask(self, link: PeerLink, invitation: bytes = b"") -> bytes:
        """Its invitation, for the code of its link; gives it the own one, which uses the link up.

        Raises Unavailable, Refused (`other_node`) where another key answers, and what it refuses.
        """
        ...


class PeerInvitations:
    """Both sides of an invitation. `own`: this node's invitation as it is now."""

    def __init__(
        self,
        links: Links,
        nodes: Nodes,
        own: Callable[[], Awaitable[bytes]],
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._links = links
        self._nodes = nodes
        self._own = own
        self._clock = clock
        self._randomness = randomness

    async def make(self, actor: Actor) -> tuple[KeptLink, PeerLink]:
        """A link of this node, told this once. Raises Unavailable (`no_address`)."""
        MAY_ADMIT_PEER.admit(actor)
        card = decode_invitation(await self._own()).card
        now = self._clock.now()
        await self._links.forget(now.plus_ns(-REMEMBERED_SECONDS * NS))
        code = base64url(self._randomness.token(_SECRET_BYTES))
        kept = KeptLink(_hash(code), now.plus_ns(INVITATION_SECONDS * NS))
        await self._links.add(kept)
        return kept, PeerLink(card.url, code, card.key)

    async def every(self, actor: Actor) -> Sequence[KeptLink]:
        """The links of this node, with who took them."""
        MAY_ADMIT_PEER.admit(actor)
        return await self._links.every()

    async def withdraw(self, actor: Actor, name: str) -> bool:
        """Takes a link back; False if it was before. Raises NotFound, Conflict if it was taken."""
        MAY_ADMIT_PEER.admit(actor)
        found = await self._links.link(bytes.fromhex(name))
        if found is None:
            raise NotFound("no invitation of that name")
        if await self._links.end(found.secret_hash, LinkState.WITHDRAWN):
            return True
        now = await self._links.link(found.secret_hash)
        if now is not None and now.state is LinkState.USED:
            raise Conflict("another node took this invitation already", code="link_used")
        return False

    async def asked(self, code: str, invitation: bytes = b"") -> bytes:
        """This node's invitation, for whoever holds the code; with the asker's own, it is used up.

        The same node may take it again, since its line may have broken. Raises NotFound
        (`no_such_link`), Refused (`link_used`, `link_withdrawn`, `link_expired`).
        """
        found = await self._links.link(_hash(code))
        if found is None:
            raise NotFound("no such invitation", code="no_such_link")
        taker = decode_invitation(invitation) if invitation else None
        if found.state is LinkState.USED and taker and _is_of(found, taker):
            return await self._own()
        self._refuse_ended(found)
        if taker and not await self._links.end(found.secret_hash, LinkState.USED, invitation):
            # Somebody was faster: say what became of the link.
            return await self.asked(code, invitation)
        return await self._own()

    async def look(self, actor: Actor, link: str) -> bytes:
        """The invitation behind another node's link; the link stays good."""
        MAY_ADMIT_PEER.admit(actor)
        return await self._nodes.ask(decode_link(link))

    async def take(self, actor: Actor, link: str) -> bytes:
        """The invitation behind another node's link, which gets this node's own for it.

        Raises Refused (`own_card`) for a link of this node itself, which stays good.
        """
        MAY_ADMIT_PEER.admit(actor)
        asked, own = decode_link(link), await self._own()
        if asked.key == decode_invitation(own).card.key:
            raise Refused(
                "this link invites to this very node",
                code="own_card",
                where="$.link",
                remedy="give it to who runs the other node, and take theirs here",
            )
        return await self._nodes.ask(asked, own)

    def _refuse_ended(self, found: KeptLink) -> None:
        if found.state is LinkState.USED:
            raise Refused("this invitation was used already", code="link_used")
        if found.state is LinkState.WITHDRAWN:
            raise Refused("this invitation was taken back", code="link_withdrawn")
        if found.expires_at < self._clock.now():
            raise Refused(f"this invitation ran out at {found.expires_at}", code="link_expired")


def _is_of(found: KeptLink, taker: PeerInvitation) -> bool:
    return decode_invitation(found.taken).card.key == taker.card.key


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
