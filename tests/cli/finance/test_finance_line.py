"""`zhidao finance line` against a small server over plain HTTP that keeps what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from zhidao.cli.main import main


class Node:
    """Credit lines of one bank behind HTTP."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.refused: dict[str, Any] | None = None
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                assert asked.path == "/v1/lists/credit-lines"
                after = parse_qs(asked.query).get("after", [""])[0]
                left = [row for row in node.rows if _key(row) > after]
                behind = _key(left[0]) if len(left) > 1 else ""
                self._send(200, {"rows": left[:1], "next": behind})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if node.refused is not None:
                    self._send(422, node.refused)
                    return
                node.rows.append({"bank": "b", "exponent": 2, "used_minor": 5, **body})
                self._send(201, node.rows[-1])

            def _send(self, status: int, body: object) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *words: object) -> None:
                del words

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def _key(row: dict[str, Any]) -> str:
    return f"{row['peer']}/{row['currency']}"


@pytest.fixture
def node() -> Iterator[Node]:
    found = Node()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_a_line_is_set_in_whole_units_and_listed_page_by_page(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    at = ["--url", f"http://127.0.0.1:{node.server.server_port}", "--token-file", str(token)]
    for peer, currency, amount in (("p", "CNY", "500000.00"), ("p", "JPY", "7")):
        assert main(["finance", "line", "set", peer, currency, amount, *at]) == 0
    told = capsys.readouterr().out
    assert "p may owe b up to" in told
    assert [row["limit_minor"] for row in node.rows] == [50_000_000, 7]
    assert main(["finance", "line", "list", "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out) == node.rows
    assert main(["finance", "line", "set", "p", "CNY", "0.001", *at]) == 2
    node.refused = {"code": "needs_two_persons", "detail": "two persons"}
    assert main(["finance", "line", "set", "p", "CNY", "1", *at]) == 1
