"""The Debian package: its parts stand together, and by --long what it does when installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zhidao.cli.operations.demo import temporary_folder
from zhidao.core.programs import extras
from zhidao.core.programs.child import unreachable_folder

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "deploy" / "debian"
LOCKS = ROOT / "requirements"


def _locked(file: str) -> dict[str, str]:
    lines = (LOCKS / file).read_text().splitlines()
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", line)[0] for line in lines if "==" in line)


def test_what_is_packaged_is_locked_as_a_checkout_is() -> None:
    packaged, checkout = _locked("package.txt"), _locked("runtime.txt")
    assert packaged.items() <= checkout.items()
    for extra in ("opcua", "saxon", "screening"):
        assert _locked(f"{extra}.txt").items() <= packaged.items()
    # What builds, and what compiles at run time, stays out.
    assert not {"uv", "hatchling", "numba", "llvmlite"} & packaged.keys()


def test_scripts_of_the_package_are_for_any_shell() -> None:
    for name in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", str(RECIPE / name)], check=True)
        text = (RECIPE / name).read_text()
        assert text.startswith("#!/bin/sh\nset -e\n")
        # A node's keys and ledger are not a package's to delete.
        assert "rm " not in text


def test_a_packaged_program_sends_nobody_to_a_pip_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert extras.command_for("print").startswith("pip install")
    (tmp_path / "share" / "zhidao").mkdir(parents=True)
    (tmp_path / "share" / "zhidao" / "packaged").write_text("deb\n")
    assert extras.packaged_as(tmp_path) == "deb"
    told = extras.command_for("print")
    assert told.startswith("this package leaves it out")
    assert "FOLDER/bin/pip install 'zhidao[print]'" in told


@pytest.mark.parametrize(("user", "open_to_others"), [(0, True), (1000, False)])
def test_the_demonstration_as_root_lets_its_servers_pass(
    monkeypatch: pytest.MonkeyPatch, user: int, *, open_to_others: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    folder = temporary_folder()
    try:
        sides = [folder / "exporter-side" / "node", folder / "importer-side" / "node"]
        assert all(place.is_dir() is open_to_others for place in sides)
        closed = unreachable_folder(sides[0])
        assert (closed is None) is open_to_others
        assert not folder.stat().st_mode & 0o066
    finally:
        shutil.rmtree(folder)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_packages_are_equal_and_one_pays_where_nothing_else_is(tmp_path: Path) -> None:
    if os.geteuid() or not shutil.which("mmdebstrap") or not shutil.which("lintian"):
        pytest.skip("needs root, mmdebstrap and lintian")
    made = []
    for name in ("one", "two"):
        words = [str(ROOT / "run"), "package", "deb", "--keep", str(tmp_path / name)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout.splitlines()[-1]))
    assert made[0]["sha256"] == made[1]["sha256"]
    words = ["lintian", "--fail-on", "error", "--allow-root", made[0]["deb"]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout
    words = ["sh", str(ROOT / "build_steps" / "try_package.sh"), made[0]["deb"]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["paid_s"] <= 180
