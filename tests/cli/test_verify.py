from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.node.verification.corridor_bench import Road

from zhidao.cli.main import main
from zhidao.cli.trust_folder import shown
from zhidao.trust.wire.trust_list import encode_trust_list

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
    road = Road()
    found = Files(folder / "consignment.zdproof", folder / "trust.json", folder / "other.json")
    found.proof.write_bytes(asyncio.run(road.proof()))
    found.trust.write_bytes(encode_trust_list(road.trust()))
    found.stranger.write_bytes(encode_trust_list(Road("stranger").trust()))
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
    assert lines[1] == "SIMULATED, not lived:"
    assert lines.index("proven:") < lines.index("NOT proven:")
    assert "\033" not in out


def test_the_json_answer_has_the_same_sentences(run: Run, files: Files) -> None:
    status, out, _ = run("verify", files.proof, "--trust", files.trust, "--json")
    answer = json.loads(out)
    assert (status, answer["verdict"], answer["reason"]) == (0, "holds", "")
    assert set(answer) == {
        *("verdict", "reason", "sentence", "consignment", "trust", "simulated", "proven"),
        *("not_proven", "fingerprints"),
    }
    for name in ("simulated", "proven", "not_proven"):
        assert answer[name]
        assert all(set(each) == {"code", "text"} for each in answer[name])
    _, text, _ = run("verify", files.proof, "--trust", files.trust)
    assert all(f"  - {each['text']}" in text for each in answer["proven"])


def test_without_a_list_nobody_is_trusted_and_keys_are_named(run: Run, files: Files) -> None:
    key = Road().node_key.public.fingerprint
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
    assert Road().node_key.public.fingerprint in out
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


def test_another_log_key_for_a_known_node_is_said_loudly(run: Run, files: Files) -> None:
    run("trust", "add", files.trust, "--yes")
    status, _, err = run("trust", "add", files.stranger, "--yes")
    assert status == 0
    assert err.startswith("WARNING")
    # Both lists stand: the one that knows the log decides.
    assert run("verify", files.proof)[0] == 0
    assert run("trust", "remove", "Corridor test")[0] == 0
    assert run("trust", "remove", "Corridor test")[0] == 1


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
