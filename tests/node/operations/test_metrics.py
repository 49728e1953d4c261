"""A scrape tells how things are now, from the first one on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from tests.node.operations.test_health import health

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.health import Health, LogState
from zhidao.node.operations.metrics import Metrics


async def _up() -> str:
    return "fine"


async def _down() -> str:
    raise Unavailable("no answer")


async def _log() -> LogState:
    return LogState(size=3_621, root="", checkpoint_at="")


async def _log_away() -> LogState:
    raise Unavailable("the database does not answer")


async def _seven() -> int:
    return 7


async def _scrape(node: Health, metrics: Metrics) -> dict[str, float]:
    await node.measure()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def _node(folder: Path, **parts: Any) -> tuple[Health, Metrics]:
    metrics = Metrics()
    return health(folder, metrics=metrics, **parts), metrics


async def test_the_first_scrape_after_a_start_is_right(tmp_path: Path) -> None:
    probes = {"database": _up, "bus": _down}
    figures = await _scrape(*_node(tmp_path, log=_log, waiting=_seven, probes=probes))
    assert figures["zhidao_log_leaves"] == 3_621
    assert figures["zhidao_relay_waiting_events"] == 7
    assert figures["zhidao_service_up database"] == 1
    assert figures["zhidao_service_up bus"] == 0
    assert figures["zhidao_ready"] == 0
    assert figures["zhidao_disk_free_bytes"] > 0


async def test_what_cannot_be_asked_is_no_figure(tmp_path: Path) -> None:
    figures = await _scrape(*_node(tmp_path, log=_log_away))
    assert figures["zhidao_log_leaves"] != figures["zhidao_log_leaves"]  # NaN


async def test_an_alarm_is_shown_while_it_stands(tmp_path: Path) -> None:
    alarms = Alarms()
    node, metrics = _node(tmp_path, alarms=alarms)
    assert (await _scrape(node, metrics))["zhidao_ready"] == 1
    alarms.sound("mirror_behind:a", "behind", "ask its operator")
    alarms.sound("mirror_behind:b", "behind", "ask its operator")
    alarms.sound("clock_jumped", "jumped", "set it right")
    told = await _scrape(node, metrics)
    # What an alarm is about is no label: there may be any number of mirrors.
    assert told["zhidao_alarm mirror_behind warning"] == 2
    assert told["zhidao_alarm clock_jumped critical"] == 1
    for code in ("mirror_behind:a", "mirror_behind:b", "clock_jumped"):
        alarms.clear(code)
    assert not [name for name in await _scrape(node, metrics) if name.startswith("zhidao_alarm")]


async def test_instants_are_told_and_are_0_while_there_is_nothing(tmp_path: Path) -> None:
    async def signed() -> LogState:
        return LogState(size=1, root="", checkpoint_at="2026-11-29T10:00:00Z")

    async def backed_up() -> str:
        return "2026-11-28T10:00:00Z"

    async def damaged() -> str:
        raise MalformedInput("its check does not fit", code="file_unusable")

    figures = await _scrape(*_node(tmp_path, log=signed, backup_at=backed_up))
    assert figures["zhidao_log_checkpoint_timestamp_seconds"] == 1_795_946_400
    assert figures["zhidao_backup_timestamp_seconds"] == 1_795_946_400 - 86_400
    assert figures["zhidao_uptime_seconds"] == 0
    none = await _scrape(*_node(tmp_path, log=_log))
    assert none["zhidao_backup_timestamp_seconds"] == 0
    unknown = await _scrape(*_node(tmp_path, log=_log, backup_at=damaged))
    assert unknown["zhidao_backup_timestamp_seconds"] != unknown["zhidao_backup_timestamp_seconds"]
