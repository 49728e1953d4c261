"""The one gate in front of every handler: its declared roles, before anything of a body is read.

A route says in its `opt` under `ACCESS` who may use it. A route that says nothing stops the start.
What relation the caller has to the object is asked by the use case, which bears the same `Access`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute

from zhidao.core.access import Access
from zhidao.core.errors import Refused
from zhidao.node.http.authentication import Met

# In a route's `opt`: its `Access`.
ACCESS: Final = "access"
_Connection = ASGIConnection[Any, Any, Any, Any]
_Guard = Callable[[_Connection, BaseRouteHandler], Awaitable[None]]


def declared(handler: BaseRouteHandler) -> Access[Any]:
    """What a route declares. Raises Refused if that is nothing."""
    found = handler.opt.get(ACCESS)
    if not isinstance(found, Access):
        raise Refused(
            f"the route {', '.join(sorted(handler.paths))} ({handler}) does not say who may use it",
            code="undeclared_route",
            remedy="give its handler opt={ACCESS: …} with an Access of its use case",
        )
    return found


def gate(meet: Callable[[Any], Awaitable[Met]]) -> _Guard:
    """A guard that admits whom the route's declaration admits. `meet` reads headers only."""

    async def admit(connection: _Connection, handler: BaseRouteHandler) -> None:
        access = declared(handler)
        if access.is_open:
            return
        met = await meet(connection.scope)
        # Nodes speak by a signature of their own, on a path where nobody else is met.
        if not access.is_for_nodes:
            access.admit(met.actor)

    return admit


def check_declared(app: Litestar) -> None:
    """Raises Refused for a route that does not say who may use it."""
    for handler in _handlers(app):
        declared(handler)


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            # The framework answers OPTIONS by itself, with no handler of ours.
            yield from (h for h in route.route_handlers if set(h.http_methods) != {"OPTIONS"})
