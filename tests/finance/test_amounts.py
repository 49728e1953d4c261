"""No float carries money: none is written, made or divided into being in the finance room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import zhidao.finance

ROOM = Path(zhidao.finance.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))
# Paths are joined with the same sign that divides.
PATHS = {
    *(f"adapters/{name}.py" for name in ("schema_pack", "screening_folder", "screening_lists")),
    "adapters/calendar_folder.py",
    "library/packs.py",
}


def floats(tree: ast.AST) -> Iterator[str]:
    """Places of floats; a named constant of seconds is no amount."""
    seconds = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id.endswith("_S")
    }
    for node in ast.walk(tree):
        if id(node) in seconds:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"line {node.lineno}: {node.value}"
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name.startswith("float") or name == "double":
                yield f"line {node.lineno}: {name}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: a division"


def test_no_module_of_finance_knows_a_float() -> None:
    named = {str(path.relative_to(ROOM)): ast.parse(path.read_text()) for path in MODULES}
    assert not [
        f"{name} {place}"
        for name, tree in named.items()
        for place in floats(tree)
        if name not in PATHS or "division" not in place
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.5",
        "x = float(y)",
        "a: np.float64",
        "x = a / b",
        "x /= 2",
        "x = 1e3",
        "A_SUM: F = 0.5",
    ],
)
def test_the_search_finds_floats(text: str) -> None:
    assert list(floats(ast.parse(text)))


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = ("numpy", "lxml", "rapidfuzz", "pypinyin", "ortools", "psycopg")
    script = f"import sys, zhidao.finance; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout.strip() == "[]"
