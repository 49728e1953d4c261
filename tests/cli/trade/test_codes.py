"""Codes on the command line: one or many answers, by our short tables or an operator's lists."""

from __future__ import annotations

import json

import pytest

from zhidao.cli.main import main


def asked(capsys, *words) -> tuple[int, dict]:
    status = main(["trade", "codes", *map(str, words), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_split_code_is_told_with_all_that_it_may_be(capsys):
    status, told = asked(capsys, "hs", "851770")
    assert status == 1
    assert [each["code"] for each in told["found"]] == ["851771", "851779"]
    status, told = asked(capsys, "hs", "851779", "--edition", "2022", "--to", "2017")
    assert (status, told["found"]) == (0, [{"code": "851770", "edition": "2017"}])
    assert main(["trade", "codes", "hs", "851770"]) == 1
    assert "2 codes: which one is right, the goods decide" in capsys.readouterr().out


def test_an_operators_correlation_takes_the_place_of_ours(capsys, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("2017,2022\n0101.21,010121\n", encoding="utf-8-sig")
    status, told = asked(capsys, "hs", "010121", "--list", table)
    assert (status, [each["code"] for each in told["found"]]) == (0, ["010121"])
    assert asked(capsys, "hs", "851770", "--list", table)[1]["error"] == "no_correlation"


def test_a_place_is_found_by_code_and_by_name(capsys, tmp_path):
    assert asked(capsys, "place", "horgos") == (
        0,
        {"what": "place", "found": [{"code": "CNHRS", "name": "Horgos"}], "more": 0},
    )
    full = tmp_path / "full.csv"
    full.write_text("code,name\nCNHRS,Horgos\nRSHGO,Horgos\n")
    status, told = asked(capsys, "place", "Horgos", "--list", full)
    assert (status, [each["code"] for each in told["found"]]) == (1, ["CNHRS", "RSHGO"])
    assert asked(capsys, "place", "Nowhere")[0] == 1


def test_many_places_are_counted_and_not_all_shown(capsys, tmp_path):
    full = tmp_path / "full.csv"
    letters = "ABCDEFGHIJ"
    full.write_text("".join(f"DE{a}{b}A,Berg {a}{b}\n" for a in letters for b in letters))
    told = asked(capsys, "place", "berg", "--list", full)[1]
    assert (len(told["found"]), told["more"]) == (50, 50)


def test_a_station_needs_the_operators_list(capsys, tmp_path):
    status, told = asked(capsys, "station", "280305")
    assert (status, told["error"]) == (2, "no_list")
    listed = tmp_path / "stations.csv"
    listed.write_text("code,name,country,unlocode\n280305,Horgos,CN,CNHRS\n")
    status, told = asked(capsys, "station", "280305", "--list", listed)
    assert (status, told["found"][0]["unlocode"]) == (0, "CNHRS")
    assert asked(capsys, "station", "999999", "--list", listed) == (
        1,
        {"what": "station", "found": [], "more": 0},
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hs", "12"), "six digits"),
        (("hs", "770000"), "no chapter 77"),
        (("hs", "851770", "--to", "2028"), "no correlation from HS 2017 to HS 2028"),
        (("hs", "851770", "--list", "nofile.csv"), "no file"),
    ],
)
def test_what_is_no_code_is_refused(capsys, words, said):
    status, told = asked(capsys, *words)
    assert status == 2
    assert said in json.dumps(told)


def test_a_broken_list_is_refused_with_its_line(capsys, tmp_path):
    broken = tmp_path / "list.csv"
    broken.write_text("code,name\nCNHRS\n")
    status, told = asked(capsys, "place", "CNHRS", "--list", broken)
    assert (status, told["where"]) == (2, f"{broken} line 2")
    broken.write_bytes(b"\xff\xfe")
    assert asked(capsys, "place", "CNHRS", "--list", broken)[0] == 2
