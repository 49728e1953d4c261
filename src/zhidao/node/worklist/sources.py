"""Where work comes from: timelines, approvals, screenings, declarations, people and tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

from zhidao.core.actor import Actor, Role
from zhidao.finance.domain.payments.approval import Approval
from zhidao.finance.service.control.screening import Screened
from zhidao.node.security.people import People
from zhidao.node.security.tokens import Tokens
from zhidao.node.shipment_timeline.view import TimelineList
from zhidao.node.worklist.service import Source, WorkItem
from zhidao.trade.domain.clearance.declaration import Declaration, Status

_PAGE: Final = 100
# Lists go by name and not by state, so a worklist looks through so many of each and no further.
LOOKS_MAX: Final = 2_000
_OPEN: Final = (Status.SUBMITTED, Status.ASSESSED, Status.HELD)
_T = TypeVar("_T")


class Timelines(Protocol):
    """The timelines, as far as a worklist needs them."""

    async def timelines(self, actor: Actor) -> TimelineList:
        """The newest consignments that the actor may see."""
        ...


class Approvals(Protocol):
    """What waits for two persons."""

    async def approvals(self, actor: Actor, *, limit: int, after: str = "") -> list[Approval]:
        """In order of name."""
        ...


class Screenings(Protocol):
    """Answers about names."""

    async def screenings(self, actor: Actor, *, limit: int, after: str = "") -> list[Screened]:
        """In order of party and id."""
        ...


class Declarations(Protocol):
    """What was lodged with customs."""

    async def listed(self, actor: Actor, *, limit: int, after: str = "") -> list[Declaration]:
        """By number."""
        ...


def moves(timelines: Timelines) -> Source:
    """Moves of the caller's party on its consignments."""

    async def source(actor: Actor) -> list[WorkItem]:
        if actor.role is not Role.PARTY:
            return []
        return [
            WorkItem(kind="move", act=move.key, subject=road.consignment, label=road.label)
            for road in (await timelines.timelines(actor)).roads
            for move in road.moves
            if move.party == actor.party
        ]

    return source


def approvals(service: Approvals) -> Source:
    """Acts of the party that wait for a second person's word, if the caller is a person."""

    async def page(actor: Actor, after: str) -> list[Approval]:
        return await service.approvals(actor, limit=_PAGE, after=after)

    async def source(actor: Actor) -> list[WorkItem]:
        if actor.role is not Role.PARTY or not actor.person:
            return []
        return [
            WorkItem(
                kind="approval",
                act=each.asked.act,
                subject=each.asked.approval,
                label=each.asked.subject,
            )
            for each in await _through(actor, page, lambda one: one.asked.approval)
            if each.state == "waits" and actor.person not in each.approved_by
        ]

    return source


def screenings(service: Screenings) -> Source:
    """Hits on a sanctions list that nobody of the party has judged."""

    async def page(actor: Actor, after: str) -> list[Screened]:
        return await service.screenings(actor, limit=_PAGE, after=after)

    async def source(actor: Actor) -> list[WorkItem]:
        if actor.role is not Role.PARTY:
            return []
        return [
            WorkItem(
                kind="screening",
                act="judge",
                subject=each.answer.screening,
                label=each.answer.name,
            )
            for each in await _through(actor, page, lambda one: one.answer.screening)
            if each.state == "alert"
        ]

    return source


def declarations(service: Declarations) -> Source:
    """Declarations for customs to decide, and for agencies that have not answered."""

    async def page(actor: Actor, after: str) -> list[Declaration]:
        return await service.listed(actor, limit=_PAGE, after=after)

    async def source(actor: Actor) -> list[WorkItem]:
        if actor.role is not Role.PARTY:
            return []
        items = []
        for each in await _through(actor, page, lambda one: one.submitted.declaration):
            act = _act_on(each, actor)
            if act:
                number = each.submitted.declaration
                items.append(WorkItem(kind="declaration", act=act, subject=number, label=number))
        return items

    return source


def agreements(people: People, tokens: Tokens) -> Source:
    """People and tokens of the caller's party that get in once it agrees."""

    async def source(actor: Actor) -> list[WorkItem]:
        return [
            *(
                WorkItem(kind="agreement", act="person", subject=each.name, label=each.name)
                for each in await people.waiting_for(actor)
            ),
            *(
                WorkItem(
                    kind="agreement", act="token", subject=each.id, label=each.label or each.id
                )
                for each in await tokens.waiting_for(actor)
            ),
        ]

    return source


def _act_on(found: Declaration, actor: Actor) -> str:
    if found.status not in _OPEN:
        return ""
    if found.submitted.customs == actor.party:
        return "decide"
    waits = actor.party in found.submitted.agencies and actor.party not in found.answers
    return "answer" if waits else ""


async def _through(
    actor: Actor,
    page: Callable[[Actor, str], Awaitable[Sequence[_T]]],
    name: Callable[[_T], str],
) -> list[_T]:
    """A list page by page, as far as a worklist looks."""
    found: list[_T] = []
    while len(found) < LOOKS_MAX:
        rows = await page(actor, name(found[-1]) if found else "")
        found += rows
        if len(rows) < _PAGE:
            break
    return found
