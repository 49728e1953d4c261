"""Pages of a list: straight from its route in its own order, else from its rows put in order.

What is ordered or filtered is read whole once and kept for ten times as long as that took, at
most half a minute: a long list costs at most a tenth of a processor however often it is looked at.
"""

from __future__ import annotations

import asyncio
import bisect
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Refused
from zhidao.node.lists.cursor import Cursors, Place
from zhidao.node.lists.listing import Listing, SortKey, Wanted, sort_key

# A list that is longer can be read in its own order and taken whole as a file, but not sorted.
SORTED_ROWS_MAX: Final = 50_000
KEPT_ROWS_MAX: Final = 200_000
_STEP: Final = 100
_KEPT_S_MAX: Final = 30.0
_KEPT_TIMES: Final = 10

Read = Callable[..., Awaitable[Any]]
_Ranked = tuple[SortKey, str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A list and how it is read. is_paged: whether by `limit` and `after`, or all at once."""

    listing: Listing
    read: Read
    is_paged: bool

    async def rows(
        self, actor: Actor, wanted: Wanted, *, limit: int, after: str
    ) -> tuple[Sequence[Any], str]:
        """The rows behind one in the list's own order, and behind what the next ones are."""
        listing = self.listing
        asked: dict[str, Any] = dict(wanted.asked)
        if self.is_paged:
            asked["limit"] = limit
        answer = await self.read(actor=actor, **asked, **(listing.behind(after) if after else {}))
        rows: Sequence[Any] = getattr(answer, listing.rows) if listing.rows else answer
        if listing.further:
            return rows, getattr(answer, listing.further)
        full = self.is_paged and len(rows) >= limit
        return rows, listing.name_of(rows[-1]) if full else ""

    async def parts(self, actor: Actor, wanted: Wanted) -> AsyncIterator[Sequence[Any]]:
        """All rows, a part at a time, in the list's own order."""
        after, before = "", set[str]()
        while after not in before:  # a list that came back to where it was would not end
            before.add(after)
            rows, after = await self.rows(actor, wanted, limit=_STEP, after=after)
            yield rows
            if not after:
                return


@dataclass(slots=True)
class _Kept:
    rows: list[Any]
    until_s: float
    ordered: dict[Wanted, list[_Ranked]] = field(default_factory=dict)


class Lists:
    """Reads pages of lists for callers."""

    def __init__(self, cursors: Cursors, now_s: Callable[[], float] = time.monotonic) -> None:
        self._cursors = cursors
        self._now_s = now_s
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._reading: dict[tuple[str, ...], asyncio.Task[_Kept]] = {}

    async def page(
        self, source: Source, actor: Actor, wanted: Wanted, *, limit: int, after: str
    ) -> tuple[list[Any], str]:
        """At most `limit` rows behind a cursor, and the cursor of the next; empty at the end."""
        name = source.listing.name
        place = None
        if after:
            place = self._cursors.read(after, name=name, actor=actor, wanted=wanted)
        if wanted.is_plain and source.is_paged:
            # A page that is full may be the last: then an empty one follows.
            after = place.name if place else ""
            found, behind = await source.rows(actor, wanted, limit=limit, after=after)
            rows, last = list(found), Place(behind) if behind else None
        else:
            rows, last = await self._in_order(source, actor, wanted, limit=limit, place=place)
        if last is None:
            return rows, ""
        return rows, self._cursors.write(last, name=name, actor=actor, wanted=wanted)

    async def _in_order(
        self, source: Source, actor: Actor, wanted: Wanted, *, limit: int, place: Place | None
    ) -> tuple[list[Any], Place | None]:
        # What a route reads in one go costs it the same each time: its first page is of now.
        anew = wanted.is_plain and place is None
        ranked = await self._ranked(source, actor, wanted, anew=anew)
        start = _behind(ranked, place, wanted) if place else 0
        end = start + limit
        rows = [row for _, _, row in ranked[start:end]]
        if end >= len(ranked):
            return rows, None
        at, key, _ = ranked[end - 1]
        return rows, Place(key, at, end)

    async def every(
        self, source: Source, actor: Actor, wanted: Wanted
    ) -> AsyncIterator[Sequence[Any]]:
        """All rows in parts, for a file: in the list's own order no more than a part is held."""
        if wanted.column or not source.is_paged:
            ranked = await self._ranked(source, actor, wanted)
            for start in range(0, len(ranked), _STEP):
                yield [row for _, _, row in ranked[start : start + _STEP]]
            return
        async for rows in source.parts(actor, wanted):
            yield [row for row in rows if wanted.takes(row, source.listing)]

    async def _ranked(
        self, source: Source, actor: Actor, wanted: Wanted, *, anew: bool = False
    ) -> list[_Ranked]:
        kept = await self._whole(source, actor, wanted, anew=anew)
        ranked = kept.ordered.get(wanted)
        if ranked is None:
            listing = source.listing
            taken = [row for row in kept.rows if wanted.takes(row, listing)]
            if wanted.column:
                ranked = [(sort_key(r, wanted.column), listing.name_of(r), r) for r in taken]
                ranked.sort(key=lambda one: one[:2], reverse=wanted.descending)
            else:
                ranked = [((0, 0), listing.name_of(row), row) for row in taken]
            if len(kept.ordered) > _KEPT_TIMES:
                kept.ordered.clear()
            kept.ordered[wanted] = ranked
        return ranked

    async def _whole(self, source: Source, actor: Actor, wanted: Wanted, *, anew: bool) -> _Kept:
        """All rows as the caller sees them; callers who ask at once share one reading."""
        asked = (word for pair in wanted.asked for word in pair)
        who = (source.listing.name, actor.party, actor.role.value, actor.person, *asked)
        kept = self._kept.get(who)
        if kept is not None and not anew and self._now_s() < kept.until_s:
            return kept
        task = self._reading.get(who)
        if task is None:
            task = asyncio.create_task(self._read_whole(source, actor, wanted, who))
            self._reading[who] = task
            task.add_done_callback(lambda _: self._reading.pop(who, None))
        return await asyncio.shield(task)

    async def _read_whole(
        self, source: Source, actor: Actor, wanted: Wanted, who: tuple[str, ...]
    ) -> _Kept:
        began = self._now_s()
        rows: list[Any] = []
        async for some in source.parts(actor, wanted):
            rows += some
            if len(rows) > SORTED_ROWS_MAX:
                raise Refused(
                    f"{source.listing.name} has more than {SORTED_ROWS_MAX} rows, too many to sort",
                    code="list_too_long",
                    remedy="read it in its own order, or take the whole as CSV",
                )
            await asyncio.sleep(0)
        ended = self._now_s()
        kept = _Kept(rows, ended + min(_KEPT_S_MAX, _KEPT_TIMES * (ended - began)))
        self._keep(who, kept)
        return kept

    def _keep(self, who: tuple[str, ...], kept: _Kept) -> None:
        self._kept.pop(who, None)
        self._kept[who] = kept
        total = sum(len(each.rows) for each in self._kept.values())
        while total > KEPT_ROWS_MAX or self._kept[next(iter(self._kept))].until_s <= self._now_s():
            gone, dropped = self._kept.popitem(last=False)
            total -= len(dropped.rows)
            if gone == who:
                return


def _behind(ranked: Sequence[_Ranked], place: Place, wanted: Wanted) -> int:
    """The number of the first row behind a place, though that row itself be gone."""
    if not wanted.column:
        # In the list's own order: behind the row of that name, else where it was.
        names = (i for i, (_, name, _) in enumerate(ranked) if name == place.name)
        return next(names, place.number - 1) + 1
    at = (place.at, place.name)
    if not wanted.descending:
        return bisect.bisect_right(ranked, at, key=lambda one: one[:2])
    low, high = 0, len(ranked)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ranked[middle][:2] >= at else (low, middle)
    return low
