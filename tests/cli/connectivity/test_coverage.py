"""`zhidao network coverage` judges a route by files, and tells what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main

_ROUTE = "lat,lon\n43.35,77.00\n43.35,78.30\n"
_HEAD = "name,latitude_deg,longitude_deg,frequency_mhz,height_m,eirp_dbm"
_CELLS = f"{_HEAD}\nwest,43.36,77.05,1800,30,58\npass,43.34,77.25,1800,30,58\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    route, cells = tmp_path / "route.csv", tmp_path / "cells.csv"
    route.write_text(_ROUTE, encoding="utf-8")
    cells.write_text(_CELLS, encoding="utf-8")
    return str(route), str(cells)


def _run(capsys, *words: str) -> tuple[int, str, str]:
    status = main(["network", "coverage", *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_a_table_tells_each_stretch_and_what_was_assumed(files, capsys) -> None:
    route, cells = files
    status, out, err = _run(capsys, route, "--sites", cells)
    assert status == 4
    rows = out.splitlines()
    assert rows[0].split()[:3] == ["from", "km", "to"]
    kinds = {row.split()[2] for row in rows[1:-2]}
    assert kinds == {"served", "borderline", "silent", "unjudged"}
    assert rows[-1].startswith("105.4 km: ")
    assert "2 cells without gain_dbi: only what the terminal hears counts" in err
    assert "km lie beyond the models" in err
    assert "no hills" in err


def test_json_is_the_whole_answer_and_only_that(files, capsys) -> None:
    route, cells = files
    status, out, _ = _run(capsys, route, "--sites", cells, "--json", "--speed", "30")
    told = json.loads(out)
    assert status == 4
    assert told["summary"]["length_m"] == 105_400
    assert told["assumptions"]["speed_kmh"] == 30
    slow = told["summary"]["longest_silence_s"]
    _, out, _ = _run(capsys, route, "--sites", cells, "--json", "--speed", "60")
    assert slow == pytest.approx(2 * json.loads(out)["summary"]["longest_silence_s"], abs=2)


def test_extrapolation_is_asked_for_marked_and_leaves_nothing_unjudged(files, capsys) -> None:
    route, cells = files
    status, out, err = _run(capsys, route, "--sites", cells, "--extrapolate")
    assert status == 0
    assert "unjudged" not in out
    assert "silent+" in out
    assert "(marked +) are extrapolated" in err


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--sight", "worst"], "line_of_sight", "worst"),
        (["--inside", "metallized"], "inside", "metallized"),
        (["--terminal-height", "3"], "terminal_height_m", 3),
        (["--terminal-gain=-2"], "terminal_gain_dbi", -2),
        (["--terminal-power", "20"], "terminal_power_dbm", 20),
        (["--noise-figure", "7"], "noise_figure_db", 7),
        (["--site-noise-figure", "3"], "site_noise_figure_db", 3),
        (["--snr=-3"], "snr_db", -3),
        (["--uplink", "360"], "uplink_khz", 360),
        (["--loss", "6"], "loss_db", 6),
        (["--building-height", "10"], "building_height_m", 10),
        (["--street-width", "30"], "street_width_m", 30),
        (["--served", "0.95"], "served_from", 0.95),
        (["--silent", "0.2"], "silent_below", 0.2),
        (["--report", "600"], "report_s", 600),
        (["--short-after", "900"], "short_after_s", 900),
        (["--short-early", "300"], "short_early_s", 300),
        (["--step", "250"], "step_m", 250),
    ],
)
def test_every_option_reaches_the_answer_and_changes_it(files, capsys, words, name, value) -> None:
    route, cells = files
    Path(route).write_text(_ROUTE.replace("77.00", "76.30"), encoding="utf-8")
    Path(cells).write_text(
        f"{_HEAD},gain_dbi\nwest,43.36,77.05,1800,30,55,14\npass,43.34,77.25,1800,30,65,10\n"
        "near,43.35,77.30,1800,30,58,17\n",
        encoding="utf-8",
    )
    _, plain, _ = _run(capsys, route, "--sites", cells, "--json")
    _, out, _ = _run(capsys, route, "--sites", cells, "--json", *words)
    told, before = json.loads(out), json.loads(plain)
    assert told["assumptions"][name] == value
    assert before["assumptions"][name] != value
    assert (told["stretches"], told["gaps"]) != (before["stretches"], before["gaps"])


def test_a_map_is_written_whole_beside_the_answer(files, capsys, tmp_path) -> None:
    route, cells = files
    file = tmp_path / "out.geojson"
    _, out, err = _run(capsys, route, "--sites", cells, "--json", "--geojson", str(file))
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["summary"] == json.loads(out)["summary"]
    assert len(document["features"]) == len(json.loads(out)["stretches"]) + 2
    assert str(file) in err


def test_urban_models_are_named_for_all_cells_or_for_one(files, capsys) -> None:
    route, cells = files
    # UMa is for antennas at 25 m.
    assert _run(capsys, route, "--sites", cells, "--model", "uma")[0] == 2
    status, out, err = _run(
        capsys, route, "--sites", cells, "--model", "uma", "--any-height", "--json"
    )
    assert status in (0, 4)
    assert json.loads(out)["summary"]["models"] == {"uma": 2}
    assert "at heights that TR 38.901 does not give" in err
    Path(cells).write_text(
        f"{_HEAD},model\na,43.36,77.05,1800,25,58,UMa\nb,43.34,77.25,1800,30,58,\n", "utf-8"
    )
    _, out, _ = _run(capsys, route, "--sites", cells, "--json")
    assert json.loads(out)["summary"]["models"] == {"rma": 1, "uma": 1}


@pytest.mark.parametrize(
    ("route", "cells", "more", "says"),
    [
        (_ROUTE, _CELLS.replace("1800,30", "180,30", 1), [], "cells.csv line 2"),
        (_ROUTE, _CELLS.replace("height_m", "hight_m"), [], "did you mean height_m?"),
        (_ROUTE, _HEAD, [], "cells.csv"),
        (_ROUTE + "43.35,x\n", _CELLS, [], "route.csv line 4"),
        ("lat,lon\n43,77\n43,77\n", _CELLS, [], "route.csv); give the places of one journey"),
        (_ROUTE, _CELLS, ["--step", "5"], "--step"),
        (_ROUTE, _CELLS, ["--served", "0.1"], "--silent below --served"),
        (_ROUTE, _CELLS, ["--terminal-height", "11"], "a terminal 11 m above the ground"),
        (_ROUTE, _CELLS, ["--building-height", "80"], "5 to 50 m high"),
        (_ROUTE, _CELLS, ["--loss=-1"], "it is 0 to 60"),
    ],
)
def test_what_is_wrong_is_one_line_with_place_and_remedy(
    files, capsys, route, cells, more, says
) -> None:
    Path(files[0]).write_text(route, encoding="utf-8")
    Path(files[1]).write_text(cells, encoding="utf-8")
    status, out, err = _run(capsys, files[0], "--sites", files[1], *more)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert "; " in err


@pytest.mark.parametrize("word", ["x", "nan", "inf"])
def test_a_number_is_a_number(files, capsys, word) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["network", "coverage", files[0], "--sites", files[1], "--speed", word])
    assert ended.value.code == 2
    assert "no number" in capsys.readouterr().err


def test_a_long_answer_is_cut_for_people_and_whole_for_programs(files, capsys) -> None:
    route, cells = files
    rows = [f"c{n},43.35,{77 + n * 0.0125:.4f},3500,20,10" for n in range(130)]
    Path(route).write_text("lat,lon\n43.35,77.00\n43.35,78.60\n", encoding="utf-8")
    Path(cells).write_text("\n".join([_HEAD, *rows]), encoding="utf-8")
    _, out, _ = _run(capsys, route, "--sites", cells)
    _, whole, _ = _run(capsys, route, "--sites", cells, "--json")
    more = len(json.loads(whole)["stretches"]) - 200
    assert more > 0
    assert f"and {more} more stretches: --json has all" in out
