"""A name is found however it is written: by its letters' shapes, and never by chance."""

from __future__ import annotations

from datetime import date

import pytest

from zhidao.trade.domain.clearance.screening import ScreeningList, read_list, screen, screen_alike

LISTED = "Maas Textiel B.V.", "Müller Straße GmbH", "北京机械 有限公司", "ООО Ромашка"


def listing() -> ScreeningList:
    rows = "".join(f"name,{name}\n" for name in LISTED)
    return read_list(f"kind,value\n{rows}".encode(), issued_on=date(2026, 9, 1))


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("M\u0430\u0430s Textiel B.V.", LISTED[0]),
        ("Ma\u200bas Textiel BV", LISTED[0]),
        ("M\u00e4as Textiel", LISTED[0]),
        ("Maa\u0301s Textiel", LISTED[0]),
        ("\uff2d\uff41\uff41\uff53 Textiel", LISTED[0]),
        ("MaasTextiel B.V.", LISTED[0]),
        ("Maas-Textiel bv", LISTED[0]),
        ("MAAS TEXTIEL", LISTED[0]),
        ("Maas_Textiel", LISTED[0]),
        ("B. V. Textiel, Maas", LISTED[0]),
        ("Muller Strasse", LISTED[1]),
        ("Mueller Strasse Gmbh", LISTED[1]),
        ("MU\u0308LLER STRASSE", LISTED[1]),
        ("北京机械有限公司", LISTED[2]),
        ("OOO Ромашка", LISTED[3]),
    ],
)
def test_a_listed_name_in_another_spelling_is_a_likeness(name: str, listed: str) -> None:
    assert {(hit.text, hit.listed) for hit in screen_alike(listing(), [name])} == {(name, listed)}


@pytest.mark.parametrize(
    "name", ["Meer Textiel B.V.", "B.V.", "GmbH", "Strasse GmbH", "机械有限公司", "ООО Василёк", ""]
)
def test_legal_forms_and_single_words_are_no_likeness(name: str) -> None:
    assert screen_alike(listing(), [name]) == []


def test_a_hit_is_of_whole_words_as_before() -> None:
    assert [hit.listed for hit in screen(listing(), ["B.V. Maas Textiel"], [])] == [
        "b maas textiel v"
    ]
    assert screen(listing(), ["Maas Textiel BV"], []) == []


@pytest.mark.bound("trade.domain.clearance.screening._RUN_MAX")
def test_a_name_is_put_together_from_up_to_twelve_words() -> None:
    parts = "Al Bo Cy De Ex Fa Go Ha Ik Jo Ka Lu Ma".split()
    whole = read_list(f"name,{''.join(parts[:12])}\n".encode(), issued_on=date(2026, 9, 1))
    assert screen_alike(whole, [" ".join(parts[:12])]) != []
    longer = read_list(f"name,{''.join(parts)}\n".encode(), issued_on=date(2026, 9, 1))
    assert screen_alike(longer, [" ".join(parts)]) == []
