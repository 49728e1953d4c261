"""Routes of EPCIS 2.0: capture, query, and traces through what was captured."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import Parameter

from zhidao.core.access import READ
from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId, party_id
from zhidao.core.timescale import Utc
from zhidao.industry.domain.genealogy import Edge, instant
from zhidao.industry.domain.mass_balance import Balance
from zhidao.industry.domain.trace import Direction, Step, Trace
from zhidao.industry.service.epcis import MAY_CAPTURE, THING_CHARS_MAX, EpcisService
from zhidao.node.http.access import ACCESS

READERS_MAX: Final = 50
_Thing = Annotated[str, Parameter(min_length=1, max_length=THING_CHARS_MAX)]
_Words = Annotated[str, Parameter(max_length=4_000)]
_At = Annotated[str, Parameter(max_length=40)]
_Behaviour = Annotated[
    Literal["rollback", "proceed"] | None, Parameter(header="GS1-Capture-Error-Behaviour")
]


class RefusedEvent(msgspec.Struct, kw_only=True):
    """An event of a document that was left out: which, where in it, and why."""

    index: int
    pointer: str
    reason: str


class LotBalance(msgspec.Struct, kw_only=True):
    """What one party says went into a lot and was taken of it, in one unit; decimals as text.

    `unit`: of UN/ECE Rec. 20, empty for pieces. `stock`: as counted last, empty if it never was.
    Where it does not hold, `said_in` is the last event that put something in, and `said_over` the
    first that went beyond.
    """

    lot: str
    by: str
    unit: str
    put_in: str
    taken_out: str
    scrapped: str
    stock: str
    holds: bool
    said_in: str
    said_over: str


class CaptureView(msgspec.Struct, kw_only=True):
    """What became of a document. `aside`: events that count for nothing in a trace, with why.

    `imbalances`: lots of which more was taken than went in.
    """

    job: str
    events: list[str]
    aside: dict[str, str]
    refused: list[RefusedEvent]
    imbalances: list[LotBalance]


class TraceStep(msgspec.Struct, kw_only=True):
    """A thing that was reached, and the step that led to it.

    `role`: `made` of it (or of which it was made), or `carried` by or in it. `before` is the thing
    from which the step came; `event` the event that says so, and `by` the party that said it.
    """

    thing: str
    role: str
    from_time: str
    to_time: str
    before: str
    event: str
    by: str


class TraceEnd(msgspec.Struct, kw_only=True):
    """Where a branch ends and why: origin, not_told, shipped, sold, gone or here."""

    thing: str
    why: str
    event: str
    by: str


class TraceView(msgspec.Struct, kw_only=True):
    """Where a thing went, or came from. `complete`: no branch ends with what nobody told here.

    `made` and `beside` are the two figures of a recall: what is made of it, and what only stood
    beside it in the same container at the same time. `imbalances`: lots among them of which more
    was taken than went in.
    """

    thing: str
    direction: str
    made: int
    carried: int
    beside: int
    complete: bool
    cut_short: bool
    steps: list[TraceStep]
    ends: list[TraceEnd]
    cycles: list[list[str]]
    contradictions: list[list[str]]
    imbalances: list[LotBalance]


def routes(epcis: EpcisService) -> Router:
    """Routes under /v1/epcis."""

    @post("/capture", status_code=202, opt={ACCESS: MAY_CAPTURE})
    async def capture(
        request: Request[Any, Any, Any],
        data: dict[str, Any],
        actor: Actor,
        behaviour: _Behaviour = None,
        readers: _Words = "",
    ) -> CaptureView:
        """Takes an EPCIS 2.0 document in JSON as the caller's word; all of it, or nothing.

        With `GS1-Capture-Error-Behaviour: proceed` the wrong events of it are left out. `readers`:
        parties that may see the events beside the caller, with commas between.
        """
        del data  # It has shown that it is an object; the bytes are read strictly, and kept.
        done = await epcis.capture(
            actor,
            await request.body(),
            readers=_readers(readers),
            proceed=behaviour == "proceed",
        )
        return CaptureView(
            job=done.job,
            events=list(done.events),
            aside=dict(done.aside),
            refused=[
                RefusedEvent(index=each.index, pointer=each.pointer, reason=each.said)
                for each in done.refused
            ],
            imbalances=[balance_view(each) for each in done.imbalances],
        )

    @get("/events", opt={ACCESS: READ})
    async def events(request: Request[Any, Any, Any], actor: Actor) -> Response[dict[str, Any]]:
        """The events that fit the parameters of a SimpleEventQuery, newest first.

        A link `next` in the head says where the next page is.
        """
        asked = {name: request.query_params.getall(name) for name in request.query_params}
        page = await epcis.events(actor, asked)
        headers = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
        if page.token:
            query = urlencode(asked | {"nextPageToken": [page.token]}, doseq=True)
            headers["Link"] = f'</v1/epcis/events?{query}>; rel="next"'
        return Response(page.document, headers=headers)

    @get("/trace", opt={ACCESS: READ})
    async def traced(
        actor: Actor,
        thing: _Thing,
        direction: Literal["forward", "backward"] = "forward",
        at: _At = "",
    ) -> TraceView:
        """Follows a thing to what became of it, or back to where it came from.

        `at`: only what it stood in, or what stood in it, at that instant.
        """
        found = await epcis.trace(
            actor, thing, Direction(direction), at=Utc.parse(at) if at else None
        )
        view = await asyncio.to_thread(view_of, found)
        things = [found.start, *(step.thing for step in view.steps if step.role == "made")]
        view.imbalances = [balance_view(each) for each in await epcis.imbalances(actor, things)]
        return view

    @get("/balance", opt={ACCESS: READ})
    async def balance(actor: Actor, lot: _Thing) -> list[LotBalance]:
        """What went into a lot and what was taken of it, by party and unit."""
        return [balance_view(each) for each in await epcis.balance(actor, lot)]

    handlers = [capture, events, traced, balance]
    return Router("/v1/epcis", route_handlers=handlers, tags=["industry"])


def balance_view(told: Balance) -> LotBalance:
    """A balance as the API tells it."""
    return LotBalance(
        lot=told.lot,
        by=told.by,
        unit=told.unit,
        put_in=format(told.put_in, "f"),
        taken_out=format(told.taken_out, "f"),
        scrapped=format(told.scrapped, "f"),
        stock="" if told.stock is None else format(told.stock, "f"),
        holds=told.holds,
        said_in=told.said_in,
        said_over=told.said_over,
    )


def view_of(found: Trace) -> TraceView:
    """A trace as the API tells it, its lots not weighed."""
    ends = [
        TraceEnd(thing=end.thing, why=str(end.why), event=_event(end.event), by=_by(end.event))
        for end in found.ends
    ]
    return TraceView(
        thing=found.start,
        direction=str(found.direction),
        made=len(found.made),
        carried=len(found.carried),
        beside=len(found.beside),
        complete=not found.cut_short and all(end.why != "not_told" for end in ends),
        cut_short=found.cut_short,
        steps=[_step(step) for step in found.steps],
        ends=ends,
        cycles=[list(cycle) for cycle in found.cycles],
        contradictions=[_pair(one, other) for one, other in found.contradictions],
        imbalances=[],
    )


def _step(step: Step) -> TraceStep:
    said = step.edge.event if step.edge else ""
    return TraceStep(
        thing=step.state.thing,
        role="made" if step.state.own else "carried",
        from_time=instant(step.state.from_ns),
        to_time=instant(step.state.to_ns),
        before=step.before.thing if step.before else "",
        event=_event(said),
        by=_by(said),
    )


def _pair(one: Edge, other: Edge) -> list[str]:
    return [one.source, one.target, _event(one.event), other.target, _event(other.event)]


def _event(key: str) -> str:
    return key.partition(" ")[2]


def _by(key: str) -> str:
    return key.partition(" ")[0]


def _readers(text: str) -> list[PartyId]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if len(names) > READERS_MAX:
        raise MalformedInput(f"at most {READERS_MAX} readers", where="readers")
    return [party_id(name) for name in names]
