from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.verification.corridor_bench import Corridor
from tests.verification.omissions import without_events

from zhidao.cli.console.trust_folder import shown
from zhidao.cli.main import main
from zhidao.finance.events import Settled
from zhidao.node.web.pages import ASSETS
from zhidao.trust.wire.governance.trust_list import (
    decode_trust_list,
    encode_trust_list,
    trust_list_fingerprint,
)
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof

Run = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Files:
    """A proof, the list of its keys, and the list of another node."""

    proof: Path
    trust: Path
    stranger: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("proof")
    road = Corridor()
    found = Files(folder / "consignment.zdproof", folder / "trust.json", folder / "other.json")
    found.proof.write_bytes(asyncio.run(road.proof()))
    found.trust.write_bytes(encode_trust_list(road.trust()))
    found.stranger.write_bytes(encode_trust_list(Corridor("stranger").trust()))
    return found


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def call(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def test_a_proof_that_holds_is_told_in_sentences(run: Run, files: Files) -> None:
    status, out, err = run("verify", files.proof, "--trust", files.trust)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("HOLDS  consignment zd-2026-0001")
    # What was only played stands before everything that is proven.
    assert lines[1] == "promised: arrival, papers, payment, title"
    assert lines[3] == "SIMULATED, not lived:"
    assert lines.index("proven:") < lines.index("NOT proven:")
    assert "\033" not in out


def test_the_json_answer_has_the_same_sentences(run: Run, files: Files) -> None:
    status, out, _ = run("verify", files.proof, "--trust", files.trust, "--json")
    answer = json.loads(out)
    assert (status, answer["verdict"], answer["reason"]) == (0, "holds", "")
    assert set(answer) == {
        *("verdict", "reason", "sentence", "consignment", "trust", "simulated", "proven"),
        *("not_proven", "fingerprints", "trust_root", "promised", "shown", "missing"),
    }
    assert answer["promised"] == answer["shown"] == ["arrival", "papers", "payment", "title"]
    assert answer["missing"] == []
    for name in ("simulated", "proven", "not_proven"):
        assert answer[name]
        assert all(set(each) == {"code", "text"} for each in answer[name])
    _, text, _ = run("verify", files.proof, "--trust", files.trust)
    assert all(f"  - {each['text']}" in text for each in answer["proven"])


def test_a_proof_that_shows_less_than_promised_holds_in_part(
    run: Run, files: Files, tmp_path: Path
) -> None:
    proof = decode_proof(files.proof.read_bytes())
    cut = tmp_path / "cut.zdproof"
    cut.write_bytes(encode_proof(without_events(proof, lambda e: e.type == Settled.TYPE)))
    status, out, _ = run("verify", cut, "--trust", files.trust)
    lines = out.splitlines()
    assert status == 4
    assert lines[0].startswith("HOLDS IN PART  consignment zd-2026-0001")
    assert lines[1:4] == [
        "promised: arrival, papers, payment, title",
        "shown: arrival, papers, title",
        "MISSING: payment",
    ]
    assert {"proven:", "NOT proven:"} <= set(lines)
    status, out, _ = run("verify", cut, "--trust", files.trust, "--require", "arrival,title")
    assert status == 0
    assert "asked for: arrival, title" in out.splitlines()
    asked = ("--require", "payment,witnessed", "--json")
    status, out, _ = run("verify", cut, "--trust", files.trust, *asked)
    answer = json.loads(out)
    assert (status, answer["verdict"]) == (4, "holds_in_part")
    assert answer["missing"] == ["payment", "witnessed"]
    with pytest.raises(SystemExit) as ended:
        run("verify", cut, "--require", "all")
    assert ended.value.code == 2


def test_the_list_that_judged_is_named_by_its_root(run: Run, files: Files) -> None:
    root = trust_list_fingerprint(files.trust.read_bytes())
    assert f"'Corridor test' (root {root})" in run("verify", files.proof, "--trust", files.trust)[1]
    answer = json.loads(run("verify", files.proof, "--trust", files.trust, "--json")[1])
    assert (answer["trust"], answer["trust_root"]) == ("Corridor test", root)


def test_without_a_list_nobody_is_trusted_and_keys_are_named(run: Run, files: Files) -> None:
    key = Corridor().node_key.public.fingerprint
    status, out, _ = run("verify", files.proof)
    assert status == 1
    assert out.startswith("UNTRUSTED ROOT")
    assert key in out
    status, out, _ = run("verify", files.proof, "--trust", files.stranger, "--json")
    answer = json.loads(out)
    assert (status, answer["verdict"]) == (1, "untrusted_root")
    assert [each["fingerprint"] for each in answer["fingerprints"]] == [key]
    assert answer["proven"] == []


def test_an_installed_list_is_used_until_it_is_removed(run: Run, files: Files) -> None:
    status, out, _ = run("trust", "add", files.trust, "--yes")
    assert status == 0
    assert Corridor().node_key.public.fingerprint in out
    assert run("trust", "add", files.trust, "--yes")[0] == 0
    [listed] = json.loads(run("trust", "list", "--json")[1])
    assert listed["name"] == "Corridor test"
    assert run("verify", files.proof)[0] == 0
    status, out, _ = run("trust", "remove", listed["fingerprint"][:8])
    assert (status, "Removed Corridor test" in out) == (0, True)
    assert run("verify", files.proof)[0] == 1
    status, out, err = run("trust", "list")
    assert (status, out) == (0, "")
    assert "zhidao trust add FILE" in err


def test_a_list_is_not_installed_unless_somebody_compared(
    run: Run, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        status, _, err = run("trust", "add", files.trust)
    assert (status, "--yes" in err) == (2, True)
    assert not list(tmp_path.rglob("*.json"))


def renamed(files: Files, folder: Path, name: str) -> Path:
    """The stranger's list under a name of its choice."""
    path = folder / "renamed.trust"
    trust = decode_trust_list(files.stranger.read_bytes())
    path.write_bytes(encode_trust_list(replace(trust, name=name)))
    return path


def test_another_log_key_for_a_known_node_is_said_loudly(
    run: Run, files: Files, tmp_path: Path
) -> None:
    run("trust", "add", files.trust, "--yes")
    status, _, err = run("trust", "add", renamed(files, tmp_path, "Another"), "--yes")
    assert status == 0
    assert err.startswith("WARNING")
    assert trust_list_fingerprint(files.trust.read_bytes()) in err
    # Both lists stand: the one that knows the log decides.
    assert run("verify", files.proof)[0] == 0
    assert run("trust", "remove", "Corridor test")[0] == 0
    assert run("trust", "remove", "Corridor test")[0] == 1


@pytest.mark.parametrize(
    "name",
    [
        "Corridor test",
        " corridor\u200b TEST",
        "\uff23orridor test",
        "C\u043errid\u03bfr test",
        "\u0421orridor \u0422est",
        "C0rridor t\u00e9st",
    ],
)
def test_an_installed_lists_name_is_taken_until_the_list_is_replaced_by_its_root(
    run: Run, files: Files, tmp_path: Path, name: str
) -> None:
    run("trust", "add", files.trust, "--yes")
    root = trust_list_fingerprint(files.trust.read_bytes())
    other = renamed(files, tmp_path, name)
    status, _, err = run("trust", "add", other, "--yes")
    assert (status, f"--replace {root}" in err) == (1, True), err
    answer = json.loads(run("trust", "add", other, "--yes", "--json")[1])
    assert answer["error"] == "name_taken"
    new = trust_list_fingerprint(other.read_bytes())
    assert run("trust", "add", other, "--yes", "--replace", new)[0] == 1
    listed = json.loads(run("trust", "list", "--json")[1])
    assert [each["fingerprint"] for each in listed] == [root]
    assert run("trust", "add", other, "--yes", "--replace", root)[0] == 0
    listed = json.loads(run("trust", "list", "--json")[1])
    assert [each["fingerprint"] for each in listed] == [new]


def test_a_newline_at_the_end_of_a_list_is_told_with_what_to_do(
    run: Run, files: Files, tmp_path: Path
) -> None:
    path = tmp_path / "edited.json"
    path.write_bytes(files.trust.read_bytes() + b"\n")
    for words in (("trust", "add", path, "--yes"), ("verify", files.proof, "--trust", path)):
        status, _, err = run(*words)
        assert (status, "newline" in err, "printf" in err) == (2, True, True), err
    path.write_bytes(files.trust.read_bytes().replace(b",", b", ", 1))
    status, _, err = run("trust", "add", path, "--yes")
    assert (status, "editors and formatters" in err) == (2, True)


def test_a_damaged_installed_list_is_bad_input(run: Run, files: Files, tmp_path: Path) -> None:
    run("trust", "add", files.trust, "--yes")
    [path] = tmp_path.rglob("*.json")
    path.write_bytes(files.stranger.read_bytes())
    status, _, err = run("verify", files.proof)
    assert (status, "another list than was installed" in err) == (2, True)


@pytest.mark.parametrize("data", [b"", b"{}", b"PK\x03\x04", b'{"v":1}', b"[" * 100_000])
def test_what_is_no_proof_is_bad_input(run: Run, files: Files, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "wrong.zdproof"
    path.write_bytes(data)
    assert run("verify", path, "--trust", files.trust)[0] == 2
    status, out, _ = run("verify", path, "--trust", files.trust, "--json")
    assert (status, json.loads(out)["verdict"]) == (2, "malformed")
    assert run("verify", files.proof, "--trust", path)[0] == 2
    assert run("trust", "add", path, "--yes")[0] == 2


def test_missing_files_and_folders_are_bad_input(run: Run, files: Files, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path, files.proof / "below"):
        assert run("verify", path)[0] == 2
        assert run("verify", files.proof, "--trust", path)[0] == 2


def test_a_strangers_text_cannot_steer_the_terminal() -> None:
    assert shown("a\033[2Jb\nc\u202ed") == "a\ufffd[2Jb\nc\ufffdd"


def test_verifying_loads_no_database_no_bus_and_no_server(files: Files) -> None:
    code = (
        "import sys; from zhidao.cli.main import main; "
        f"status = main(['verify', {str(files.proof)!r}, '--trust', {str(files.trust)!r}]); "
        "loaded = {'psycopg', 'nats', 'litestar', 'uvicorn', 'httpx'} & set(sys.modules); "
        "print(status, sorted(loaded), file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stderr.strip() == "0 []"


def test_where_py_evm_is_absent_the_answer_says_what_stayed_unchecked(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "eth", None)
    status, out, _ = run("verify", files.proof, "--trust", files.trust)
    assert (status, out.splitlines()[0][:5]) == (4, "HOLDS")
    assert "there is no EVM here" in out


def test_the_verifier_goes_along_as_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (ASSETS / "index.html").exists():
        pytest.skip("the pages are not built here: run python hatch_build.py")
    file = tmp_path / "page.html"
    assert main(["trust", "verifier", "-o", str(file)]) == 0
    text = file.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "connect-src" not in text
    assert "default-src 'none'" in text
    assert main(["trust", "verifier"]) == 0
    assert capsys.readouterr().out == text
