"""Routes of screening: the lists that are in force, names held against them, alerts judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, LIST, READ
from zhidao.core.actor import Actor
from zhidao.finance.events import ListUsed, ScreeningHit
from zhidao.finance.service.control.screening import MAY_JUDGE, MAY_SCREEN, Screened, Screening
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
_Id = Annotated[str, Parameter(pattern=_UUID, max_length=36)]
_After = Annotated[str, Parameter(max_length=140)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]


_SCREENINGS = Listing(
    "screenings", ("screening",), ("screening", "name", "at", "state", "judged_by", "reason")
)


class NewScreening(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A name to be screened; `screening` (a UUID of the caller) names the answer for good."""

    screening: Annotated[str, msgspec.Meta(pattern=_UUID, max_length=36)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Judgement(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person makes of an alert, and why."""

    verdict: Literal["cleared", "confirmed"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ScreeningView(msgspec.Struct, kw_only=True):
    """A recorded answer. `state`: clear, alert, cleared or confirmed."""

    screening: str
    name: str
    at: str
    state: str
    lists: list[ListUsed]
    hits: list[ScreeningHit]
    judged_by: str
    reason: str


class ListsView(msgspec.Struct, kw_only=True):
    """The lists of this node; `stopped` says why nothing is screened now, or is empty."""

    lists: list[ListUsed]
    stopped: str


def routes(screening: Screening) -> Router:
    """Routes under /v1/finance/screenings."""

    @get("/lists", opt={ACCESS: CALLER})
    async def lists(actor: Actor) -> ListsView:
        """Which lists are in force, of which day, and by which digest."""
        del actor  # Anybody who is signed in may ask.
        versions, stopped = await screening.versions()
        return ListsView(
            lists=[
                ListUsed(
                    source=v.list, dated=v.dated.isoformat(), digest=v.digest, entries=v.entries
                )
                for v in versions
            ],
            stopped=stopped,
        )

    @post("/", opt={ACCESS: MAY_SCREEN})
    async def screen(data: NewScreening, actor: Actor) -> ScreeningView:
        """Holds a name against all lists and records the answer. Again: the same answer.

        With no list, or one that is too old, there is no answer.
        """
        await screening.screen(actor, screening=data.screening, name=data.name)
        return _view(await screening.one(actor, data.screening))

    @get("/", opt={LISTED: _SCREENINGS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[ScreeningView]:
        """The caller's screenings by id: the name, the lists that answered, and the outcome."""
        return [_view(each) for each in await screening.screenings(actor, limit=limit, after=after)]

    @get("/{screening_id:str}", opt={ACCESS: READ})
    async def one(screening_id: _Id, actor: Actor) -> ScreeningView:
        """One screening of the caller's party."""
        return _view(await screening.one(actor, screening_id))

    @post("/{screening_id:str}/judgement", opt={ACCESS: MAY_JUDGE})
    async def judge(screening_id: _Id, data: Judgement, actor: Actor) -> ScreeningView:
        """A person clears or confirms the alert; tokens are refused. Again: no change."""
        found = await screening.judge(
            actor, screening=screening_id, verdict=data.verdict, reason=data.reason
        )
        return _view(found)

    handlers: list[Any] = [lists, screen, listed, one, judge]
    return Router("/v1/finance/screenings", route_handlers=handlers, tags=["finance"])


def _view(screened: Screened) -> ScreeningView:
    answer, judged = screened.answer, screened.judged
    return ScreeningView(
        screening=answer.screening,
        name=answer.name,
        at=screened.at,
        state=screened.state,
        lists=answer.lists,
        hits=answer.hits,
        judged_by=judged.person if judged else "",
        reason=judged.reason if judged else "",
    )
