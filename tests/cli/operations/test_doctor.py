from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main


def test_doctor_prints_what_it_saw_and_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status = main(["doctor", "--data", str(tmp_path), "--json"])
    checks = json.loads(capsys.readouterr().out)
    assert status == (1 if any(check["state"] == "bad" for check in checks) else 0)
    assert {"name", "state", "seen", "remedy"} == set(checks[0])
    main(["doctor", "--data", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if not line.startswith("        type: ")]
    assert len(told) == len(checks)
    assert len(lines) - len(told) == sum(bool(check["remedy"]) for check in checks)


def test_something_bad_is_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ZHIDAO_NODE_DISK_RESERVE_BYTES", str(2**60))
    assert main(["doctor", "--data", str(tmp_path)]) == 1
    assert "bad   disk" in capsys.readouterr().out


def test_a_setting_that_does_not_exist_is_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = tmp_path / "zhidao.toml"
    settings.write_text("[disk]\nfull = true\n")
    assert main(["doctor", "--config", str(settings)]) == 2
    assert "no setting" in capsys.readouterr().err
