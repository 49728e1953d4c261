"""`zhidao finance approval` against a small server over plain HTTP that counts two words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from zhidao.cli.main import main

NAME = "5f" * 32


class Node:
    """One approval behind HTTP."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.about: dict[str, Any] = {"payments": 1, "first": [{"payee": "丝路"}]}
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listed = self.path.startswith("/v1/lists/approvals")
                self._send({"rows": [node.row()], "next": ""} if listed else node.row())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                node.said.append((self.path, body["verdict"]))
                self._send(node.row())

            def _send(self, body: object) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *words: object) -> None:
                del words

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def row(self) -> dict[str, Any]:
        by = [verdict for _, verdict in self.said]
        return {
            "approval": NAME,
            "act": "pay",
            "subject": "M-1",
            "amount_minor": 10_100,
            "currency": "CNY",
            "exponent": 2,
            "state": "refused" if "refuse" in by else "waits",
            "asked_at": "2026-05-01T08:00:00Z",
            "persons": 2,
            "approved_by": ["aida"] if "approve" in by else [],
            "refused_by": "bolat" if "refuse" in by else "",
            "said": self.about,
        }


@pytest.fixture
def node() -> Iterator[Node]:
    found = Node()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_transfers_are_shown_row_by_row(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    at = ["--url", f"http://127.0.0.1:{node.server.server_port}", "--token-file", str(token)]
    row = {"debtor": "丝路", "debit": "aa" * 16, "creditor": "", "credit": "bb" * 16}
    first = [{"does": "moves", "amount_minor": "10100", **row}]
    node.about = {"currency": "CNY", "transfers": 1, "records": "QUJD", "first": first}
    assert main(["finance", "approval", "show", NAME, *at]) == 0
    told = capsys.readouterr().out
    assert "QUJD" not in told
    assert f"moves 101.00 CNY from 丝路 ({'aa' * 16}) to unnamed ({'bb' * 16})" in told
    assert main(["finance", "approval", "show", NAME, "--json", *at]) == 0
    assert "QUJD" in capsys.readouterr().out


def test_what_waits_is_listed_shown_approved_and_refused(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    at = ["--url", f"http://127.0.0.1:{node.server.server_port}", "--token-file", str(token)]
    approval = ["finance", "approval"]
    assert main([*approval, "list", *at]) == 0
    assert "waits  pay M-1  101.00 CNY  approved by nobody" in capsys.readouterr().out
    assert main([*approval, "show", NAME, *at]) == 0
    assert "丝路" in capsys.readouterr().out
    assert main([*approval, "give", NAME, *at]) == 0
    assert "approved by aida" in capsys.readouterr().out
    assert main([*approval, "refuse", NAME, "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out)[0]["refused_by"] == "bolat"
    path = f"/v1/finance/approvals/{NAME}"
    assert node.said == [(path, "approve"), (path, "refuse")]
