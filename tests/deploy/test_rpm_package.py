"""The RPM packages: their recipe stands, and by --long what is built of it. None was run there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "deploy" / "rpm"


def test_a_package_deletes_no_data_and_says_where_it_was_not_run() -> None:
    spec = (RECIPE / "zhidao.spec").read_text()
    scripts = spec[spec.index("%post\n") : spec.index("%changelog")]
    assert re.findall(r"rm -r[^\n]*", scripts) == ["rm -r {} + || :"]
    assert "find /usr/lib/zhidao/lib -name __pycache__" in scripts
    assert "not run there" in spec
    assert "did not run it here" in (RECIPE / "README.rpm").read_text()


def _built(folder: Path) -> dict[str, dict[str, str]]:
    words = [str(ROOT / "run"), "package", "rpm", "--keep", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    made: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])["rpms"]
    return made


def _asked(file: str, *words: str) -> set[str]:
    done = subprocess.run(
        ["rpm", "-qp", *words, file], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.splitlines())


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_builds_are_equal_and_rpmlint_finds_no_error(tmp_path: Path) -> None:
    if not shutil.which("rpmbuild") or not shutil.which("rpmlint"):
        pytest.skip("needs rpm and rpmlint")
    one, two = _built(tmp_path / "one"), _built(tmp_path / "two")
    assert {tag: made["sha256"] for tag, made in one.items()} == {
        tag: made["sha256"] for tag, made in two.items()
    }
    for tag, python in (("fc42", "3.13"), ("oe2403", "3.11")):
        file = one[tag]["rpm"]
        assert f"python(abi) = {python}" in _asked(file, "--requires")
        files = _asked(file, "--list")
        assert {"/usr/bin/zhidao", "/usr/lib/systemd/system/zhidao.service"} <= files
        assert _asked(file, "--configfiles") == {"/etc/zhidao/zhidao.toml"}
        # Folders of the system stay the system's.
        assert not files & {"/usr", "/usr/bin", "/usr/lib/systemd/system", "/etc"}
        words = ["rpmlint", "-c", str(RECIPE / "rpmlint.toml"), file]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        assert " 0 errors" in done.stdout, done.stdout[-3000:]
