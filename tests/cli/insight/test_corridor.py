from __future__ import annotations

import io
import json
import random
import sys
from pathlib import Path

import pytest
from tests.cli.insight.test_assess import Run, run
from tests.cli.insight.test_report import files as proofs
from tests.insight.corridor_trips import as_csv, corridor, drive, reported

from zhidao.insight.library import corridors

__all__ = ["proofs", "run"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("corridor")
    draw = random.Random(40)
    tracks = []
    for number in range(40):
        trip = drive(draw)
        tracks.append(reported(trip, draw, f"c{number}", f"carrier-{number % 6}"))
    found = {"area": folder / "corridor.geojson", "tracks": folder / "reports.csv"}
    found["area"].write_bytes(corridor("Khorgos"))
    found["tracks"].write_bytes(b"".join(as_csv(tracks)))
    return found


def test_hours_at_a_crossing_are_told_with_bound_interval_and_count(
    run: Run, files: dict[str, Path], tmp_path: Path
):
    output = tmp_path / "figures.json"
    status, out, err = run(
        "corridor", "--map", files["area"], "--reports", files["tracks"], "-o", output
    )
    assert status == 0, err
    document = json.loads(output.read_bytes())
    (whole,) = [each for each in document["totals"] if each["part"] == "whole"]
    assert whole["consignments"] + whole["missing"] <= 40
    assert whole["bound_h"][0] <= whole["mean_h"] <= whole["bound_h"][1]
    assert whole["interval_90_h"][0] < whole["mean_h"] < whole["interval_90_h"][1]
    assert f"{whole['consignments']} consignments, 6 parties" in out
    _, _, rest = out.partition("Khorgos, both sides together: all that is told below\n  mean ")
    assert float(rest.partition(" ")[0]) == pytest.approx(whole["mean_h"], abs=0.006)
    again = run("corridor", "--map", files["area"], "--reports", files["tracks"], "--json")[1]
    assert json.loads(again) == document


def test_a_chinese_reader_reads_chinese(run: Run, files: dict[str, Path]):
    out = run("corridor", "--map", files["area"], "--reports", files["tracks"], "--language", "zh")[
        1
    ]
    assert "Khorgos, 两侧合计: 以下所列全部" in out
    assert "consignments" not in out


def test_reports_come_through_a_pipe(
    run: Run, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    class Input:
        buffer = io.BytesIO(files["tracks"].read_bytes())

    monkeypatch.setattr(sys, "stdin", Input())
    status, out, _ = run("corridor", "--map", files["area"], "--reports", "-", "--json")
    assert status == 0
    assert out == run("corridor", "--map", files["area"], "--reports", files["tracks"], "--json")[1]


def test_of_too_few_nothing_is_told(run: Run, files: dict[str, Path], tmp_path: Path):
    lines = files["tracks"].read_bytes().splitlines(keepends=True)
    few = tmp_path / "few.csv"
    few.write_bytes(b"".join([lines[0], *(line for line in lines if line.startswith(b"c1,"))]))
    status, out, _ = run("corridor", "--map", files["area"], "--reports", few)
    assert status == 0
    assert "not enough: fewer than 5 consignments or 3 parties" in out
    assert "mean " not in out.partition("\n\n")[2]
    nobody = tmp_path / "nobody.csv"
    nobody.write_bytes(lines[0])
    assert (
        "No consignment is known to have been at a crossing"
        in run("corridor", "--map", files["area"], "--reports", nobody)[1]
    )


def test_bad_input_is_told_with_file_and_place(run: Run, files: dict[str, Path], tmp_path: Path):
    spoiled = tmp_path / "spoiled.csv"
    spoiled.write_bytes(files["tracks"].read_bytes() + b"c1,nobody\n")
    count = spoiled.read_bytes().count(b"\n")
    for words, place in (
        ((files["area"], spoiled), f"spoiled.csv line {count}"),
        ((files["area"], files["area"]), "corridor.geojson"),
        ((files["tracks"], files["tracks"]), "reports.csv"),
        ((files["area"], tmp_path / "nowhere.csv"), "nowhere.csv"),
    ):
        status, out, err = run("corridor", "--map", words[0], "--reports", words[1])
        assert (status, out) == (2, ""), words
        assert place in err


def test_a_log_is_read_and_said_to_be_unchecked(run: Run, proofs: dict[str, Path]):
    proof = proofs["consignment.zdproof"]
    status, out, err = run("corridor", "--proof", proof)
    assert (status, err) == (0, "")
    assert out.startswith("opened ")
    assert "NOT CHECKED: the head of" in out
    assert "No consignment is known to have been at a crossing." in out
    trusted = run("corridor", "--proof", proof, "--trust", proofs["trust.json"], "--json")[1]
    basis = json.loads(trusted)["basis"]
    assert (basis["kind"], basis["logs"][0]["checked"]) == ("log", "trust_list")


@pytest.mark.parametrize(
    "words",
    [
        ("--map", "{area}"),
        ("--reports", "{tracks}"),
        ("--map", "{area}", "--reports", "{tracks}", "--from", "2026-01-01"),
        ("--map", "{area}", "--reports", "{tracks}", "--data", "x"),
        ("--data", "nowhere"),
        ("--data", "x", "--trust", "x"),
        ("--data", "x", "--proof", "x"),
        ("--data", "x", "--from", "soon"),
    ],
)
def test_what_does_not_go_together_is_bad_input(
    run: Run, files: dict[str, Path], words: tuple[str, ...]
):
    named = {name: str(file) for name, file in files.items()}
    status, out, err = run("corridor", *(word.format(**named) for word in words))
    assert (status, out) == (2, "")
    assert err.startswith("zhidao: ")


@pytest.mark.bound("insight.wire.corridor_files.LINE_BYTES_MAX")
def test_a_line_is_bounded(run: Run, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    longest = max(map(len, files["tracks"].read_bytes().splitlines(keepends=True)))
    for bound, status in ((longest, 0), (longest - 1, 2)):
        monkeypatch.setattr(corridors, "LINE_BYTES_MAX", bound)
        assert run("corridor", "--map", files["area"], "--reports", files["tracks"])[0] == status


def test_one_number_and_reports_before_by_command(run: Run, files: dict[str, Path], tmp_path: Path):
    first = tmp_path / "q1.json"
    asked = ("corridor", "--map", files["area"], "--reports", files["tracks"])
    assert run(*asked, "-o", first)[0] == 0
    status, out, err = run(*asked, "--published", first, "--weights", "mean=2,p90=1", "--json")
    assert (status, err) == (0, "")
    again, before = json.loads(out), json.loads(first.read_bytes())
    assert again["cells"] == before["cells"]
    assert again["composite"]["crossings"] == []
    # A trip less: the files cannot say which, so nothing of it is told.
    lines = files["tracks"].read_bytes().splitlines(keepends=True)
    fewer = tmp_path / "fewer.csv"
    fewer.write_bytes(b"".join(line for line in lines if not line.startswith(b"c7,")))
    _, out, _ = run(
        *("corridor", "--map", files["area"], "--reports", fewer, "--published", first, "--json")
    )
    told, whole = (
        {(each["part"], each["direction"]): each for each in document["cells"] if each["told"]}
        for document in (json.loads(out), before)
    )
    assert told.keys() < whole.keys()
    assert all(each["mean_h"] == whole[name]["mean_h"] for name, each in told.items())
    status, _, err = run(*asked, "--weights", "speed=1")
    assert status == 2
    assert "write mean=2,p90=1" in err
    assert run(*asked, "--published", files["area"])[0] == 2
    assert run(*asked, "--published", *[first] * 21)[0] == 2


@pytest.mark.bound("insight.wire.corridor_published.PUBLISHED_FILES_MAX")
@pytest.mark.bound("insight.wire.corridor_published.PUBLISHED_BYTES_MAX")
def test_reports_before_are_bounded(
    run: Run, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = tmp_path / "q1.json"
    asked = ("corridor", "--map", files["area"], "--reports", files["tracks"])
    assert run(*asked, "-o", first)[0] == 0
    assert run(*asked, "--published", *[first] * corridors.PUBLISHED_FILES_MAX)[0] == 0
    assert run(*asked, "--published", *[first] * (corridors.PUBLISHED_FILES_MAX + 1))[0] == 2
    size = first.stat().st_size
    for bound, status in ((size, 0), (size - 1, 2)):
        monkeypatch.setattr(corridors, "PUBLISHED_BYTES_MAX", bound)
        monkeypatch.setattr("zhidao.insight.wire.corridor_published.PUBLISHED_BYTES_MAX", bound)
        assert run(*asked, "--published", first)[0] == status
