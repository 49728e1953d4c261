"""Names that a reader takes for one another, and names that differ for everybody."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.text.common_names import COMMON

from zhidao.core.text.confusable import confusable, skeletons
from zhidao.core.text.plain_text import unseen_in

NAMES = [name for names in COMMON.values() for name in names.split()]
# Default-ignorable characters of each kind, and what Arabic words are drawn out by.
SHAPELESS = (
    "\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u180b\u180e\u180f\u200b\u200c\u200d\u200e\u202e"
    "\u2060\u2065\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\U0001bca0\U0001d173\U000e0001"
    "\U000e0041\U000e0080\U000e0100\U000e01ef\U000e0fff"
)
MARKS = "\u0300\u0301\u0308\u0323\u0327\u0338\u05b0\u064b\u0651\u093c\u20d0"


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("bo1", ["BO1", "b\u043e1", "\u0412\u041e1", "bol", "boI", "b01", "ｂｏ１", "bo1\u0301"]),
        ("Anna-Maria", ["ANNA-MARIA", "\u0410nna-Maria", "Anna\u2010Maria", "Anna-M\u03b1ria"]),
        ("Ian", ["lan", "1an", "ian", "\u0406an"]),
        ("Вера", ["ВЕРА", "Bера"]),
        ("straße", ["STRASSE"]),
        # Marks.
        ("Wei", ["Wéi", "Wẹi", "We\u0301i", "WÉI", "We\u0338i"]),
        ("Jose", ["José"]),
        ("Hà", ["Hạ", "Ha"]),
        ("Сергей", ["Сергеи", "СЕРГЕЙ"]),
        ("Фёдор", ["Федор"]),
        ("أحمد", ["احمد", "أَحْمَد", "ٱحمد"]),
        # Letters of Latin, Cherokee, Lisu, Canadian syllables and Coptic that look like Latin ones.
        ("Wei", ["ᴡei", "Ꮃei", "\uab83ei", "ᴡᴇɪ", "ꓪei"]),
        ("anna", ["Ꭺnna", "ᴀɴɴᴀ", "ꓮꓠꓠꓮ", "ᗅnna"]),
        ("Nina", ["Νina", "ⲛina", "NΙNA", "ΝIΝA"]),
        ("Yerlan", ["Үerlan"]),
        ("Lu", ["Lυ"]),
        # What has no shape.
        ("李娜", ["李\U000e0100娜", "李娜\U000e0101", "李\u3164娜", "李娜\ufe00"]),
        ("محمد", ["محمد\u200c", "محم\u200dد", "محـمد", "محمد\u200f"]),
        ("कमल", ["क\u200dमल", "कमल\u200c"]),
        ("Aida ❤", ["Aida ❤\ufe0f"]),
        ("Li Na", ["Li\u2800Na", "Li\u3000Na", "Li\u00a0Na", "Li  Na"]),
        # Letters of Arabic that look the same.
        ("سليم", ["سلیم", "سلىم"]),
        ("كريم", ["کریم", "کريم"]),
        ("هند", ["ہند", "ھند"]),
        ("قسم ٣", ["قسم ۳"]),
        # Dots, apostrophes, and what Japanese has of Chinese.
        ("阿依达·努尔兰", ["阿依达・努尔兰", "阿依达•努尔兰"]),
        ("O'Neil", ["O’Neil", "Oʼneil", "O´Neil"]),
        ("王二", ["王ニ"]),
        ("王一", ["王ー", "王—"]),
    ],
)
def test_case_marks_and_letters_alike_make_no_other_name(name: str, like: list[str]) -> None:
    for each in (name, *like):
        assert confusable(name, each), each
        assert confusable(each, name), each


@given(st.sampled_from(NAMES), st.integers(0, 20), st.sampled_from(SHAPELESS))
def test_what_has_no_shape_makes_no_other_name(name: str, place: int, letter: str) -> None:
    other = name[:place] + letter + name[place:]
    assert confusable(name, other)
    assert confusable(other, name)


@given(st.sampled_from(NAMES), st.integers(1, 20), st.sampled_from(MARKS))
def test_a_mark_more_makes_no_other_name(name: str, place: int, mark: str) -> None:
    other = name[:place] + mark + name[place:]
    assert confusable(name, other)
    assert confusable(other, name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_name_is_like_itself_in_each_form_and_likeness_has_no_direction(
    name: str, other: str
) -> None:
    assert confusable(name, name)
    assert confusable(name, other) == confusable(other, name)
    assert confusable(name, unicodedata.normalize("NFD", name))
    assert confusable(name, unicodedata.normalize("NFC", name))


def test_all_that_nobody_sees_makes_no_other_name() -> None:
    """Whatever a new name may not hold, since it is unseen, tells no kept name from another."""
    for code in range(0x110000):
        # A blank or its like parts names; U+2800 is one as wide as a letter.
        if code in (0x2028, 0x2029, 0x2800, *range(9, 14), 0x85) or 0xD800 <= code < 0xE000:
            continue
        if unseen_in(chr(code)):
            assert confusable("Anna", f"An{chr(code)}na"), hex(code)


@pytest.mark.parametrize(
    ("name", "other"), [("rnike", "mike"), ("Vvang", "wang"), ("гп", "m"), ("Arnra", "amra")]
)
def test_two_letters_are_read_as_the_one_that_they_look_like(name: str, other: str) -> None:
    assert confusable(name, other)


def test_names_that_differ_are_not_confused() -> None:
    names = ["aida", "bolat", "bulat", "chen", "陈", "程", "José", "m1", "m2", "Ёлка", "li"]
    for one, other in itertools.combinations(names, 2):
        assert not confusable(one, other), (one, other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *(("क", "का"), ("कि", "की"), ("कु", "कू"), ("कल", "क्ल"), ("রাজা", "রজা")),
        *(("สุดา", "สูดา"), ("มานี", "มานิ"), ("ขาว", "ข้าว"), ("ປີ", "ປິ")),
        *(("가", "나"), ("민수", "민서"), ("は", "ば"), ("が", "か"), ("ば", "ぱ")),
        *(("Қанат", "Канат"), ("Әлия", "Алия"), ("ың", "ын"), ("Ғалым", "Галым"), ("ыл", "іл")),
        *(("Өмір", "Омір"), ("Đan", "Dan"), ("Łukasz", "Lukasz")),
        *(("سعيد", "سعد"), ("بشير", "تشير"), ("حسن", "خسن"), ("فاطمة", "فاطمه")),
        *(("李娜", "李妮"), ("赵军", "赵车"), ("Ⴀna", "Ana"), ("LiNa", "Li Na")),
    ],
)
def test_letters_of_a_shape_of_their_own_are_told_apart(name: str, other: str) -> None:
    assert not confusable(name, other)
    assert not confusable(other, name)


def test_common_names_of_eight_languages_are_not_confused() -> None:
    assert [len(names.split()) for names in COMMON.values()] == [40] * 8
    assert len({unicodedata.normalize("NFC", name) for name in NAMES}) == 320
    read: dict[str, str] = {}
    for name in NAMES:
        for each in skeletons(name):
            assert read.setdefault(each, name) == name, (each, name, read[each])
        assert confusable(name, name.upper())
        assert confusable(name, name.lower())
