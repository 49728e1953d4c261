"""Cells come out of frames as they are stored, with their position's time, and never a wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.connectivity.adapters.memory import MemoryReportedCells
from zhidao.connectivity.domain.reported_cell import CellName, CellReport
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.wire.jt808.frame import Edition, Frame, Header
from zhidao.devices.wire.jt808.position import (
    Item,
    PositionBatch,
    PositionReport,
    encode_batch,
    encode_report,
)
from zhidao.devices.wire.teltonika.records import CODEC_8E, Record, encode_records, kept_id
from zhidao.node.runtime import terminal_cells
from zhidao.node.runtime.terminal_cells import TerminalCells, reports_in
from zhidao.simulation.terminal import position_report

AT = Utc.parse("2026-11-30T20:00:00Z")
CELL = CellName(460, 0, 0x2535, 0x1026)
ITEM = Item(0xE1, bytes.fromhex("01cc 0000 002535 00001026 1c"))


def report(after_s: int = 0, *items: Item) -> PositionReport:
    made = position_report(at=AT.plus_ns(after_s * NS), latitude_deg=43.35, longitude_deg=77.04)
    return replace(made, items=items or (Item(0x30, b"\x1f"), ITEM))


def stored(
    message: int, body: bytes, *, terminal: str = "LORRY-7", received_s: int = 1, header=None
) -> StoredFrame:
    head = header or Header(message, "013800138000", 7, Edition.E2013)
    received_at = AT.plus_ns(received_s * NS)
    plain = Frame(head, body).encode_plain()
    return StoredFrame(terminal, bytes(32), UUID(int=1), received_at, message, 7, plain)


def single(one: PositionReport, **more: object) -> StoredFrame:
    return stored(0x0200, encode_report(one), **more)


def test_a_position_tells_the_cell_of_its_own_time():
    assert reports_in(single(report(-30))) == (CellReport("LORRY-7", AT.plus_ns(-30 * NS), CELL),)
    batch = PositionBatch(1, (report(-7_200), report(-3_600, Item(0x30, b"\x1f")), report(-60)))
    told = reports_in(stored(0x0704, encode_batch(batch)))
    assert [each.at for each in told] == [AT.plus_ns(-s * NS) for s in (7_200, 60)]


def test_a_clock_that_runs_ahead_is_held_back_to_the_receipt():
    (told,) = reports_in(single(report(3_600), received_s=5))
    assert told.at == AT.plus_ns(5 * NS)


@pytest.mark.parametrize(
    "frame",
    [
        single(report(0, Item(0x30, b"\x1f"))),
        single(replace(report(), time_bcd=bytes.fromhex("261331200000"))),
        replace(single(report()), plain=b"no frame"),
        stored(0x0200, encode_report(report())[:20]),
        stored(0x0002, b""),
    ],
    ids=["no cell", "no such time", "no frame", "cut", "heartbeat"],
)
def test_what_tells_no_cell_or_no_time_tells_nothing(frame: StoredFrame):
    assert reports_in(frame) == ()


def test_a_wrong_time_costs_only_its_own_position():
    wrong = replace(report(), time_bcd=bytes.fromhex("261331200000"))
    told = reports_in(stored(0x0704, encode_batch(PositionBatch(1, (wrong, report(-60))))))
    assert [each.at for each in told] == [AT.plus_ns(-60 * NS)]


def test_records_of_teltonika_tell_cells_too():
    elements = tuple(
        (number, value.to_bytes(size, "big"))
        for number, value, size in ((205, 0x1026, 2), (206, 0x2535, 2), (241, 46_000, 4))
    )
    at_ms = AT.unix_ns // 1_000_000
    record = Record(at_ms, 0, 770_400_000, 433_500_000, 0, 0, 9, 0, elements=elements)
    plain = encode_records(CODEC_8E, (record, replace(record, at_ms=0))).encode()
    received_at = AT.plus_ns(NS)
    frame = StoredFrame("FMB-1", bytes(32), UUID(int=1), received_at, kept_id(CODEC_8E), -1, plain)
    assert reports_in(frame) == (CellReport("FMB-1", AT, CELL),)


async def until(kept: MemoryReportedCells, count: int) -> list[CellReport]:
    for _ in range(500):
        found = [*kept._kept.values()]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(kept._kept)} of {count} cells came")


async def test_only_terminals_with_a_sim_of_the_fleet_are_read():
    kept = MemoryReportedCells()
    cells = TerminalCells(kept, ("LORRY-7",))
    running = asyncio.create_task(cells.run())
    cells.hear([single(report(), terminal="LORRY-8"), single(report(-1)), single(report(-2))])
    found = await until(kept, 2)
    running.cancel()
    assert {each.terminal for each in found} == {"LORRY-7"}
    silent = TerminalCells(kept, ())
    silent.hear([single(report())])
    assert silent._waiting.empty()


async def test_a_database_that_is_away_loses_nothing(monkeypatch):
    monkeypatch.setattr(terminal_cells, "_AGAIN_S", 0.01)

    class Away(MemoryReportedCells):
        left = 2

        async def note(self, reports: Sequence[CellReport]) -> None:
            self.left -= 1
            if self.left >= 0:
                raise Unavailable("the database does not answer")
            await super().note(reports)

    kept = Away()
    cells = TerminalCells(kept, ("LORRY-7",))
    running = asyncio.create_task(cells.run())
    cells.hear([single(report(-1))])
    await until(kept, 1)
    assert not running.done()
    running.cancel()


@pytest.mark.bound("node.runtime.terminal_cells.WAITING_MAX")
async def test_of_too_many_frames_the_oldest_are_dropped(monkeypatch):
    monkeypatch.setattr(terminal_cells, "WAITING_MAX", 3)
    kept = MemoryReportedCells()
    cells = TerminalCells(kept, ("LORRY-7",))
    cells.hear([single(report(-each)) for each in (5, 4, 3)])
    cells.hear([single(report(-each)) for each in (2, 1)])
    running = asyncio.create_task(cells.run())
    found = await until(kept, 3)
    running.cancel()
    assert sorted(each.at.since_ns(AT) // NS for each in found) == [-3, -2, -1]
