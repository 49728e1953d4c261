"""Routes of a person's own choices about the pages."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Router, get, put
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.node.http.access import ACCESS
from zhidao.node.preferences.choices import MAY_PREFER, Look, OwnPreferences, TableChoice

SHOWN_COLUMNS_MAX = 40
_List = Annotated[str, Parameter(pattern=r"^[a-z][a-z-]{0,39}\Z")]
_Column = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_.]{0,39}\Z")]


class PageLook(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How pages look. `language`, `theme`: `auto` for what the browser says."""

    language: Annotated[str, msgspec.Meta(pattern=r"^(auto|[a-z]{2,3})\Z")]
    theme: Literal["auto", "light", "dark"]
    times: Literal["local", "utc"]
    borders: Literal["thin", "none"]


class TableLook(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a table stands. `sort`: a column, `-` before it: from the end; `shown`: its columns."""

    sort: Annotated[str, msgspec.Meta(pattern=r"^(-?[a-z][a-z_.]{0,39})?\Z")]
    shown: Annotated[list[_Column], msgspec.Meta(max_length=SHOWN_COLUMNS_MAX)]


class PreferencesView(msgspec.Struct, kw_only=True):
    """What the caller chose. `kept`: whether choices can be kept; not for tokens and links."""

    kept: bool
    look: PageLook | None
    tables: dict[str, TableLook]


def routes(preferences: OwnPreferences) -> Router:
    """Routes under /v1/preferences."""

    @get("/preferences", opt={ACCESS: MAY_PREFER})
    async def own(actor: Actor) -> PreferencesView:
        """What the caller chose of how pages look, in any browser."""
        found = await preferences.own(actor)
        return PreferencesView(
            kept=bool(actor.person),
            look=msgspec.convert(found.look, PageLook, from_attributes=True)
            if found.look
            else None,
            tables={
                name: TableLook(sort=each.sort, shown=list(each.shown))
                for name, each in found.tables.items()
            },
        )

    @put("/preferences", status_code=204, opt={ACCESS: MAY_PREFER})
    async def look(data: PageLook, actor: Actor) -> None:
        """Keeps how pages look for the caller; mails and pushes take the language as well."""
        await preferences.look(actor, Look(**msgspec.structs.asdict(data)))

    @put("/preferences/tables/{name:str}", status_code=204, opt={ACCESS: MAY_PREFER})
    async def table(name: _List, data: TableLook, actor: Actor) -> None:
        """Keeps how one table stands for the caller."""
        choice = TableChoice(sort=data.sort, shown=tuple(data.shown))
        await preferences.table(actor, name, choice)

    return Router("/v1", route_handlers=[own, look, table], tags=["preferences"])
