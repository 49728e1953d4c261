"""The notebook for Python users does what it shows."""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "tutorials" / "positions.ipynb"
PICTURE = "image/svg+xml"


def _run(source: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of its last expression."""
    tree = ast.parse(source)
    value = None
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        else:
            exec(compile(tree, "cell", "exec"), names)
    return told.getvalue(), value


def _shown(cell: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """What the notebook says that a cell printed and gave."""
    printed = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
    given = [o["data"] for o in cell["outputs"] if o["output_type"] == "execute_result"]
    return printed, {kind: "".join(text) for data in given for kind, text in data.items()}


@pytest.mark.slow
def test_every_cell_of_the_notebook_gives_what_it_shows() -> None:
    pytest.importorskip("numpy")
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        printed, value = _run("".join(cell["source"]), names)
        told, given = _shown(cell)
        assert printed == told, f"cell {number}"
        if PICTURE in given:
            assert value._repr_svg_().count("<circle") == given[PICTURE].count("<circle")
        elif given:
            assert repr(value) == given["text/plain"], f"cell {number}"
        else:
            assert value is None, f"cell {number}"
    assert len(cells) > 8


def test_the_notebook_is_one_that_jupyter_opens() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identities)) == len(identities)
    assert all(cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code")
