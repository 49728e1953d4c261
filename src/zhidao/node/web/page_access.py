"""Which pages and acts are whose, from what the routes that they call declare of themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Litestar
from litestar.routes import HTTPRoute

from zhidao.core.actor import Role
from zhidao.node.http.access import declared

NEEDS_FILE: Final = Path(__file__).with_name("page_needs.toml")
# Those who look at pages, in the order in which they are named.
READERS: Final = (Role.PARTY, Role.OPERATOR, Role.ADMIN, Role.AUDITOR)
_KEPT: Final = "page_access"

# By entry: the roles of those who look at pages and may call all that the entry needs.
Whose = Mapping[str, Sequence[Role]]


def closed_to(role: Role, app: Litestar) -> dict[str, list[Role]]:
    """What a role is not offered, with the roles that are. An act is named `act.NAME`."""
    if _KEPT not in app.state:
        app.state[_KEPT] = whose(app.routes, needs())
    kept: Whose = app.state[_KEPT]
    return {entry: list(roles) for entry, roles in kept.items() if role not in roles}


def whose(routes: Iterable[Any], wanted: Mapping[str, Sequence[str]]) -> Whose:
    """The roles of each entry: none for one that needs what no route of this node is."""
    rules = {
        f"{method} {route.path_format}": declared(handler)
        for route in routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }

    def may(role: Role, operation: str) -> bool:
        rule = rules.get(operation)
        return rule is not None and (rule.is_open or role in rule.roles)

    return {
        entry: [role for role in READERS if all(may(role, each) for each in operations)]
        for entry, operations in wanted.items()
    }


@cache
def needs() -> dict[str, tuple[str, ...]]:
    """The operations that each page, and each act as `act.NAME`, needs."""
    told = tomllib.loads(NEEDS_FILE.read_text())
    return {
        **{name: tuple(operations) for name, operations in told["pages"].items()},
        **{f"act.{name}": tuple(operations) for name, operations in told["acts"].items()},
    }
