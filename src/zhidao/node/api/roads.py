"""Routes of the page: roads, live notices, and the proof behind each seal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.params import Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from zhidao.core.actor import Actor
from zhidao.core.encoding import base64url
from zhidao.node.live import Live
from zhidao.node.road import view
from zhidao.node.road.proofs import EventProofs
from zhidao.node.road.service import RoadService

_Name = Annotated[str, Parameter(min_length=1, max_length=64)]


class EventProof(msgspec.Struct, kw_only=True):
    """All that a stranger needs to check one event: hashes are base64url."""

    event: str
    salt: str
    leaf: str
    index: int | None
    size: int
    inclusion: list[str]
    checkpoint: str
    log_key: str
    origin: str


def routes(roads: RoadService, proofs: EventProofs, live: Live) -> Router:
    """Routes under /v1."""

    @get("/roads")
    async def list_roads(actor: Actor) -> view.Roads:
        """The newest consignments that the caller may see."""
        return await roads.roads(actor)

    @get("/consignments/{consignment:str}/road")
    async def one_road(consignment: _Name, actor: Actor) -> view.Road:
        """Everything about one consignment."""
        return await roads.road(actor, consignment)

    @get("/stream", media_type="text/event-stream")
    async def stream(actor: Actor) -> ServerSentEvent:
        """Server-sent events `road`, `position` and `beat` of what the caller may see."""
        live.admit(actor.party)

        async def may_see(consignment: str) -> bool:
            return await roads.may_see(actor, consignment)

        async def messages() -> AsyncGenerator[ServerSentEventMessage, None]:
            async for event, data in live.listen(actor.party, may_see):
                yield ServerSentEventMessage(event=event, data=data)

        return ServerSentEvent(messages())

    @get("/events/{event_id:uuid}/proof")
    async def proof(event_id: UUID, actor: Actor) -> EventProof:
        """The event, its salt, its leaf and the way from the leaf to a signed tree head."""
        stored = await roads.event(actor, event_id)
        way = await proofs.way(stored.leaf_index)
        return EventProof(
            event=base64url(stored.event.encode()),
            salt=base64url(stored.salt),
            leaf=base64url(stored.leaf),
            index=stored.leaf_index if way.inclusion is not None else None,
            size=way.size,
            inclusion=[base64url(each) for each in way.inclusion or ()],
            checkpoint=way.checkpoint,
            log_key=way.log_key,
            origin=way.origin,
        )

    return Router("/v1", route_handlers=[list_roads, one_road, stream, proof], tags=["roads"])
