"""A real provider of identities for tests: oidc-provider from npm, where it can be had."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zhidao.core.programs.child import free_port

PACKAGE, VERSION = "oidc-provider", "9.13.3"
SECRET = "a secret of the test"
_FOLDER = Path(__file__).resolve().parents[2] / "build" / PACKAGE
_SCRIPT = Path(__file__).with_suffix(".mjs")


def modules() -> Path:
    """The folder of npm packages; skips where there is no node or npm cannot fetch them."""
    npm = shutil.which("npm")
    if shutil.which("node") is None:
        pytest.skip("no node on this machine: no provider of identities was asked")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    found = _FOLDER / "node_modules"
    # One test process at a time: another may look while the package is still being written.
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (found / PACKAGE / "package.json").exists() and npm:
            subprocess.run(
                [npm, "install", "--ignore-scripts", "--no-save", f"{PACKAGE}@{VERSION}"],
                cwd=_FOLDER, check=False, capture_output=True, timeout=100,
            )  # fmt: skip
    if not (found / PACKAGE / "package.json").exists():
        pytest.skip("oidc-provider is not here and npm cannot fetch it")
    return found


@contextmanager
def providing(*back: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The issuer of a fresh provider and its process; `back`: the addresses it sends people to."""
    port = free_port()
    words = ["node", str(_SCRIPT), str(modules()), str(port), *back]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    try:
        while child.stdout.readline().strip() != b"ready":
            assert child.poll() is None, "the provider ended"
        yield f"http://localhost:{port}", child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
