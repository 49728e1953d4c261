"""Tells open pages what changed: a small hub of bounded queues, one a page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

QUEUE_MAX: Final = 256
PAGES_MAX: Final = 200
HEARTBEAT_S: Final = 15.0


class Live:
    """Hands notices to pages; a page that does not keep up loses notices, never memory."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[tuple[str, str]]] = set()

    def road_changed(self, consignment: str) -> None:
        """Something was said about a consignment."""
        self._tell("road", {"consignment": consignment})

    def position(self, *, consignment: str, lon: float, lat: float, at: str) -> None:
        """The terminal of a consignment reported where it is."""
        self._tell("position", {"consignment": consignment, "lon": lon, "lat": lat, "at": at})

    async def listen(self) -> AsyncIterator[tuple[str, str]]:
        """Yields (event, JSON data); a `beat` when nothing happened for a while."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(QUEUE_MAX)
        if len(self._queues) >= PAGES_MAX:
            return
        self._queues.add(queue)
        try:
            yield "beat", "{}"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield "beat", "{}"
        finally:
            self._queues.discard(queue)

    def _tell(self, event: str, data: dict[str, object]) -> None:
        notice = (event, json.dumps(data))
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(notice)
