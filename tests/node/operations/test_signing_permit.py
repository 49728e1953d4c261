from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.timescale import Utc
from zhidao.node.adapters.scenario_clock import KeptClock
from zhidao.node.operations.signing_permit import SigningPermit


def test_a_permit_holds_until_something_is_wrong():
    permit = SigningPermit()
    permit.check()
    permit.recovering = lambda: "the database has 0 leaves, the newest checkpoint 5"
    with pytest.raises(Unavailable, match="0 leaves") as refusal:
        permit.check()
    assert refusal.value.code == "recovering"
    assert refusal.value.is_own_infrastructure
    permit.recovering = lambda: ""
    permit.check()


def test_a_lost_log_is_never_given_back():
    permit = SigningPermit()
    permit.withdraw("another writer has taken the log")
    with pytest.raises(Unavailable, match="only reads") as refusal:
        permit.check()
    assert refusal.value.code == "lease_lost"
    assert refusal.value.remedy


def test_scenario_time_survives_its_node(tmp_path: Path):
    file = tmp_path / "scenario-time"
    assert KeptClock(file).now() == Utc.parse("1980-01-06T00:00:00Z")
    KeptClock(file).set(Utc.parse("2026-09-20T06:00:00Z"))
    assert KeptClock(file).now() == Utc.parse("2026-09-20T06:00:00Z")
    # A lost time is told, and does not begin anew: time does not go back.
    file.write_text("nonsense")
    with pytest.raises(MalformedInput, match="scenario-time"):
        KeptClock(file)
