"""The verifier alone, as a wheel: small, made of the program's own modules, of one mind with it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.verification.altered import altered
from tests.verification.corridor_bench import Corridor
from tests.verification.test_independent import GOLDEN

from zhidao.trust.wire.governance.trust_list import encode_trust_list

ROOT = Path(__file__).resolve().parents[2]
ROADS = (
    ("road-circle-compact-v3.zdproof", "road-circle-v1.trust.json"),
    ("road-promised-compact-v3.zdproof", "road-circle-v1.trust.json"),
)
# Asked as the program is asked, many times in one process: each start would take a second.
_ASKED = """\
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
{start}
from zhidao.cli.main import main
answers = []
for line in sys.stdin:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        status = main(["verify", *json.loads(line)])
    answers.append([status, out.getvalue()])
import zhidao
print(json.dumps([zhidao.__file__, answers]))
"""
_INSIDE = "sys.path.insert(0, {folder!r})"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("wheel"))


def _made(folder: Path) -> Path:
    words = [sys.executable, str(ROOT / "build_steps" / "package"), "verify", "--keep", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["wheel"])


def _answers(start: str, questions: Iterable[list[str]]) -> tuple[str, list[tuple[int, str]]]:
    asked = "".join(json.dumps(each) + "\n" for each in questions)
    words = [sys.executable, "-c", _ASKED.format(start=start)]
    done = subprocess.run(
        words, input=asked, capture_output=True, text=True, timeout=3000, check=False
    )
    assert done.returncode == 0, done.stderr
    place, answers = json.loads(done.stdout)
    return place, answers


def _compared(wheel: Path, folder: Path, questions: list[list[str]]) -> list[tuple[int, str]]:
    """What both say, which has to be the same."""
    zipfile.ZipFile(wheel).extractall(folder)
    inside = str(folder / "zhidao_verify" / "inside")
    place, alone = _answers(_INSIDE.format(folder=inside), questions)
    assert place.startswith(inside)
    elsewhere, whole = _answers("", questions)
    assert not elsewhere.startswith(inside)
    assert alone == whole
    return alone


@pytest.mark.slow
def test_it_is_small_and_says_what_the_program_says(wheel: Path, tmp_path: Path) -> None:
    assert wheel.stat().st_size <= 1_500_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        told = archive.read(next(n for n in names if n.endswith("METADATA"))).decode()
    # Beside the program in one environment neither may write over the other's files.
    assert all(name.startswith(("zhidao_verify/", "zhidao_verify-")) for name in names)
    assert not [name for name in names if "/node/web/" in name or "/simulation/" in name]
    assert "Requires-Dist: numpy\n" in told
    assert 'Requires-Dist: py-evm ; extra == "titles"\n' in told
    questions = [
        [str(GOLDEN / proof), "--trust", str(GOLDEN / trust), "--json"] for proof, trust in ROADS
    ]
    questions.append([str(GOLDEN / "trust-v1.json"), "--json"])
    said = [status for status, _ in _compared(wheel, tmp_path / "at", questions)]
    assert said == [0, 1, 2]


@pytest.mark.long
@pytest.mark.parametrize("count", [60, 1_000])
def test_it_says_the_same_of_altered_proofs(wheel: Path, tmp_path: Path, count: int) -> None:
    corridor = Corridor()
    questions = []
    bundles = altered(asyncio.run(corridor.proof()), corridor.trust(), count=count, seed=2026)
    for number, (_, data, trust) in enumerate(bundles):
        proof, list_ = tmp_path / f"{number}.zdproof", tmp_path / f"{number}.json"
        proof.write_bytes(data)
        list_.write_bytes(encode_trust_list(trust))
        questions.append([str(proof), "--trust", str(list_), "--json"])
    said = _compared(wheel, tmp_path / "at", questions)
    assert {0, 1, 2, 4} <= {status for status, _ in said} | {0}
    assert len(said) == count


@pytest.mark.long
def test_it_comes_into_an_empty_environment_in_twenty_seconds(wheel: Path, tmp_path: Path) -> None:
    assert _made(tmp_path / "again").read_bytes() == wheel.read_bytes()
    program = shutil.which("python3.13", path="/usr/bin") or sys.executable
    subprocess.run([program, "-m", "venv", str(tmp_path / "own")], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    began = time.monotonic()
    pip = str(tmp_path / "own" / "bin" / "pip")
    subprocess.run([pip, "install", "--quiet", str(wheel)], check=True, env=kept)
    took_s = time.monotonic() - began
    sys.stdout.write(f"\ninstalled in {took_s:.1f} s\n")
    proof, trust = (str(GOLDEN / name) for name in ROADS[0])
    words = [str(tmp_path / "own" / "bin" / "zhidao-verify"), proof, "--trust", trust, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env={}, check=False)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "holds"), done.stderr
    assert took_s <= 20
