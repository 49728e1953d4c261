"""The HTTP application: all rooms' routes under one set of guards, described by OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler

from zhidao import __version__
from zhidao.core.actor import Actor
from zhidao.core.ambient import Randomness
from zhidao.core.errors import ZhidaoError
from zhidao.exchange.domain.peer import Peer
from zhidao.finance.service.bank_transfers import BankTransfers
from zhidao.node.api import camara
from zhidao.node.api.bodies import Bodies
from zhidao.node.api.doorkeeper import Doorkeeper
from zhidao.node.api.guards import Guards
from zhidao.node.api.openapi import Described
from zhidao.node.api.problems import handlers_with
from zhidao.node.api.quick_transfers import QuickTransfers
from zhidao.node.api.strict import StrictRequest
from zhidao.node.metrics import Metrics
from zhidao.node.write_gate import WriteGate


def application(
    routes: Sequence[ControllerRouterHandler | Router],
    *,
    doorkeeper: Doorkeeper,
    metrics: Metrics,
    randomness: Randomness,
    body_bytes_max: int,
    requests_per_second: int,
    workers: Executor,
    writes: WriteGate,
    transfers: BankTransfers | None = None,
) -> ASGIApp:
    """The whole application as ASGI. `workers` read large JSON.

    `transfers`: for the quick route of records, which the router has too.
    """
    handlers = handlers_with(dict.fromkeys(camara.PATHS, camara.on_error))

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        return await doorkeeper.actor(request)

    async def peer(request: Request[Any, Any, Any]) -> Peer:
        return await doorkeeper.peer(request)

    app = Litestar.from_config(
        AppConfig(
            route_handlers=list(routes),
            dependencies={"actor": Provide(actor), "peer": Provide(peer)},
            exception_handlers=handlers,
            request_class=StrictRequest,
            # `Bodies` bounds them, by who is asking.
            request_max_body_size=None,
            openapi_config=OpenAPIConfig(
                title="Zhidao node",
                version=__version__,
                path="/schema",
                render_plugins=[Described()],
                components=Components(
                    security_schemes={
                        "token": SecurityScheme(type="http", scheme="bearer"),
                        "session": SecurityScheme(
                            type="apiKey", name="zhidao_session", security_scheme_in="cookie"
                        ),
                    }
                ),
                security=[{"token": []}, {"session": []}],
            ),
        )
    )
    return Guards(
        app if transfers is None else QuickTransfers(app, doorkeeper, transfers),
        metrics=metrics,
        randomness=randomness,
        bodies=Bodies(doorkeeper.meet, bytes_max=body_bytes_max, workers=workers),
        requests_per_second=requests_per_second,
        writes=writes,
        refusal=handlers[ZhidaoError],
    )
