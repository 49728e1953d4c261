"""Who still speaks for a party, for rooms that ask whether a person's word counts yet."""

from __future__ import annotations

from zhidao.core.actor import Actor
from zhidao.node.security.callers import Callers


class StandingPersons:
    """The people of this node, as they are now."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def standing(self, name: str) -> Actor | None:
        """As whom a person speaks now; None for one who does not stand.

        Who was withdrawn or never was, who has no password yet, and who waits for the party's word
        on a new role or on a password that an admin reset: behind that one anybody may sign in.
        """
        person = await self._callers.person(name)
        if person is None or not person.stands:
            return None
        return Actor(person.party, person.role, person.name)
