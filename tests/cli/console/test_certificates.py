"""A node whose certificate is not trusted is no node that is away."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.node.adapters.tls.certificate import own_certificate


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"rows": [], "next": ""}')

    def log_message(self, *_: object) -> None:
        """Nothing: standard error is what is tested."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust it lets go."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    Path("a.token").write_text("one")
    Path("a.token").chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate(tmp_path, "127.0.0.1"))
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _asked(url: str, *more: str) -> int:
    return main(["token", "list", "--url", url, "--token-file", "a.token", "--json", *more])


def test_a_certificate_that_nobody_trusts_is_said_with_what_to_name(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _asked(url) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "untrusted_certificate"
    assert "self-signed" in told["detail"]
    assert "--ca" in told["remedy"]
    other = tmp_path / "other"
    other.mkdir()
    wrong, _ = own_certificate(other, "127.0.0.1")
    assert _asked(url, "--ca", str(wrong)) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "untrusted_certificate"
    assert str(wrong) in told["detail"]


def test_with_its_certificate_the_node_is_asked(url: str, tmp_path: Path) -> None:
    (right,) = tmp_path.rglob("certificate.pem")
    assert _asked(url, "--ca", str(right)) == 0
