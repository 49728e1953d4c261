"""Gathers what waits for a caller from whoever knows of it, and says where each is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from zhidao.core.actor import Actor

# A person looks at so many; whoever has more is told that there are more.
ITEMS_MAX: Final = 200


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One act that waits for the caller.

    `kind`: move (on a consignment's road), approval (a second person's word), screening (a hit to
    judge), declaration (to decide) or agreement (to a person or token of one's party). `act` says
    which, `subject` names the thing, `label` is what people call it.
    """

    kind: str
    act: str
    subject: str
    label: str


class Worklist(msgspec.Struct, frozen=True, kw_only=True):
    """What waits. `more`: more was found than the list holds."""

    items: list[WorkItem]
    more: bool


Source = Callable[[Actor], Awaitable[Sequence[WorkItem]]]
"""Items of one kind that wait for the actor, as far as the source looks."""


class Worklists:
    """Answers for all kinds of act."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """`sources` in the order in which people are shown what they have."""
        self._sources = sources

    async def of(self, actor: Actor) -> Worklist:
        """What waits for the actor now."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(_ask(source, actor)) for source in self._sources]
        items = [item for task in asked for item in task.result()]
        return Worklist(items=items[:ITEMS_MAX], more=len(items) > ITEMS_MAX)


async def _ask(source: Source, actor: Actor) -> Sequence[WorkItem]:
    return await source(actor)
