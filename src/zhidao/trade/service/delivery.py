"""The journey: a proven arrival, and nothing else, makes a consignment delivered."""

from __future__ import annotations

from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Handled, Records
from zhidao.positioning.events import ArrivalProven
from zhidao.trade.domain.tracking.consignment_states import CONSIGNMENT, DELIVER
from zhidao.trade.events import Consignment, ContainerArrived, Delivered
from zhidao.trade.service.state import aggregate_of, fold, parties_of

CONSUMER: Final = "trade-journey"
_ATTEMPTS: Final = 8


class Journey:
    """Takes proven arrivals and moves journeys on."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def on_arrival(self, event: SignedEvent) -> None:
        """Records Delivered for an ArrivalProven, once; the first arrival of a consignment stands.

        Of several containers each one's first arrival is recorded, and Delivered with the last.
        Arrivals of consignments that this node does not know, or that somebody contradicts,
        change nothing. Raises Conflict if others kept writing; the bus brings the event again.
        """
        arrival = ArrivalProven.of(event)
        if arrival.marks.disagreed_by:
            return
        for attempt in range(_ATTEMPTS):
            try:
                await self._deliver(event, arrival)
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    async def _deliver(self, event: SignedEvent, arrival: ArrivalProven) -> None:
        events = await self._records.history(aggregate_of(arrival.consignment))
        if not events:
            return
        state = fold(events)
        if not CONSIGNMENT.may(state.state, DELIVER, state):
            return
        facts = _facts(state, event, arrival)
        if not facts:
            return
        await self._records.record(
            Actor(self._records.node, Role.NODE),
            aggregate_of(arrival.consignment),
            facts,
            after=events[-1].version,
            owner=events[0].owner,
            visible=parties_of(state.entered),
            handled=Handled(CONSUMER, event.id),
        )


def _facts(
    state: Consignment, event: SignedEvent, arrival: ArrivalProven
) -> list[ContainerArrived | Delivered]:
    """What an arrival makes of a consignment; nothing where it is of no container that is awaited.

    An arrival that names no container is that of the only one: of several it proves none.
    """
    there = {each.container for each in state.arrived}
    open_ones = [each for each in state.entered.containers if each not in there]
    if arrival.container not in (open_ones or [""]):
        return []
    delivered = Delivered(
        consignment=arrival.consignment,
        arrival=str(event.id),
        observed_at=arrival.observed_at,
        place=arrival.site.name,
    )
    if not open_ones:
        return [delivered]
    came = ContainerArrived(
        consignment=arrival.consignment,
        container=arrival.container,
        arrival=str(event.id),
        observed_at=arrival.observed_at,
        place=arrival.site.name,
    )
    return [came, delivered] if len(open_ones) == 1 else [came]
