"""Every suite stands in a room and can be run; what it takes from the tests is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from conformance.__main__ import SUITES, status_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(SUITES))
def test_a_suite_can_be_run(name: str) -> None:
    assert callable(import_module(f"conformance.{SUITES[name]}.{name}").run)


def test_what_suites_import_while_running_is_there() -> None:
    """A test that moved would be missed only by whoever runs the suite."""
    taken = {
        node.module
        for file in (ROOT / "conformance").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests.")
    }
    assert len(taken) > 10
    assert sorted(module for module in taken if not _stands(module)) == []


def _stands(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_a_clone_without_the_outside_sets_does_not_look_like_one_that_passed(tmp_path: Path):
    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "conformance", "jcs", "--data", str(tmp_path / "none"), *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    status, told = run()
    assert status == 4
    assert "1 of 1 suites were skipped" in told
    assert run("--allow-skipped")[0] == 0


@pytest.mark.parametrize(
    ("results", "status", "allowed"),
    [
        ([{"suite": "a", "passed": 1, "total": 1, "failed": []}], 0, 0),
        ([{"suite": "a", "skipped": "why"}], 4, 0),
        ([{"suite": "a", "passed": 0, "total": 0, "failed": []}], 4, 0),
        (
            [
                {"suite": "a", "skipped": "why"},
                {"suite": "b", "passed": 1, "total": 1, "failed": []},
            ],
            4,
            0,
        ),
        (
            [
                {"suite": "a", "skipped": "why"},
                {"suite": "b", "passed": 0, "total": 1, "failed": ["x"]},
            ],
            1,
            1,
        ),
    ],
)
def test_a_skip_is_no_pass_and_hides_no_failure(
    results: list[dict[str, object]], status: int, allowed: int
):
    assert status_of(results, allow_skipped=False) == status
    assert status_of(results, allow_skipped=True) == allowed
