"""The route by which an operator says that the node's clock is right after it jumped."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, post

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.timescale import Utc
from zhidao.node.http.access import ACCESS
from zhidao.node.operations.clock_watch import ClockWatch
from zhidao.node.security.administration import Act, Administration

MAY_AGREE_TO_CLOCK: Final = access(Role.OPERATOR)


class ClockTime(msgspec.Struct, forbid_unknown_fields=True):
    """What time it is, by a source other than the node's clock."""

    now: Annotated[str, msgspec.Meta(max_length=40)]


class ClockAgreed(msgspec.Struct):
    """By how many seconds the clock had jumped; 0: it had not."""

    jumped_s: int


def routes(watch: ClockWatch, administration: Administration) -> Router:
    """Routes under /v1."""

    @post("/v1/node/clock/agreement", status_code=200, opt={ACCESS: MAY_AGREE_TO_CLOCK})
    async def agree_to_clock(data: ClockTime, actor: Actor) -> ClockAgreed:
        """Says what time it is; if the node's clock says the same within 5 s, it signs again."""
        MAY_AGREE_TO_CLOCK.admit(actor)
        now = Utc.parse(data.now)
        jumped_s = watch.agree(now)
        node = administration.node
        values = {"now": str(now), "jumped_s": str(jumped_s)}
        await administration.note(actor, Act.CLOCK_AGREED, subject=node, party=node, values=values)
        return ClockAgreed(jumped_s)

    return Router("/", route_handlers=[agree_to_clock], tags=["node"])
