"""`zhidao network mark`: the mark of a way without a node, in words and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main

HERE = {"latitude_deg": 43.35, "longitude_deg": 77.04}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows = [f"2026-11-30T20:{n:02}:00Z,43.35,77.06,15" for n in range(11)]
    way = "at,latitude_deg,longitude_deg,bound_m\n" + "\n".join(rows) + "\n"
    (tmp_path / "way.csv").write_text(way)
    said = [
        {
            "network": "corridor",
            "at": f"2026-11-30T20:{n:02}:00Z",
            "circle": HERE | {"radius_m": 5_000},
            "timing_advance": HERE | {"steps": 20, "detour_m": 300, "error_m": 80},
        }
        for n in range(11)
    ]
    (tmp_path / "seen.json").write_text(json.dumps(said))
    return tmp_path


def told(files: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    words = ["network", "mark", str(files / "way.csv"), str(files / "seen.json")]
    status = main([*words, *more])
    return status, capsys.readouterr().out


def test_a_way_that_the_network_saw_is_told_in_words_and_in_json(files, capsys):
    status, text = told(files, capsys)
    assert status == 0
    assert text.startswith("match: corridor saw 100.0 % of 600 s")
    status, text = told(files, capsys, "--json")
    found = json.loads(text)
    assert (status, found["verdict"], found["corroborated_permille"]) == (0, "match", 1000)
    assert [each["verdict"] for each in found["spans"]] == ["match"]


def test_a_way_two_kilometres_off_is_found_by_the_advance(files, capsys):
    way = files / "way.csv"
    # Two kilometres to the east: in the circle still, and far out of the ring.
    way.write_text(way.read_text().replace("77.06", "77.0847"))
    status, text = told(files, capsys, "--json")
    found = json.loads(text)
    assert (status, found["verdict"], found["contradicted_permille"]) == (1, "mismatch", 1000)
    assert found["reasons"] == ["corridor says elsewhere: outside its ring of the timing advance"]
    assert found["spans"][0]["gap_mm"] > 1_500_000


def test_what_no_network_said_is_unknown_and_says_so_by_its_status(files, capsys):
    way = files / "way.csv"
    way.write_text(way.read_text().replace("2026-11-30", "2026-11-29"))
    status, text = told(files, capsys, "--json")
    assert (status, json.loads(text)["verdict"]) == (4, "unknown")


def test_a_wrong_file_is_named_with_its_place(files, capsys):
    (files / "seen.json").write_text('[{"network": "a", "at": "now"}]')
    status = main(
        [
            *("network", "mark", str(files / "way.csv"), str(files / "seen.json")),
            "--json",
        ]
    )
    told = json.loads(capsys.readouterr().out)
    assert status == 2
    assert "seen.json" in told["where"]
    assert "answer 1" in told["where"]
