"""One act of customs: goods let go on their road, and their declaration decided with it."""

from __future__ import annotations

from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound, Refused
from zhidao.trade.domain.clearance.declaration import Declaration, Status
from zhidao.trade.events import CustomsReleased
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.consignments import MAY_RELEASE, ConsignmentService

_AGAINST = (Status.REFUSED, Status.CANCELLED)


class Releases:
    """Releases of goods that hold to what was decided about their declaration."""

    def __init__(self, consignments: ConsignmentService, clearance: Clearance) -> None:
        self._consignments = consignments
        self._clearance = clearance

    async def release(
        self, actor: Actor, consignment: str, *, declaration: str, decision: str, reason: str = ""
    ) -> CustomsReleased:
        """Lets the goods go under a declaration; the same again changes nothing.

        A declaration that was lodged with this customs here and waits is released first, by the
        rules of clearance; then the road. Dying in between loses nothing: repeat the call.

        Raises what `ConsignmentService.release` and `Clearance.decide` raise, Refused
        (`declaration_ended`) for a declaration that was refused or taken back.
        """
        MAY_RELEASE.admit(actor)
        state = await self._consignments.consignment(actor, consignment)
        MAY_RELEASE.check(actor, state.entered)
        lodged = await self._lodged(actor, declaration)
        if lodged is not None and lodged.status in _AGAINST:
            raise Refused(
                f"declaration {declaration} was {lodged.status.value}; its goods are not let go",
                code="declaration_ended",
                where="$.declaration",
                remedy="release under a declaration that was lodged anew",
            )
        if lodged is not None and lodged.status is not Status.RELEASED and decision == "released":
            await self._clearance.decide(
                actor,
                declaration,
                version=lodged.submitted.version,
                decision="released",
                reason=reason,
            )
        return await self._consignments.release(
            actor, consignment, declaration=declaration, decision=decision
        )

    async def _lodged(self, actor: Actor, declaration: str) -> Declaration | None:
        """The declaration, if it was lodged here with the actor's customs."""
        try:
            found = await self._clearance.declaration(actor, declaration)
        except NotFound:
            # It was lodged with a system of customs' own.
            return None
        return found if found.submitted.customs == actor.party else None
