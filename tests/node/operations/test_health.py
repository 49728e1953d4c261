"""Readiness names what is wrong; alarms tell of it with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.timescale import Utc
from zhidao.node.operations.alarms import RELAY_STOPPED, Alarms
from zhidao.node.operations.health import Health, LogState
from zhidao.node.operations.metrics import Metrics
from zhidao.store.space import SpaceWatch


async def _nothing() -> str:
    return ""


async def _none() -> int:
    return 0


async def _log() -> LogState:
    return LogState(size=0, root="", checkpoint_at="")


def health(folder: Path, **wrong: Any) -> Health:
    parts: dict[str, Any] = {
        "recovering": lambda: "",
        "stopped": lambda: "",
        "ledgers": dict,
        "writes": _nothing,
        "alarms": Alarms(),
        "probes": {},
        "log": _log,
        "waiting": _none,
        "metrics": Metrics(),
    }
    return Health(
        dead_letters=_none,
        space=SpaceWatch(folder, 0),
        clock=HandClock(Utc.parse("2026-05-03T00:00:00Z")),
        **(parts | wrong),
    )


async def test_a_node_in_order_is_ready(tmp_path: Path) -> None:
    well = health(tmp_path)
    assert (await well.ready(), await well.alarms()) == ([], [])


async def test_a_ledger_that_differs_is_not_ready_and_an_alarm(tmp_path: Path) -> None:
    ill = health(tmp_path, ledgers=lambda: {"CNY": "batch 2 does not give the head"})
    assert await ill.ready() == ["ledger"]
    [alarm] = await ill.alarms()
    assert (alarm.code, alarm.args) == ("ledger_differs:CNY", {"ledger": "CNY"})
    assert "batch 2" in alarm.sentence
    assert alarm.remedy


@pytest.mark.parametrize("part", ["recovering", "stopped"])
async def test_a_node_that_may_not_sign_is_not_ready(tmp_path: Path, part: str) -> None:
    assert await health(tmp_path, **{part: lambda: "why"}).ready() == ["signing"]


async def test_a_relay_that_stands_still_is_not_ready(tmp_path: Path) -> None:
    alarms = Alarms()
    ill = health(tmp_path, alarms=alarms)
    alarms.sound(RELAY_STOPPED, "no event goes into the log", "look at the bus")
    assert await ill.ready() == ["relay"]
    alarms.clear(RELAY_STOPPED)
    assert await ill.ready() == []
