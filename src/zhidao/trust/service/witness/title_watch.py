"""Looks for two titles under one bill's tag, over this node's log and its copies of others'.

Within one log the second leaf is refused; an issuer that wants two titles for one bill needs a
second node. Tags are public, so a leaf counts only if the event in it bears the signatures that it
claims, and only leaves that the same issuer's key claims are held against each other: nobody is
framed by a copied tag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.canonical import parse_strict
from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import ZhidaoError
from zhidao.core.events import EVENT_BYTES_MAX, SignedEvent
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.title_tag import DoubleTitle, Registered, double_titles
from zhidao.trust.events import TitleRegistered
from zhidao.trust.service.log.ports import LogStore

LEAVES_AT_ONCE: Final = 4096
_MARKS: Final = tuple(t.encode() for t in (TitleRegistered.TYPE, *TitleRegistered.FORMER))


@dataclass(slots=True)
class _Place:
    store: LogStore
    next: int = 0


@dataclass(slots=True)
class TitleWatch:
    """Remembers one leaf for each issuer's tag; reads each log once from its first leaf on.

    `logs`: the copies by origin. `alarm` is told of every double title once.
    """

    logs: Mapping[str, LogStore]
    alarm: Callable[[DoubleTitle], None] | None = None
    _places: dict[str, _Place] = field(default_factory=dict)
    _first: dict[tuple[str, str], Registered] = field(default_factory=dict)
    found: list[DoubleTitle] = field(default_factory=list)
    # Two readers at once would each move a log's place on.
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    def alarm_by(self, alarm: Callable[[DoubleTitle], None]) -> None:
        """From now on tells this one; and at once what was found before."""
        self.alarm = alarm
        for double in self.found:
            alarm(double)

    async def standing(self, issuer: str, tag: str) -> Registered | None:
        """The leaf that came first under an issuer's tag, of all logs read to their ends."""
        while await self.step():
            pass
        return self._first.get((issuer, tag))

    async def step(self) -> bool:
        """Reads the next leaves of every log; whether there may be more at once."""
        async with self._alone:
            return await self._step()

    async def _step(self) -> bool:
        more = False
        for origin, store in self.logs.items():
            place = self._places.setdefault(origin, _Place(store))
            leaves = await place.store.entries(place.next, LEAVES_AT_ONCE)
            for leaf in leaves:
                self._take(leaf)
            place.next += len(leaves)
            more |= len(leaves) == LEAVES_AT_ONCE
        return more

    def _take(self, leaf: bytes) -> None:
        read = _registered(leaf) if any(mark in leaf for mark in _MARKS) else None
        if read is None:
            return
        issuer, registered = read
        first = self._first.setdefault((issuer, registered.tag), registered)
        for double in double_titles((first, registered)):
            if double not in self.found:
                self.found.append(double)
                if self.alarm:
                    self.alarm(double)


def _registered(leaf: bytes) -> tuple[str, Registered] | None:
    """The issuer's key and what an open leaf registers; None for what proves nothing."""
    try:
        entry = parse_strict(leaf, bytes_max=EVENT_BYTES_MAX)
        event = SignedEvent.from_plain(entry.get("event") if isinstance(entry, dict) else None)
        if not TitleRegistered.is_told_by(event.type):
            return None
        event.verify()
        fact = TitleRegistered.of(event)
    except ZhidaoError:
        # Another node's log may hold anything.
        return None
    registered = Registered(fact.tag, fact.title, fact.registry, fact.chain_id)
    if not fact.issuer:
        return event.asserted_by.key.multikey, registered
    try:
        issuer = PublicKey.from_multikey(fact.issuer)
        claimed = issuer.verifies(parse_base64url(fact.claim), registered.claim)
    except ZhidaoError:
        return None
    return (fact.issuer, registered) if claimed else None
