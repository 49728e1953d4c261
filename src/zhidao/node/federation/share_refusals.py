"""What stands between the nodes of a consignment, as its exporter and an operator must hear it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.exchange.domain.receipt import Outcome
from zhidao.exchange.events import Delivery
from zhidao.node.federation.home_record import HomeRecord
from zhidao.node.federation.kinds import SHARED
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.share_record import Refusal, ShareRecord

PARTED: Final = "history_differs"
HANDING: Final = "handing"
AWAY: Final = "home_is_no_peer"
# What this node says of itself; nobody refused anything.
OWN_STATES: Final = (HANDING, AWAY)
_LOOKED_AT: Final = 200


class Letters(Protocol):
    """What peers sent; see `exchange.service.inbox.Inbox`."""

    async def listed(
        self, actor: Actor, *, consignment: str = "", limit: int = 50
    ) -> list[Delivery]:
        """Documents of the inbox, newest first."""
        ...


class NoLetters:
    """An inbox in which nothing is."""

    async def listed(
        self, actor: Actor, *, consignment: str = "", limit: int = 50
    ) -> list[Delivery]:
        """Nothing."""
        del actor, consignment, limit
        return []


class ShareRefusals:
    """Finds what was refused in either direction, and a home that nobody reaches."""

    def __init__(
        self,
        node: PartyId,
        shares: ShareRecord,
        homes: HomeRecord,
        directory: PartyDirectory,
        letters: Letters,
    ) -> None:
        self._node = node
        self._shares = shares
        self._homes = homes
        self._directory = directory
        self._letters = letters

    async def of(self, consignment: str, members: Collection[str]) -> list[Refusal]:
        """All about a consignment in which these peers take part.

        What peers refused and have not got since; this node's own refusal where a peer knows the
        history otherwise (`history_differs`, of the newest facts that came); a hand-over that has
        not wholly gone (`handing`); a home that is no peer now (`home_is_no_peer`).
        """
        handed = await self._homes.of(consignment)
        peers = sorted(self._directory.nodes())
        refusals = [await self._shares.refusal(peer, consignment) for peer in peers]
        # Another node that took it over meanwhile makes a refused hand-over past.
        found = [each for each in refusals if each and not (each.home and handed)]
        found += await self._parted(consignment, members)
        if handed and handed.peer not in peers:
            reason = (
                f"the history is written at {handed.peer}, which is no peer of this node now: an"
                f" operator admits {handed.peer} again, and what was written there comes"
            )
            found.append(Refusal(handed.peer, AWAY, reason, home=True))
        elif handed and not handed.is_ended:
            reason = (
                f"not all of it has gone to {handed.peer} yet, and nothing is written here"
                f" meanwhile: if it stays so, hand over to {handed.peer} again"
            )
            found.append(Refusal(handed.peer, HANDING, reason, home=True))
        return found

    async def _parted(self, consignment: str, members: Collection[str]) -> list[Refusal]:
        """One for each peer whose newest facts this node refused because the histories part."""
        node = Actor(self._node, Role.NODE)
        letters = await self._letters.listed(node, consignment=consignment, limit=_LOOKED_AT)
        newest: dict[str, Delivery] = {}
        for letter in letters:
            if letter.kind == SHARED and letter.outcome and letter.sender in members:
                newest.setdefault(letter.sender, letter)
        return [
            Refusal(
                sender,
                PARTED,
                f"this node refuses what {sender} sends of it, both wrote: {letter.reason}",
                home=False,
                by=self._node,
            )
            for sender, letter in sorted(newest.items())
            if letter.outcome == Outcome.REFUSED and letter.code == PARTED
        ]
