"""No stall of the event loop stays unnoticed, and each is named."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import uvloop
from tests import stalls
from tests.stalls import check_stalls

from zhidao.node.operations.loop_watch import LoopWatch, Stall, tell
from zhidao.node.operations.tracing import JsonLines


async def _watched(work, *, name: str) -> list[Stall]:  # type: ignore[no-untyped-def]
    told: list[Stall] = []
    watch = asyncio.create_task(LoopWatch(told.append).run())
    await asyncio.sleep(0.1)
    await asyncio.create_task(work(), name=name)
    await asyncio.sleep(0.2)
    watch.cancel()
    return told


async def test_a_request_that_holds_the_loop_is_named_with_its_place() -> None:
    async def holding() -> None:
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            sum(range(1000))

    [stall] = await _watched(holding, name="POST /v1/trade/entries/import")
    assert stall.during == "POST /v1/trade/entries/import"
    assert 0.3 < stall.seconds + stall.starved_s < 5
    assert any("holding" in place for place in stall.place)
    assert 0 < stall.ran_s <= stall.seconds + stall.starved_s + 0.1


async def test_a_call_that_blocks_is_the_program_s_own_doing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def blocking() -> None:
        time.sleep(0.7)

    [stall] = await _watched(blocking, name="GET /slow")
    assert stall.is_own
    assert stall.ran_s < 0.2
    with caplog.at_level(logging.WARNING):
        tell(stall)
    assert "GET /slow" in caplog.text
    assert "blocking" in caplog.text


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_a_sleeping_loop_that_is_woken_late_is_not_the_program_s_doing(runner) -> None:
    """Signals stop the whole process but for its clock: as a machine that stands still does."""
    code = (
        "import asyncio, sys, uvloop\n"
        "from zhidao.node.operations.loop_watch import LoopWatch\n"
        "told = []\n"
        "async def main():\n"
        "    watch = asyncio.create_task(LoopWatch(told.append).run())\n"
        "    await asyncio.sleep(0.2)\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(2)\n"
        f"{runner.__module__}.run(main())\n"
        "print([stall.is_own for stall in told], [stall.during for stall in told])\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    child.send_signal(signal.SIGCONT)
    out, _ = child.communicate(timeout=20)
    assert "True" not in out


async def test_a_loop_that_goes_on_is_not_told() -> None:
    async def yielding() -> None:
        for _ in range(20):
            time.sleep(0.02)
            await asyncio.sleep(0)

    told = await _watched(yielding, name="GET /many-short-ones")
    assert [stall for stall in told if stall.is_own] == []


def test_the_log_line_of_a_stall_says_how_long_it_was(tmp_path) -> None:
    record = logging.makeLogRecord(
        {"msg": "stood still", "code": "loop_stalled", "own_ms": 3_000_000, "starved_ms": 4}
    )
    line = JsonLines().format(record).encode()
    with pytest.raises(AssertionError, match="the event loop stood still"):
        check_stalls(line, tmp_path / "node.log")
    short = line.replace(b"3000000", b"1")
    check_stalls(short.replace(b"loop_stalled", b"loop_starved"), tmp_path / "node.log")
    with pytest.raises(AssertionError, match="the event loop stood still"):
        check_stalls(b"loop_stalled, and no JSON", tmp_path / "node.log")


def test_what_the_whole_machine_stood_still_is_not_the_node_s(tmp_path, monkeypatch) -> None:
    at = datetime(2026, 11, 28, 11, 0, 10, tzinfo=UTC)
    record = logging.makeLogRecord({"msg": "stood still", "own_ms": 4000, "starved_ms": 0})
    record.code, record.created, record.msecs = "loop_stalled", at.timestamp(), 0.0
    line = JsonLines().format(record).encode()
    monkeypatch.setattr(stalls, "_PAUSES", [tmp_path / "pauses"])
    # Two of the four seconds; then all of them.
    (tmp_path / "pauses").write_text(f"{at.timestamp() - 3} {at.timestamp() - 1}\n")
    monkeypatch.setattr(stalls, "_slowness", lambda: 1.0)
    with pytest.raises(AssertionError, match="the event loop stood still"):
        check_stalls(line, tmp_path / "node.log")
    (tmp_path / "pauses").write_text(f"{at.timestamp() - 5} {at.timestamp() + 0.1}\n")
    check_stalls(line, tmp_path / "node.log")
