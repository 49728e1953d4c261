"""The house keeps its shape: who may see whom, how long a module is, what is documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "zhidao"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "artefacts" not in p.parts)
LINES_MAX = 600
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

# room -> rooms it may import. Change it together with an ADR that says why.
ARROWS: dict[str, set[str]] = {
    "core": set(),
    "store": {"core"},
    "bus": {"core"},
    "trust": {"store", "core"},
    "connectivity": {"store", "core"},
    "devices": {"store", "core"},
    "insight": {"core"},
    "industry": {"store", "core"},
    "positioning": {"devices", "connectivity", "store", "core"},
    "exchange": {"trust", "store", "core"},
    "trade": {"positioning", "industry", "trust", "store", "core"},
    "finance": {"trade", "positioning", "devices", "trust", "store", "core"},
    "node": {
        *("finance", "trade", "positioning", "exchange", "industry", "insight"),
        *("devices", "connectivity", "trust", "store", "bus", "core"),
    },
    "simulation": {"node", "finance", "positioning", "devices", "connectivity", "trust", "core"},
    "cli": {
        "simulation",
        "node",
        "finance",
        "exchange",
        "insight",
        "positioning",
        "trust",
        "store",
        "bus",
        "core",
    },
}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_keeps_to_the_arrows_and_to_its_size(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LINES_MAX, "more than 600 lines: what is its second idea?"
    assert not BANNED_NAMES & set(path.with_suffix("").parts), "find the noun"
    room = _room(path)
    if room.endswith(".py"):
        return
    for name in _imports(ast.parse(text)):
        parts = name.split(".")
        if parts[0] == "zhidao" and len(parts) > 1 and parts[1] in ARROWS:
            assert parts[1] == room or parts[1] in ARROWS[room], f"{room} -> {parts[1]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_public_name_is_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or not tree.body, "the module needs a docstring"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    bare = [
        node.name
        for scope in [tree, *[n for n in tree.body if isinstance(n, ast.ClassDef)]]
        if not (isinstance(scope, ast.ClassDef) and scope.name.startswith("_"))
        for node in scope.body
        if isinstance(node, kinds) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert not bare, f"no docstring: {', '.join(bare)}"


def test_every_room_stands_in_the_table() -> None:
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert rooms <= set(ARROWS)


def test_arrows_run_down() -> None:
    floors = list(ARROWS)
    for room, below in ARROWS.items():
        assert all(floors.index(other) < floors.index(room) for other in below), room
