"""Names of people: each is read as one person's and nobody else's.

Two persons must approve what one may not do. Whoever looks at who approved sees names, so no name
is given that a reader takes for one that stands or stood: not by case, blanks too many, marks,
letters alike or what has no shape. "liwei" and "li wei" are two names.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict
from zhidao.core.text.confusable import skeletons
from zhidao.core.text.plain_text import refuse_untidy
from zhidao.node.security.callers import Callers
from zhidao.node.security.gate import GUEST


class PersonNames:
    """Gives names to new people, one at a time."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._one_by_one = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def free(self, actor: Actor, name: str) -> AsyncIterator[None]:
        """Inside, nobody else is named; whoever keeps a person of the name does so there.

        Raises MalformedInput (`unprintable`) for a name with blanks too many or with what nobody
        sees, Conflict (`name_taken`) for one that is taken, or is taken for another's.
        """
        refuse_untidy(name, path="$.name")
        read = skeletons(name)
        async with self._one_by_one:
            if not read.isdisjoint(skeletons(GUEST)):
                raise taken(name)
            for each in await self._callers.persons():
                if not read.isdisjoint(skeletons(each.name)):
                    seen = actor.role is not Role.PARTY or actor.party == each.party
                    raise taken(name, each.name if seen else "")
            yield


def taken(name: str, by: str = "") -> Conflict:
    """The refusal of a name. `by`: whose name it is read as, if whoever asks may know that."""
    if by in ("", name):
        return Conflict(f"the name {name!r} is taken", code="name_taken")
    return Conflict(
        f"the name {name!r} is read as {by!r}, who is somebody else",
        code="name_taken",
        remedy="choose a name that differs in more than case, marks or letters that look alike",
    )
