"""Routes of recalls: a lot called back, what was found, which consignments hold it, and the end."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Final

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.access import LIST, READ
from zhidao.core.actor import Actor
from zhidao.industry.domain.recall import Frozen, RecallState
from zhidao.industry.events import RecallDrilled
from zhidao.industry.service.epcis import THING_CHARS_MAX
from zhidao.industry.service.recalls import (
    MAY_LIFT,
    MAY_RECALL,
    MAY_SEE_LIST,
    REASON_CHARS_MAX,
    RecallService,
)
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing

THINGS_MAX: Final = 1_000
_Thing = Annotated[str, msgspec.Meta(min_length=1, max_length=THING_CHARS_MAX)]
_Level = Annotated[int, msgspec.Meta(ge=1, le=3)]
_Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)]
_Recall = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}-[0-9]{4}\Z")]
_Consignment = Annotated[str, Parameter(min_length=1, max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Rows = Annotated[int, Parameter(ge=1, le=THINGS_MAX)]
_After = Annotated[str, Parameter(max_length=40)]
_AfterThing = Annotated[str, Parameter(max_length=THING_CHARS_MAX)]
_RECALLS = Listing(
    "recalls", ("recall",), ("recall", "lot", "level", "by", "state", "opened_at", "flagged")
)


class NewLotRecall(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A lot to be called back. `level`: 1 where it is a danger to life, to 3."""

    lot: _Thing
    level: _Level
    reason: _Reason = ""


class NewRecallDrill(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A lot for which a recall is tried."""

    lot: _Thing
    level: _Level = 1


class RecallLifting(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a recall should end."""

    reason: _Reason = ""


class RecallView(msgspec.Struct, kw_only=True):
    """A recall as it stands. `state`: open, lifting (one person asked: `asked_by`) or lifted.

    `speaks_as`: maker or authority. `made`, `carried`, `not_told` count what its frozen list has;
    `cut_short`: there is more than it could hold. `flagged`: consignments that hold the goods.
    """

    recall: str
    lot: str
    level: int
    reason: str
    by: str
    speaks_as: str
    opened_at: str
    state: str
    asked_by: str
    made: int
    carried: int
    not_told: int
    cut_short: bool
    flagged: int


class RecalledThing(msgspec.Struct, kw_only=True):
    """A thing of a frozen list. `role`: `made` of the lot, or what only `carried` it.

    `told`: false where nobody says where it went on.
    """

    thing: str
    role: str
    told: bool


class RecallFlag(msgspec.Struct, kw_only=True):
    """A consignment that holds goods of a recall. `cleared`: the recall was lifted."""

    recall: str
    consignment: str
    lot: str
    level: int
    lots: list[str]
    cleared: bool


def routes(recalls: RecallService) -> Router:
    """Routes of recalls under /v1/industry."""

    async def told(state: RecallState) -> RecallView:
        return _view(state, len(await recalls.flagged(state.opened.recall)))

    @post("/recalls", opt={ACCESS: MAY_RECALL})
    async def open_recall(data: NewLotRecall, actor: Actor) -> RecallView:
        """Calls a lot back: freezes what was made of it, and flags the consignments that hold it.

        Only for the lot's maker, or an authority that the trust list names. The same again flags
        the consignments that came since, and changes nothing else.
        """
        opened = await recalls.open(actor, lot=data.lot, level=data.level, reason=data.reason)
        return await told(opened)

    @post("/recalls/drill", opt={ACCESS: MAY_RECALL})
    async def drill(data: NewRecallDrill, actor: Actor) -> RecallDrilled:
        """Finds all that a recall would, changes nothing, and writes down how long it took."""
        return await recalls.drill(actor, lot=data.lot, level=data.level)

    @get("/recalls", opt={LISTED: _RECALLS, ACCESS: LIST})
    async def listed(actor: Actor, limit: _Limit = 50, after: _After = "") -> list[RecallView]:
        """The recalls that the caller may see, by name."""
        found = await recalls.recalls(actor, limit=limit, after=after)
        return [await told(each) for each in found]

    @get("/recalls/{recall:str}", opt={ACCESS: READ})
    async def one_recall(recall: _Recall, actor: Actor) -> RecallView:
        """A recall as it stands."""
        return await told(await recalls.recall(actor, recall))

    @get("/recalls/{recall:str}/things", opt={ACCESS: MAY_SEE_LIST})
    async def things(
        recall: _Recall, actor: Actor, limit: _Rows = THINGS_MAX, after: _AfterThing = ""
    ) -> list[RecalledThing]:
        """The frozen list, for who opened the recall, by name behind `after`."""
        return _rows(await recalls.things(actor, recall), limit, after)

    @post("/recalls/{recall:str}/lift", opt={ACCESS: MAY_LIFT})
    async def lift(recall: _Recall, data: RecallLifting, actor: Actor) -> RecallView:
        """One person asks to end a recall, another one of the same party ends it by asking too."""
        return await told(await recalls.lift(actor, recall, reason=data.reason))

    @get("/recalled", opt={ACCESS: READ})
    async def flags(consignment: _Consignment, actor: Actor) -> list[RecallFlag]:
        """The recalls whose goods are in a consignment, for who is told of it; none for others."""
        return [
            RecallFlag(
                recall=flag.recall,
                consignment=flag.consignment,
                lot=flag.lot,
                level=flag.level,
                lots=flag.lots,
                cleared=cleared,
            )
            for flag, cleared in await recalls.flags_of(actor, consignment)
        ]

    handlers = [open_recall, drill, listed, one_recall, things, lift, flags]
    return Router("/v1/industry", route_handlers=handlers, tags=["industry"])


def _rows(frozen: Frozen, limit: int, after: str) -> list[RecalledThing]:
    roles = dict.fromkeys(frozen.carried, "carried") | dict.fromkeys(frozen.made, "made")
    names = sorted(roles)
    begin = bisect_right(names, after) if after else 0
    unknown = set(frozen.not_told)
    return [
        RecalledThing(thing=name, role=roles[name], told=name not in unknown)
        for name in names[begin : begin + limit]
    ]


def _view(state: RecallState, flagged: int) -> RecallView:
    opened = state.opened
    return RecallView(
        recall=opened.recall,
        lot=opened.lot,
        level=opened.level,
        reason=opened.reason,
        by=state.by,
        speaks_as=opened.speaks_as,
        opened_at=str(state.at),
        state=state.state,
        asked_by=state.asked_by,
        made=opened.made,
        carried=opened.carried,
        not_told=opened.not_told,
        cut_short=opened.cut_short,
        flagged=flagged,
    )
