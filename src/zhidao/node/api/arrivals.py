"""The routes by which a party of a consignment waits for its arrival without a deal."""

from __future__ import annotations

from typing import Annotated, Final, Protocol

import msgspec
from litestar import Router, post
from litestar.params import Parameter

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.finance.service.deals.deal_terms import check_carried
from zhidao.node.api.finance.deals import CarriedInput
from zhidao.node.http.access import ACCESS
from zhidao.positioning.events import ArrivalExpected, Site
from zhidao.positioning.service.arrivals import ArrivalService
from zhidao.positioning.service.awaited import Arrival
from zhidao.trade.commands import Consignments
from zhidao.trade.domain.model.catalogue import GROUP_MAX
from zhidao.trade.events import ConsignmentEntered

MAY_AWAIT: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the consignment, its importer or the importer's bank",
    parties=lambda entered: (entered.importer, entered.importer_bank),
)


class NewArrival(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An arrival to wait for, without a deal: who, where, when, and how surely.

    `risk_ppb`: how often the answer may be wrong, in parts per billion. `carried`: each container
    with its terminal where the consignment has several; then `terminal` stays empty.
    """

    consignment: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    terminal: Annotated[str, msgspec.Meta(max_length=64)] = ""
    carried: Annotated[list[CarriedInput], msgspec.Meta(max_length=GROUP_MAX)] = []
    site: Site
    not_before: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    not_after: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    risk_ppb: Annotated[int, msgspec.Meta(ge=1, le=500_000_000)]


class ChangedArrival(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be awaited instead, whole, as in the first place.

    `seen_version`: the `version` that was seen; where somebody changed it since, nothing is.
    """

    terminal: Annotated[str, msgspec.Meta(max_length=64)] = ""
    carried: Annotated[list[CarriedInput], msgspec.Meta(max_length=GROUP_MAX)] = []
    site: Site
    not_before: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    not_after: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    risk_ppb: Annotated[int, msgspec.Meta(ge=1, le=500_000_000)]
    seen_version: Annotated[int, msgspec.Meta(ge=0)]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class WithdrawnArrival(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nobody is to wait any more. `seen_version`: the `version` that was seen."""

    seen_version: Annotated[int, msgspec.Meta(ge=0)]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class OpenDeals(Protocol):
    """What is asked of deals."""

    async def waiting_for(self, consignment: str) -> tuple[str, ...]:
        """The undecided deals over a consignment."""
        ...


def _everybody(entered: ConsignmentEntered) -> tuple[str, ...]:
    """Everybody whom a deal of it would show the arrival to, so that one may follow."""
    return (
        *(entered.importer, entered.exporter, entered.customs),
        *(entered.importer_bank, entered.exporter_bank),
    )


def routes(arrivals: ArrivalService, consignments: Consignments, deals: OpenDeals) -> Router:
    """The routes by which a party of a consignment waits for it."""

    async def refuse_for_deal(consignment: str) -> None:
        names = await deals.waiting_for(consignment)
        if names:
            raise Refused(
                f"deal {names[0]} waits for {consignment} as it is awaited; its terms are fixed",
                code="deal_waits",
                remedy="let the deal be decided first",
            )

    @post("/arrivals", status_code=201, opt={ACCESS: MAY_AWAIT})
    async def await_arrival(data: NewArrival, actor: Actor) -> Arrival:
        """Waits for a consignment; the same again changes nothing. Its parties see it.

        A deal that is opened later asks for the same place, terminal, time and risk, or is refused.
        """
        MAY_AWAIT.admit(actor)
        entered = (await consignments.consignment(actor, data.consignment)).entered
        MAY_AWAIT.check(actor, entered)
        carried = tuple(each.carried() for each in data.carried)
        check_carried(entered, terminal=data.terminal, carried=carried)
        await arrivals.expect(
            actor,
            consignment=data.consignment,
            terminal=data.terminal,
            site=data.site,
            not_before=Utc.parse(data.not_before),
            not_after=Utc.parse(data.not_after),
            risk_ppb=data.risk_ppb,
            carried=carried,
            readers=_everybody(entered),
        )
        return await arrivals.arrival(actor, data.consignment)

    @post("/arrivals/{consignment:str}/change", status_code=200, opt={ACCESS: MAY_AWAIT})
    async def change_arrival(
        consignment: Annotated[str, Parameter(max_length=64)], data: ChangedArrival, actor: Actor
    ) -> Arrival:
        """Waits for it in another way, until something of it is proven; who awaited it alone.

        Refused while a deal waits for it, and (409) where it was changed since the version given.
        """
        MAY_AWAIT.admit(actor)
        entered = (await consignments.consignment(actor, consignment)).entered
        MAY_AWAIT.check(actor, entered)
        carried = tuple(each.carried() for each in data.carried)
        check_carried(entered, terminal=data.terminal, carried=carried)
        await arrivals.arrival(actor, consignment)
        await refuse_for_deal(consignment)
        wanted = ArrivalExpected(
            consignment=consignment,
            terminal=data.terminal,
            site=data.site,
            not_before=str(Utc.parse(data.not_before)),
            not_after=str(Utc.parse(data.not_after)),
            risk_ppb=data.risk_ppb,
        )
        await arrivals.change(
            actor, wanted, carried=carried, since=data.seen_version, reason=data.reason
        )
        return await arrivals.arrival(actor, consignment)

    @post("/arrivals/{consignment:str}/withdrawal", status_code=200, opt={ACCESS: MAY_AWAIT})
    async def withdraw_arrival(
        consignment: Annotated[str, Parameter(max_length=64)], data: WithdrawnArrival, actor: Actor
    ) -> Arrival:
        """Waits for it no more, until something of it is proven; who awaited it alone.

        Once more changes nothing. Refused while a deal waits for it.
        """
        MAY_AWAIT.admit(actor)
        MAY_AWAIT.check(actor, (await consignments.consignment(actor, consignment)).entered)
        await arrivals.arrival(actor, consignment)
        await refuse_for_deal(consignment)
        await arrivals.withdraw(actor, consignment, since=data.seen_version, reason=data.reason)
        return await arrivals.arrival(actor, consignment)

    handlers = [await_arrival, change_arrival, withdraw_arrival]
    return Router("/v1/positioning", route_handlers=handlers, tags=["positioning"])
