"""Border crossings: when the goods came to one side of one, and when they left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import latest
from zhidao.core.journal import Records
from zhidao.core.timescale import NS, Utc
from zhidao.trade.events import CrossingObserved
from zhidao.trade.service.consignments import ConsignmentService
from zhidao.trade.service.state import parties_of

MAY_OBSERVE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the consignment, its carrier or customs party",
    parties=lambda entered: (entered.carrier, entered.customs),
)
CLAIMED: Final = "claimed"
# Clocks of those who tell differ from the node's by so much at most.
_AHEAD_NS: Final = 300 * NS


@dataclass(frozen=True, slots=True)
class Between:
    """An instant that is known to lie between two others."""

    earliest: Utc
    latest: Utc


class Crossings:
    """What parties say of crossings; each side of each is told once on arrival, once on leaving."""

    def __init__(self, *, records: Records, consignments: ConsignmentService, clock: Clock) -> None:
        self._records = records
        self._consignments = consignments
        self._clock = clock

    async def observe(
        self,
        actor: Actor,
        consignment: str,
        *,
        crossing: str,
        side: str,
        entered: Between,
        left: Between | None,
    ) -> CrossingObserved:
        """Records when the goods were at a side; the same again changes nothing.

        Raises NotFound to strangers, Forbidden to others than carrier and customs, Refused for an
        order of instants that cannot be, Conflict where something else was said.
        """
        MAY_OBSERVE.admit(actor)
        state = await self._consignments.consignment(actor, consignment)
        MAY_OBSERVE.check(actor, state.entered)
        self._check_order(entered, left)
        aggregate = f"crossing/{consignment}/{crossing}/{side}"
        fact = CrossingObserved(
            consignment=consignment,
            crossing=crossing,
            side=side,
            entered_from=str(entered.earliest),
            entered_to=str(entered.latest),
            left_from=str(left.earliest) if left else "",
            left_to=str(left.latest) if left else "",
            mark=CLAIMED,
            positions=[],
            simulated=state.entered.simulated,
        )
        events = await self._records.history(aggregate)
        before = latest(events, CrossingObserved)
        if before == fact:
            return fact
        if before is not None and not _goes_on(before, fact):
            raise Conflict(
                f"{consignment} was at the side {side} of {crossing} from {before.entered_from}"
                f" to {before.left_to or 'now'}, as {events[-1].asserted_by.party} said",
                code="crossing_told",
                where="$",
                remedy="read what stands; a crossing is told once on arrival and once on leaving",
            )
        await self._records.record(
            actor,
            aggregate,
            [fact],
            after=events[-1].version if events else 0,
            owner=actor.party if not events else events[0].owner,
            visible=parties_of(state.entered),
        )
        return fact

    def _check_order(self, entered: Between, left: Between | None) -> None:
        instants = [entered.earliest, entered.latest]
        if left is not None:
            # Who left surely after coming may have left before the latest time of coming.
            _ordered(entered.earliest, left.earliest, "$.left_from")
            _ordered(entered.latest, left.latest, "$.left_to")
            instants += [left.earliest, left.latest]
            _ordered(left.earliest, left.latest, "$.left_to")
        _ordered(entered.earliest, entered.latest, "$.entered_to")
        if max(instants).since_ns(self._clock.now()) > _AHEAD_NS:
            raise Refused(
                f"{max(instants)} has not come yet; nothing was observed then",
                code="not_observed_yet",
                where="$",
                remedy="tell of a crossing after it happened",
            )


def _ordered(first: Utc, second: Utc, where: str) -> None:
    if second < first:
        raise Refused(
            f"{second} is before {first}: goods leave after they came",
            code="crossing_order",
            where=where,
            remedy="give the instants in the order in which they were",
        )


def _goes_on(before: CrossingObserved, now: CrossingObserved) -> bool:
    """Whether the goods that came are now told to have left."""
    came = (before.entered_from, before.entered_to) == (now.entered_from, now.entered_to)
    return came and not before.left_to and bool(now.left_to)
