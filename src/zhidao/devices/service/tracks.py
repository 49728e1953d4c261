"""Tracks: position frames are sealed in batches, and read back as claimed points."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Conflict, Unavailable
from zhidao.core.geo import Frame
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.ids import IdSource
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain.cell import cell_of
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.domain.track import Report, TrackPoint
from zhidao.devices.events import PositionsRecorded
from zhidao.devices.service.points import points_of, reports_of
from zhidao.devices.service.ports import PositionSink, Vault
from zhidao.devices.service.quarantine import Quarantine
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import Terminals

_BATCH_MAX: Final = 1000
_UDEG: Final = 1_000_000
_DAY_NS: Final = 86_400 * NS
# No ride is longer.
_LONGEST_NS: Final = 3_660 * _DAY_NS
# Frames that are read into positions in one transaction.
_FILL: Final = 500
# After the last of them it looks again now and then.
_REST_S: Final = 3_600.0
# The node tells of an absent database by its own alarms.
_AGAIN_S: Final = 30.0
_TERMINALS_MAX: Final = 500


class NoSink:
    """Where no other bearer exists."""

    async def take(self, terminal: str, points: Sequence[TrackPoint]) -> None:
        """Does nothing."""


class Tracks:
    """Batches of position frames and the points in them."""

    def __init__(
        self,
        vault: Vault,
        terminals: Terminals,
        terminal_journal: TerminalJournal,
        ids: IdSource,
        sink: PositionSink,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._vault = vault
        self._terminals = terminals
        self._terminal_journal = terminal_journal
        self._ids = ids
        self._sink = sink
        self._quarantine = quarantine or Quarantine()

    async def record(self) -> int:
        """Covers stored position frames by PositionsRecorded facts; returns how many frames.

        Those that wait longest come first. A terminal whose rows cannot be read or written is set
        aside, and the round goes on with the others.
        """
        covered = 0
        passing = self._quarantine.passed_over
        for terminal in await self._vault.unbatched(_TERMINALS_MAX, passing):
            try:
                frames = await self._vault.unbatched_positions(terminal, _BATCH_MAX)
                if frames:
                    covered += await self._cover(terminal, frames)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
                self._quarantine.put(terminal, error)
            else:
                self._quarantine.lift(terminal)
        return covered

    async def points(
        self, actor: Actor, terminal: str, limit: int, day: Utc | None = None
    ) -> tuple[TrackPoint, ...]:
        """The newest points that a terminal claims, by its own time, newest first.

        day: only those of the day that begins then. Raises NotFound.
        """
        await self._terminals.view(actor, terminal)
        if day is None:
            return await self._vault.recent_points(terminal, limit)
        return await self._vault.points_between(terminal, day, day.plus_ns(_DAY_NS), limit)

    async def near(
        self, actor: Actor, *, latitude_udeg: int, longitude_udeg: int, day: Utc, limit: int
    ) -> tuple[tuple[str, TrackPoint], ...]:
        """Which of the actor's terminals claim to have been near a place on the day from `day` on.

        Near: in the cell of that place, of 4.9 square kilometres. The newest first.
        """
        cell = cell_of(latitude_udeg, longitude_udeg)
        end = day.plus_ns(_DAY_NS)
        return await self._vault.points_in(cell, day, end, actor.viewer, limit)

    async def track(
        self, terminal: str, begin: Utc, end: Utc | None, limit: int = 200
    ) -> list[tuple[float, float, str]]:
        """(longitude, latitude in degrees, device time) of valid WGS 84 points, oldest first.

        Only what came in from `begin` on and before `end` (None: now): outside of that the
        terminal rides with other goods. For the node's own page, which has asked who may look. An
        unknown terminal has no points.
        """
        # By its own clock, which may go wrong, and then by the node's.
        first = begin.plus_ns(-_DAY_NS)
        last = end.plus_ns(_DAY_NS) if end else begin.plus_ns(_LONGEST_NS)
        points = await self._vault.points_between(terminal, first, last, limit)
        return [
            (p.longitude_udeg / _UDEG, p.latitude_udeg / _UDEG, str(p.observed_at))
            for p in reversed(points)
            if p.valid
            and p.frame is Frame.WGS84
            and begin <= p.received_at
            and (end is None or p.received_at < end)
        ]

    async def read_old_frames(self) -> None:
        """Reads positions out of frames from before there was a table for them; then rests."""
        while True:
            try:
                pause_s = 0.0 if await self.fill() else _REST_S
            except Unavailable:
                pause_s = _AGAIN_S
            await asyncio.sleep(pause_s)

    async def fill(self) -> bool:
        """Reads the next frames that came before positions had a table; whether there are more.

        Interrupted anywhere it goes on: what was read and how far is one transaction.
        """
        frames = await self._vault.unread_frames(_FILL)
        if not frames:
            return False
        reports: list[Report] = [report for frame in frames for report in reports_of(frame)]
        # Where another process read them meanwhile, the next round goes on behind them.
        with suppress(Conflict):
            await self._vault.read_frames(frames, reports)
        return True

    async def _cover(self, name: str, frames: tuple[StoredFrame, ...]) -> int:
        terminal = await self._vault.terminal(name)
        points = [point for frame in frames for point in points_of(frame)]
        times = [p.observed_at for p in points] or [f.received_at for f in frames]
        # Before the frames are marked: a crash between them notes the points again, which is
        # harmless, rather than never.
        await self._sink.take(name, points)
        fact = PositionsRecorded(
            terminal=name,
            count=len(frames),
            root=tree_root(leaf_hash(frame.plain) for frame in frames).hex(),
            first_at=str(min(times)),
            last_at=str(max(times)),
        )
        batch, digests = self._ids.new(), [frame.digest for frame in frames]
        try:
            await self._terminal_journal.write(
                fact,
                terminal=terminal,
                commit=lambda entries: self._vault.batch(name, batch, digests, entries),
            )
        except Conflict:
            return 0  # Another process covered some of them; the next round takes the rest.
        return len(frames)
