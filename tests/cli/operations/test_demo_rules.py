"""A demonstration from the wheel alone brings the rule packs that it needs, or says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.cli.operations.demo import _bring_rules
from zhidao.core.programs.child import free_port
from zhidao.trade.library import rule_packs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder of packs, and pip itself before an index that does not answer."""
    packs = tmp_path / "packs"
    monkeypatch.setattr(rule_packs, "default_folder", lambda: packs)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    return packs


def test_an_empty_folder_is_bare_and_one_pack_is_enough(folder: Path) -> None:
    assert rule_packs.is_bare()
    folder.mkdir()
    assert rule_packs.is_bare()
    (folder / "a-pack").mkdir()
    assert not rule_packs.is_bare()


def test_without_packs_and_without_an_index_nothing_is_started(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(["demo", "--leave", "--json", "--data", str(data)]) == 3
    told = capsys.readouterr()
    said = json.loads(told.out.splitlines()[-1])
    assert "zhidao trade packs fetch" in said["remedy"]
    assert "EN 16931" in told.err
    assert not any(data.iterdir())
    assert rule_packs.is_bare()


def test_packs_that_stand_are_left_alone(folder: Path) -> None:
    (folder / "a-pack").mkdir(parents=True)
    _bring_rules()  # No index answers, and none is asked.
    assert [path.name for path in folder.iterdir()] == ["a-pack"]
