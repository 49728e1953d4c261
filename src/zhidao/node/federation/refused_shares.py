"""Tells an operator of facts that a peer refused, until they reach it."""

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
from zhidao.exchange.events import Dispatch
from zhidao.node.federation.kinds import SHARED
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


class RefusedShares:
    """One alarm a consignment and peer, `not_taken:CONSIGNMENT:PEER`.

    What counts was recorded: an alarm that died with its process sounds again with the next one.
    """

    def __init__(
        self, node: PartyId, sent: SentDocuments, sharing: Sharing, alarms: Alarms
    ) -> None:
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
        """Finds consignments of which a peer refused something before this process began."""
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
                _alarm(consignment, each.peer): each
                for each in await self._sharing.refusals(consignment)
            }
            for code, each in found.items():
                self._sounding[code] = consignment
                self._alarms.sound(
                    code,
                    f"{each.peer} refuses facts of {consignment} ({each.code}): {each.reason}",
                    "remove the cause (its operator admits this node's newest list, say); then the"
                    " exporter hands over again, and other facts go with the consignment's next",
                    args={"consignment": consignment, "node": each.peer, "reason": each.reason},
                )
            for code in [c for c, of in self._sounding.items() if of == consignment]:
                if code not in found:
                    del self._sounding[code]
                    self._alarms.clear(code)
            if not found:
                self._looked_at.discard(consignment)


def _alarm(consignment: str, peer: str) -> str:
    return f"not_taken:{consignment}:{peer}"
