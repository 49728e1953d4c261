"""What the package says it needs is what its code imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
SOURCE = ROOT / "src" / "zhidao"
# What building and installing needs, and no running node.
BUILDING = {"editables", "hatchling", "uv"}

# Where they are not installed, what they are imported as.
_OF_EXTRAS = {
    "ortools": {"ortools"},
    "pandas": {"pandas"},
    "pkcs11": {"python-pkcs11"},
    "typst": {"typst"},
}


def _names(file: str) -> set[str]:
    lines = (REQUIREMENTS / file).read_text().splitlines()
    found = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line[:1] not in ("", "-", "#")]
    return {_plain(one[0]) for one in found if one}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imports() -> Iterator[tuple[str, str]]:
    """(top-level package, file) of every import, wherever it stands."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            elif (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "import_module"
                and isinstance(node.args[0], ast.Constant)
            ):
                names = [str(node.args[0].value)]
            else:
                continue
            for name in names:
                yield name.partition(".")[0], str(file.relative_to(ROOT))


def _extras() -> dict[str, str]:
    tree = ast.parse((ROOT / "build_steps" / "dependencies.py").read_text())
    [value] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "EXTRAS"
    ]
    assert value is not None
    found: dict[str, str] = ast.literal_eval(value)
    return found


def test_every_import_is_of_a_requirement() -> None:
    told = _names("base.in").union(*map(_names, _extras().values()))
    made_by = packages_distributions()
    missing: dict[str, str] = {}
    for package, file in _imports():
        if package == "zhidao" or package in sys.stdlib_module_names:
            continue
        distributions = {_plain(one) for one in made_by.get(package, [])} or _OF_EXTRAS.get(package)
        if not distributions or not distributions & told:
            missing[package] = file
    assert missing == {}


def test_each_extra_is_named_with_its_command_where_it_is_missing() -> None:
    said = {
        node.args[0].value
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "command_for"
        and isinstance(node.args[0], ast.Constant)
    }
    # Without numba every computation runs on its plain twin.
    assert said == set(_extras()) - {"positioning"}


def test_the_lock_of_a_checkout_has_all_that_the_package_says() -> None:
    locked = {
        _plain(line.partition("==")[0])
        for line in (REQUIREMENTS / "runtime.txt").read_text().splitlines()
        if "==" in line
    }
    plain = {name.partition("[")[0] for name in _names("base.in") | _names("positioning.in")}
    assert plain - locked == set()
    assert _names("runtime.in") >= BUILDING


@pytest.mark.parametrize("extra", sorted(_extras()))
def test_an_extra_has_a_list_and_its_lock(extra: str) -> None:
    file = _extras()[extra]
    assert _names(file)
    assert extra == "positioning" or (REQUIREMENTS / file).with_suffix(".txt").is_file()
