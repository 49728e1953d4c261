"""What a foreign host answers: its texts move no terminal, its shapes are its own fault."""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.console.test_lying_hosts import _HEAD, Lie, _said, _whole
from tests.cli.test_nobody_answers import ASKING, IDS, _line

import zhidao.cli
from zhidao.cli.console import outputs
from zhidao.cli.console.callers import table
from zhidao.cli.console.profiles import SESSION
from zhidao.cli.main import main
from zhidao.core.hosts.answers import Answer
from zhidao.node.http.authentication import SESSION_COOKIE

_ASKING_BY = {"RemoteNode", "node_of", "rows_of", "add_question", "add_caller"}
_ODD = "a\x1b]0;owned\x07b\u202ec\x9b"


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
def test_no_text_of_a_host_moves_the_terminal(
    as_json: bool,  # noqa: FBT001
    refuses: bool,  # noqa: FBT001
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = ("code", "detail", "title", "where", "remedy")
    problem = json.dumps({name: f"{name} {_ODD}\nb" for name in names}, ensure_ascii=True)
    row = {"party": _ODD, "name": f"{_ODD}\nHOLDS", "trade_role": _ODD, "country": _ODD}
    page = json.dumps({"rows": [row | {"keys": [], "custodial": False}], "next": _ODD})
    refusal = _HEAD.replace(b"200 OK", b"409 Conflict")
    lie = _whole(problem.encode(), refusal) if refuses else _whole(page.encode())
    words = "party list --limit 1" + " --json" * as_json
    status, out, err = _said(words, lying(lie), tmp_path, capsys)
    assert status == int(refuses), err
    for odd in "\x1b\x07\u202e\x9b":
        assert odd not in out + err, ascii(out + err)
    if as_json:
        told = json.loads(out)
        assert _ODD in (told["detail"] if refuses else told[0]["party"])
    else:
        assert r"a\u001b]0;owned\u0007b\u202ec\u009b" in out + err
        assert "\nHOLDS" not in out
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("kind", ["deep", "page", "list", "text"])
@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 429])
def test_a_refusal_that_nobody_can_read_is_no_refusal_of_the_node(
    status: int,
    kind: str,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bodies = {
        "deep": b'{"detail":' * 100_000 + b"1" + b"}" * 100_000,
        "page": b"<html>a proxy</html>",
        "list": b'["no"]',
        "text": b'"no"',
    }
    url = lying(_whole(bodies[kind], _HEAD.replace(b"200 OK", b"%d No" % status)))
    ended, out, err = _said("party list", url, tmp_path, capsys)
    assert (ended, out) == (3, "")
    assert f"answers {status} with what nobody can read" in err
    assert len(err) < 400


@pytest.mark.parametrize(
    "cookies", [b"", b"Set-Cookie: other=1\r\n", b"Set-Cookie: zhidao_session=\r\n"]
)
def test_a_sign_in_without_a_session_keeps_nothing(
    cookies: bytes,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert SESSION == SESSION_COOKIE
    url = lying(_whole(b'{"name": "li"}', _HEAD + cookies))
    (certificate,) = tmp_path.rglob("certificate.pem")
    line = f"login {url} --as li --password-file a.token --ca {certificate}"
    assert main(line.split()) == 3
    told = capsys.readouterr()
    assert "signed in" not in told.out
    assert "without a session" in told.err
    assert not list((tmp_path / "settings").rglob("*.json"))


def test_a_token_is_kept_only_where_parties_are_listed(
    lying: Callable[[Lie], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = lying(_whole(b'"hello"'))
    (certificate,) = tmp_path.rglob("certificate.pem")
    assert main(f"login {url} --token-file a.token --ca {certificate}".split()) == 3
    assert "no list of parties" in capsys.readouterr().err
    assert not list((tmp_path / "settings").rglob("*.json"))


@pytest.mark.parametrize("said", [b'"hello"', b'[null,{"party":null},5]', b"{}", b"5"])
@pytest.mark.parametrize(("words", "leaf"), ASKING, ids=IDS)
def test_json_of_another_shape_is_the_hosts_fault_for_every_command(
    words: tuple[str, ...],
    leaf: argparse.ArgumentParser,
    said: bytes,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("good.file").write_text("one")
    Path("good.file").chmod(0o600)
    url = lying(_whole(said, _HEAD + b"Set-Cookie: zhidao_session=a\r\n"))
    (certificate,) = tmp_path.rglob("certificate.pem")
    line = [*_line(words, leaf), "--url", url, "--ca", str(certificate)]
    if words == ("people", "password"):
        line += "--as a --password-file a.token --new-password-file a.token".split()
    else:
        line += ["--token-file", "a.token"]
    try:
        status = main(line)
    except SystemExit as ended:
        status = int(ended.code or 0)
    # What only changes something says so after any answer; a command may look at its file first.
    assert status in (0, 1, 2, 3), capsys.readouterr()


@pytest.mark.parametrize(
    "words",
    [
        *("waiting", "search a", "people show a", "consignment show a", "deal show a"),
        *(
            "seal check a --place b",
            "terminal show a",
            "title show a",
            "finance passport issue",
        ),
    ],
)
@pytest.mark.parametrize("said", [b'"hello"', b'[null,{"party":null},5]', b"{}"])
def test_what_nobody_can_read_is_told_as_such(
    words: str,
    said: bytes,
    lying: Callable[[Lie], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, _, told = _said(words, lying(_whole(said)), tmp_path, capsys)
    assert status in (2, 3), told
    if status == 3:
        assert "answers what nobody can read" in told


def test_an_error_of_another_room_stays_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what stumbles while an answer is told is the host's."""
    outputs.forget_taken()
    outputs.note_heard("https://a.example/v1/parties")
    with pytest.raises(TypeError) as inner:
        Answer("https://a.example", 200, {}, 5).json()  # type: ignore[arg-type]
    assert outputs.misread(inner.value) is None
    with pytest.raises(TypeError) as printing:
        table([5], ["a"])  # type: ignore[list-item]
    assert outputs.misread(printing.value) is not None
    outputs.forget_taken()
    assert outputs.misread(printing.value) is None


def test_who_asks_a_node_prints_by_what_escapes() -> None:
    """The source is looked through: a bare `print` beside a node's answer fails here."""
    root, looked = Path(zhidao.cli.__path__[0]), 0
    for file in root.rglob("*.py"):
        tree = ast.parse(file.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if file.parent.name == "console" or not names & _ASKING_BY:
            continue
        looked += 1
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != "print":
                continue
            said = node.args[0] if node.args else None
            safe = isinstance(said, ast.Call) and ast.unparse(said.func) in ("shown", "escaped")
            assert safe, f"{file.relative_to(root)}:{node.lineno}: tell() escapes, print() does not"
    assert looked > 30
