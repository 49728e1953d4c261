"""Looks at what waits for whoever wants to be told, and writes down what is new.

Nothing is handed from memory to memory: what waits is read from what the node knows, what was told
from the table, and the difference and the messages about it are one transaction. So a node that
dies at any moment tells it after its start, and tells nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Item,
    Message,
    digest,
)
from zhidao.node.notifications.ports import Store

# Every change of what waits is an event, which wakes; a deadline that passes is none.
LOOK_NS: Final = 20 * NS
# Looks take at most this part of the time, and are at most so far apart while things happen.
_SHARE: Final = 0.25
_PAUSE_S, _PAUSE_S_LONGEST, _PAUSE_S_AWAY = 0.5, 4.0, 2.0
_LOG: Final = logging.getLogger("zhidao.notifications")


class Found:
    """What waits for one person. `more`: the list holds not all of it."""

    def __init__(self, items: Sequence[Item], *, more: bool) -> None:
        self.items = items
        self.more = more


Persons = Callable[[], Awaitable[Iterable[Actor]]]
"""Those who may sign in now."""
Worklist = Callable[[Actor], Awaitable[Found]]
"""What waits for somebody, as far as that person may see it."""
Changed = Callable[[int], Awaitable[int]]
"""Returns when something happened since that count, or after a while; the count now."""


class Watch:
    """Turns what waits into messages."""

    def __init__(
        self,
        store: Store,
        persons: Persons,
        worklist: Worklist,
        clock: Clock,
        *,
        changed: Changed,
        wake: Callable[[], None],
    ) -> None:
        """`wake`: tells whoever delivers that there is something."""
        self._store = store
        self._persons = persons
        self._worklist = worklist
        self._clock = clock
        self._changed = changed
        self._wake = wake

    async def run(self) -> None:
        """Looks after each change until cancelled; again once the node's own database is back."""
        seen = 0
        while True:
            began_s = time.monotonic()
            try:
                await self.look()
            except Unavailable as error:
                if not error.is_own_infrastructure:
                    raise
                _LOG.info("notifications wait: %s", error)
                await asyncio.sleep(_PAUSE_S_AWAY)
                continue
            took_s = time.monotonic() - began_s
            await asyncio.sleep(min(max(_PAUSE_S, took_s / _SHARE), _PAUSE_S_LONGEST))
            seen = await self._changed(seen)

    async def look(self) -> None:
        """Writes down, for everybody who has an address, what is new and what is gone."""
        addresses: dict[str, list[Address]] = {}
        for each in await self._store.addresses():
            if each.state is AddressState.LIVE:
                addresses.setdefault(each.person, []).append(each)
        if not addresses:
            return
        actors = {actor.person: actor for actor in await self._persons()}
        for person, channels in addresses.items():
            if person in actors:
                await self._look_for(actors[person], channels)
            else:
                for each in channels:
                    await self._store.change_address(each.id, AddressState.ENDED, "left")

    async def _look_for(self, actor: Actor, channels: Sequence[Address]) -> None:
        choice = await self._store.choice(actor.person)
        found = await self._worklist(actor)
        told = await self._store.told(actor.person)
        new, gone = _difference(found, choice.kinds, told)
        if not new and not gone:
            return
        now = self._clock.now()
        due = choice.due(now)
        messages = [_message(each, now, due, new) for each in channels] if new else []
        if await self._store.tell(actor.person, new=new, gone=gone, messages=messages):
            self._wake()


def _difference(
    found: Found, kinds: Collection[str], told: set[str]
) -> tuple[list[Item], set[str]]:
    """What waits and was not told, and what was told and waits no longer."""
    wanted = {each.key: each for each in found.items if each.kind in kinds}
    new = [each for key, each in wanted.items() if key not in told]
    return new, set() if found.more else told - wanted.keys()


def _message(address: Address, now: Utc, due: Utc, new: Sequence[Item]) -> Message:
    """What is told later joins what is told then; what is told at once is of this look alone."""
    later = due > now
    apart = [] if later else [str(now.tai_ns), *(each.key for each in new)]
    return Message(
        id=digest(address.id, str(due.tai_ns), *apart),
        person=address.person,
        address=address.id,
        about=About.WAITS,
        due_at=due,
        made_at=now,
    )
