from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.core.files import bounded
from zhidao.node.config import FILE_BYTES_MAX


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


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "deep", "missing", "long", "binary"])
@pytest.mark.parametrize("words", [["doctor"], ["serve"], ["config", "show"]], ids=" ".join)
def test_a_settings_file_that_is_none_is_named_at_once(
    kind: str,
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bounded, "WRITER_S", 0.3)
    file = tmp_path / "zhidao.toml"
    match kind:
        case "device":
            file = Path("/dev/zero")
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "deep":
            file.write_text("a = " + "[" * 100_000)
        case "long":
            file.write_text("#" * (FILE_BYTES_MAX + 1))
        case "binary":
            file.write_bytes(bytes(range(256)))
    assert main([*words, "--config", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_settings_may_come_through_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_text, args=('[node]\nname = "here"\n',), daemon=True
    )
    writer.start()
    assert main(["config", "show", "--config", str(pipe)]) == 0
    writer.join(5)
    assert "here" in capsys.readouterr().out
