"""Tools of others that read what we publish: from npm and pip, where they can be had."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_BUILD = Path(__file__).resolve().parents[2] / "build"
_NPM = _BUILD / "api-tools"
_PIP = _BUILD / "openapi-python-client"
NPM_PACKAGES = {
    "@stoplight/spectral-cli": "6.16.3",
    "openapi-typescript": "7.13.0",
    "typescript": "5.9.3",
    "@asyncapi/parser": "3.6.6",
}
PYTHON_CLIENT = "openapi-python-client==0.29.1"
_FETCH_S_MAX = 300


def npm_tools() -> Path:
    """The folder of the npm packages; skips where they are not here and cannot be fetched."""
    npm = shutil.which("npm")
    _NPM.mkdir(parents=True, exist_ok=True)
    # One test process at a time: another may look while packages are still being written.
    with (_NPM / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if npm and not _installed():
            wanted = [f"{name}@{version}" for name, version in NPM_PACKAGES.items()]
            subprocess.run(
                [npm, "install", "--ignore-scripts", "--no-save", "--no-audit", *wanted],
                cwd=_NPM, check=False, capture_output=True, timeout=_FETCH_S_MAX,
            )  # fmt: skip
    if not _installed():
        pytest.skip("the npm packages that read our API are not here and cannot be fetched")
    return _NPM


def _installed() -> bool:
    for name, version in NPM_PACKAGES.items():
        manifest = _NPM / "node_modules" / name / "package.json"
        if not manifest.exists() or json.loads(manifest.read_text())["version"] != version:
            return False
    return True


def python_client_generator() -> Path:
    """The program openapi-python-client in an environment of its own; skips without it."""
    program = _PIP / "bin" / "openapi-python-client"
    _BUILD.mkdir(exist_ok=True)
    with (_BUILD / "openapi-python-client.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            subprocess.run([sys.executable, "-m", "venv", str(_PIP)], check=False, timeout=120)
            subprocess.run(
                [str(_PIP / "bin" / "pip"), "install", "--quiet", PYTHON_CLIENT],
                check=False, capture_output=True, timeout=_FETCH_S_MAX,
            )  # fmt: skip
    if not program.exists():
        pytest.skip("openapi-python-client is not here and pip cannot fetch it")
    return program
