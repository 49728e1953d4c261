"""Every suite stands in a room and can be run; what it takes from the tests is there."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from conformance.__main__ import SUITES

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
