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


@pytest.fixture(scope="module")
def modules() -> dict[Path, tuple[str, ast.Module]]:
    """Each module's text and syntax, read once for all the claims."""
    texts = {path: path.read_text() for path in MODULES}
    return {path: (text, ast.parse(text)) for path, text in texts.items()}


Modules = dict[Path, tuple[str, ast.Module]]


def test_a_module_keeps_to_its_size_and_has_a_noun_for_a_name(modules: Modules) -> None:
    long = [name_of(path) for path, (text, _) in modules.items() if text.count("\n") > LINES_MAX]
    assert not long, "more than 600 lines: what is its second idea?"
    vague = [name_of(path) for path in modules if BANNED_NAMES & set(path.with_suffix("").parts)]
    assert not vague, "find the noun"


def test_a_module_keeps_to_the_arrows(modules: Modules) -> None:
    wrong = []
    for path, (_, tree) in modules.items():
        room = _room(path)
        if room.endswith(".py"):
            continue
        for name in _imports(tree):
            package, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if package == "zhidao" and other in ARROWS and other not in {room, *ARROWS[room]}:
                wrong.append(f"{name_of(path)}: {room} -> {other}")
    assert not wrong


def test_every_public_name_is_documented(modules: Modules) -> None:
    bare = [
        f"{name_of(path)}: {name}" for path, (_, tree) in modules.items() for name in _bare(tree)
    ]
    assert not bare, "a docstring is missing"


def _bare(tree: ast.Module) -> Iterator[str]:
    if tree.body and not ast.get_docstring(tree):
        yield "the module"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for scope in [tree, *[n for n in tree.body if isinstance(n, ast.ClassDef)]]:
        if isinstance(scope, ast.ClassDef) and scope.name.startswith("_"):
            continue
        for node in scope.body:
            if not isinstance(node, kinds) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield node.name


def name_of(path: Path) -> str:
    """Where a module stands in the source."""
    return str(path.relative_to(SOURCE))


def test_every_room_stands_in_the_table() -> None:
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert rooms <= set(ARROWS)


def test_arrows_run_down() -> None:
    floors = list(ARROWS)
    for room, below in ARROWS.items():
        assert all(floors.index(other) < floors.index(room) for other in below), room
