"""The alerts that are shipped: each fires where it must and keeps quiet else, by promtool itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from zhidao.node.operations.alarms import CRITICAL
from zhidao.node.operations.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "zhidao.rules.yml"
SOURCE = ROOT / "src" / "zhidao"
ON, DAY = 'job="zhidao", instance="a"', 1_440
_OK = f'zhidao_http_requests_total{{{ON}, method="GET", route="/", status="200"}}'
_BAD = _OK.replace('"200"', '"500"')
_BUCKET = f'zhidao_http_request_seconds_bucket{{{ON}, route="/", le="%s"}}'
_SIGNED = f"zhidao_log_checkpoint_timestamp_seconds{{{ON}}}"
_WAITING = f"zhidao_relay_waiting_events{{{ON}}}"
_UPTIME = f"zhidao_uptime_seconds{{{ON}}}"
_BACKUP = f"zhidao_backup_timestamp_seconds{{{ON}}}"
_STALLED = f'zhidao_event_loop_stalled_seconds_total{{{ON}, cause="%s"}}'
Series = dict[str, str]

# Of each alert that is no alarm of the node: minutes to look at, what fires it, what does not. The
# clock of promtool begins at 0: what was before it is negative.
FIGURES: dict[str, tuple[int, Series, Series]] = {
    "ZhidaoAway": (5, {f"up{{{ON}}}": "0x9"}, {f"up{{{ON}}}": "1x9"}),
    "ZhidaoNotReady": (5, {f"zhidao_ready{{{ON}}}": "0x9"}, {f"zhidao_ready{{{ON}}}": "0 1x9"}),
    "ZhidaoPartDown": (
        5,
        {f'zhidao_service_up{{{ON}, service="bus"}}': "0x9"},
        {f'zhidao_service_up{{{ON}, service="bus"}}': "1x9"},
    ),
    # A node without work signs no new head, and that is well.
    "ZhidaoHeadOld": (
        9,
        {_SIGNED: "-4000x20", _WAITING: "3x20"},
        {_SIGNED: "-4000x20", _WAITING: "0x20"},
    ),
    "ZhidaoRelayBehind": (9, {_WAITING: "1001x20"}, {_WAITING: "1000x20"}),
    "ZhidaoDiskFillsUp": (
        420,
        {f"zhidao_disk_free_bytes{{{ON}}}": "1000000-1000x430"},
        {f"zhidao_disk_free_bytes{{{ON}}}": "1000000000-1000x430"},
    ),
    "ZhidaoBackupOld": (90, {_BACKUP: "-172801x99"}, {_BACKUP: "-86400x99"}),
    "ZhidaoNoBackup": (
        DAY + 120,
        {_BACKUP: "0x1600", _UPTIME: "0+60x1600"},
        {_BACKUP: "100x1600", _UPTIME: "0+60x1600"},
    ),
    "ZhidaoErrors": (30, {_OK: "0+60x40", _BAD: "0+3x40"}, {_OK: "0+60x40", _BAD: "0+1x40"}),
    "ZhidaoSlow": (
        30,
        {_BUCKET % "2.5": "0+90x40", _BUCKET % "10": "0+100x40", _BUCKET % "+Inf": "0+100x40"},
        {_BUCKET % "2.5": "0+100x40", _BUCKET % "10": "0+100x40", _BUCKET % "+Inf": "0+100x40"},
    ),
    "ZhidaoLoopStalls": (15, {_STALLED % "own": "0+1x20"}, {_STALLED % "starved": "0+1x20"}),
    "ZhidaoOtherAlarm": (
        20,
        {f'zhidao_alarm{{{ON}, code="of_a_later_version", severity="critical"}}': "1x30"},
        {f'zhidao_alarm{{{ON}, code="disk_full", severity="critical"}}': "1x30"},
    ),
    "ZhidaoRestarts": (60, {_UPTIME: "9 5 9 5 9 5 9 5 9x60"}, {_UPTIME: "9 5 9+60x60"}),
}


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def _code(alert: dict[str, Any]) -> str:
    found = re.search(r'zhidao_alarm\{code="(\w+)"', alert["expr"])
    return found[1] if found else ""


def _cases(alert: dict[str, Any]) -> tuple[int, Series, Series]:
    if not (code := _code(alert)):
        return FIGURES[alert["alert"]]
    named = f'zhidao_alarm{{{ON}, code="%s", severity="{alert["labels"]["severity"]}"}}'
    return 20, {named % code: "1x30"}, {named % "another_alarm": "1x30"}


def _tried(alert: dict[str, Any], at: int, series: Series, *, fires: bool) -> dict[str, Any]:
    # promtool compares the labels of what fires; which those are is asked of the expression.
    expected = {"expr": f'count(ALERTS{{alertname="{alert["alert"]}", alertstate="firing"}})'}
    expected |= {"eval_time": f"{at}m", "exp_samples": []}
    if fires:
        expected["exp_samples"] = [{"labels": "{}", "value": 1}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [expected],
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian: prometheus)")
def test_each_alert_fires_and_each_keeps_quiet(tmp_path: Path) -> None:
    tests = []
    for alert in _alerts():
        at, fires, quiet = _cases(alert)
        tests += [_tried(alert, at, fires, fires=True), _tried(alert, at, quiet, fires=False)]
    file = tmp_path / "rules.test.yml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    told = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert len(tests) >= 2 * 25


def test_the_rules_name_what_the_node_tells() -> None:
    families = {family.name for family in Metrics()._registry.collect()}
    told = {f"{name}{end}" for name in families for end in ("", "_total", "_bucket")}
    named = set(re.findall(r"\bzhidao_\w+", RULES.read_text(encoding="utf-8")))
    assert named <= told
    alerts = {alert["alert"] for alert in _alerts()}
    assert {alert["alert"] for alert in _alerts() if not _code(alert)} == FIGURES.keys()
    assert len(alerts) == len(_alerts()) >= 25


def test_every_alarm_of_an_alert_is_raised_somewhere_and_has_its_severity() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if path.name != "alarms.py" or "node" not in path.parts
    )
    for alert in _alerts():
        if code := _code(alert):
            assert re.search(rf'"{code}[":]', text) or code == "relay_stopped", code
            assert alert["labels"]["severity"] == ("critical" if code in CRITICAL else "warning")


def test_what_has_no_alert_of_its_own_has_the_one_for_all_others() -> None:
    named = {code for alert in _alerts() if (code := _code(alert))}
    (rest,) = [alert for alert in _alerts() if alert["alert"] == "ZhidaoOtherAlarm"]
    (aside,) = re.findall(r'code!~"([\w|]+)"', rest["expr"])
    assert sorted(named) == aside.split("|")
    # It has the node's own word on who is woken.
    assert "labels" not in rest
