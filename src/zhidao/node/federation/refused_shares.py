"""Tells an operator of facts that a peer refused until they reach it, and where both wrote."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.exchange.domain.receipt import Outcome
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.node.federation.kinds import SHARED
from zhidao.node.federation.share_record import Refusal
from zhidao.node.federation.share_refusals import OWN_STATES, PARTED
from zhidao.node.federation.sharing import Sharing
from zhidao.node.operations.alarms import Alarms

# After a start so many of the documents that were decided last are looked through.
_LOOKED_THROUGH: Final = 2_000
_PAGE: Final = 200
_LOOK_S: Final = 60.0
_PAUSE_S: Final = 5.0
_LOG: Final = logging.getLogger("zhidao.federation")


class SentDocuments(Protocol):
    """Finds what was sent; see `exchange.service.outbox.Outbox`."""

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: UUID | None = None,
    ) -> Sequence[Dispatch]:
        """Documents of the outbox, newest first."""
        ...


class CameDocuments(Protocol):
    """Finds what came; see `exchange.service.inbox.Inbox`."""

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: tuple[PartyId, UUID] | None = None,
    ) -> Sequence[Delivery]:
        """Documents of the inbox, newest first."""
        ...


class RefusedShares:
    """One alarm a consignment and peer, `not_taken:CONSIGNMENT:PEER`, and one where both wrote.

    That is `histories_part:CONSIGNMENT:PEER`, at either node: it is not mended by sending again.
    What counts was recorded: an alarm that died with its process sounds again with the next one.
    """

    def __init__(
        self,
        node: PartyId,
        sent: SentDocuments,
        sharing: Sharing,
        alarms: Alarms,
        came: CameDocuments | None = None,
    ) -> None:
        """`came`: the inbox, for what this node refused before this process began."""
        self._came = came
        self._node = Actor(node, Role.NODE)
        self._sent = sent
        self._sharing = sharing
        self._alarms = alarms
        self._looked_at: set[str] = set()
        self._sounding: dict[str, str] = {}
        self._woken = asyncio.Event()

    def decided(self, document: Dispatch) -> None:
        """The last word about a document of this node came in."""
        if document.kind == SHARED:
            self._looked_at.add(document.consignment)
            self._woken.set()

    def answered(self, letter: Delivery, code: str) -> None:
        """This node decided about facts that a peer sent, with a code if it refused them."""
        # Facts that are taken end what was said of the peer's facts before.
        if letter.kind == SHARED and (code == PARTED or letter.consignment in self._of_sounding()):
            self._looked_at.add(letter.consignment)
            self._woken.set()

    def _of_sounding(self) -> set[str]:
        return set(self._sounding.values())

    async def run(self) -> None:
        """Runs until cancelled."""
        is_new = True
        while True:
            self._woken.clear()
            try:
                if is_new:
                    await self.look_back()
                    is_new = False
                await self.step()
            except ZhidaoError as error:
                _LOG.warning("refused facts are not told: %s", error, extra={"code": error.code})
                await asyncio.sleep(_PAUSE_S)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._woken.wait()

    async def look_back(self) -> None:
        """Finds consignments of which facts were refused before this process began."""
        await self._look_back_sent()
        if self._came is not None:
            await self._look_back_came(self._came)

    async def _look_back_came(self, came: CameDocuments) -> None:
        after: tuple[PartyId, UUID] | None = None
        for _ in range(_LOOKED_THROUGH // _PAGE):
            page = await came.listed(self._node, state="decided", limit=_PAGE, after=after)
            self._looked_at |= {
                each.consignment for each in page if each.kind == SHARED and each.code == PARTED
            }
            if len(page) < _PAGE:
                return
            after = (PartyId(page[-1].sender), UUID(page[-1].document))

    async def _look_back_sent(self) -> None:
        after: UUID | None = None
        for _ in range(_LOOKED_THROUGH // _PAGE):
            page = await self._sent.listed(self._node, state="decided", limit=_PAGE, after=after)
            self._looked_at |= {
                each.consignment
                for each in page
                if each.kind == SHARED and each.outcome == Outcome.REFUSED
            }
            if len(page) < _PAGE:
                return
            after = UUID(page[-1].document)

    async def step(self) -> None:
        """Sounds for what a peer lacks, and clears what it has got since."""
        for consignment in sorted(self._looked_at):
            found = {
                _alarm(consignment, each): each
                for each in await self._sharing.refusals(consignment)
                if each.code not in OWN_STATES
            }
            for code, each in found.items():
                self._sounding[code] = consignment
                self._sound(code, consignment, each)
            for code in [c for c, of in self._sounding.items() if of == consignment]:
                if code not in found:
                    del self._sounding[code]
                    self._alarms.clear(code)
            if not found:
                self._looked_at.discard(consignment)

    def _sound(self, code: str, consignment: str, refusal: Refusal) -> None:
        args: dict[str, str | int] = {
            "consignment": consignment,
            "node": refusal.peer,
            "reason": refusal.reason,
        }
        if refusal.code == PARTED:
            self._alarms.sound(
                code,
                f"this node and {refusal.peer} have both written the history of {consignment}, and"
                f" neither takes the other's any more: {refusal.reason}",
                "compare both nodes' proofs of it with the other operator, and agree by which of"
                " them the parties go; what each recorded stays, and nothing mends it by itself",
                args=args,
            )
            return
        self._alarms.sound(
            code,
            f"{refusal.peer} refuses facts of {consignment} ({refusal.code}): {refusal.reason}",
            "remove the cause (its operator admits this node's newest list, say); then the"
            " exporter hands over again, and other facts go with the consignment's next",
            args=args,
        )


def _alarm(consignment: str, refusal: Refusal) -> str:
    kind = "histories_part" if refusal.code == PARTED else "not_taken"
    return f"{kind}:{consignment}:{refusal.peer}"
