"""`zhidao trade untp` against a small server over plain HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from zhidao.cli.main import main

PASSPORT = {"id": "urn:uuid:1", "name": "Pass\x1b[31mport", "issuer": {"name": "Exporter"}}


class Node:
    """Answers with one passport, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                node.asked.append((self.path, json.loads(body) if body else None))
                good = "nobody" not in self.path
                answer: Any = {"code": "not_found", "detail": "no consignment of that name"}
                if good:
                    many = self.path.endswith("passports")
                    answer = {"credentials": [PASSPORT, PASSPORT]} if many else PASSPORT
                self.send_response(201 if good else 404)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *words: object) -> None:
                del words

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def asking(node: Node, tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text("zt_secret")
    token.chmod(0o600)
    return ["--url", node.url, "--token-file", str(token)]


def test_passports_are_issued_shown_and_written(node, asking, tmp_path, capsys):
    out = tmp_path / "passports"
    where = ["--facility", "urn:works:7", "--facility-name", "Works 7", "-o", str(out)]
    assert main(["trade", "untp", "passports", "zd-1", *where, *asking]) == 0
    assert node.asked == [
        (
            "/v1/trade/consignments/zd-1/product-passports",
            {"facility_id": "urn:works:7", "facility_name": "Works 7"},
        )
    ]
    assert json.loads((out / "2.json").read_bytes()) == PASSPORT
    told = capsys.readouterr().out
    assert "Exporter" in told
    assert "\x1b" not in told


def test_an_arrival_comes_as_json(node, asking, capsys):
    assert main(["trade", "untp", "arrival", "zd-1", *asking, "--json"]) == 0
    assert node.asked == [("/v1/trade/consignments/zd-1/arrival-credential", None)]
    assert json.loads(capsys.readouterr().out) == [PASSPORT]


def test_a_refusal_is_told_in_the_node_s_words(asking, capsys):
    assert main(["trade", "untp", "arrival", "nobody", *asking]) == 1
    assert "no consignment of that name" in capsys.readouterr().err
