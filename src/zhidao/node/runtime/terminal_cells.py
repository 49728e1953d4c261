"""Hands the cells that terminals tell beside their positions from their frames to connectivity."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from zhidao.connectivity.domain.reported_cell import CellName, CellReport
from zhidao.connectivity.service.ports import ReportedCells
from zhidao.connectivity.wire.reported_cells import cell_of_elements, cell_of_items
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.wire.jt808.frame import decode_kept
from zhidao.devices.wire.jt808.messages import decode_message
from zhidao.devices.wire.jt808.position import PositionBatch, PositionReport, time_from_bcd
from zhidao.devices.wire.teltonika.packet import decode_frame
from zhidao.devices.wire.teltonika.records import RECORD_IDS, decode_records, time_of

# Frames that wait to be read. Of more the oldest are dropped: what they told is unknown then.
WAITING_MAX: Final = 20_000
_BATCH: Final = 200
_AGAIN_S: Final = 5.0
_READ: Final = (PositionReport.ID, PositionBatch.ID, *RECORD_IDS)


class TerminalCells:
    """Reads cells out of frames that are durable, behind whoever stored them.

    A process that dies in between has told some frames to nobody: those cells are unknown.
    """

    def __init__(self, reported: ReportedCells, terminals: Collection[str]) -> None:
        """terminals: those with a SIM of a network that is asked this way; others are not read."""
        self._reported = reported
        self._terminals = frozenset(terminals)
        self._waiting: asyncio.Queue[StoredFrame] = asyncio.Queue(WAITING_MAX)

    def hear(self, frames: Sequence[StoredFrame]) -> None:
        """Takes frames that were just stored."""
        for frame in frames:
            if frame.terminal in self._terminals and frame.message_id in _READ:
                if self._waiting.full():
                    self._waiting.get_nowait()
                self._waiting.put_nowait(frame)

    async def run(self) -> None:
        """Reads and hands over until cancelled."""
        while True:
            frames = [await self._waiting.get()]
            while len(frames) < _BATCH and not self._waiting.empty():
                frames.append(self._waiting.get_nowait())
            reports = [report for frame in frames for report in reports_in(frame)]
            while reports:
                try:
                    await self._reported.note(reports)
                    reports = []
                except Unavailable:
                    await asyncio.sleep(_AGAIN_S)


def reports_in(frame: StoredFrame) -> tuple[CellReport, ...]:
    """The cells that a stored frame tells, each with the time of its position.

    None in a frame that cannot be read, and none beside a time that does not exist. No report is
    later than its receipt: a clock that runs ahead does not make a cell true for longer.
    """
    found = []
    try:
        for cell, time in _told(frame):
            with suppress(MalformedInput):
                found += [
                    CellReport(frame.terminal, min(time(), frame.received_at), one) for one in cell
                ]
    except MalformedInput:
        return ()
    return tuple(found)


def _told(frame: StoredFrame) -> Iterator[tuple[tuple[CellName, ...], Callable[[], Utc]]]:
    """The cell of each position, and what reads its time or raises MalformedInput."""
    if frame.message_id in RECORD_IDS:
        for record in decode_records(decode_frame(frame.plain)):
            elements = (*record.elements, *record.sized)
            yield cell_of_elements(elements), partial(time_of, record.at_ms)
        return
    whole = decode_kept(frame.plain)
    # A part of a divided batch: the whole is kept beside its parts.
    if whole.header.packet_number:
        return
    message = decode_message(frame.message_id, whole.body, whole.header.edition)
    reports: tuple[PositionReport, ...] = ()
    if isinstance(message, PositionReport):
        reports = (message,)
    elif isinstance(message, PositionBatch):
        reports = message.reports
    for report in reports:
        cell = cell_of_items((item.id, item.value) for item in report.items)
        yield cell, partial(time_from_bcd, report.time_bcd)
