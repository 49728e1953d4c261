"""UCP 600 articles 19 to 25: of each three transport documents that comply and three that do not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.finance.credit_cases import BUYER, GOODS, clean, paper

from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.credit_terms import Credit, Goods
from zhidao.finance.domain.credit.examination import examine
from zhidao.finance.domain.credit.goods_descriptions import added_goods, not_new
from zhidao.finance.domain.credit.papers import Presentation
from zhidao.finance.domain.credit.places import same_place

Fields = dict[str, Any]
_NAMED = {"consignee": BUYER}
_LAND = {"vessel": "", "on_board_on": None, **_NAMED}
FORMS: dict[str, Fields] = {
    "multimodal": {"vessel": "", "on_board_on": None, "taken_on": "2026-09-09"},
    "bill_of_lading": {},
    "sea_waybill": {**_NAMED},
    "charter_party_bill": {"capacity": "master", "carrier": "", "charter_party": True},
    "air": {**_LAND, "original_for": "consignor", "conveyance": "CA 1041"},
    "road": {**_LAND, "original_for": "consignor", "conveyance": "E-88888"},
    "rail": {**_LAND, "capacity": "railway stamp", "conveyance": "X8015"},
    "inland_waterway": {**_LAND, "capacity": "master"},
    "courier": {**_LAND, "discharge": "Nordvand, Torvet 1", "taken_on": "2026-09-10"},
    "post": {**_LAND, "capacity": "post", "carrier": "", "discharge": "anywhere"},
}
_AGENT = {"capacity": "agent for carrier", "principal": "Silk Meridian Lines"}
GOOD: list[tuple[str, Fields]] = [
    ("multimodal", {}),
    ("multimodal", {"transhipment": True, "in_containers": False}),
    ("multimodal", {"vessel": "MERIDIAN STAR", "intended_vessel": True, "taken_on": None}),
    ("bill_of_lading", {"loading": "Shanghai, China", "discharge": "Esbjerg, Denmark"}),
    ("bill_of_lading", {"capacity": "agent for master"}),
    ("bill_of_lading", {"transhipment": True}),
    ("sea_waybill", {}),
    ("sea_waybill", {"endorsed": False}),
    ("sea_waybill", {**_AGENT, "transhipment": True}),
    ("charter_party_bill", {}),
    ("charter_party_bill", {"capacity": "agent for owner", "has_terms": False}),
    ("charter_party_bill", {"capacity": "charterer", "carrier": "Silk Meridian Lines"}),
    ("air", {}),
    ("air", {"transhipment": True, "in_containers": False}),
    ("air", {"originals": 1, "originals_issued": 3, "taken_on": "2026-09-11"}),
    ("rail", {}),
    ("rail", {"originals": 1, "originals_issued": 3, "capacity": "carrier"}),
    ("rail", {"transhipment": True, "in_containers": False, "loading": "SHANGHAI, CN"}),
    ("road", {}),
    ("road", {"original_for": ""}),
    ("inland_waterway", {"has_terms": False}),
    ("courier", {}),
    ("courier", {"originals": 1, "originals_issued": 2, "has_terms": False}),
    ("post", {}),
]
_ROUND = {"transhipment": True, "in_containers": False}
BAD: list[tuple[str, Fields, str, str]] = [
    ("multimodal", {"charter_party": True}, "charter_party", "19(a)(vi)"),
    ("multimodal", {"covers_whole": False}, "whole", "19(c)(i)"),
    ("multimodal", {"originals": 2}, "full_set", "19(a)(iv)"),
    ("bill_of_lading", {"vessel": "TRAIN X8015"}, "vessel", "20(a)(ii)"),
    ("bill_of_lading", {"vessel": "CR EXPRESS X8015"}, "vessel", "20(a)(ii)"),
    ("bill_of_lading", {"vessel": "China-Europe Express"}, "vessel", "20(a)(ii)"),
    ("bill_of_lading", {"vessel": "CA 1041"}, "vessel", "20(a)(ii)"),
    ("bill_of_lading", {"capacity": "railway stamp"}, "capacity", "20(a)(i)"),
    ("bill_of_lading", {"loading": "Ningbo, China"}, "loading", "20(a)(iii)"),
    ("sea_waybill", {"consignee": "To order"}, "negotiable", "21"),
    ("sea_waybill", {"on_board_on": None}, "on_board", "21(a)(ii)"),
    ("sea_waybill", _ROUND, "transhipment", "21(c)(ii)"),
    ("charter_party_bill", {"charter_party": False}, "no_charter_party", "22(a)"),
    ("charter_party_bill", {"capacity": "carrier"}, "capacity", "22(a)(i)"),
    ("charter_party_bill", {"on_board_on": None}, "on_board", "22(a)(ii)"),
    ("air", {"accepted": False}, "accepted", "23(a)(ii)"),
    ("air", {"original_for": "consignee"}, "consignor", "23(a)(v)"),
    ("air", {"discharge": "Billund"}, "discharge", "23(a)(iv)"),
    ("rail", {"capacity": "master"}, "capacity", "24(a)(i)"),
    ("rail", {"loading": "Xi'an"}, "loading", "24(a)(iii)"),
    ("rail", {"covers_whole": False}, "whole", "24(e)(ii)"),
    ("rail", {"taken_on": "2026-09-21"}, "latest", "24(a)(ii)"),
    ("road", {"original_for": "carrier"}, "consignor", "24(b)"),
    ("inland_waterway", {"carrier": ""}, "carrier", "24(a)(i)"),
    ("courier", {"carrier": ""}, "carrier", "25(a)(i)"),
    ("courier", {"capacity": "master"}, "capacity", "25(a)(i)"),
    ("courier", {"loading": "Beijing"}, "loading", "25"),
    ("post", {"capacity": "carrier"}, "capacity", "25(c)"),
]
NOBODY = BankingCalendar("test", frozenset({5, 6}), frozenset(), frozenset())


def found(form: str, fields: Fields, *, document: str = "") -> list[tuple[str, str]]:
    """What is wrong with a transport document, and by which article."""
    credit, presentation = clean()
    credit["shipment"]["document"] = document or form
    bill = paper(presentation, "transport")
    bill.update({"form": form} | FORMS[form] | fields)
    paper(presentation, "insurance")["vessel"] = bill["vessel"]
    paper(presentation, "origin")["consignee"] = bill["consignee"]
    told = examine(
        msgspec.convert(credit, Credit), msgspec.convert(presentation, Presentation), NOBODY
    )
    return [(one.check, one.article) for one in told.discrepancies]


@pytest.mark.parametrize(("form", "fields"), GOOD)
def test_what_its_article_asks_is_enough(form: str, fields: Fields) -> None:
    assert found(form, fields) == []


@pytest.mark.parametrize(("form", "fields", "check", "article"), BAD)
def test_what_its_article_asks_and_is_not_there_is_named_by_it(
    form: str, fields: Fields, check: str, article: str
) -> None:
    told = [one for one in found(form, fields) if one[0].startswith("transport.")]
    assert [name for name, _ in told] == [f"transport.{check}"]
    assert article in told[0][1]


def test_a_rail_waybill_is_no_bill_of_lading_and_the_other_way_round() -> None:
    told = found("rail", {}, document="bill_of_lading")
    assert ("transport.form", "UCP 600 14(a), 19 to 25") in told
    assert found("bill_of_lading", _NAMED, document="rail")[0][0] == "transport.form"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Shanghai, China", "Shanghai", True),
        ("Shanghai", "SHANGHAI, P.R. CHINA", True),
        ("Shanghai, CN", "Shanghai, China", True),
        ("Shanghai, Taiwan", "Shanghai, China", False),
        ("Shanghai, Pudong", "Shanghai", False),
        ("China", "China", True),
        ("Georgia", "Atlanta, Georgia", False),
        ("", "Shanghai", False),
        ("Port of Shanghai", "Shanghai", True),
        ("SHANGHAI PORT, CHINA", "Shanghai", True),
        ("Shanghai (CN)", "Shanghai, China", True),
        ("Shanghai China", "Shanghai", True),
        ("Shanghai (Taiwan)", "Shanghai, China", False),
        ("Shanghai Pudong", "Shanghai", False),
        ("Port Said", "Said", False),
        ("Port", "Port", True),
        ("New Mexico", "New Mexico", True),
    ],
)
def test_a_country_behind_a_place_adds_nothing(one: str, other: str, *, same: bool) -> None:
    assert same_place(one, other) is same


@pytest.mark.parametrize(
    "vessel", ["HAMBURG EXPRESS", "Ever Given", "MSC 1041 Irina", "X-Press Pearl"]
)
def test_ships_of_such_names_are_ships(vessel: str) -> None:
    told = found("bill_of_lading", _NAMED | {"vessel": vessel})
    assert "transport.vessel" not in [name for name, _ in told]


_ASKED = Goods(description=GOODS, quantity=24, unit="H87", unit_price_minor=1)


@pytest.mark.parametrize(
    "more",
    [
        " and 3 spare motors",
        ", 3 spare motors",
        " plus two motors",
        " with spare parts",
        "; one sample free of charge",
        " as well as 12 gaskets",
        "; additionally motors 3 pcs",
        " and accessories",
        " with toolkit",
        " incl. mounting tools",
    ],
)
def test_goods_that_nobody_asked_for_are_seen(more: str) -> None:
    assert list(added_goods(f"{GOODS}{more}", asked_for=_ASKED))
    asked = Goods(description=f"{GOODS}{more}", quantity=24, unit="H87", unit_price_minor=1)
    assert list(added_goods(f"{GOODS}{more}", asked_for=asked)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{GOODS}, article 7731",
        f"{GOODS} with 2 stages and 16 bar",
        f"24 {GOODS}, drawing 3, packed in 12 cartons and 2 pallets",
        f"{GOODS}, 400 V and 50 Hz, including 2 years warranty",
        f"{GOODS} according to contract 2026-17 of 3 May",
    ],
)
def test_what_only_tells_more_of_the_goods_is_no_other_goods(text: str) -> None:
    assert list(added_goods(text, asked_for=_ASKED)) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Second-hand pumps", True),
        ("pumps, SECONDHAND", True),
        ("Pumps, refurbished", True),
        ("used machinery", True),
        ("2nd hand pumps", True),
        ("Pumps, demonstration units", True),
        ("ex-display pumps", True),
        ("Pumps for display of pressure", False),
        ("Pumps in used condition", True),
        ("No second-hand parts, not refurbished", False),
        ("Pumps used for drinking water", False),
        ("Unused pumps, brand new", False),
    ],
)
def test_goods_that_are_not_new_are_seen(text: str, *, seen: bool) -> None:
    assert bool(list(not_new(text, asked_for=_ASKED))) is seen
    used = Goods(description=f"as is: {text}", quantity=1, unit="H87", unit_price_minor=1)
    assert list(not_new(text, asked_for=used)) == []
