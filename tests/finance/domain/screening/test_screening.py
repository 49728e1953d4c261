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
from zhidao.finance.domain.screening.longer_names import pieces
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


@pytest.mark.parametrize("name", ["", "   ", "123", "1 " * 300, "x" * 10_001])
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


# -- hidden names ------------------------------------------------------------------------------------

LONGER = Index(
    ListedName("csv", str(n), (name,))
    for n, name in enumerate(
        (
            "BADEGE, Eric",
            "Kassym-Jomart Tokayev",
            "AEROCARIBBEAN AIRLINES",
            "SMILEWALLET, LLC",
            "Islamic Republic Shipping Lines",
            "Владимир Путин",
            "王建国",
            "LI, Wei",
            "Abdullah",
            *(f"Abdullah {other}" for other in ("Karim", "Hasan", "Omar")),
        )
    )
)


def alerts(name: str) -> set[str]:
    return {hit.name for hit in LONGER.screen(name) if hit.alert}


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("ACME TRADING of Eric Badege branch", "BADEGE, Eric"),
        ("c/o Badege Eric, Warehouse 12, third gate on the left", "BADEGE, Eric"),
        ("ACME branch of Kasym Jomart Tokaev and sons in Almaty", "Kassym-Jomart Tokayev"),
        ("Almaty office of AEROCARIBBEAN AIRLINES for cargo", "AEROCARIBBEAN AIRLINES"),
        ("SmileWallet Almaty Representative Office", "SMILEWALLET, LLC"),
        ("Agents for Islamic Republic Shiping Lines in Baku", "Islamic Republic Shipping Lines"),
        ("Фонд имени Владимира Путина, Владимир Путин лично", "Владимир Путин"),
        ("上海王建国国际贸易有限公司", "王建国"),
        # Past the twelfth word, and past two hundred characters.
        (" ".join(f"Word{n}" for n in range(20)) + " Eric Badege", "BADEGE, Eric"),
        ("Pump works and water supply of the region " * 6 + "Eric Badege", "BADEGE, Eric"),
        ("x" * 195 + " Eric Badege " + "y" * 195, "BADEGE, Eric"),
        ("Eric Badege " + "of the pump works " * 40, "BADEGE, Eric"),
    ],
)
def test_a_listed_name_inside_a_longer_one_is_an_alert(asked: str, listed: str) -> None:
    assert listed in alerts(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "Еriс Ваdеge",  # Cyrillic: Е, с, В, а, е
        "Εric Βadege",  # Greek: Ε, Β
        "ΕRΙС ΒΑDЕGЕ",  # both
        "Ｅｒｉｃ　Ｂａｄｅｇｅ",
        "E\u0336r\u0336i\u0336c\u0336 B\u0301a\u0336dege",
        "Er\u200bic Ba\u00add\u2060ege\ufeff",
        "𝐄𝐫𝐢𝐜 𝔹𝕒𝕕𝕖𝕘𝕖",
        "ACME TRADING of Еriс Ваdеge branch",
    ],
)
def test_letters_that_look_like_others_hide_nobody(asked: str) -> None:
    assert "BADEGE, Eric" in alerts(asked)


def test_latin_letters_in_a_cyrillic_name_hide_nobody() -> None:
    assert "Владимир Путин" in alerts("Bлaдимиp Пyтин")


@pytest.mark.parametrize(
    "asked",
    [
        "Li Wei Trading Company",  # Too short and too common to be found inside.
        "Abdullah Trading of Almaty",
        "Eric Hansen and Anna Badenge Pump Works",
        "Eric of the pump works Badege",  # Not one after the other.
        "Владимир Петров и Павел Путинцев",
        "上海建国国际贸易有限公司",
        "ООО Samsung Электроникс",
    ],
)
def test_what_only_resembles_a_part_is_no_alert(asked: str) -> None:
    assert alerts(asked) == set()


@pytest.mark.bound("finance.domain.screening.screening.TEXT_CHARACTERS_MAX")
@pytest.mark.parametrize("size", [1, 200, 201, 300, 301, 9_999, 10_000])
def test_a_long_text_is_looked_at_whole(size: int) -> None:
    text = "".join(chr(0x4E00 + n) for n in range(size))
    found = pieces(text)
    assert max(map(len, found)) <= 200
    # Whatever is no longer than half a name stands whole in one of them.
    for start in range(0, size, 7):
        assert any(text[start : start + 100] in piece for piece in found)
    assert LONGER.screen(text.replace(text[0], "a")) is not None
