"""Who asked where a SIM is: for the party whose SIM it is, and for an auditor."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import Parameter

from zhidao.connectivity.events import SimAsked
from zhidao.connectivity.service.questions import MAY_READ_QUESTIONS, QUESTIONS_MAX, Questions
from zhidao.core.actor import Actor
from zhidao.core.events import SignedEvent
from zhidao.node.http.access import ACCESS

_Phone = Annotated[str, Parameter(pattern=r"^(\+[1-9][0-9]{4,14})?\Z", max_length=16)]
_After = Annotated[str, Parameter(pattern=r"^([0-9a-f-]{36})?\Z", max_length=36)]
_Limit = Annotated[int, Parameter(ge=1, le=QUESTIONS_MAX)]


class SimQuestion(msgspec.Struct, kw_only=True):
    """A question where a SIM is. `event`: the id of the signed fact that says so."""

    question: str
    asked_at: str
    phone: str
    asker: str
    role: str
    api: str
    answer: str
    event: str


def routes(questions: Questions) -> Router:
    """What was asked about SIMs of the caller."""

    @get("/questions", opt={ACCESS: MAY_READ_QUESTIONS})
    async def listed(
        actor: Actor, phone: _Phone = "", after: _After = "", limit: _Limit = 50
    ) -> list[SimQuestion]:
        """Lists who asked where SIMs of the caller's party are, newest first; an auditor sees all.

        after: the name of a question; goes on with those that were asked before it.
        """
        found = await questions.listed(actor, phone=phone, after=after, limit=limit)
        return [_view(each) for each in found]

    return Router("/v1/connectivity", route_handlers=[listed], tags=["connectivity"])


def _view(event: SignedEvent) -> SimQuestion:
    fact = SimAsked.of(event)
    return SimQuestion(
        question=fact.question,
        asked_at=str(event.occurred_at),
        phone=fact.phone,
        asker=fact.asker,
        role=fact.role,
        api=fact.api,
        answer=fact.answer,
        event=str(event.id),
    )
