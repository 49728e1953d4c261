"""Routes that tell how the node is, and scenario time in a demonstration."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, put

from zhidao.core.access import CALLER, OPEN, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.node.http.access import ACCESS
from zhidao.node.leases.roles import ROLES, unknown_role
from zhidao.node.operations.alarms import Alarm
from zhidao.node.operations.health import Health, Report
from zhidao.node.operations.metrics import Metrics

MAY_READ_METRICS: Final = access(Role.OPERATOR, Role.ADMIN, Role.AUDITOR)
MAY_MOVE_TIME: Final = access(Role.OPERATOR)


class ScenarioTime(msgspec.Struct, forbid_unknown_fields=True):
    """The instant that deadlines go by in a demonstration."""

    at: Annotated[str, msgspec.Meta(max_length=40)]


class Alive(msgspec.Struct):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct):
    """Whether the node can serve, what does not answer, and what else is wrong.

    `writes` does not answer while the node cannot write, `signing` while its log cannot sign
    or its clock jumped, `relay` while no event goes into the log or onto the bus, `ledger` while
    one is not what was logged of it; what the node holds can be read all the same. Alarms say why.
    """

    ready: bool
    down: list[str]
    alarms: list[Alarm]


def routes(
    health: Health, metrics: Metrics, scenario: HandClock | None, roles: frozenset[str]
) -> Router:
    """Routes at the root and under /v1. `roles`: what this process does, all of it held."""

    @get("/healthz", opt={ACCESS: OPEN})
    async def alive() -> Alive:
        """Answers as long as the process does."""
        return Alive("alive")

    @get("/readyz", opt={ACCESS: OPEN})
    async def ready(role: str = "") -> Response[Readiness]:
        """200 when every part answers and the node can write and sign, else 503 with names.

        With `role`, 503 also where this process does not do that one.
        """
        if role not in ("", *ROLES):
            raise unknown_role(role)
        down, alarms = await health.ready(), await health.alarms()
        if role and role not in roles:
            down.append(role)
        return Response(Readiness(not down, down, alarms), status_code=503 if down else 200)

    @get("/metrics", media_type="text/plain; version=0.0.4", opt={ACCESS: MAY_READ_METRICS})
    async def prometheus(actor: Actor) -> bytes:
        """Figures for Prometheus; needs a token of an operator, admin or auditor."""
        MAY_READ_METRICS.admit(actor)
        await health.measure()
        return metrics.render()

    @get("/v1/node/health", opt={ACCESS: CALLER})
    async def report(actor: Actor) -> Report:
        """How the node is; every signed-in caller may ask."""
        del actor
        return await health.report()

    @put("/v1/scenario-time", status_code=204, opt={ACCESS: MAY_MOVE_TIME})
    async def scenario_time(data: ScenarioTime, actor: Actor) -> None:
        """Moves scenario time; operators of a demonstration only."""
        MAY_MOVE_TIME.admit(actor)
        if scenario is None:
            raise Refused("this node runs no demonstration: deadlines go by the clock")
        at = Utc.parse(data.at)
        if at < scenario.now():
            raise Refused(f"scenario time is {scenario.now()} already and does not go back")
        scenario.set(at)

    handlers: list[Any] = [alive, ready, prometheus, report, scenario_time]
    return Router("/", route_handlers=handlers, tags=["node"])
