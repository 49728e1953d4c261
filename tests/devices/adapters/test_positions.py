"""Positions of frames that came before positions had a table: moved while the node serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import Conflict
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.custody import StoredFrame, terminal_id
from zhidao.devices.domain.track import Report, TrackPoint
from zhidao.devices.service.points import reports_of
from zhidao.devices.wire.jt808.frame import Edition, Header
from zhidao.devices.wire.jt808.frame import Frame as WireFrame
from zhidao.devices.wire.jt808.position import PositionBatch, encode_batch, encode_report
from zhidao.simulation.terminal import position_report
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import all_migrations, migrate

pytestmark = pytest.mark.service

START = Utc.parse("2026-11-20T23:59:00Z")
NAMES = ("truck-1", "truck-2", "truck-3")
# Pages of the move, so that it takes several.
PAGE = 7
KEY = "insert into devices.terminal (terminal, phone, number, key, owner, visible)"


def _plain(number: int, at: Utc, *, batch: bool) -> tuple[int, bytes]:
    report = position_report(at=at, latitude_deg=43.2, longitude_deg=76.9 + number / 1e3)
    if batch:
        later = position_report(at=at.plus_ns(30 * NS), latitude_deg=43.3, longitude_deg=76.9)
        # Two of one second in one frame.
        return 0x0704, encode_batch(PositionBatch(1, (report, report, later)))
    return 0x0200, encode_report(report)


def _frames() -> list[StoredFrame]:
    """Frames over midnight of three terminals, one of which cannot be read any more."""
    found = []
    for number in range(30):
        at = START.plus_ns(number * 10 * NS)
        message, body = _plain(number, at, batch=number % 5 == 0)
        frame = WireFrame(Header(message, "013800138000", number, Edition.E2013), body)
        plain = b"no frame" if number == 11 else frame.encode_plain()
        name = NAMES[number % 3]
        found.append(
            StoredFrame(name, bytes([number]) * 32, UUID(int=number), at, message, number, plain)
        )
    return found


FRAMES = _frames()


async def _points(vault: PostgresVault) -> dict[str, list[Any]]:
    return {name: list(await vault.recent_points(name, 100)) for name in NAMES}


def _newest_first(reports: Iterable[Report]) -> list[TrackPoint]:
    by_time = sorted(reports, key=lambda r: (r.point.observed_at.tai_ns, r.number), reverse=True)
    return [report.point for report in by_time]


def _wanted(*more: StoredFrame) -> dict[str, list[TrackPoint]]:
    found: dict[str, list[Report]] = {name: [] for name in NAMES}
    for frame in (*FRAMES, *more):
        found[frame.terminal] += reports_of(frame)
    return {name: _newest_first(reports) for name, reports in found.items()}


class _Killed(Exception):
    """The process died here."""


class _Dying(PostgresVault):
    """A vault whose process dies at its n-th statement: nothing of that transaction stands."""

    def __init__(self, database: Database, at: int) -> None:
        super().__init__(database, PostgresJournal(database, "devices", lambda: None))
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Killed


@pytest.fixture
async def old(empty_database_url: str):
    """A database of the release before: frames, and no table of positions."""
    database = await Database.open(empty_database_url)
    before = [
        each
        for each in all_migrations()
        if (each.room, each.name) < ("devices", "0006") or each.room != "devices"
    ]
    await migrate(database, before)
    async with database.session() as session:
        for number, name in enumerate(NAMES):
            await session.execute(
                f"{KEY} values (%s, %s, %s, '', 'carrier', '{{}}')",
                (name, f"+{number}", str(number)),
            )
        await session.copy(
            "devices.frame",
            ("terminal", "digest", "id", "received_tai_ns", "message", "serial", "plain"),
            [
                (f.terminal, f.digest, f.id, f.received_at.tai_ns, f.message_id, f.serial, f.plain)
                for f in FRAMES
            ],
        )
    await migrate(database)
    yield database
    await database.close()


async def _fill(vault: PostgresVault) -> None:
    while frames := await vault.unread_frames(PAGE):
        await vault.read_frames(frames, [r for frame in frames for r in reports_of(frame)])


async def test_a_process_that_dies_at_any_statement_of_the_move_loses_and_doubles_nothing(
    old: Database, monkeypatch: pytest.MonkeyPatch
):
    """Killed at the first statement, then at the second, and so on, until it came through."""
    done, deaths = False, 0
    real_execute, real_script = Session.execute, Session.script
    while not done:
        vault = _Dying(old, deaths)

        async def execute(self: Session, sql: str, params: Any = (), vault=vault) -> int:
            vault.step()
            return await real_execute(self, sql, params)

        async def script(self: Session, sql: str, vault=vault) -> None:
            vault.step()
            await real_script(self, sql)

        with monkeypatch.context() as patch:
            patch.setattr(Session, "execute", execute)
            patch.setattr(Session, "script", script)
            try:
                await _fill(vault)
                done = True
            except _Killed:
                deaths += 1
    assert deaths > 5
    vault = PostgresVault(old, PostgresJournal(old, "devices", lambda: None))
    assert await _points(vault) == _wanted()
    heard = await vault.heard(NAMES)
    for name, points in _wanted().items():
        seen, _ = heard[name]
        assert seen is not None
        assert seen.point == points[0]
    assert await vault.unread_frames(PAGE) == ()


async def test_what_comes_during_the_move_is_there_once(old: Database):
    vault = PostgresVault(old, PostgresJournal(old, "devices", lambda: None))
    first = await vault.unread_frames(PAGE)
    at = START.plus_ns(900 * NS)
    message, body = _plain(99, at, batch=True)
    wire = WireFrame(Header(message, "013800138000", 1, Edition.E2013), body)
    new = StoredFrame("truck-3", b"n" * 32, UUID(int=9_999), at, message, 1, wire.encode_plain())
    await vault.keep([new], [], reports_of(new))
    await vault.read_frames(first, [r for frame in first for r in reports_of(frame)])
    await _fill(vault)
    assert await _points(vault) == _wanted(new)


async def test_of_two_processes_that_move_one_page_one_is_told(old: Database):
    vault = PostgresVault(old, PostgresJournal(old, "devices", lambda: None))
    page = await vault.unread_frames(PAGE)
    await vault.read_frames(page, [])
    with pytest.raises(Conflict):
        await vault.read_frames(page, [])


async def test_terminals_from_before_have_the_number_of_those_that_come(old: Database):
    async with old.session() as session:
        rows = await session.fetch_all("select terminal_id, terminal from devices.terminal_id")
    assert {row["terminal"]: row["terminal_id"] for row in rows} == {
        name: terminal_id(name) for name in NAMES
    }


async def test_a_new_database_has_nothing_to_move(database: Database):
    vault = PostgresVault(database, PostgresJournal(database, "devices", lambda: None))
    at = START
    message, body = _plain(1, at, batch=False)
    wire = WireFrame(Header(message, "013800138000", 1, Edition.E2013), body)
    frame = StoredFrame("truck-1", b"n" * 32, UUID(int=1), at, message, 1, wire.encode_plain())
    await vault.keep([frame], [], ())
    assert await vault.unread_frames(PAGE) == ()
