"""Which modules of the program one module needs, by reading and without running any of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from common import ROOT

SOURCE: Final = ROOT / "src"


def closure(*starts: str) -> tuple[set[Path], set[str]]:
    """The files that modules lead to by imports wherever they stand, and packages of others."""
    waiting, files, others = list(starts), set[Path](), set[str]()
    while waiting:
        name = waiting.pop()
        if not name.startswith("zhidao"):
            others.add(name.partition(".")[0])
            continue
        for part in _and_above(name):
            file = _file(part)
            if file is None or file in files:
                continue
            files.add(file)
            waiting += _imports(ast.parse(file.read_text(encoding="utf-8")), part)
    return files, others


def _and_above(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _file(name: str) -> Path | None:
    """The file of a module; None if the last word is a name inside one."""
    place = SOURCE.joinpath(*name.split("."))
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _imports(tree: ast.AST, name: str) -> Iterator[str]:
    """The modules that a module imports, but those for its types alone."""
    for node in _but_types(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Faces that bring their parts at the first use name them in a table.
            word = f"{name}.{node.value}"
            if node.value.replace(".", "").isidentifier() and _file(word):
                yield word


def _but_types(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        for each in node.orelse:
            yield from _but_types(each)
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _but_types(child)
