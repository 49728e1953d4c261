"""The proof of a consignment whose history another node writes: the one that came from there."""

from __future__ import annotations

from typing import Final, Protocol

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive
from zhidao.core.ids import PartyId
from zhidao.exchange.events import Delivery
from zhidao.node.federation.kinds import PROOF
from zhidao.node.federation.sharing import Consigned

_PAGE: Final = 200


class _Homes(Protocol):
    async def home(self, consignment: str) -> PartyId: ...


class _Inbox(Protocol):
    async def listed(
        self, actor: Actor, *, consignment: str = "", limit: int = 50
    ) -> list[Delivery]: ...


class _Export(Protocol):
    async def proof(self, actor: Actor, consignment: str, *, corridor: str = "") -> bytes: ...


class HomeProofs:
    """Gives the home's proof where there is one.

    This node's own would lack what is never shared, such as the transactions of a title that lives
    at the other node, and would not hold.
    """

    def __init__(
        self, homes: _Homes, consigned: Consigned, inbox: _Inbox, archive: Archive, own: _Export
    ) -> None:
        self._homes = homes
        self._consigned = consigned
        self._inbox = inbox
        self._archive = archive
        self._own = own

    async def proof(self, actor: Actor, consignment: str, *, corridor: str = "") -> bytes:
        """The proof file, for whoever may see the consignment. Raises NotFound for a stranger.

        `corridor`: always of this node's own log, whose head that corridor's witnesses sign.
        """
        await self._consigned.stored(actor, consignment)
        came = "" if corridor else await self._came(actor, consignment)
        if came:
            return await self._archive.get(came)
        return await self._own.proof(actor, consignment, corridor=corridor)

    async def _came(self, actor: Actor, consignment: str) -> str:
        """Digest of the newest proof that the home sent to the actor's party; empty if none."""
        home = await self._homes.home(consignment)
        letters = await self._inbox.listed(actor, consignment=consignment, limit=_PAGE)
        own = (letter for letter in letters if letter.kind == PROOF and letter.sender == home)
        return next((letter.content for letter in own if letter.content), "")
