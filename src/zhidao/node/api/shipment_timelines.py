"""Routes of the page: shipment timelines (`road`), live notices, the proof behind each seal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.params import Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.core.encoding import base64url
from zhidao.core.timescale import Utc
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import held_by
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.node.runtime.live import Live
from zhidao.node.shipment_timeline import view
from zhidao.node.shipment_timeline.corridor import CorridorView
from zhidao.node.shipment_timeline.event_proofs import EventProofs
from zhidao.node.shipment_timeline.service import TimelineService

_Name = Annotated[str, Parameter(min_length=1, max_length=64)]
_Since = Annotated[str, Parameter(max_length=40)]


_ROADS = Listing(
    "roads",
    ("consignment",),
    ("consignment", "label", "state", "reason", "simulated"),
    rows="roads",
)


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


def routes(timelines: TimelineService, proofs: EventProofs, live: Live) -> Router:
    """Routes under /v1."""

    @get("/roads", opt={LISTED: _ROADS, ACCESS: LIST})
    async def list_roads(actor: Actor) -> view.TimelineList:
        """The newest consignments that the caller may see."""
        return await timelines.timelines(actor)

    @get("/corridor", opt={ACCESS: LIST})
    async def overview(actor: Actor, since: _Since = "") -> CorridorView:
        """The corridor at a glance: where consignments are, what waits, crossing times, money.

        Of what the caller may see. `since`: payments before it are not counted as paid.
        """
        return await timelines.corridor(actor, since=Utc.parse(since) if since else None)

    @get("/consignments/{consignment:str}/road", opt={ACCESS: READ})
    async def one_road(consignment: _Name, actor: Actor) -> view.TimelineView:
        """Everything about one consignment."""
        return await timelines.timeline(actor, consignment)

    @get("/stream", media_type="text/event-stream", opt={ACCESS: LIST})
    async def stream(request: Request[Any, Any, Any], actor: Actor) -> ServerSentEvent:
        """Server-sent events `road`, `position` and `beat` of what the caller may see."""
        live.admit(actor.party)

        async def may_see(consignment: str) -> bool:
            return await timelines.may_see(actor, consignment)

        async def messages() -> AsyncGenerator[ServerSentEventMessage, None]:
            listening = live.listen(actor.party, may_see, holder=held_by(request, actor))
            async for event, data in listening:
                yield ServerSentEventMessage(event=event, data=data)

        return ServerSentEvent(messages())

    @get("/events/{event_id:uuid}/proof", opt={ACCESS: READ})
    async def proof(event_id: UUID, actor: Actor) -> EventProof:
        """The event, its salt, its leaf and the way from the leaf to a signed tree head."""
        stored = await timelines.event(actor, event_id)
        inclusion_proof = await proofs.inclusion_proof(stored.leaf_index)
        return EventProof(
            event=base64url(stored.event.encode()),
            salt=base64url(stored.salt),
            leaf=base64url(stored.leaf),
            index=stored.leaf_index if inclusion_proof.inclusion is not None else None,
            size=inclusion_proof.size,
            inclusion=[base64url(each) for each in inclusion_proof.inclusion or ()],
            checkpoint=inclusion_proof.checkpoint,
            log_key=inclusion_proof.log_key,
            origin=inclusion_proof.origin,
        )

    return Router(
        "/v1", route_handlers=[list_roads, overview, one_road, stream, proof], tags=["roads"]
    )
