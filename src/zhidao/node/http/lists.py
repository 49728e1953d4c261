"""Every list route again as a table: /v1/lists/NAME, and the whole of it as CSV beside it.

A list route says in its `opt` under `LISTED` what its rows are called by. What stands here reads
through that same route, under its own access, so that no list shows more than its route does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Annotated, Any, Final, get_args, get_type_hints

import msgspec
from litestar import Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from litestar.response import Stream
from litestar.routes import HTTPRoute

from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.cursor import CURSOR_CHARACTERS_MAX
from zhidao.node.lists.listing import (
    LISTED,
    Listing,
    csv_head,
    csv_row,
    wanted,
)
from zhidao.node.lists.reading import Lists, Source

LIST_ROWS_MAX: Final = 100
SORT_CHARACTERS_MAX: Final = 64
_CSV: Final = "text/csv; charset=utf-8"

_Limit = Annotated[int, Parameter(ge=1, le=LIST_ROWS_MAX)]
_After = Annotated[str, Parameter(max_length=CURSOR_CHARACTERS_MAX)]
_Sort = Annotated[str, Parameter(max_length=SORT_CHARACTERS_MAX)]
_Filters = Annotated[list[str] | None, Parameter(query="filter")]
_Where = Annotated[list[str] | None, Parameter(query="where")]


def routes_of_lists(routers: Iterable[Any], lists: Lists) -> Router:
    """Routes under /v1/lists for all list routes of these routers."""
    handlers: list[HTTPRouteHandler] = []
    for handler in _listed(routers):
        handlers += _twins(handler, lists)
    return Router("/v1/lists", route_handlers=handlers, tags=["lists"])


def _listed(routers: Iterable[Any]) -> Iterator[HTTPRouteHandler]:
    for router in routers:
        for route in getattr(router, "routes", ()):
            if isinstance(route, HTTPRoute):
                yield from (h for h in route.route_handlers if isinstance(_listing(h), Listing))


def _listing(handler: HTTPRouteHandler) -> Listing | None:
    found = handler.opt.get(LISTED)
    return found if isinstance(found, Listing) else None


def _twins(handler: HTTPRouteHandler, lists: Lists) -> list[HTTPRouteHandler]:
    listing = _listing(handler)
    assert listing is not None
    hints = get_type_hints(handler.fn, include_extras=True)
    source = Source(listing, handler.fn, is_paged="limit" in hints)
    row = _row_of(hints["return"], listing)
    fields = [("rows", GenericAlias(list, (row,))), ("next", str)]
    shape: Any = msgspec.defstruct(f"Listed{row.__name__}", fields, kw_only=True)
    opt = {ACCESS: handler.opt[ACCESS]}

    async def page(
        actor: Actor,
        limit: _Limit = 50,
        after: _After = "",
        sort: _Sort = "",
        filters: _Filters = None,
        conditions: _Where = None,
    ) -> Any:
        asked = wanted(listing, sort=sort, filters=filters or (), where=conditions or ())
        rows, behind = await lists.page(source, actor, asked, limit=limit, after=after)
        return shape(rows=rows, next=behind)

    async def whole(
        actor: Actor, sort: _Sort = "", filters: _Filters = None, conditions: _Where = None
    ) -> Stream:
        asked = wanted(listing, sort=sort, filters=filters or (), where=conditions or ())
        parts = lists.every(source, actor, asked)
        # What is refused is refused before the first byte.
        first = await _first(parts)
        name = f'attachment; filename="{listing.name}.csv"'
        return Stream(
            _lines(listing, first, parts), headers={"content-disposition": name}, media_type=_CSV
        )

    page.__annotations__["return"] = shape
    words = listing.name.replace("-", " ")
    page.__doc__ = f"A page of the list of {words}, ordered and filtered as asked."
    whole.__doc__ = f"The whole list of {words} as CSV, ordered and filtered as asked."
    return [
        get(f"/{listing.name}", opt=opt)(page),
        get(f"/{listing.name}/csv", opt=opt, media_type="text/csv")(whole),
    ]


def _row_of(answer: Any, listing: Listing) -> Any:
    if listing.rows:
        answer = get_type_hints(answer, include_extras=True)[listing.rows]
    return get_args(answer)[0]


async def _first(parts: AsyncIterator[Sequence[Any]]) -> Sequence[Any]:
    async for rows in parts:
        return rows
    return ()


async def _lines(
    listing: Listing, first: Sequence[Any], parts: AsyncIterator[Sequence[Any]]
) -> AsyncIterator[str]:
    yield csv_head(listing) + "".join(csv_row(row, listing) for row in first)
    async for rows in parts:
        yield "".join(csv_row(row, listing) for row in rows)
