"""Routes that tell how the node is, and scenario time in a demonstration."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, put

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock
from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.node.alarms import Alarm
from zhidao.node.health import Health, Report
from zhidao.node.metrics import Metrics


class ScenarioTime(msgspec.Struct, forbid_unknown_fields=True):
    """The instant that deadlines go by in a demonstration."""

    at: Annotated[str, msgspec.Meta(max_length=40)]


class Alive(msgspec.Struct):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct):
    """Whether the node can serve, what does not answer, and what else is wrong.

    With an alarm such as `disk_full` or `recovering` a node is ready, and reads only.
    """

    ready: bool
    down: list[str]
    alarms: list[Alarm]


def routes(health: Health, metrics: Metrics, scenario: HandClock | None) -> Router:
    """Routes at the root and under /v1."""

    @get("/healthz", security=[{}])
    async def alive() -> Alive:
        """Answers as long as the process does."""
        return Alive("alive")

    @get("/readyz", security=[{}])
    async def ready() -> Response[Readiness]:
        """200 when every part answers, 503 with their names when not."""
        down, alarms = await health.ready(), await health.alarms()
        return Response(Readiness(not down, down, alarms), status_code=503 if down else 200)

    @get("/metrics", media_type="text/plain; version=0.0.4")
    async def prometheus(actor: Actor) -> bytes:
        """Figures for Prometheus; needs a token of an operator, admin or auditor."""
        actor.require(Role.OPERATOR, Role.ADMIN, Role.AUDITOR)
        return metrics.render()

    @get("/v1/node/health")
    async def report(actor: Actor) -> Report:
        """How the node is; every signed-in caller may ask."""
        del actor
        return await health.report()

    @put("/v1/scenario-time", status_code=204)
    async def scenario_time(data: ScenarioTime, actor: Actor) -> None:
        """Moves scenario time; operators of a demonstration only."""
        actor.require(Role.OPERATOR)
        if scenario is None:
            raise Refused("this node runs no demonstration: deadlines go by the clock")
        at = Utc.parse(data.at)
        if at < scenario.now():
            raise Refused(f"scenario time is {scenario.now()} already and does not go back")
        scenario.set(at)

    handlers: list[Any] = [alive, ready, prometheus, report, scenario_time]
    return Router("/", route_handlers=handlers, tags=["node"])
