"""The route by which a party of a consignment waits for its arrival without a deal."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, post

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.timescale import Utc
from zhidao.finance.service.deals.deal_terms import check_carried
from zhidao.node.api.finance.deals import CarriedInput
from zhidao.node.http.access import ACCESS
from zhidao.positioning.events import Site
from zhidao.positioning.service.arrivals import ArrivalService
from zhidao.positioning.service.awaited import Arrival
from zhidao.trade.commands import Consignments
from zhidao.trade.domain.model.catalogue import GROUP_MAX

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


def routes(arrivals: ArrivalService, consignments: Consignments) -> Router:
    """The route by which a party of a consignment waits for it."""

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
            # Everybody whom a deal of it would show it to, so that one may follow.
            readers=(
                *(entered.importer, entered.exporter, entered.customs),
                *(entered.importer_bank, entered.exporter_bank),
            ),
        )
        return await arrivals.arrival(actor, data.consignment)

    return Router("/v1/positioning", route_handlers=[await_arrival], tags=["positioning"])
