"""What the node's log says of exchanged documents, as proof files for an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Unavailable
from zhidao.core.journal import Entry
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.node.shipment_timeline.histories import StoredEvents
from zhidao.store.reading import Stored
from zhidao.trust.service.witness.proving import ProofWriter

# A proof file names what it is about; this one is about no single consignment.
SUBJECT: Final = "exchange"
_WITHIN_S, _LOOK_S = 2.0, 0.25


class ExchangeProofs:
    """Implements `exchange.service.ports.LogProofs` over the node's journals and its log."""

    def __init__(
        self, events: StoredEvents, writer: ProofWriter, *, origin: str, logged: Wakeup
    ) -> None:
        self._events = events
        self._writer = writer
        self._logged_now = logged
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
        async def look() -> list[Stored] | None:
            stored = await self._events.of("exchange", list(histories), viewer=actor.viewer)
            found = [s for s in stored if s.event.version <= histories[s.event.aggregate]]
            return found if all(each.leaf_index is not None for each in found) else None

        found = await self._logged_now.found(look, within_s=_WITHIN_S, fallback_s=_LOOK_S)
        if found is not None:
            return found
        raise Unavailable(
            "an event is still on its way into the log", remedy="ask again in a second"
        )
