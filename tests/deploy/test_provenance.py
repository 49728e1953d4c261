"""The wheel built twice out of a clone, equal bit by bit, listed and signed: as a releaser does it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.cli.insight.test_declaration import key_file
from tests.insight.git_sample import git

from zhidao.cli.main import main
from zhidao.insight.wire.sbom.reading import decode_sbom

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def built(checkout: Path, keep: Path, *words: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(checkout / "build_steps" / "package"), "provenance"]
    asked = [*program, "--keep", str(keep), *map(str, words)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=1100, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed, with what npm brought here for the same lock."""
    if not (ROOT / ".git").exists() or not (ROOT / "web" / "node_modules").exists():
        pytest.skip("neither a checkout of git nor packages of npm are here")
    place = tmp_path_factory.mktemp("release") / "checkout"
    git(place.parent, "clone", "-q", str(ROOT), str(place))
    modules = Path("web") / "node_modules"
    shutil.copytree(ROOT / modules, place / modules, symlinks=True, copy_function=linked)
    return place


def linked(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target


# Builds the wheel twice: one day of three.
@pytest.mark.every_days(3)
def test_two_builds_are_one_and_a_stranger_can_check_who_says_so(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    key, keep = key_file(tmp_path / "mine.pem"), tmp_path / "made"
    done = built(checkout, keep, "--key", key, "--builder", "https://example.org/machine")
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["equal_builds"] == 2
    files = [told["wheel"], *told["sboms"]]
    words = ["insight", "provenance", told["provenance"], *files]
    capsys.readouterr()
    assert main([*words, "--signatory", told["key"], "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["commit"] == git(checkout, "rev-parse", "HEAD")
    assert answer["built_again"] == [{"name": "the wheel, built again elsewhere", "is_equal": True}]
    with zipfile.ZipFile(told["wheel"]) as wheel:
        assert "zhidao/insight/packs/dpg.toml" in wheel.namelist()
        assert "zhidao/node/web/assets/index.html" in wheel.namelist()
    lists = [decode_sbom(Path(file).read_bytes(), file) for file in told["sboms"]]
    assert [each.form for each in lists] == ["CycloneDX 1.6", "SPDX 2.3"]
    one, other = ({(part.name, part.purl) for part in each.components} for each in lists)
    assert one == other
    # The assessment takes them as it takes those of others.
    wanted = ["insight", "assess", str(checkout), "--standard", "dpg", "--json"]
    for file in told["sboms"]:
        wanted += ["--sbom", file]
    assert main(wanted) == 0
    assert json.loads(capsys.readouterr().out)["components"]["outbound"] == ["Apache-2.0"]


def test_what_is_not_of_the_commit_is_not_stated(checkout: Path, tmp_path: Path):
    stray = checkout / "stray.txt"
    stray.write_text("x")
    try:
        done = built(checkout, tmp_path / "made")
    finally:
        stray.unlink()
    assert done.returncode == 3
    assert "stray.txt" in done.stderr
    assert not list((tmp_path / "made").glob("*.whl"))
