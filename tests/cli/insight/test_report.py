from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.verification.corridor_bench import Corridor

from zhidao.cli.main import main
from zhidao.trust.wire.governance.trust_list import encode_trust_list

Run = Callable[..., tuple[int, bytes, str]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("proof")
    road = Corridor()
    found = {name: folder / name for name in ("consignment.zdproof", "trust.json", "other.json")}
    found["consignment.zdproof"].write_bytes(asyncio.run(road.proof()))
    found["trust.json"].write_bytes(encode_trust_list(road.trust()))
    found["other.json"].write_bytes(encode_trust_list(Corridor("stranger").trust()))
    return found


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: object) -> tuple[int, bytes, str]:
        status = main(["insight", "report", *map(str, words)])
        told = capfdbinary.readouterr()
        return status, told.out, told.err.decode()

    return call


def test_a_report_of_a_proof_file_is_the_same_twice(run: Run, files: dict[str, Path]):
    status, out, err = run("--proof", files["consignment.zdproof"])
    assert (status, err) == (0, "")
    assert out.startswith(b"<!doctype html>")
    assert b"opened " in out
    assert run("--proof", files["consignment.zdproof"]) == (0, out, "")


def test_a_report_is_written_to_a_file(run: Run, files: dict[str, Path], tmp_path: Path):
    _, page, _ = run("--proof", files["consignment.zdproof"])
    status, out, err = run("--proof", files["consignment.zdproof"], "-o", tmp_path / "r.html")
    assert (status, out) == (0, b"")
    assert (tmp_path / "r.html").read_bytes() == page
    assert f"{len(page)} bytes" in err


def test_json_names_the_leaves_of_each_figure(run: Run, files: dict[str, Path]):
    status, out, _ = run("--json", "--proof", files["consignment.zdproof"])
    assert status == 0
    document = json.loads(out)
    assert document["format"] == "zhidao.insight"
    assert document["opened"]["leaves"]


def test_a_trust_list_is_gone_by(run: Run, files: dict[str, Path]):
    proof = files["consignment.zdproof"]
    status, out, _ = run("--json", "--proof", proof, "--trust", files["trust.json"])
    assert status == 0
    assert json.loads(out)["logs"][0]["checked"] == "trust_list"
    status, out, _ = run("--json", "--proof", proof, "--trust", files["other.json"])
    assert status == 1
    assert json.loads(out)["error"] == "untrusted_root"


@pytest.mark.parametrize(
    "words",
    [
        ("--proof", "nowhere.zdproof"),
        ("--proof", "{proof}", "--data", "x"),
        ("--trust", "{trust}", "--data", "x"),
        ("--proof", "{trust}"),
        ("--url", "https://127.0.0.1:1"),
        ("--proof", "{proof}", "-o", "{proof}-not-here/annex.html"),
        ("--proof", "{proof}", "--from", "soon"),
        ("--proof", "{proof}", "--from", "2026-02-02", "--to", "2026-02-01"),
        ("--url", "https://127.0.0.1:1", "--token-file", "{proof}", "--to", "soon"),
    ],
)
def test_bad_input_is_status_2(run: Run, files: dict[str, Path], words: tuple[str, ...]):
    named = {"proof": files["consignment.zdproof"], "trust": files["trust.json"]}
    status, out, err = run(*(word.format(**named) for word in words))
    assert (status, out) == (2, b"")
    assert err.startswith("zhidao: ")


def test_a_folder_where_no_node_ran_is_bad_input_and_stays_empty(run: Run, tmp_path: Path):
    status, out, err = run("--data", tmp_path / "new")
    assert (status, out) == (2, b"")
    assert "no node has run" in err
    assert "--data" in err
    assert not (tmp_path / "new").exists()


def test_a_proof_without_a_trust_list_is_said_across_the_page(run: Run, files: dict[str, Path]):
    proof = files["consignment.zdproof"]
    band = b'<p class="band"><span lang="en">NOT CHECKED: 1 of 1 heads'
    assert band in run("--proof", proof)[1]
    assert b"NOT CHECKED: " not in run("--proof", proof, "--trust", files["trust.json"])[1]


def test_a_part_of_a_log_is_chosen(run: Run, files: dict[str, Path]):
    proof = files["consignment.zdproof"]
    whole = json.loads(run("--json", "--proof", proof)[1])
    (name,) = [each["consignment"] for each in whole["consignments"]]
    step = next(each for each in whole["consignments"][0]["steps"] if each["key"] == "entered")
    day = step["occurred_at"][:10]
    for words, chosen in (
        (("--consignment", name), 1),
        (("--from", day, "--to", day), 1),
        (("--from", step["occurred_at"]), 1),
        (("--to", step["occurred_at"]), 0),
    ):
        status, out, _ = run("--json", "--proof", proof, *words)
        document = json.loads(out)
        assert (status, document["selection"]["chosen"]) == (0, chosen), words
        assert len(document["consignments"]) == chosen
    status, out, err = run("--proof", proof, "--consignment", "nowhere")
    assert (status, out) == (1, b"")
    assert "nowhere" in err


def test_a_summary_is_shorter(run: Run, files: dict[str, Path]):
    proof = files["consignment.zdproof"]
    whole, short = run("--proof", proof)[1], run("--proof", proof, "--summary")[1]
    assert b"Summary: figures only." in short
    assert len(short) < len(whole)


def test_a_node_that_does_not_answer_is_status_3(run: Run, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("zd_x_y")
    token.chmod(0o600)
    status, _, err = run("--url", "http://127.0.0.1:1", "--token-file", token)
    assert status == 3
    assert "does not answer" in err


@pytest.mark.parametrize(
    "words",
    [
        ("insight", "report"),
        ("backup",),
        ("restore",),
        ("keys",),
        ("keys", "export"),
        ("doctor",),
    ],
)
def test_help_shows_how_to_use_it(words: tuple[str, ...]):
    done = subprocess.run(
        [sys.executable, "-m", "zhidao.cli", *words, "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    if words != ("keys", "export"):
        assert "example" in done.stdout
        assert f"zhidao {words[0]}" in done.stdout
        assert "status: 0" in done.stdout
