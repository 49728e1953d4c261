"""What a command says that wants to ask a person where there is none, and what it is told too late."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from zhidao.cli.console.profiles import Profile, keep
from zhidao.cli.console.remote import RemoteNode
from zhidao.cli.exchange.peer import _taken
from zhidao.cli.main import main
from zhidao.core.errors import NotFound, Refused

AWAY = "http://127.0.0.1:9"
ASKING = (
    ("people list --as li", "--password-file"),
    ("people password --as li", "--password-file"),
    ("login", "--as NAME or --token-file"),
    ("login --as li", "--password-file"),
)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, in which nobody is signed in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


def _without_terminal(line: str, **more: Any) -> subprocess.CompletedProcess[str]:
    words = line.split()
    url = [AWAY] if words[0] == "login" else ["--url", AWAY]
    return subprocess.run(
        [sys.executable, "-m", "zhidao.cli", *words, *url],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
        **more,
    )


@pytest.mark.parametrize(("line", "instead"), ASKING)
@pytest.mark.parametrize(
    "more",
    [{"stdin": subprocess.DEVNULL}, {"preexec_fn": lambda: os.close(0)}],
    ids=["at its end", "closed"],
)
def test_without_a_terminal_it_is_said_what_to_use_instead(
    line: str, instead: str, more: dict[str, Any]
) -> None:
    done = _without_terminal(line, **more)
    assert done.returncode == 2, done.stderr
    assert "no terminal to ask for the" in done.stderr
    assert instead in done.stderr
    assert "Warning" not in done.stderr


def test_a_password_that_a_program_sends_is_taken() -> None:
    done = _without_terminal("people list --as li", input="words of a program\n")
    # The node is away: the password was read.
    assert done.returncode == 3, done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "localhost:8443",
        "ftp://a",
        "https://",
        "https://a:b",
        "https://a/?x=1",
        "http://a b",
    ],
)
@pytest.mark.parametrize("line", ["party list --url", "login --as li"])
def test_what_is_no_address_is_told_with_what_one_looks_like(
    line: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line.split(), url]) == 2
    assert "such as https://localhost:8443" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--token-file", "--password-file"])
def test_a_secret_that_others_may_read_is_bad_input(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("secret").write_text("one")
    Path("secret").chmod(0o644)
    person = ["--as", "li"] if option == "--password-file" else []
    assert main(["party", "list", "--url", AWAY, *person, option, "secret"]) == 2
    assert "chmod 600 secret" in capsys.readouterr().err


def test_a_certificate_that_is_not_there_is_told_before_a_password_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # No terminal is here: a prompt would be another error.
    assert main(["party", "list", "--url", AWAY, "--as", "li", "--ca", "gone.pem"]) == 2
    assert "no file gone.pem" in capsys.readouterr().err


_LINKS: list[dict[str, Any]] = [
    {"name": "2a53" + "0" * 60, "node": "importer", "invitation": "{}", "fingerprint": "11-11"},
    {"name": "77de" + "0" * 60, "node": "xian", "invitation": "{}", "fingerprint": "22-22"},
    {"name": "77df" + "0" * 60, "node": "xian", "invitation": "{}", "fingerprint": "33-33"},
    {"name": "90aa" + "0" * 60, "node": "", "invitation": "", "fingerprint": ""},
]


def test_who_took_a_link_is_named_as_the_list_shows_it() -> None:
    assert _taken(_LINKS, "importer") is _LINKS[0]
    assert _taken(_LINKS, "2a530000") is _LINKS[0]
    assert _taken(_LINKS, _LINKS[2]["name"]) is _LINKS[2]
    with pytest.raises(Refused, match=r"22-22.*33-33"):
        _taken(_LINKS, "xian")
    for name in ("bank", "", "2a53", _LINKS[3]["name"]):
        with pytest.raises(NotFound):
            _taken(_LINKS, name)


class _Refusing(BaseHTTPRequestHandler):
    """A node to which every caller is unknown; its path says by what code."""

    def do_GET(self) -> None:
        told = {"code": self.path.split("/")[1], "detail": "no", "remedy": "zhidao token agree 05"}
        self.send_response(401)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_: object) -> None:
        """Talks of nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        served = threading.Thread(target=server.serve_forever)
        served.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        served.join(10)


@pytest.mark.parametrize(
    ("code", "file", "remedy"),
    [
        ("token_waits", "a.token", "token agree"),
        ("token_waits", None, "token agree"),
        ("unauthenticated", None, "zhidao login"),
        ("unauthenticated", "a.token", "token agree"),
    ],
)
def test_a_token_that_waits_is_not_answered_with_a_sign_in(
    code: str, file: str | None, remedy: str, refusing: str
) -> None:
    keep(Profile("a", f"{refusing}/{code}", person="li", session={"s": "x"}))
    Path("a.token").write_text("zd_x")
    Path("a.token").chmod(0o600)
    token = Path(file) if file else None
    options = Namespace(url="", ca=None, person="", profile="a", token_file=token)
    with pytest.raises(Refused) as refused:
        RemoteNode(options).get("/v1/parties")
    assert remedy in str(refused.value)
