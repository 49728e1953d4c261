"""What the node's log says of exchanged documents, as proof files for an export."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Unavailable
from zhidao.core.journal import Entry
from zhidao.node.road.service import StoredEvents
from zhidao.store.reading import Stored
from zhidao.trust.service.proving import ProofWriter

# A proof file names what it is about; this one is about no single consignment.
SUBJECT: Final = "exchange"
_LOOKS, _PAUSE_S = 40, 0.05


class ExchangeProofs:
    """Implements `exchange.service.ports.LogProofs` over the node's journals and its log."""

    def __init__(self, events: StoredEvents, writer: ProofWriter, *, origin: str) -> None:
        self._events = events
        self._writer = writer
        self._log = f"log/{origin}"

    async def of(self, actor: Actor, histories: Mapping[str, int]) -> Sequence[bytes]:
        """One proof file over what the actor may see of the histories; none for no event."""
        own = await self._logged(actor, histories)
        if not own:
            return []
        # Which key spoke for whom, and for the log, when: open leaves, which anybody may have.
        speakers = {
            f"keys/{party}"
            for each in own
            for party in (each.event.asserted_by.party, each.event.recorded_by.party)
        }
        public = await self._events.of("trust", [self._log, *sorted(speakers)], viewer=None)
        logged = [
            (each.leaf_index, Entry(each.event, each.salt))
            for each in (*own, *public)
            if each.leaf_index is not None
        ]
        return [await self._writer.write(SUBJECT, logged, (), packed=True)]

    async def _logged(self, actor: Actor, histories: Mapping[str, int]) -> list[Stored]:
        for _ in range(_LOOKS):
            stored = await self._events.of("exchange", list(histories), viewer=actor.viewer)
            found = [s for s in stored if s.event.version <= histories[s.event.aggregate]]
            if all(each.leaf_index is not None for each in found):
                return found
            await asyncio.sleep(_PAUSE_S)
        raise Unavailable(
            "an event is still on its way into the log", remedy="ask again in a second"
        )
