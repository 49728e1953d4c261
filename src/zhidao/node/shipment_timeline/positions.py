"""Moves what a page shows as soon as a position is stored, without waiting for the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.service.points import POSITION_IDS, points_of
from zhidao.node.runtime.live import Live
from zhidao.node.shipment_timeline.related import RelatedBook

WAITING_MAX: Final = 1000
_UDEG: Final = 1e6


class LivePositions:
    """Tells open pages of stored positions; when it cannot keep up, pages miss some."""

    def __init__(self, related: RelatedBook, live: Live) -> None:
        self._related = related
        self._live = live
        self._waiting: asyncio.Queue[StoredFrame] = asyncio.Queue(WAITING_MAX)

    def stored(self, frames: Sequence[StoredFrame]) -> None:
        """Takes note of frames that have just become durable."""
        for frame in frames:
            if frame.message_id in POSITION_IDS and not self._waiting.full():
                self._waiting.put_nowait(frame)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            frame = await self._waiting.get()
            points = [point for point in points_of(frame) if point.valid]
            if not points:
                continue
            newest = max(points, key=lambda point: point.observed_at)
            subjects = await self._related.subjects_of("devices", f"terminal/{frame.terminal}")
            for subject in subjects:
                kind, _, consignment = subject.partition("/")
                if kind == "consignment":
                    self._live.position(
                        consignment=consignment,
                        lon=newest.longitude_udeg / _UDEG,
                        lat=newest.latitude_udeg / _UDEG,
                        at=str(newest.observed_at),
                    )
