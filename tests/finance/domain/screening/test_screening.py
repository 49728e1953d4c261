"""Names are found across scripts, strangers are left in peace, and old lists answer nothing."""

from __future__ import annotations

import csv
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.screening.names import fold, readings
from zhidao.finance.domain.screening.screening import Index, ListedName, ListVersion, require_fresh

NAMES = (
    *("Mohamed Ali", "Vladimir Putin", "Li Ming", "Kim Jong Un", "Yamada Taro", "Moshe Dayan"),
    *("Somchai Wong", "Kassym-Jomart Tokayev", "Ouyang Nana", "Alexandros Papadopoulos"),
    *("Emily Liu", "Daniel Moreau", "ACME Trading Co., Ltd."),
)
INDEX = Index(ListedName("csv", str(n), (name,)) for n, name in enumerate(NAMES))


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("محمد علي", "Mohamed Ali"),
        ("Muhammed Aly", "Mohamed Ali"),
        ("Путин Владимир", "Vladimir Putin"),
        ("李明", "Li Ming"),
        ("金正恩", "Kim Jong Un"),
        ("김정은", "Kim Jong Un"),
        ("山田太郎", "Yamada Taro"),
        ("やまだ たろう", "Yamada Taro"),
        ("ヤマダ・タロウ", "Yamada Taro"),
        ("משה דיין", "Moshe Dayan"),
        ("สมชาย วงศ์", "Somchai Wong"),
        ("Қасым-Жомарт Тоқаев", "Kassym-Jomart Tokayev"),
        ("歐陽娜娜", "Ouyang Nana"),
        ("Dr. Αλέξανδρος Παπαδόπουλος", "Alexandros Papadopoulos"),
        ("Acme Trading Limited", "ACME Trading Co., Ltd."),
    ],
)
def test_a_name_is_found_first_in_any_script(asked: str, listed: str) -> None:
    hits = INDEX.screen(asked)
    assert hits
    assert hits[0].entry.names == (listed,)
    assert listed in hits[0].reason


def test_of_many_that_are_as_like_the_first_listed_are_told() -> None:
    words = ("".join(f"{letter}a" for letter in three) for three in permutations("bdfklmnpv", 3))
    index = Index(ListedName("csv", str(n), (f"Aigul {word}",)) for n, word in enumerate(words))
    hits = index.screen("Aigul Hiuo", limit=100)
    assert {int(hit.entry.entry) for hit in hits} == set(range(64))


@pytest.mark.parametrize("name", ["Emily Lee", "Kim Jong Il", "Li Na", "Daniel Ivanov", "Wang Wu"])
def test_a_namesake_by_half_is_no_alert(name: str) -> None:
    assert not any(hit.alert for hit in INDEX.screen(name))


@pytest.mark.parametrize("name", ["", "   ", "123", "x" * 201])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(MalformedInput):
        INDEX.screen(name)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_text_has_readings_or_is_refused(name: str) -> None:
    try:
        found = readings(name)
    except MalformedInput:
        assert not any(letter.isalpha() for letter in name) or not name.strip()
        return
    assert all(reading.words and all(reading.words) for reading in found)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_folding_keeps_something(word: str) -> None:
    assert fold(word)


@pytest.mark.parametrize("dated", [date(2026, 4, 1), date(2026, 5, 2)])
def test_an_old_list_and_one_of_tomorrow_answer_nothing(dated: date) -> None:
    fresh = ListVersion("un", date(2026, 4, 30), "00", 1)
    require_fresh([fresh], today=date(2026, 5, 1), age_days_max=7)
    with pytest.raises(Refused) as refused:
        require_fresh(
            [fresh, ListVersion("eu", dated, "00", 1)], today=date(2026, 5, 1), age_days_max=7
        )
    assert refused.value.code == "list_too_old"
    with pytest.raises(Refused):
        require_fresh([], today=date(2026, 5, 1), age_days_max=7)


def test_the_shared_pairs_are_found(shared: Path) -> None:
    text = (shared / "finance/screening/cross_script_pairs.csv").read_text()
    rows = [r for r in csv.reader(text.splitlines()) if r and not r[0].startswith("#")]
    listed = sorted({row[1] for row in rows})
    index = Index(ListedName("csv", name, (name,)) for name in listed)
    first = sum(index.screen(row[0])[0].entry.entry == row[1] for row in rows)
    assert len(rows) >= 20
    assert first == len(rows)
