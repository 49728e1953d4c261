"""Routes of a consignment on several nodes: hand over, ask for an account, give a title."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import READ
from zhidao.core.actor import Actor
from zhidao.core.errors import NotFound
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.exchange.events import Dispatch
from zhidao.node.federation.kinds import AccountAsked, LineAsked
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.remote_operations import (
    MAY_ASK_PEER,
    MAY_RESERVE_TITLE,
    RemoteOperations,
)
from zhidao.node.federation.sharing import MAY_HAND_OVER, Consigned, Sharing
from zhidao.node.http.access import ACCESS
from zhidao.node.http.known_parties import KNOWN

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)]
_Node = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}\Z", max_length=64)]
_Path = Annotated[str, Parameter(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=140)]


class HandOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The peer that goes on with a consignment."""

    node: _Node


class WantedAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of the calling bank's customer on a peer's ledger."""

    node: _Node
    holder: Annotated[_Name, KNOWN]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    name: _Text
    town: Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]


class WantedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much `peer` may owe the calling bank on a peer's ledger; 0: nothing.

    `request`: the caller's own name for this setting; the same name again is the same request.
    """

    node: _Node
    request: _Name
    peer: _Name
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    limit_minor: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]


class RefusedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a consignment that `node` refused and has not got since, and why.

    It is this node where a peer sent what parts from the history here (`history_differs`). Two
    codes tell of the home `node` itself: `handing` (not all has gone there yet; nothing is written
    here meanwhile) and `home_is_no_peer` (it was withdrawn as a peer and goes on all the same).
    """

    node: str
    code: str
    reason: str


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """Which nodes know a consignment, which of them writes its history, what peers refused of it.

    A refused hand-over leaves the history with this node; it may be asked again. Withdrawing the
    peer that is the home does not.
    """

    consignment: str
    home: str
    nodes: list[str]
    refusals: list[RefusedFacts]


def routes(
    sharing: Sharing, consigned: Consigned, remote: RemoteOperations, directory: PartyDirectory
) -> Router:
    """Routes under /v1/federation."""

    @get("/consignments/{consignment:str}", opt={ACCESS: READ})
    async def shared(consignment: _Path, actor: Actor) -> Shared:
        """Which nodes take part in a consignment that the caller may see."""
        await consigned.stored(actor, consignment)
        return await _shared(consignment)

    @post("/consignments/{consignment:str}/hand-over", status_code=200, opt={ACCESS: MAY_HAND_OVER})
    async def hand_over(consignment: _Path, data: HandOver, actor: Actor) -> Shared:
        """Shares a consignment with a peer, which writes its history from then on; exporters only.

        Again: nothing more happens, unless the peer refused it: then it is sent again.
        """
        if data.node not in directory.nodes():
            raise NotFound("no peer of that name with a trust list", code="unknown_peer")
        await sharing.hand_over(actor, consignment, data.node)
        return await _shared(consignment)

    @post("/accounts", status_code=202, opt={ACCESS: MAY_ASK_PEER})
    async def ask_account(data: WantedAccount, actor: Actor) -> Dispatch:
        """Asks for an account on a peer's ledger; the outbox tells what the peer decided."""
        account = AccountAsked(
            holder=data.holder,
            currency=data.currency,
            name=data.name,
            town=data.town,
            country=data.country,
        )
        return await remote.ask_account(actor, node=data.node, account=account)

    @post("/credit-lines", status_code=202, opt={ACCESS: MAY_ASK_PEER})
    async def ask_line(data: WantedLine, actor: Actor) -> Dispatch:
        """Sets a credit line on a peer's ledger; the outbox tells what the peer decided."""
        line = LineAsked(
            request=data.request,
            peer=data.peer,
            currency=data.currency,
            limit_minor=data.limit_minor,
        )
        return await remote.ask_line(actor, node=data.node, line=line)

    @post("/deals/{deal:str}/title", status_code=202, opt={ACCESS: MAY_RESERVE_TITLE})
    async def give_title(deal: _Path, actor: Actor) -> Dispatch:
        """Signs the caller's title into the custody of a deal at a peer, and sends it there.

        Unavailable until the peer has asked for it. Again: the same signature.
        """
        return await remote.reserve_title(actor, deal)

    async def _shared(consignment: str) -> Shared:
        return Shared(
            consignment=consignment,
            home=await sharing.home(consignment),
            nodes=await sharing.nodes(consignment),
            refusals=[
                RefusedFacts(node=each.by or each.peer, code=each.code, reason=each.reason)
                for each in await sharing.refusals(consignment)
            ],
        )

    return Router(
        "/v1/federation",
        route_handlers=[shared, hand_over, ask_account, ask_line, give_title],
        tags=["federation"],
    )
