from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files

import pytest

from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.standards import UNLOOKED_DAYS
from zhidao.insight.wire import packs
from zhidao.insight.wire.packs import QUESTIONS_MAX, decode_pack, installed_packs

Run = Callable[..., tuple[int, str]]
FOLDER = files("zhidao.insight").joinpath("packs")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str]:
        status = main(["insight", "standards", *map(str, words)])
        return status, capsys.readouterr().out

    return call


def test_the_table_names_each_standard_with_version_digest_and_day(run: Run):
    status, out = run("--json")
    assert status == 0
    rows = json.loads(out)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {row["id"]: row["questions"] for row in rows} == {
        "dpg": 11,
        "dpi-safeguards": 18,
        "govstack": 78,
        "osps": 64,
        "publiccode": 12,
        "reuse": 6,
        "un-open-source": 8,
    }
    assert all(row["digest"].startswith("sha256:") for row in rows)


def test_osps_asks_what_its_levels_ask():
    osps = next(pack for pack in installed_packs() if pack.id == "osps")
    counts = [sum(level in question.levels for question in osps.questions) for level in (1, 2, 3)]
    # Counted in the standard's own files: active entries of each level.
    assert counts == [24, 41, 62]


@pytest.mark.parametrize("past", [0, 1])
def test_what_nobody_looked_at_for_more_than_180_days_is_marked(past: int):
    pack = installed_packs()[0]
    assert pack.is_stale(pack.looked_at + timedelta(days=UNLOOKED_DAYS + past)) is bool(past)


def test_a_standard_that_is_not_there_and_a_digest_that_it_has_not_are_refused(run: Run):
    digest = next(pack.digest for pack in installed_packs() if pack.id == "dpg")
    assert run(f"dpg@{digest}")[0] == 0
    status, out = run("--json", "dpg@sha256:" + "0" * 64)
    assert (status, json.loads(out)["error"]) == (1, "other_pack")
    status, out = run("--json", "iso-9001")
    assert (status, json.loads(out)["error"]) == (1, "unknown_standard")


def test_questions_are_asked_in_both_languages(run: Run):
    _, out = run("osps", "--questions")
    assert "OSPS-GV-03.01" in out
    for pack in installed_packs():
        for question in pack.questions:
            assert question.en.endswith("?"), question.id
            assert question.en.isascii(), question.id
            assert question.zh.endswith("？"), question.id
            assert any("\u4e00" <= letter <= "\u9fff" for letter in question.zh), question.id


ITEM = '[[item]]\nid = "1"\nen = "a?"\nzh = "b？"\nanswered_by = ["file"]\n'
HEAD = (
    f'format = "{packs.FORMAT}"\nid = "x"\nname = "X"\nversion = "1"\nsource = "s"\nlicence = "l"\n'
    'looked_at = 2026-11-30\napplies_to = ["code"]\ntexts = "not at hand"\n'
)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("[", "TOML"),
        (HEAD.replace("v1", "v2") + ITEM, "format"),
        (HEAD, "items"),
        (HEAD + ITEM + ITEM, "one id"),
        (HEAD + ITEM + 'mood = "good"\n', "mood"),
        (HEAD + ITEM + 'settled_by = ["horoscope"]\n', "horoscope"),
        (HEAD + ITEM.replace('"file"', '"oracle"'), "oracle"),
        (HEAD.replace("2026-11-30", '"soon"') + ITEM, "looked_at"),
        (HEAD.replace('"not at hand"', "[]") + ITEM, "texts"),
        (HEAD.replace('["code"]', '["hats"]') + ITEM, "applies"),
        (HEAD + ITEM + 'levels = ["low"]\n', "levels"),
    ],
)
def test_a_spoiled_pack_is_refused_by_name(text: str, about: str):
    assert decode_pack((HEAD + ITEM).encode(), where="x.toml").looked_at == date(2026, 11, 30)
    with pytest.raises(MalformedInput, match=about) as refusal:
        decode_pack(text.encode(), where="x.toml")
    assert "x.toml" in refusal.value.where


@pytest.mark.bound("insight.wire.packs.QUESTIONS_MAX")
def test_a_pack_has_no_more_questions_than_are_read():
    items = [ITEM.replace('"1"', f'"{number}"') for number in range(QUESTIONS_MAX + 1)]
    assert len(decode_pack((HEAD + "".join(items[:-1])).encode(), where="x").questions) == 500
    with pytest.raises(MalformedInput):
        decode_pack((HEAD + "".join(items)).encode(), where="x")


def test_packs_are_in_the_tree_as_toml():
    assert all("item" in tomllib.loads(file.read_text()) for file in FOLDER.iterdir())
