"""A command that is told to end, or whose terminal is closed, still ends its own session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Slow(ThreadingHTTPServer):
    """A node that signs people in and then answers no question; it hears sessions ended."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = threading.Event()
        self.ended = threading.Event()
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def log_message(self, *_words: object) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Set-Cookie", "zhidao_session=s; Path=/")
        self.send_header("Set-Cookie", "zhidao_csrf=c; Path=/")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.over.wait(60)

    def do_DELETE(self) -> None:
        if self.path == "/v1/session" and "zhidao_session=s" in self.headers["Cookie"]:
            self.server.ended.set()
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def slow() -> Iterator[Slow]:
    node = Slow()
    threading.Thread(target=node.serve_forever, daemon=True).start()
    yield node
    node.over.set()
    node.shutdown()
    node.server_close()


# Who runs these tests in the background has interrupts ignored, and so would the command.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from zhidao.cli.main import program
sys.exit(program())
"""


@pytest.mark.parametrize(
    ("order", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_its_session_ends_with_it(
    slow: Slow, tmp_path: Path, order: signal.Signals, status: int
) -> None:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("ten or more letters")
    words = ["people", "list", "--url", slow.url, "--as", "aida", "--password-file", str(password)]
    command = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert slow.asked.wait(60)
        command.send_signal(order)
        _, said = command.communicate(timeout=60)
    finally:
        command.kill()
        command.wait()
    assert slow.ended.is_set()
    assert (command.returncode, b"Traceback" in said) == (status, False)


def test_a_refusal_that_standard_output_cannot_take_is_said_elsewhere() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zhidao.cli", "verify", "nothing.zdproof", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, b"a defect of" in done.stderr) == (2, False)
    assert b'"error"' in done.stderr
