"""`zhidao finance credit` against a small server that keeps one credit and what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from tests.finance.credit_cases import clean

from zhidao.cli.finance.credit_acts import CREDIT_STEPS, DRAWING_STEPS, FORMS
from zhidao.cli.main import main
from zhidao.finance.domain.credit.transport_forms import FORMS as RULES
from zhidao.finance.wire.credit import read_credit
from zhidao.node.api.finance.credit import CreditStep, DrawingStep


class Node:
    """One credit behind HTTP."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        terms, _ = clean()
        self.terms = read_credit(json.dumps(terms).encode())
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listed = self.path.startswith("/v1/lists/credits")
                self._send({"rows": [node.row()], "next": ""} if listed else node.row())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                node.said.append((self.path, body))
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
        from zhidao.finance.wire.credit import plain

        drawing = {
            "drawing": "1",
            "state": "discrepant",
            "claimed_minor": 4_440_000,
            "discrepancies": [{"article": "20(a)(i)", "sentence": "The carrier is not named."}],
        }
        return {
            "credit": "LC-2026-0042",
            "issuer": "importer-bank",
            "applicant": "importer",
            "beneficiary": "exporter",
            "terms": plain(self.terms),
            "drawings": [drawing],
        }


@pytest.fixture
def node() -> Iterator[Node]:
    found = Node()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def at(node: Node, tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    return ["--url", f"http://127.0.0.1:{node.server.server_port}", "--token-file", str(token)]


def credit(*words: str) -> int:
    return main(["finance", "credit", *words])


def test_a_credit_is_issued_from_its_file_with_the_document_that_was_chosen(
    node: Node, at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "credit.json"
    file.write_text(json.dumps(clean()[0]))
    who = ["--applicant", "importer", "--beneficiary", "exporter", "--adviser", "exporter-bank"]
    assert credit("issue", str(file), *who, "--calendar", "CN", "--document", "rail", *at) == 0
    assert "LC-2026-0042  importer-bank for importer to exporter" in capsys.readouterr().out
    [(path, body)] = node.said
    assert path == "/v1/finance/credits"
    assert body["terms"]["shipment"]["document"] == "rail"
    assert (body["adviser"], body["confirmer"], body["calendar"]) == ("exporter-bank", "", "CN")
    assert credit("issue", str(file), *who, "--calendar", "CN", *at) == 0
    assert node.said[1][1]["terms"]["shipment"]["document"] == "bill_of_lading"


def test_an_amendment_changes_the_document_alone(node: Node, at: list[str]) -> None:
    assert credit("amend", "LC-2026-0042", "--of", "importer-bank", "--document", "air", *at) == 0
    [(path, body)] = node.said
    assert path == "/v1/finance/credits/LC-2026-0042/amendments?of=importer-bank"
    before = node.row()["terms"]
    assert body["shipment"] == before["shipment"] | {"document": "air"}
    assert body == before | {"shipment": body["shipment"], "version": before["version"] + 1}


def test_nothing_to_amend_is_said_and_not_sent(
    node: Node, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert credit("amend", "LC-2026-0042", *at) == 2
    assert "--document" in capsys.readouterr().err
    assert node.said == []


def test_papers_are_presented_and_each_step_goes_to_the_credit_or_to_its_presentation(
    node: Node, at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = tmp_path / "presentation.json"
    papers.write_text(json.dumps(clean()[1]))
    assert credit("present", "LC-2026-0042", "1", str(papers), *at) == 0
    assert credit("step", "LC-2026-0042", "advise", *at) == 0
    assert credit("step", "LC-2026-0042", "examine", "--drawing", "1", *at) == 0
    assert "20(a)(i): The carrier is not named." in capsys.readouterr().out
    one = "/v1/finance/credits/LC-2026-0042"
    assert [path for path, _ in node.said] == [
        *(f"{one}/drawings/1", f"{one}/steps", f"{one}/drawings/1/steps")
    ]
    assert [body for _, body in node.said[1:]] == [{"step": "advise"}, {"step": "examine"}]


def test_a_step_of_a_presentation_needs_its_name(
    node: Node, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert credit("step", "LC-2026-0042", "honour", *at) == 2
    assert "--drawing" in capsys.readouterr().err
    assert credit("step", "LC-2026-0042", "advise", "--drawing", "1", *at) == 2
    assert node.said == []


def test_credits_are_listed_and_one_is_shown(
    node: Node, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    del node
    assert credit("list", *at) == 0
    assert credit("show", "LC-2026-0042", "--json", *at) == 0
    line, shown = capsys.readouterr().out.splitlines()
    assert "bill_of_lading" in line
    assert json.loads(shown)["drawings"][0]["state"] == "discrepant"


def test_the_words_of_the_command_are_those_of_the_node() -> None:
    assert {*FORMS} == {*RULES}
    for steps, kind in ((CREDIT_STEPS, CreditStep), (DRAWING_STEPS, DrawingStep)):
        assert steps == get_args(get_type_hints(kind)["step"])
