"""The HTTP application: all rooms' routes under one set of guards, described by OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler

from zhidao import __version__
from zhidao.core.access import OPEN
from zhidao.core.actor import Actor
from zhidao.core.ambient import Randomness
from zhidao.core.errors import ZhidaoError
from zhidao.exchange.domain.peer import Peer
from zhidao.finance.service.payments.bank_transfers import BankTransfers
from zhidao.node.api import camara
from zhidao.node.api.finance.quick_transfers import QuickTransfers
from zhidao.node.http.access import ACCESS, check_declared, gate
from zhidao.node.http.authentication import Authenticator
from zhidao.node.http.bodies import Bodies
from zhidao.node.http.forwarded import NO_PROXIES, Proxies
from zhidao.node.http.guards import Guards
from zhidao.node.http.hosts import Hosts
from zhidao.node.http.idempotency_header import IdempotencyKeys
from zhidao.node.http.known_parties import MUST_BE_KNOWN, MustBeKnown
from zhidao.node.http.lists import routes_of_lists
from zhidao.node.http.lost_races import LostRaces
from zhidao.node.http.openapi import Described, DescribedAside
from zhidao.node.http.problems import handlers_with
from zhidao.node.http.strict import StrictRequest
from zhidao.node.lists.cursor import Cursors
from zhidao.node.lists.reading import Lists
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.write_gate import WriteGate
from zhidao.node.security.idempotency import Idempotency
from zhidao.node.web.pages import unknown_address


def application(
    routes: Sequence[ControllerRouterHandler | Router],
    *,
    authenticator: Authenticator,
    metrics: Metrics,
    randomness: Randomness,
    body_bytes_max: int,
    requests_per_second: int,
    refusals_per_second: int,
    workers: Executor,
    writes: WriteGate,
    proxies: Proxies = NO_PROXIES,
    hosts: Hosts | None = None,
    transfers: BankTransfers | None = None,
    idempotency: Idempotency | None = None,
    must_be_known: MustBeKnown | None = None,
) -> ASGIApp:
    """The whole application as ASGI. `workers` read large JSON. `hosts`: names it answers to.

    `transfers`: for the quick route of records, which the router has too. `idempotency`: where
    requests under a key are kept; None only where no request is ever answered.
    `must_be_known`: of the parties that bodies name; None: any may be named.
    """
    handlers = handlers_with(dict.fromkeys(camara.PATHS, camara.on_error))
    handlers[NotFoundException] = unknown_address(handlers[HTTPException])

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        return await authenticator.actor(request)

    async def peer(request: Request[Any, Any, Any]) -> Peer:
        return await authenticator.peer(request)

    def keyed(app: ASGIApp) -> ASGIApp:
        again: ASGIApp = LostRaces(app)
        return IdempotencyKeys(again, idempotency, authenticator.meet) if idempotency else again

    described = Described()
    app = Litestar.from_config(
        AppConfig(
            route_handlers=[*routes, routes_of_lists(routes, Lists(Cursors(randomness)))],
            dependencies={"actor": Provide(actor), "peer": Provide(peer)},
            exception_handlers=handlers,
            state=State({MUST_BE_KNOWN: must_be_known}),
            guards=[gate(authenticator.meet)],
            middleware=[keyed],
            request_class=StrictRequest,
            # `Bodies` bounds them, by who is asking.
            request_max_body_size=None,
            openapi_config=OpenAPIConfig(
                title="Zhidao node",
                version=__version__,
                openapi_router=Router(
                    "/schema", route_handlers=[], opt={ACCESS: OPEN}, include_in_schema=False
                ),
                render_plugins=[described],
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
    check_declared(app)
    aside = DescribedAside(app, described)
    return Guards(
        aside if transfers is None else QuickTransfers(aside, authenticator, transfers),
        metrics=metrics,
        randomness=randomness,
        bodies=Bodies(
            authenticator.meet,
            bytes_max=body_bytes_max,
            accept=authenticator.accept,
            workers=workers,
        ),
        hosts=hosts,
        requests_per_second=requests_per_second,
        refusals_per_second=refusals_per_second,
        writes=writes,
        refusal=handlers[ZhidaoError],
        proxies=proxies,
    )
