"""The route of search: what begins with a typed text, among what the caller may see."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, get
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.search.finding import FOUND_MAX, MAY_SEARCH, Search

SEARCHED_CHARACTERS_MAX: Final = 200


class FoundView(msgspec.Struct, kw_only=True):
    """What was found.

    `kind`: consignment, container, bill, invoice, paper, title, deal, payment, credit, receivable,
    declaration, terminal, seal, order, lot or party. `subject` is its key, `label` what people
    call it, `consignment` the one that it belongs to, if the caller sees that.
    """

    kind: str
    subject: str
    label: str
    consignment: str


class FoundList(msgspec.Struct, kw_only=True):
    """What was found, the exact ones first. More may begin so: type more of the name."""

    found: list[FoundView]


def routes(search: Search) -> Router:
    """GET /v1/search."""

    @get("/search", opt={ACCESS: MAY_SEARCH})
    async def find(
        actor: Actor,
        text: Annotated[
            str, Parameter(query="q", min_length=1, max_length=SEARCHED_CHARACTERS_MAX)
        ],
        limit: Annotated[int, Parameter(ge=1, le=FOUND_MAX)] = 20,
    ) -> FoundList:
        """What the caller may see whose name begins with `q`, however it is typed."""
        found = await search.search(actor, text, limit=limit)
        return FoundList(
            found=[
                FoundView(
                    kind=each.kind,
                    subject=each.subject,
                    label=each.label,
                    consignment=each.consignment,
                )
                for each in found
            ]
        )

    return Router("/v1", route_handlers=[find], tags=["search"])
