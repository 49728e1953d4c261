"""A real chain for tests: anvil from npm, where it can be had."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from zhidao.core.programs.child import free_port

PACKAGE = "@foundry-rs/anvil-linux-amd64"
VERSION = "1.7.1"
_FOLDER = Path(__file__).resolve().parents[2] / "build" / "anvil"


def program() -> Path:
    """The binary: of ZHIDAO_TEST_ANVIL, the path, or the npm package; skips where none is."""
    for found in (os.environ.get("ZHIDAO_TEST_ANVIL"), shutil.which("anvil")):
        if found:
            return Path(found)
    binary = _FOLDER / "node_modules" / PACKAGE / "bin" / "anvil"
    npm = shutil.which("npm")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    # One test process at a time: another may look while the binary is still being written.
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists() and npm:
            subprocess.run(
                [npm, "install", "--ignore-scripts", "--no-save", f"{PACKAGE}@{VERSION}"],
                cwd=_FOLDER, check=False, capture_output=True, timeout=100,
            )  # fmt: skip
    if not binary.exists():
        pytest.skip("anvil is not here and npm cannot fetch it")
    return binary


@contextmanager
def running(chain_id: int, *more: str) -> Iterator[str]:
    """The URL of a fresh chain without fees under the rules of Shanghai."""
    port = free_port()
    words = [str(program()), "--port", str(port), "--chain-id", str(chain_id), "--silent",
             "--hardfork", "shanghai", "--base-fee", "0", "--gas-price", "0", *more]  # fmt: skip
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"})
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        child.kill()
        child.wait()
