"""The fuzzer itself: it finds what a server's description does not say, and says the same twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = pytest.mark.slow
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "one that lies", "version": "1"},
    "paths": {
        "/things": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": {"type": "string", "maxLength": 9}},
                            }
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "done",
                        "content": {"application/json": {"schema": {"type": "integer"}}},
                    },
                    "400": {"description": "refused"},
                },
            }
        }
    },
}


class Lying(BaseHTTPRequestHandler):
    """Answers as the test says; keeps what it was asked."""

    answer: tuple[int, bytes] = (200, b"1")
    asked: tuple[list[tuple[str, bytes]]] = ([],)

    def do_GET(self) -> None:
        self._send(200, json.dumps(DESCRIPTION).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked[0].append((self.headers.get("authorization", ""), body))
        self._send(*self.answer)

    def log_message(self, *_: Any) -> None:
        return

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Lying)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    Lying.asked[0].clear()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((500, b"{}"), "Server error"),
        ((200, b'"one"'), "Response violates schema"),
        ((418, b"{}"), "Undocumented status code"),
        ((400, b'{"code": "invalid"}'), "fits the schema, refused by it"),
    ],
)
def test_what_a_description_does_not_say_is_found(
    server: str, answer: tuple[int, bytes], told: str
) -> None:
    from tests.node.api_fuzz import fuzz

    Lying.answer = answer
    found = fuzz(server, {"owner": "t"}, seed=1, systematic=3, drawn=2)
    assert any(told in finding for finding in found.findings), found.findings


def test_one_seed_sends_the_same_by_each_caller_and_in_each_run(server: str) -> None:
    from tests.node.api_fuzz import fuzz

    Lying.answer = (400, b"{}")
    runs = []
    for seed in (417, 417, 418):
        fuzz(server, {"owner": "t", "nobody": ""}, seed=seed, systematic=4, drawn=6)
        runs.append(list(Lying.asked[0]))
        Lying.asked[0].clear()
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    by_caller = [
        [body for token, body in runs[0] if bool(token) is named] for named in (True, False)
    ]
    assert by_caller[0] == by_caller[1] != []
