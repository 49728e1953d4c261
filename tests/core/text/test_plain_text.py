"""Text that shows what it holds: what is refused, where it stands, and which joiners are spelling."""

from __future__ import annotations

import unicodedata

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.text.plain_text import refuse_unseen, refuse_untidy, unseen_in

# Unicode Standard Annex #9, section 2: all that sets a direction and has no shape.
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Letters, marks, signs and separators by category, and no shape in any of them: of Unicode's
# Default_Ignorable_Code_Point all that no script is written with, and the blank of Braille.
BLANK_LETTERS = (
    "\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2028\u2029\u2800"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "\u180b\u180c\u180d\u180f"
)
SHAPELESS = "\ufff0\U0001bca0\U000e0080\U000e01f0\U000e0fff\x00\x07\x1b\x7f\x85\u00ad\u180e\u200b\u2060\u2063\ufeff\ufffe\U000e0041"


@pytest.mark.parametrize("letter", [*DIRECTIONS, *SHAPELESS, *BLANK_LETTERS])
def test_what_nobody_sees_is_found_wherever_it_stands(letter: str) -> None:
    for text in (f"{letter}Almaty", f"Al{letter}maty", f"Almaty{letter}", f"علی{letter}"):
        assert unseen_in(text) == f"U+{ord(letter):04X}"
        assert unseen_in(text, one_line=False) == f"U+{ord(letter):04X}"


def test_no_letter_mark_or_sign_of_any_script_is_refused() -> None:
    refused = {
        chr(code)
        for code in range(0x20, 0x30000)
        if unicodedata.category(chr(code))[0] in "LMNPS" and unseen_in(chr(code))
    }
    assert refused == set(BLANK_LETTERS) - set("\u2028\u2029")


def test_joiners_are_spelling_in_scripts_that_have_them_and_nowhere_else() -> None:
    for good in ("علی\u200cرضا", "می\u200cشود", "क्\u200dष"):
        assert unseen_in(good) == ""
    for bad in ("Al\u200cmaty", "Ал\u200dматы", "\u200cعلی", "阿\u200c拉"):
        assert unseen_in(bad) in ("U+200C", "U+200D")


def test_selectors_of_a_letter_s_form_stand_after_letters_that_have_forms() -> None:
    for good in ("ᠠ\u180bᠨ", "葛\U000e0100城"):
        assert unseen_in(good) == ""
    for bad in ("Al\u180bmaty", "bo1\U000e0100", "\u180cᠠ"):
        assert unseen_in(bad).startswith("U+")


@pytest.mark.parametrize(
    "name",
    [" bo1", "bo1 ", "bo  1", "bo\n1", "bo1\t", "bo\xa01", "bo1\u3000", " ", "\u3164", "bo1\ufe0f"],
)
def test_a_name_has_no_blank_that_a_reader_passes_over(name: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        refuse_untidy(name, path="$.name")
    assert (refused.value.code, refused.value.where) == ("unprintable", "$.name")
    for good in ("", "bo 1", "Ж. О’Коннор", "长安泵业（西安）"):
        refuse_untidy(good)


@pytest.mark.parametrize("blank", list("\u3000\xa0\u2007\u202f\u1680\u205f"))
def test_a_blank_that_is_no_ordinary_one_is_named_and_what_to_use_instead(blank: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        refuse_untidy(f"王{blank}伟", path="$.name")
    assert f"U+{ord(blank):04X}" in str(refused.value)
    assert refused.value.remedy == "use an ordinary blank"
    for untidy in (f"王 伟{blank}", "王  伟"):
        with pytest.raises(MalformedInput, match="before, behind or two in a row") as refused:
            refuse_untidy(untidy)
        assert refused.value.remedy == "remove them"


def test_lines_are_parted_only_where_more_than_one_may_stand() -> None:
    assert [unseen_in(f"a{each}b") for each in "\n\r\t"] == ["U+000A", "U+000D", "U+0009"]
    assert {unseen_in(f"a{each}b", one_line=False) for each in "\n\r\t"} == {""}


def test_the_place_of_a_text_is_told_and_members_left_out_are_not_read() -> None:
    told = {"site": {"corners": [{"name": "a"}, {"name": "b\u202e"}]}, "password": "\u200b"}
    with pytest.raises(MalformedInput) as refused:
        refuse_unseen(told, besides=("password",))
    assert (refused.value.code, refused.value.where) == ("unprintable", "$.site.corners[1].name")
    refuse_unseen({"password": "\u200b", "amount": 1, "none": None}, besides=("password",))


def test_a_member_s_own_name_is_read_too() -> None:
    with pytest.raises(MalformedInput):
        refuse_unseen({"values": {"pla\u200bce": "Almaty"}})
