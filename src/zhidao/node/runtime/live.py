"""Tells open pages what changed: a small hub of bounded queues, one a page.

A page hears of a consignment only if its reader may see it; the answer is kept for the page's life.
A page whose reader has left, or whose token was withdrawn, is closed: see `open_pages`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Final

from zhidao.core.errors import Unavailable
from zhidao.core.ids import PartyId

QUEUE_MAX: Final = 256
PAGES_MAX: Final = 400
PAGES_OF_PARTY_MAX: Final = 40
SEEN_MAX: Final = 10_000
HEARTBEAT_S: Final = 15.0
# Told to a page as the last thing.
_END: Final = ("", "", "")


class Live:
    """Hands notices to pages; a page that does not keep up loses notices, never memory."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[tuple[str, str, str]], str] = {}
        self._pages: Counter[PartyId] = Counter()

    def timeline_changed(self, consignment: str) -> None:
        """Something was said about a consignment."""
        self._tell("road", consignment, {"consignment": consignment})

    def position(self, *, consignment: str, lon: float, lat: float, at: str) -> None:
        """The terminal of a consignment reported where it is."""
        where = {"consignment": consignment, "lon": lon, "lat": lat, "at": at}
        self._tell("position", consignment, where)

    def arrived(self, party: str, document: dict[str, object]) -> None:
        """A document of another node came for a party of this one."""
        self._tell("arrived", party, document)

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
            yield "beat", "{}"
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        notice = await queue.get()
                except TimeoutError:
                    yield "beat", "{}"
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

    def _tell(self, event: str, consignment: str, data: dict[str, object]) -> None:
        notice = (event, consignment, json.dumps(data))
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(notice)
