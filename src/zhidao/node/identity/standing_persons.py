"""Who still speaks for a party, for rooms that ask whether a person's word counts yet."""

from __future__ import annotations

from zhidao.core.actor import Actor
from zhidao.node.security.callers import Callers


class StandingPersons:
    """The people of this node, as they are now."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def standing(self, name: str) -> Actor | None:
        """As whom a person speaks now; None for one who was withdrawn, or never was."""
        person = await self._callers.person(name)
        if person is None or person.withdrawn:
            return None
        return Actor(person.party, person.role, person.name)
