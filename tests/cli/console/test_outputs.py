"""Commands write their results in one way."""

from __future__ import annotations

import ast
from pathlib import Path

import zhidao.cli

_WAYS = {"write_bytes", "write_text", "rename", "replace", "mkstemp", "NamedTemporaryFile"}


def test_no_command_writes_a_result_by_itself() -> None:
    root = Path(zhidao.cli.__path__[0])
    found = [
        f"{path.relative_to(root)}:{node.lineno} {node.func.attr}"
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _WAYS
        # A text's `replace` has two arguments, a date's has names, a path's is one alone.
        and not (node.func.attr == "replace" and (len(node.args) != 1 or node.keywords))
        # An installed trust list that goes aside within its own folder is no result.
        and (path.name, node.func.attr) != ("trust_folder.py", "replace")
    ]
    assert found == [], "use cli.console.outputs.put, or core.files.output where it streams"
