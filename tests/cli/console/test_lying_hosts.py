"""A host that answers, and lies: each command ends soon, small, with one line that names it."""

from __future__ import annotations

import argparse
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zhidao.cli.console import listing, remote
from zhidao.cli.main import main
from zhidao.core.errors import Unavailable
from zhidao.core.hosts.answers import Answer
from zhidao.node.operations.checkup_node import ask_node

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Lie = Callable[[socket.socket], None]


def _whole(body: bytes, head: bytes = _HEAD) -> Lie:
    return lambda line: line.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def _flood(line: socket.socket) -> None:
    line.sendall(_HEAD + b"\r\n")
    while True:
        line.sendall(b"[" * 65536)


def _drip(first: bytes) -> Lie:
    def drip(line: socket.socket) -> None:
        line.sendall(first)
        while True:
            line.sendall(b"X")
            time.sleep(0.1)

    return drip


def _again(line: socket.socket) -> None:
    """Goes on for ever, and never comes to the answer."""
    while True:
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def _lines(line: socket.socket) -> None:
    line.sendall(_HEAD)
    for k in range(10_000):
        line.sendall(b"X-%d: 1\r\n" % k)
        time.sleep(0.1)


def _silent(line: socket.socket) -> None:
    time.sleep(30)


LIES: dict[str, Lie] = {
    "deep": _whole(b"[" * 50_000 + b"]" * 50_000),
    "deep refusal": _whole(b'{"a":' * 50_000, _HEAD.replace(b"200 OK", b"503 Away")),
    "flood": _flood,
    "text": _whole(b"<html>welcome</html>"),
    "empty": _whole(b""),
    "no unicode": _whole(b'"\xff\xfe"'),
    "twice": _whole(b'{"rows": [], "rows": [1]}'),
    "drips a body": _drip(_HEAD + b"\r\n"),
    "drips a head": _drip(b"HTTP/1.1 200 OK\r\n"),
    "drips lines of a head": _lines,
    "goes on for ever": _again,
    "is silent": _silent,
}
COMMANDS = (
    ["account", "list"],
    ["party", "list"],
    ["api", "openapi"],
    ["exchange", "inbox"],
)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_lie_is_status_three_and_names_the_host(
    words: list[str],
    lie: str,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = lying(LIES[lie])
    monkeypatch.setattr(remote, "_JSON_S", 1.0)
    (certificate,) = tmp_path.rglob("certificate.pem")
    begun_s = time.monotonic()
    status = main(
        [*words, "--url", url, *f"--token-file a.token --ca {certificate} --json".split()]
    )
    assert time.monotonic() - begun_s < 20
    told = json.loads(capsys.readouterr().out)
    assert status == 3, told
    if lie == "deep refusal":
        assert len(told["detail"]) <= 200
        return
    assert told["error"] == "bad_answer"
    assert url in told["detail"]
    assert told["remedy"]
    if lie.startswith(("drips", "goes", "is")):
        assert "no whole answer within 1 s" in told["detail"]


def test_an_answer_has_a_minute() -> None:
    """Nobody waits longer without a word; a file has as long as a slow line needs."""
    assert remote._JSON_S <= 60 < remote._FILE_S


def _said(
    words: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    (certificate,) = tmp_path.rglob("certificate.pem")
    status = main([*words.split(), "--url", url, "--token-file", "a.token", f"--ca={certificate}"])
    told = capsys.readouterr()
    return status, told.out, told.err


def _slow(line: socket.socket) -> None:
    time.sleep(2.5)  # As a slow line needs it for what is sent.
    _whole(b'{"document": "d"}')(line)


@pytest.mark.parametrize(("size", "status"), [(1000, 3), (4 * 1024 * 1024, 0)])
def test_what_is_a_file_may_take_longer_than_a_question(
    size: int,
    status: int,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = lying(_slow)
    monkeypatch.setattr(remote, "_JSON_S", 1.0)
    Path("a.xml").write_bytes(b"x" * size)
    words = "exchange send a.xml --to almaty/bank --consignment C-1 --kind trade.invoice --json"
    said = _said(words, url, tmp_path, capsys)
    assert said[0] == status, said


@pytest.mark.parametrize("way", ["mute", "silent", "gone"])
def test_a_host_that_says_nothing_is_told_in_words(
    way: str,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(remote, "_CONNECT_S", 0.5)
    monkeypatch.setattr(remote, "_SECONDS", 0.5)
    url = lying((lambda line: line.close()) if way == "gone" else _silent)
    # It takes the connection, and never says a word of TLS.
    mute = socket.create_server(("127.0.0.1", 0))
    if way == "mute":
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
    status, _, told = _said("party list", url, tmp_path, capsys)
    mute.close()
    assert status == 3
    assert "does not answer: ;" not in told
    why = {"mute": "no connection within", "silent": "it said nothing for", "gone": "disconnected"}
    assert why[way] in told


@pytest.mark.parametrize(
    "said",
    [
        *(b"5", b"[]", b"null", b"{}", b'{"rows": 1, "next": ""}', b'{"rows": [1], "next": ""}'),
        *(b'{"rows": [{}], "next": "again"}', b'{"rows": [], "next": null}'),
        b'{"rows": [%s{}], "next": ""}' % (b"{}," * 100),
    ],
)
def test_what_is_no_page_of_a_list_is_told_as_such(
    said: bytes,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = lying(_whole(said))
    (certificate,) = tmp_path.rglob("certificate.pem")
    words = f"account list --url {url} --token-file a.token --ca {certificate} --json"
    assert main(words.split()) == 3
    assert json.loads(capsys.readouterr().out)["error"] == "bad_answer"


@pytest.mark.bound("cli.console.listing._ROWS_MAX")
def test_a_list_without_an_end_ends_here_and_tells_where_it_goes_on(
    lying: Callable[[Lie], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(listing, "_ROWS_MAX", 250)
    asked = 0

    def further(line: socket.socket) -> None:
        nonlocal asked
        asked += 1
        row = b'{"party": "a", "name": "a", "trade_role": "a", "country": "CN"'
        row += b', "keys": [], "custodial": false}'
        said = b'{"rows": [%s], "next": "%d"}' % (b",".join([row] * 100), asked)
        _whole(said)(line)

    url = lying(further)
    (certificate,) = tmp_path.rglob("certificate.pem")
    words = f"party list --url {url} --token-file a.token --ca {certificate} --json"
    assert main(words.split()) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 300
    assert "--after 3" in told.err


@pytest.mark.bound("cli.console.remote.ANSWER_BYTES_MAX")
@pytest.mark.parametrize("lie", ["flood", "drips a body", "drips a head"])
def test_a_file_is_fetched_within_bounds_too(
    lie: str, lying: Callable[[Lie], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = lying(LIES[lie])
    monkeypatch.setattr(remote, "_FILE_S", 20.0 if lie == "flood" else 1.0)
    (certificate,) = tmp_path.rglob("certificate.pem")
    options = argparse.Namespace(url=url, token_file=Path("a.token"), ca=certificate)
    wanted = f"{url}/log/checkpoint answers " + ("more than" if lie == "flood" else "no whole")
    with pytest.raises(Unavailable, match=wanted):
        remote.RemoteNode(options).data("/log/checkpoint")


@pytest.mark.parametrize("lie", [each for each in LIES if each != "deep refusal"])
def test_doctor_asks_the_node_of_a_folder_within_bounds(
    lie: str, lying: Callable[[Lie], str], tmp_path: Path
) -> None:
    url = lying(LIES[lie])
    (certificate,) = tmp_path.rglob("certificate.pem")
    begun_s = time.monotonic()
    with pytest.raises(Unavailable, match=url):
        ask_node(url, certificate)
    assert time.monotonic() - begun_s < 20


@pytest.mark.parametrize("levels", [64, 65])
def test_an_answer_is_read_to_the_depth_that_the_reference_tells(levels: int) -> None:
    answer = Answer("https://a.example", 200, {}, b"[" * levels + b"]" * levels)
    if levels <= 64:
        assert answer.json()
        return
    with pytest.raises(Unavailable, match="64 levels"):
        answer.json()
