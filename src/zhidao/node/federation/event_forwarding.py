"""Hears what this node recorded and carries it to the peers whom it concerns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol
from uuid import uuid5

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, Refused, Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.remedies import remedy_of
from zhidao.finance.domain.deals.deal import Deal
from zhidao.finance.events import DealOpened, Settled
from zhidao.node.federation.kinds import JSON, PACKED, PROOF, TITLE_ASKED, XML, encode_form
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.sharing import Outgoing, Sharing
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.node.shipment_timeline.related import RelatedBook, links_of
from zhidao.trust.events import CustodyAsked

_LOG: Final = logging.getLogger("zhidao.federation")
# What is said in one breath travels together.
_GATHER_S: Final = 0.1
_PROOF_WITHIN_S: Final = 8.0
_PROOF_LOOK_S: Final = 0.5


class KnowsDeals(Protocol):
    """Finds deals."""

    async def deal(self, actor: Actor, name: str) -> Deal:
        """A deal as it stands."""
        ...


class AsksForTitles(Protocol):
    """Says what a holder elsewhere must sign; see `trust.service.titles.service.TitleService`."""

    async def custody_asked(self, *, title: str, deal: str, party: str) -> CustodyAsked:
        """What brings a title into a deal's custody."""
        ...


class EventForwarder:
    """A consumer of this node's own facts; whatever it repeats has no second effect."""

    def __init__(
        self,
        *,
        node: PartyId,
        sharing: Sharing,
        related: RelatedBook,
        directory: PartyDirectory,
        outgoing: Outgoing,
        archive: Archive,
        deals: KnowsDeals,
        titles: AsksForTitles,
        proof: Callable[[Actor, str], Awaitable[bytes]],
        alarms: Alarms,
        logged: Wakeup,
    ) -> None:
        """`proof` writes the proof file of a consignment for an actor; `logged` wakes for it."""
        self._logged = logged
        self._alarms = alarms
        self._node = Actor(node, Role.NODE)
        self._sharing = sharing
        self._related = related
        self._directory = directory
        self._outgoing = outgoing
        self._archive = archive
        self._deals = deals
        self._titles = titles
        self._proof = proof

    async def on_event(self, event: SignedEvent) -> None:
        """Shares the fact where it belongs, then sends what follows from it."""
        if not self._directory.nodes():
            return
        await self._related.relate(list(links_of(event)))
        room = event.type.partition(".")[0]
        for subject in await self._related.subjects_of(room, event.aggregate):
            kind, _, name = subject.partition("/")
            if kind == "consignment" and await self._sharing.members(name):
                await asyncio.sleep(_GATHER_S)
                await self._share(event, name)
        if DealOpened.is_told_by(event.type):
            await self._ask_title(event, DealOpened.of(event))
        elif Settled.is_told_by(event.type):
            await self._settled(event, Settled.of(event))

    async def _share(self, event: SignedEvent, consignment: str) -> None:
        try:
            await self._sharing.tell(event, consignment)
        except Refused as error:
            # No repetition makes it smaller: a person must see it, and what to do.
            _LOG.error("%s is not shared: %s", consignment, error, extra={"code": error.code})
            self._alarms.sound(
                _alarm(consignment),
                f"{consignment} is not shared with its other node: {error.args[0]}",
                remedy_of(error),
                args={"consignment": consignment},
            )
        else:
            self._alarms.clear(_alarm(consignment))

    async def _ask_title(self, event: SignedEvent, opened: DealOpened) -> None:
        home = self._directory.home_of(opened.payee)
        if home is None or not opened.title:
            return
        try:
            asked = await self._titles.custody_asked(
                title=opened.title, deal=opened.deal, party=opened.payee
            )
        except Refused as error:
            # It is in custody already (asked before a crash), or its holder has passed it on.
            _LOG.warning("deal %s asks for no title: %s", opened.deal, error)
            return
        # The custody account's opening stands in the log a moment later, and goes first.
        await self._send(
            self._node,
            event,
            to=(home, opened.payee),
            consignment=opened.consignment,
            kind=TITLE_ASKED,
            media_type=JSON,
            content=encode_form(asked),
        )

    async def _settled(self, event: SignedEvent, settled: Settled) -> None:
        """The payee's bank gets the bank's messages, the payee the proof, each at its own node."""
        opened = (await self._deals.deal(self._node, settled.deal)).opened
        bank_home, home = (
            self._directory.home_of(opened.payee_bank),
            self._directory.home_of(opened.payee),
        )
        if settled.paid and bank_home is not None:
            bank = Actor(PartyId(opened.payer_bank), Role.PARTY)
            for name, digest in (("pacs.008", settled.pacs008), ("camt.054", settled.camt054)):
                await self._send(
                    bank,
                    event,
                    to=(bank_home, opened.payee_bank),
                    consignment=opened.consignment,
                    kind=f"finance.{name}",
                    media_type=XML,
                    content=await self._archive.get(digest),
                )
        if home is not None:
            content = await self._written(Actor(PartyId(opened.payee), Role.PARTY), opened)
            await self._send(
                self._node,
                event,
                to=(home, opened.payee),
                consignment=opened.consignment,
                kind=PROOF,
                media_type=PACKED,
                content=content,
            )

    async def _written(self, actor: Actor, opened: DealOpened) -> bytes:
        """The proof, once all that it needs is in the log."""

        async def look() -> bytes | None:
            with suppress(Unavailable):
                return await self._proof(actor, opened.consignment)
            return None

        written = await self._logged.found(look, within_s=_PROOF_WITHIN_S, fallback_s=_PROOF_LOOK_S)
        # Asked once more outside, so that who reads the log hears why there is none.
        return written or await self._proof(actor, opened.consignment)

    async def _send(
        self,
        actor: Actor,
        event: SignedEvent,
        *,
        to: tuple[str, str],
        consignment: str,
        kind: str,
        media_type: str,
        content: bytes,
    ) -> None:
        """Sends once for an event: what was sent before a crash stands, though it may differ."""
        try:
            await self._outgoing.send(
                actor,
                document=uuid5(event.id, f"{kind} {to[0]}"),
                recipient=to[0],
                to_party=to[1],
                consignment=consignment,
                kind=kind,
                media_type=media_type,
                content=content,
            )
        except Conflict as error:
            if error.code != "document_differs":
                raise


def _alarm(consignment: str) -> str:
    return f"not_shared:{consignment}"
