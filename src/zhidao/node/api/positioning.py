"""Routes of the positioning room: navigation data, arrivals, tracks and evidence."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import MediaType, Request, Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import READ
from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import BODY_BYTES, PLAIN_BYTES
from zhidao.positioning.events import BaseAdded, NavigationAdded
from zhidao.positioning.service.arrivals import ArrivalService
from zhidao.positioning.service.awaited import Arrival
from zhidao.positioning.service.bases import BASE_BODY_BYTES_MAX, MAY_ADD_BASE, BaseService
from zhidao.positioning.service.navigation import (
    MAY_ADD_NAVIGATION,
    NAVIGATION_BODY_BYTES_MAX,
    NavigationService,
)
from zhidao.positioning.service.track import Track

_Consignment = Annotated[str, Parameter(min_length=1, max_length=64)]
_Container = Annotated[str, Parameter(max_length=11)]
_Digest = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}\Z")]


def routes(navigation: NavigationService, bases: BaseService, arrivals: ArrivalService) -> Router:
    """Routes under /v1/positioning."""

    @post(
        "/navigation",
        request_max_body_size=NAVIGATION_BODY_BYTES_MAX,
        opt={ACCESS: MAY_ADD_NAVIGATION, BODY_BYTES: PLAIN_BYTES},
    )
    async def add_navigation(request: Request[Any, Any, Any], actor: Actor) -> NavigationAdded:
        """Adds a RINEX navigation file: the body, plain or gzipped. Again the same: no change."""
        data = await request.body()
        if not data:
            raise MalformedInput("the body is empty", remedy="send a RINEX navigation file")
        return await navigation.add(actor, data)

    @post(
        "/bases",
        request_max_body_size=BASE_BODY_BYTES_MAX,
        opt={ACCESS: MAY_ADD_BASE, BODY_BYTES: PLAIN_BYTES},
    )
    async def add_base(request: Request[Any, Any, Any], actor: Actor) -> BaseAdded:
        """Adds a base station's RINEX recording, its surveyed place in the header: the body."""
        data = await request.body()
        if not data:
            raise MalformedInput("the body is empty", remedy="send RINEX observations")
        return await bases.add(actor, data)

    @get("/arrivals/{consignment:str}", opt={ACCESS: READ})
    async def one_arrival(consignment: _Consignment, actor: Actor) -> Arrival:
        """What is awaited, and what the windows of the terminal proved so far."""
        return await arrivals.arrival(actor, consignment)

    @get("/arrivals/{consignment:str}/track", opt={ACCESS: READ})
    async def one_track(
        consignment: _Consignment, actor: Actor, container: _Container = ""
    ) -> Track:
        """Positions of the deciding window with bounds, and the satellites at each epoch.

        `container`: of this one, where the consignment has several.
        """
        return await arrivals.track(actor, consignment, container=container)

    @get("/evidence/{digest:str}", media_type=MediaType.JSON, opt={ACCESS: READ})
    async def one_evidence(digest: _Digest, actor: Actor) -> Response[bytes]:
        """The replayable evidence in its canonical bytes, whose SHA-256 is the digest."""
        return Response(await arrivals.evidence(actor, digest), media_type=MediaType.JSON)

    return Router(
        "/v1/positioning",
        route_handlers=[add_navigation, add_base, one_arrival, one_track, one_evidence],
        tags=["positioning"],
    )
