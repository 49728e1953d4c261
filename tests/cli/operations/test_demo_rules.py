"""A demonstration from the wheel alone brings the rule packs that it needs, or says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.cli.operations.demo import _bring_rules
from zhidao.core.errors import Unavailable
from zhidao.trade.library import rule_packs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    packs = tmp_path / "packs"
    monkeypatch.setattr(rule_packs, "default_folder", lambda: packs)
    return packs


def test_an_empty_folder_is_bare_and_one_pack_is_enough(folder: Path) -> None:
    assert rule_packs.is_bare()
    folder.mkdir()
    assert rule_packs.is_bare()
    (folder / "a-pack").mkdir()
    assert not rule_packs.is_bare()


def test_without_packs_and_without_an_index_nothing_is_started(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def away(asked: Path | None) -> None:
        assert asked is None
        raise Unavailable("pip could not fetch", remedy="check the connection")

    monkeypatch.setattr(rule_packs, "fetch", away)
    data = tmp_path / "data"
    assert main(["demo", "--leave", "--json", "--data", str(data)]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-1])["remedy"] == "check the connection"
    assert "EN 16931" in told.err
    assert not any(data.iterdir())
    assert not folder.exists()


def test_packs_that_stand_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a-pack").mkdir(parents=True)
    monkeypatch.setattr(rule_packs, "fetch", lambda _: pytest.fail("fetched again"))
    _bring_rules()
