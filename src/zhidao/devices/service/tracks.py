"""Tracks: position frames are sealed in batches, and read back as claimed points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.errors import Conflict, MalformedInput, Unavailable
from zhidao.core.geo import Frame
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.ids import IdSource
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.domain.track import TrackPoint, objection
from zhidao.devices.events import PositionsRecorded
from zhidao.devices.service.ports import PositionSink, Vault
from zhidao.devices.service.quarantine import Quarantine
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import Terminals
from zhidao.devices.wire.jt808.frame import decode_frame, escape
from zhidao.devices.wire.jt808.messages import decode_message
from zhidao.devices.wire.jt808.position import (
    ITEM_SATELLITES,
    STATUS_BEIDOU,
    STATUS_ENCRYPTED,
    STATUS_POSITIONED,
    PositionBatch,
    PositionReport,
    time_from_bcd,
)

POSITION_IDS: Final = (PositionReport.ID, PositionBatch.ID)
_BATCH_MAX: Final = 1000
_UDEG: Final = 1_000_000
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

    async def points(self, actor: Actor, terminal: str, limit: int) -> tuple[TrackPoint, ...]:
        """The newest points that a terminal claims, newest first. Raises NotFound."""
        await self._terminals.view(actor, terminal)
        frames = await self._vault.recent_positions(terminal, limit)
        points = [point for frame in frames for point in points_of(frame)]
        return tuple(sorted(points, key=lambda p: p.observed_at, reverse=True)[:limit])

    async def track(self, terminal: str, limit: int = 200) -> list[tuple[float, float, str]]:
        """(longitude, latitude in degrees, device time) of valid WGS 84 points, oldest first.

        For the node's own page, which has asked who may look. An unknown terminal has no points.
        """
        frames = await self._vault.recent_positions(terminal, limit)
        points = sorted(
            (p for frame in frames for p in points_of(frame) if p.valid),
            key=lambda point: point.observed_at,
        )
        return [
            (p.longitude_udeg / _UDEG, p.latitude_udeg / _UDEG, str(p.observed_at))
            for p in points
            if p.frame is Frame.WGS84
        ]

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


def points_of(frame: StoredFrame) -> Iterator[TrackPoint]:
    """The points in a stored frame; one whose time does not exist bears its time of receipt.

    A divided batch is no point: its parts are read only where they were put together.
    """
    whole = decode_frame(escape(frame.plain))
    if whole.header.packets_total:
        return
    try:
        message = decode_message(frame.message_id, whole.body, whole.header.edition)
    except MalformedInput:
        return
    if isinstance(message, PositionReport):
        yield _point(message, frame.received_at)
    elif isinstance(message, PositionBatch):
        yield from (_point(report, frame.received_at) for report in message.reports)


def _point(report: PositionReport, received_at: Utc) -> TrackPoint:
    try:
        observed_at, wrong_time = time_from_bcd(report.time_bcd), ""
    except MalformedInput:
        observed_at, wrong_time = received_at, "a time that does not exist"
    latitude, longitude = report.signed_latitude_udeg, report.signed_longitude_udeg
    reason = wrong_time or objection(
        positioned=bool(report.status & STATUS_POSITIONED),
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        observed_at=observed_at,
        received_at=received_at,
    )
    satellites = next((i.value for i in report.items if i.id == ITEM_SATELLITES), b"")
    return TrackPoint(
        observed_at=observed_at,
        received_at=received_at,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        frame=Frame.GCJ02 if report.status & STATUS_ENCRYPTED else Frame.WGS84,
        altitude_m=report.altitude_m,
        speed_kmh=report.speed_kmh,
        course_deg=report.course_deg,
        beidou=bool(report.status & STATUS_BEIDOU),
        satellites=int.from_bytes(satellites, "big"),
        valid=not reason,
        reason=reason,
    )
