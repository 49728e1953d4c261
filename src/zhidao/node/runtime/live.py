"""Tells open pages what changed: a small hub of bounded queues, one a page.

A page hears of a consignment only if its reader may see it; the answer is kept for the page's life.
A page whose reader has left, or whose token was withdrawn, is closed: see `open_pages`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import ClassVar, Final

import msgspec

from zhidao.core.errors import Unavailable
from zhidao.core.ids import PartyId

QUEUE_MAX: Final = 256
PAGES_MAX: Final = 400
PAGES_OF_PARTY_MAX: Final = 40
SEEN_MAX: Final = 10_000
HEARTBEAT_S: Final = 15.0
# Told to a page as the last thing.
_END: Final = ("", "", "")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What an open page is told; EVENT is its name in the stream."""

    EVENT: ClassVar[str] = ""


class TimelineChanged(Notice, frozen=True, kw_only=True):
    """Something was said about a consignment: whoever shows its road reads it again."""

    EVENT: ClassVar[str] = "road"
    consignment: str


class PositionReported(Notice, frozen=True, kw_only=True):
    """The terminal of a consignment reported where it is: a claim, in degrees on WGS 84."""

    EVENT: ClassVar[str] = "position"
    consignment: str
    lon: float
    lat: float
    at: str


class DocumentArrived(Notice, frozen=True, kw_only=True):
    """A document of another node came for a party of this one."""

    EVENT: ClassVar[str] = "arrived"
    document: str
    sender: str
    consignment: str
    kind: str


class Beat(Notice, frozen=True, kw_only=True):
    """Nothing happened for a while; the line holds."""

    EVENT: ClassVar[str] = "beat"


class Live:
    """Hands notices to pages; a page that does not keep up loses notices, never memory."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[tuple[str, str, str]], str] = {}
        self._pages: Counter[PartyId] = Counter()

    def timeline_changed(self, consignment: str) -> None:
        """Something was said about a consignment."""
        self._tell(consignment, TimelineChanged(consignment=consignment))

    def position(self, *, consignment: str, lon: float, lat: float, at: str) -> None:
        """The terminal of a consignment reported where it is."""
        self._tell(consignment, PositionReported(consignment=consignment, lon=lon, lat=lat, at=at))

    def arrived(self, party: str, document: DocumentArrived) -> None:
        """A document of another node came for a party of this one."""
        self._tell(party, document)

    def admit(self, party: PartyId) -> None:
        """Raises Unavailable if the node or this party has too many pages open."""
        full = len(self._queues) >= PAGES_MAX or self._pages[party] >= PAGES_OF_PARTY_MAX
        if full:
            raise Unavailable(
                f"too many live pages are open: {PAGES_OF_PARTY_MAX} of a party may be, and"
                f" {PAGES_MAX} of all",
                code="too_many_pages",
                remedy="close some",
            )

    def holders(self) -> set[str]:
        """Whose pages are open: by the sessions and tokens that opened them."""
        return set(self._queues.values())

    def close(self, holders: Collection[str]) -> None:
        """Ends the pages that these opened; nothing that waits in them is told any more."""
        for queue, holder in self._queues.items():
            if holder in holders:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_END)

    async def listen(
        self, party: PartyId, may_see: Callable[[str], Awaitable[bool]], *, holder: str
    ) -> AsyncIterator[tuple[str, str]]:
        """Yields (event, JSON data) of what may be seen; a `beat` when nothing happened.

        `holder`: by what the page was opened; it ends when that is closed.
        """
        queue: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue(QUEUE_MAX)
        seen: dict[str, bool] = {}
        self._queues[queue] = holder
        self._pages[party] += 1
        try:
            yield _BEAT
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        notice = await queue.get()
                except TimeoutError:
                    yield _BEAT
                    continue
                if notice is _END:
                    return
                event, consignment, data = notice
                if not seen.get(consignment):
                    if len(seen) >= SEEN_MAX:
                        seen.clear()
                    # A no is asked again: the next event may have made the reader a party.
                    seen[consignment] = await may_see(consignment)
                if seen[consignment]:
                    yield event, data
        finally:
            self._queues.pop(queue, None)
            self._pages[party] -= 1

    def _tell(self, consignment: str, notice: Notice) -> None:
        event, data = _told(notice)
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait((event, consignment, data))


def _told(notice: Notice) -> tuple[str, str]:
    """Name and JSON of a notice."""
    return notice.EVENT, msgspec.json.encode(notice).decode()


_BEAT: Final = _told(Beat())
