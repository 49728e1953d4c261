"""What cannot be is named with its field, once; clean sets raise no alarm."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from zhidao.cli.trade.example import example_of
from zhidao.core.errors import Refused
from zhidao.trade.domain.model.code_lists import CORRIDOR_PLACES
from zhidao.trade.domain.model.consignment import CanonicalConsignment, Origin, completed, enter
from zhidao.trade.domain.model.hs_codes import hs_2022
from zhidao.trade.domain.sanity import absurdities, check_sane
from zhidao.trade.library.documents import document_set
from zhidao.trade.service.entering import progress
from zhidao.trade.wire import canonical_entry

ENTRY = Path(__file__).parents[1] / "data" / "set_entry.json"
ITEM = "includedConsignmentItem"
MOVE = "mainCarriageTransportMovement"
TERMS = "applicableTradeDeliveryTerms"
VALUE = "customsValuation"
BOX = "utilizedTransportEquipment"
FREIGHT = f"{VALUE}.freightAmount"


def test_what_follows_from_a_wrong_value_is_told_at_that_value_alone():
    """No field of a paper that the set does not have, and not the same words twice."""
    typed = json.loads(example_of("entry"))
    for group, name, value in (
        ("transportContractDocument", "issueDate", "1999-09-05"),
        (MOVE, "departureDate", "1999-09-05"),
        ("loadingBaseportLocation", "name", "Rotterdam"),
        ("invoiceDocument", "issueDate", "1999-09-01"),
    ):
        plain = json.loads(json.dumps(typed))
        plain[group][name] = value
        found = absurdities(canonical_entry.typed(json.dumps(plain).encode()))
        assert [one.path for one in found] == [f"{group}.{name}"]


def clean() -> dict[str, str]:
    return dict(canonical_entry.typed(ENTRY.read_bytes()).values)


def consignment(values: dict[str, str]) -> CanonicalConsignment:
    typed = {path: text for path, text in values.items() if text}
    return completed(enter(typed, digest="", origin=Origin.ENTRY))


# A field, what is planted there (several by `;`), and the one field that is to be named.
PLANTED: list[tuple[str, dict[str, str], str]] = [
    ("arrival before departure", {f"{MOVE}.arrivalDate": "2026-09-01"}, f"{MOVE}.arrivalDate"),
    ("arrival a year before", {f"{MOVE}.arrivalDate": "2025-09-11"}, f"{MOVE}.arrivalDate"),
    ("a journey of ten months", {f"{MOVE}.arrivalDate": "2027-07-11"}, f"{MOVE}.arrivalDate"),
    ("arrival in the year 9999", {f"{MOVE}.arrivalDate": "9999-09-11"}, f"{MOVE}.arrivalDate"),
    ("departure in 1999", {f"{MOVE}.departureDate": "1999-09-05"}, f"{MOVE}.departureDate"),
    *(
        (f"{name} {year}", {f"{name}.issueDate": f"{year}-09-05"}, f"{name}.issueDate")
        for name in (
            *("transportContractDocument", "invoiceDocument", "packingListDocument"),
            *("railConsignmentNoteDocument", "roadConsignmentNoteDocument", "rcepOriginDocument"),
            *("formEOriginDocument", "exportDeclarationDocument", "insuranceDocument"),
        )
        for year in ("1999", "9999")
    ),
    (
        "import declared before export",
        {"importDeclarationDocument.issueDate": "2026-08-01"},
        "importDeclarationDocument.issueDate",
    ),
    (
        "presented before the bill",
        {"presentationDocument.issueDate": "2026-09-01"},
        "presentationDocument.issueDate",
    ),
    ("due in 2020", {"invoiceDocument.dueDate": "2020-12-01"}, "invoiceDocument.dueDate"),
    ("due the day before", {"invoiceDocument.dueDate": "2026-08-31"}, "invoiceDocument.dueDate"),
    ("due in 9999", {"invoiceDocument.dueDate": "9999-12-01"}, "invoiceDocument.dueDate"),
    ("rate of 1999", {f"{VALUE}.exchangeDate": "1999-09-10"}, f"{VALUE}.exchangeDate"),
    ("99,999 t in a box", {f"{ITEM}[0].grossWeight": "99999000"}, f"{ITEM}[0].grossWeight"),
    ("35 t in a box", {f"{ITEM}[0].grossWeight": "35000"}, f"{ITEM}[0].grossWeight"),
    ("5,000 m3 in a box", {f"{ITEM}[0].grossVolume": "5000"}, f"{ITEM}[0].grossVolume"),
    ("91 m3 in a box", {f"{ITEM}[0].grossVolume": "91"}, f"{ITEM}[0].grossVolume"),
    (
        "two items too heavy together",
        {
            f"{ITEM}[0].grossWeight": "20000",
            f"{ITEM}[1].grossWeight": "15000",
            f"{ITEM}[1].grossVolume": "20",
            f"{ITEM}[1].equipmentId": "CSQU3054383",
            # There is no second box.
            **dict.fromkeys((f"{BOX}[1].id", f"{BOX}[1].affixedSealId"), ""),
        },
        f"{ITEM}[0].grossWeight",
    ),
    ("a gram of pumps", {f"{ITEM}[0].netWeight": "0.001"}, f"{ITEM}[0].netWeight"),
    (
        "a million cartons",
        {f"{ITEM}[0].packageQuantity": "1000000"},
        f"{ITEM}[0].packageQuantity",
    ),
    (
        "99,999,999 pumps",
        {
            f"{ITEM}[0].requestedQuantity": "99999999",
            f"{ITEM}[0].unitPriceAmount": "0.01",
            "insuranceDocument.insuredAmount": "",
        },
        f"{ITEM}[0].requestedQuantity",
    ),
    *(
        (
            f"24 {unit} of 1,104 kg",
            {f"{ITEM}[0].requestedUnitCode": unit},
            f"{ITEM}[0].requestedQuantity",
        )
        for unit in ("KGM", "TNE")
    ),
    (
        "an invoice for nothing",
        {
            **{f"{ITEM}[{k}].requestedQuantity": "0.01" for k in (0, 1)},
            **{f"{ITEM}[{k}].unitPriceAmount": "0.01" for k in (0, 1)},
            f"{VALUE}.freightAmount": "",
            f"{VALUE}.insuranceAmount": "",
            "insuranceDocument.insuredAmount": "",
        },
        f"{ITEM}[0].requestedQuantity",
    ),
    (
        "goods of dots",
        {f"{ITEM}[0].natureIdentificationCargo.description": "..."},
        f"{ITEM}[0].natureIdentificationCargo.description",
    ),
    (
        "seller and buyer by a Cyrillic letter",
        {"consigneeParty.name": "Suzhou Precisi\u043en Pumps Co., Ltd."},
        "consigneeParty.name",
    ),
    ("a buyer of dots", {"consigneeParty.name": "..."}, "consigneeParty.name"),
    ("pumps as heavy as stars", {f"{ITEM}[0].grossVolume": "0.01"}, f"{ITEM}[0].grossVolume"),
    ("heavier without its packing", {f"{ITEM}[0].netWeight": "999999"}, f"{ITEM}[0].netWeight"),
    (
        "one seal on two boxes",
        {f"{BOX}[1].affixedSealId": "sml 771201"},
        f"{BOX}[1].affixedSealId",
    ),
    ("nothing in the second box", {f"{ITEM}[1].equipmentId": "CSQU3054383"}, f"{BOX}[1].id"),
    (
        "an empty third box",
        {f"{BOX}[2].id": "MSKU9070323", f"{BOX}[2].affixedSealId": "ML-3"},
        f"{BOX}[2].id",
    ),
    ("freight of nine times the goods", {f"{VALUE}.freightAmount": "426600"}, FREIGHT),
    ("freight of a billion", {f"{VALUE}.freightAmount": "1000000000"}, f"{VALUE}.freightAmount"),
    (
        "a premium above the goods",
        {f"{VALUE}.insuranceAmount": "90000"},
        f"{VALUE}.insuranceAmount",
    ),
    (
        "insured for a hundred times",
        {"insuranceDocument.insuredAmount": "5214000"},
        "insuranceDocument.insuredAmount",
    ),
    *(
        (
            f"by sea to {code}",
            {
                f"{MOVE}.modeCode": "sea",
                f"{TERMS}.relevantLocation.id": code,
                f"{TERMS}.relevantLocation.name": name,
                "unloadingBaseportLocation.id": code,
                "unloadingBaseportLocation.name": name,
            },
            "unloadingBaseportLocation.id",
        )
        for code, name in (("KZALA", "Almaty"), ("MNULN", "Ulaanbaatar"))
    ),
    *(
        (
            f"{rule} by {mode}",
            {
                f"{TERMS}.deliveryTypeCode": rule,
                f"{MOVE}.modeCode": mode,
                **(
                    {
                        f"{TERMS}.relevantLocation.id": "CNSHA",
                        f"{TERMS}.relevantLocation.name": "Shanghai",
                    }
                    if rule in ("FAS", "FOB")
                    else {}
                ),
            },
            f"{TERMS}.deliveryTypeCode",
        )
        for rule in ("FAS", "FOB", "CFR", "CIF")
        for mode in ("rail", "road", "air")
    ),
    *(
        (
            f"{rule} named where the goods arrive",
            {f"{TERMS}.deliveryTypeCode": rule},
            f"{TERMS}.relevantLocation.id",
        )
        for rule in ("EXW", "FCA", "FAS", "FOB")
    ),
    *(
        (
            f"{rule} named where the goods begin",
            {
                f"{TERMS}.deliveryTypeCode": rule,
                f"{TERMS}.relevantLocation.id": "CNSHA",
                f"{TERMS}.relevantLocation.name": "Shanghai",
            },
            f"{TERMS}.relevantLocation.id",
        )
        for rule in ("CFR", "CIF", "DAP", "DDP")
    ),
    (
        "Chattogram called Hamburg",
        {"deliveryLocation.id": "BDCGP", "deliveryLocation.name": "Hamburg"},
        "deliveryLocation.name",
    ),
    ("Haiphong called Ningbo", {"deliveryLocation.name": "Ningbo"}, "deliveryLocation.name"),
    (
        "a port of no country",
        {"deliveryLocation.id": "QQABC", "deliveryLocation.name": "Nowhere"},
        "deliveryLocation.id",
    ),
    (
        "a currency to itself at 9",
        {f"{VALUE}.currencyCode": "USD", f"{VALUE}.exchangeRate": "9"},
        f"{VALUE}.exchangeRate",
    ),
    ("a rate of ten million", {f"{VALUE}.exchangeRate": "10000000"}, f"{VALUE}.exchangeRate"),
    (
        "seller is buyer",
        {"consigneeParty.name": "SUZHOU PRECISION PUMPS CO., LTD."},
        "consigneeParty.name",
    ),
    (
        "one registration for both",
        {"consigneeParty.legalRegistrationId": "91320594MA1ABCDE7U"},
        "consigneeParty.legalRegistrationId",
    ),
    *(
        (f"{path} QQ", {path: "QQ"}, path)
        for path in (
            *("consignorParty.postalAddress.countryId", "consigneeParty.postalAddress.countryId"),
            *("carrierParty.postalAddress.countryId", f"{ITEM}[1].originCountry.id"),
        )
    ),
    ("HS 610977", {f"{ITEM}[0].typeCode": "610977"}, f"{ITEM}[0].typeCode"),
    ("HS of 2017 in 2022", {f"{ITEM}[1].typeCode": "854140"}, f"{ITEM}[1].typeCode"),
    *(
        (
            f"a VAT number of {role} with category O",
            {f"{role}.taxRegistrationId": "DE123456789"},
            f"{role}.taxRegistrationId",
        )
        for role in ("consignorParty", "consigneeParty")
    ),
    ("category O at 19 %", {f"{ITEM}[0].taxRatePercent": "19"}, f"{ITEM}[0].taxRatePercent"),
    ("category S at nothing", {f"{ITEM}[0].taxCategoryCode": "S"}, f"{ITEM}[0].taxRatePercent"),
    (
        "VAT at 190 %",
        {f"{ITEM}[0].taxCategoryCode": "S", f"{ITEM}[0].taxRatePercent": "190"},
        f"{ITEM}[0].taxRatePercent",
    ),
]


def test_more_than_sixty_are_planted() -> None:
    assert len({name for name, _, _ in PLANTED}) == len(PLANTED) > 60
    assert absurdities(consignment(clean())) == []


@pytest.mark.parametrize(("changed", "path"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_each_planted_absurdity_is_named_with_its_field_and_nothing_else_is(changed, path):
    found = absurdities(consignment(clean() | changed))
    assert [one.path for one in found] == [path]


def test_a_set_is_not_made_and_the_field_is_named():
    plain = json.loads(ENTRY.read_text())
    plain[MOVE]["arrivalDate"] = "2026-09-01"
    with pytest.raises(Refused) as refused:
        document_set(json.dumps(plain).encode())
    assert (refused.value.code, refused.value.where) == ("implausible", f"{MOVE}.arrivalDate")


def test_an_invoice_that_breaks_its_rules_does_not_leave_either():
    plain = json.loads(ENTRY.read_text())
    made = document_set(json.dumps(plain).encode())
    assert [line.partition(":")[0] for line in made.told["rules"]] == [
        "invoice_ubl.xml",
        "invoice_cii.xml",
    ]
    # Category E with nobody's reason: EN 16931 BR-E-10, which no row of sanity asks.
    del plain["invoiceDocument"]["exemptionReason"], plain["invoiceDocument"]["exemptionReasonCode"]
    for item in plain["includedConsignmentItem"]:
        item["taxCategoryCode"] = "E"
    if any("not checked" in line for line in made.told["rules"]):
        pytest.skip("no rule pack is installed")
    with pytest.raises(Refused, match="BR-E-10") as refused:
        document_set(json.dumps(plain).encode())
    assert refused.value.code == "invoice_invalid"


def test_the_page_marks_each_field_and_makes_nothing():
    found = progress(
        clean() | {f"{MOVE}.arrivalDate": "2026-09-01", f"{ITEM}[0].typeCode": "610977"}
    )
    assert [(t.path, t.code) for t in found.troubles] == [
        (f"{MOVE}.arrivalDate", "implausible"),
        (f"{ITEM}[0].typeCode", "implausible"),
    ]
    assert found.made == ()
    assert progress(clean()).made


def test_a_refusal_names_ten_fields_and_counts_the_rest():
    values = clean() | {path: changed[path] for _, changed, path in PLANTED if path in changed}
    with pytest.raises(Refused, match=r"and \d+ more"):
        check_sane(consignment(values))


def lane(chance: random.Random) -> dict[str, str]:
    """A clean consignment of another pair of places, mode, day, terms and load."""
    mode = chance.choice(("sea", "rail", "road", "air", ""))
    # No ship calls at Urumqi's neighbours.
    inland = ("KZ", "KG", "UZ", "MN", "BY", "LA", "TJ", "TM", "AZ", "AF", "HU", "AT", "CZ", "SK")
    places = [
        one for one in CORRIDOR_PLACES if mode not in ("", "sea") or one.country not in inland
    ]
    start, end = chance.sample(places, 2)
    values = clean()
    rules = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP")
    rule = chance.choice(rules if mode not in ("", "sea") else (*rules, "FAS", "FOB", "CFR", "CIF"))
    named = start if rule in ("EXW", "FCA", "FAS", "FOB") else end
    for name, place in (
        *(("loadingBaseport", start), ("receipt", start)),
        *(("unloadingBaseport", end), ("delivery", end)),
    ):
        values[f"{name}Location.id"], values[f"{name}Location.name"] = place.unlocode, place.name
    values |= {
        f"{TERMS}.deliveryTypeCode": rule,
        f"{TERMS}.relevantLocation.id": named.unlocode,
        f"{TERMS}.relevantLocation.name": named.name,
        "consignorParty.postalAddress.countryId": start.country,
        "consigneeParty.postalAddress.countryId": end.country,
    }
    if mode:
        values[f"{MOVE}.modeCode"] = mode
    shift = timedelta(days=chance.randint(0, 1_500))
    for path, text in values.items():
        if path.endswith("Date"):
            values[path] = str(date.fromisoformat(text) + shift)
    left = date.fromisoformat(values[f"{MOVE}.departureDate"])
    values[f"{MOVE}.arrivalDate"] = str(left + timedelta(days=chance.randint(0, 90)))
    codes = sorted(hs_2022())
    for k in range(2):
        weight = chance.randint(100, 26_000)
        values[f"{ITEM}[{k}].typeCode"] = chance.choice(codes)
        values[f"{ITEM}[{k}].grossWeight"] = str(weight)
        values[f"{ITEM}[{k}].netWeight"] = str(weight - 50)
        values[f"{ITEM}[{k}].grossVolume"] = str(
            max(1, min(76, weight // chance.randint(100, 900)))
        )
    return values


@pytest.mark.slow
def test_a_thousand_clean_sets_raise_at_most_one_alarm():
    chance = random.Random(21)
    alarms = [found for _ in range(1_000) if (found := absurdities(consignment(lane(chance))))]
    assert len(alarms) <= 1, alarms[:3]
