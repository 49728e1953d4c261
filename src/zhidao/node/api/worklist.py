"""The route of the worklist: what waits for the caller."""

from __future__ import annotations

from litestar import Router, get

from zhidao.core.access import LIST
from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.node.worklist.service import Worklist, Worklists

_WORKLIST = Listing(
    "worklist",
    ("kind", "act", "subject"),
    ("kind", "act", "subject", "label"),
    rows="items",
)


def routes(worklists: Worklists) -> Router:
    """GET /v1/worklist."""

    @get("/worklist", opt={LISTED: _WORKLIST, ACCESS: LIST})
    async def listed(actor: Actor) -> Worklist:
        """What waits for the caller, over all kinds of act, and which page each belongs to."""
        return await worklists.of(actor)

    return Router("/v1", route_handlers=[listed], tags=["roads"])
