from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.service
@pytest.mark.parametrize("listener", ["http", "devices"])
def test_a_taken_port_ends_the_node_with_a_reason_and_without_strays(tmp_path: Path, listener: str):
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("throw-away keys of a test")
    settings = {"ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase), "ZHIDAO_HTTP_TLS": "off"}
    data = tmp_path / "node"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "zhidao.cli", "serve", "--json"),
                *("--data", str(data), "--port", str(port if listener == "http" else 0)),
            ],
            capture_output=True,
            text=True,
            env=os.environ | settings | {f"ZHIDAO_{listener.upper()}_PORT": str(port)},
            timeout=60,
            check=False,
        )
    assert ended.returncode == 3
    answer = json.loads(ended.stdout)
    assert answer["error"] == "port_unavailable"
    assert str(port) in answer["detail"]
    assert f"set {listener}.port" in answer["remedy"]
    assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()
