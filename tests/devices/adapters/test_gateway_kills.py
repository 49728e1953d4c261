"""Killed at any moment, the room has stored what it acknowledged, and each window counts once."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.devices.device_room import CARRIER, NUMBER, PHONE, TERMINAL, TERMINAL_KEY

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.programs.child import free_port
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.postgres import PostgresVault
from zhidao.devices.domain.custody import Terminal
from zhidao.devices.domain.enrolment import Enrolment, invited
from zhidao.devices.events import (
    MessageIncomplete,
    PositionsRecorded,
    TerminalRegistered,
    WindowReceived,
)
from zhidao.devices.wire.client import Answered
from zhidao.devices.wire.jt808.position import PositionBatch
from zhidao.simulation.terminal import Identity, TerminalClient, position_report
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

pytestmark = pytest.mark.service
PROCESS = Path(__file__).with_name("gateway_process.py")
START = Utc.parse("2026-11-24T08:00:00Z")
REPORTS, WINDOWS = 600, 4


async def _register(journal: PostgresJournal, vault: PostgresVault) -> None:
    clock, randomness = HandClock(START), SeededRandomness(1)
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    terminal = Terminal(TERMINAL, PHONE, NUMBER, TERMINAL_KEY.public, CARRIER, ())
    fact = TerminalRegistered(terminal=TERMINAL, phone=PHONE, key=TERMINAL_KEY.public.multikey)
    entry = scribe.write(
        fact,
        by=party_id("node"),
        aggregate=terminal.aggregate,
        version=1,
        owner=CARRIER,
        visible=(),
        occurred_at=None,
    )
    window = invited(Enrolment(TERMINAL), clock.now().plus_ns(10**9 * 86_400 * 365 * 50))
    await vault.add_terminal(terminal, [entry], window)


async def _drive(port: int) -> None:
    client = TerminalClient(
        Identity(TERMINAL, NUMBER, TERMINAL_KEY),
        host="127.0.0.1",
        port=port,
        randomness=SeededRandomness(5),
        timeout_s=60,
    )
    for part in range(WINDOWS):
        first = part * REPORTS // WINDOWS
        for second in range(first, first + REPORTS // WINDOWS, 10):
            await client.send([_report(s) for s in range(second, second + 10)])
        await client.send_window(bytes([part]) * 150_000, simulated=True)
    await client.close()


def _report(second: int):
    return position_report(at=START.plus_ns(second * NS), latitude_deg=1.0, longitude_deg=2.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_was_acknowledged_is_stored_once(
    database: Database, database_url: str, seed: int
):
    journal = PostgresJournal(database, "devices", lambda: None)
    vault = PostgresVault(database, journal)
    await _register(journal, vault)
    rng, port = random.Random(seed), free_port()
    driving = asyncio.create_task(_drive(port))
    kills = 0
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROCESS), database_url, str(port), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        # The last life is long enough to finish what the killed ones left.
        life_s = rng.uniform(0.02, 0.2) if kills < 4 else 60
        done, _ = await asyncio.wait({driving}, timeout=life_s)
        if not done:
            kills += 1
            process.send_signal(signal.SIGKILL)
            await process.wait()
            continue
        await driving
        await _settled(vault)
        process.terminate()
        with suppress(ProcessLookupError):
            await process.wait()
        break
    history = [e.event for e in await journal.load(f"terminal/{TERMINAL}", viewer=None)]
    windows = [WindowReceived.of(e) for e in history if e.type == WindowReceived.TYPE]
    assert len(windows) == len({w.digest for w in windows}) == WINDOWS
    covered = [PositionsRecorded.of(e).count for e in history if e.type == PositionsRecorded.TYPE]
    assert sum(covered) == REPORTS
    assert [e.version for e in history] == list(range(1, len(history) + 1))
    assert len(await vault.recent_points(TERMINAL, 10_000)) == REPORTS
    assert kills >= 1


async def _settled(vault: PostgresVault) -> None:
    """Waits until the living process has covered the last positions."""
    for _ in range(200):
        if not await vault.unbatched(1) and not await vault.open_claims():
            return
        await asyncio.sleep(0.1)


async def test_a_message_that_a_kill_cut_is_told_and_then_whole(
    database: Database, database_url: str
):
    """Two of three parts were acknowledged; the terminal sends all again, or never comes back."""
    journal = PostgresJournal(database, "devices", lambda: None)
    vault = PostgresVault(database, journal)
    await _register(journal, vault)
    batch = PositionBatch(1, tuple(_report(second) for second in range(90)))
    token = ""
    for life in range(2):
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROCESS), database_url, str(port), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        client = TerminalClient(
            Identity(TERMINAL, NUMBER, TERMINAL_KEY),
            host="127.0.0.1",
            port=port,
            randomness=SeededRandomness(5),
            token=token,
            timeout_s=30,
        )
        await client.connect()
        if life == 0:
            token, line = client.token, client._line
            assert line is not None
            frames = line.session.frames(batch)
            assert len(frames) == 3
            await line.send(frames[:2])
            answered = [await line.first(Answered, _soon()) for _ in range(2)]
            assert [each.result for each in answered] == [0, 0]
            process.send_signal(signal.SIGKILL)
            await process.wait()
            assert await vault.recent_points(TERMINAL, 10) == ()
        else:
            await _told(journal)
            await client.send([batch])
            await _settled(vault)
            process.terminate()
            await process.wait()
        await client.close()
    assert len(await vault.recent_points(TERMINAL, 500)) == 90
    (told,) = await _told(journal)
    assert (told.message_id, told.packets_total, told.came) == (0x0704, 3, [1, 2])
    # The parts of either time stand once, and the whole beside them.
    assert await vault.count_frames(TERMINAL) == 4


def _soon() -> float:
    return asyncio.get_running_loop().time() + 20


async def _told(journal: PostgresJournal) -> list[MessageIncomplete]:
    """What is told of messages that never became whole; waits for the first."""
    for _ in range(200):
        history = [e.event for e in await journal.load(f"terminal/{TERMINAL}", viewer=None)]
        told = [MessageIncomplete.of(e) for e in history if e.type == MessageIncomplete.TYPE]
        if told:
            return told
        await asyncio.sleep(0.1)
    raise AssertionError("nothing was told")
