"""Rows about money, terms and dates: each at its bound, one past it, and unasked without papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

import pytest

from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.conflicts import money
from zhidao.trade.domain.conflicts.compared_set import Evidence
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.reason_codes import Topic

Rows = Callable[[Evidence], Iterator[CheckResult]]
UBL, CII, BILL, LETTER = "invoice_ubl", "invoice_cii", "transport_document", "presentation_letter"
CREDIT, COVER, PACKING = "documentary_credit", "insurance_declaration", "packing_list"
EXPORT, IMPORT = "export_declaration", "import_declaration"
C, P, T = "documentaryCredit.", "presentationDocument.", "insuranceDocument."
IN = "invoiceDocument."
TERMS = "applicableTradeDeliveryTerms."
SHIPPED = "mainCarriageTransportMovement.departureDate"
LINE = "includedConsignmentItem[0]."


def paper(values: Mapping[str, str]) -> CanonicalConsignment:
    return CanonicalConsignment(values, {})


def of(**papers: Mapping[str, str]) -> Evidence:
    return Evidence({kind: paper(values) for kind, values in papers.items()})


def invoice(amount: str, **more: str) -> dict[str, str]:
    """An invoice of one line in euro, without tax."""
    line = {LINE + "requestedQuantity": "1", LINE + "unitPriceAmount": amount}
    return {**line, IN + "currencyCode": "EUR", **{IN + name: text for name, text in more.items()}}


def told(rows: Rows, evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """For each answer: rule and answer, topic, and the two statements."""
    found = []
    for one in rows(evidence):
        assert one.about is not None
        found.append((f"{one.rule} {one.answer}", one.about.topic, one.left, one.right))
    return found


def answers(rows: Rows, evidence: Evidence) -> list[str]:
    return [f"{one.answer}{f' {one.note.note}' if one.note else ''}" for one in rows(evidence)]


def test_the_currency_is_the_credits_on_every_paper_that_names_one() -> None:
    papers = {
        CREDIT: {C + "currencyCode": "EUR"},
        UBL: {IN + "currencyCode": "EUR"},
        CII: {IN + "currencyCode": "USD"},
        EXPORT: {IN + "currencyCode": "EUR"},
        IMPORT: {},
        LETTER: {IN + "currencyCode": "CNY"},
        BILL: {IN + "currencyCode": "KZT"},
    }
    left = "documentary_credit:documentaryCredit.currencyCode = EUR"
    path = "invoiceDocument.currencyCode"
    assert told(money.currency, of(**papers)) == [
        ("XD-03 agree", Topic.CURRENCIES, left, f"invoice_ubl:{path} = EUR"),
        ("XD-03 conflict", Topic.CURRENCIES, left, f"invoice_cii:{path} = USD"),
        ("XD-03 agree", Topic.CURRENCIES, left, f"export_declaration:{path} = EUR"),
        ("XD-03 conflict", Topic.CURRENCIES, left, f"import_declaration:{path} = absent"),
        ("XD-03 conflict", Topic.CURRENCIES, left, f"presentation_letter:{path} = CNY"),
    ]


def test_without_a_credits_currency_the_first_invoice_that_names_one_is_asked() -> None:
    given = {CREDIT: {}, UBL: {}, CII: {IN + "currencyCode": "EUR"}}
    path = "invoiceDocument.currencyCode"
    assert told(money.currency, of(**given)) == [
        (
            "XD-03 conflict",
            Topic.CURRENCIES,
            f"invoice_cii:{path} = EUR",
            f"invoice_ubl:{path} = absent",
        )
    ]
    assert answers(money.currency, of(**{**given, CII: {}})) == []
    assert answers(money.currency, of(**{LETTER: {IN + "currencyCode": "EUR"}})) == []


@pytest.mark.parametrize(
    ("asked", "tolerance", "answer"),
    [
        # No tolerance: not a cent more; down to 5 per cent less is a person's question.
        *(("100.00", None, "agree"), ("100.01", None, "conflict")),
        *(("99.99", None, "undecided"), ("95.00", None, "undecided"), ("94.99", None, "conflict")),
        # Of 3 per cent, the lower bound of article 30(c) still reaches further.
        *(("103.00", "3", "agree"), ("103.01", "3", "conflict")),
        *(("97.00", "3", "agree"), ("96.99", "3", "undecided")),
        *(("95.00", "3", "undecided"), ("94.99", "3", "conflict")),
        # Of 10 per cent, its own lower bound is the last word.
        *(("110.00", "10", "agree"), ("110.01", "10", "conflict")),
        *(("90.00", "10", "agree"), ("89.99", "10", "conflict")),
    ],
)
def test_an_invoice_stays_within_credit_and_tolerance(asked, tolerance, answer) -> None:
    """UCP 600 articles 30(a), 30(c)."""
    credit = {C + "amount": "100.00"}
    if tolerance is not None:
        credit[C + "tolerancePercent"] = tolerance
    evidence = of(**{CREDIT: credit, UBL: invoice(asked)})
    assert told(money.amount, evidence) == [
        (
            f"XD-04 {answer}",
            Topic.AMOUNTS_OF_CREDIT,
            "documentary_credit:documentaryCredit.amount = 100.00",
            f"invoice_ubl:amount due = {asked.rstrip('0').rstrip('.')}",
        )
    ]


def test_each_invoice_is_held_against_the_credit_that_names_an_amount() -> None:
    both = {UBL: invoice("100"), CII: invoice("101")}
    credit = {CREDIT: {C + "amount": "100"}}
    assert answers(money.amount, of(**credit, **both)) == ["agree", "conflict"]
    assert answers(money.amount, of(**{CREDIT: {}}, **both)) == []
    assert answers(money.amount, of(**both)) == []


def test_what_is_drawn_is_what_is_invoiced() -> None:
    letter = {LETTER: {P + "drawnAmount": "100"}}
    drawn = "presentation_letter:presentationDocument.drawnAmount = "
    assert told(money.drawing, of(**letter, **{UBL: invoice("100")})) == [
        ("XD-05 agree", Topic.DRAWN_AMOUNT, "invoice_ubl:amount due = 100", drawn + "100")
    ]
    for asked, answer in (
        *(("100.01", "undecided may_be_rounding"), ("100.50", "undecided may_be_rounding")),
        *(("100.51", "conflict difference"), ("99.49", "conflict difference")),
    ):
        assert answers(money.drawing, of(**letter, **{CII: invoice(asked)})) == [answer]
    silent = of(**{LETTER: {}, UBL: invoice("100")})
    assert told(money.drawing, silent) == [
        ("XD-05 conflict", Topic.DRAWN_AMOUNT, "invoice_ubl:amount due = 100", drawn + "absent")
    ]
    assert answers(money.drawing, of(**{LETTER: {}, UBL: invoice("0")})) == ["agree"]
    assert answers(money.drawing, of(**letter)) == []
    assert answers(money.drawing, of(**{UBL: invoice("100")})) == []


@pytest.mark.parametrize(("other", "answer"), [("100.00", "agree"), ("100.01", "conflict")])
def test_both_invoices_ask_for_the_same_to_the_cent(other, answer) -> None:
    evidence = of(**{UBL: invoice("100"), CII: invoice(other)})
    right = "invoice_cii:amount due = " + other.removesuffix(".00")
    assert told(money.drawing, evidence) == [
        (f"XD-05 {answer}", Topic.AMOUNTS_OF_INVOICES, "invoice_ubl:amount due = 100", right)
    ]


CIF = {
    TERMS + "deliveryTypeCode": "CIF",
    TERMS + "edition": "2020",
    TERMS + "relevantLocation.name": "Haiphong",
    TERMS + "relevantLocation.id": "VNHPH",
}


def test_rule_place_and_edition_are_the_same_on_every_paper() -> None:
    text = "CIF Haiphong (VNHPH) Incoterms 2020"
    papers = {
        CREDIT: {C + "deliveryTerms": text},
        **dict.fromkeys((UBL, CII, EXPORT, IMPORT), CIF),
    }
    asked = f"documentary_credit:documentaryCredit.deliveryTerms = {text}"
    ours = f"invoice_ubl:delivery terms = {text}"
    assert told(money.delivery_terms, of(**papers)) == [
        ("XD-07 agree", Topic.DELIVERY_TERMS, asked, ours),
        *(
            ("XD-07 agree", Topic.DELIVERY_TERMS, ours, f"{kind}:delivery terms = {text}")
            for kind in (CII, EXPORT, IMPORT)
        ),
    ]
    for path in CIF:
        other = {**papers, EXPORT: {**CIF, path: "X"}}
        assert answers(money.delivery_terms, of(**other)) == ["agree", "agree", "conflict", "agree"]
    silent = {**papers, CREDIT: {}, IMPORT: {}}
    assert answers(money.delivery_terms, of(**silent)) == ["agree", "agree", "conflict"]


def test_terms_are_asked_of_the_first_invoice_there_is() -> None:
    """A second invoice alone is not held against itself as a third one would be."""
    given = of(**{CII: CIF, EXPORT: CIF})
    assert [left for _, _, left, _ in told(money.delivery_terms, given)] == [
        "invoice_cii:delivery terms = CIF Haiphong (VNHPH) Incoterms 2020"
    ] * 2
    assert answers(money.delivery_terms, of(**{EXPORT: CIF, IMPORT: {}})) == []


@pytest.mark.parametrize(
    ("shipped", "answer"),
    [
        *(("2026-09-09", "agree"), ("2026-09-10", "agree")),
        ("2026-09-11", "conflict shipped_late"),
    ],
)
def test_goods_are_on_board_by_the_latest_day(shipped, answer) -> None:
    credit, bill = {C + "latestShipmentDate": "2026-09-10"}, {SHIPPED: shipped}
    evidence = of(**{CREDIT: credit, BILL: bill})
    assert answers(money.shipment_date, evidence) == [answer]
    assert told(money.shipment_date, evidence) == [
        (
            f"XD-23 {answer.split()[0]}",
            Topic.SHIPMENT_DAY,
            f"transport_document:{SHIPPED} = {shipped}",
            "documentary_credit:documentaryCredit.latestShipmentDate = 2026-09-10",
        )
    ]
    for papers in ({CREDIT: credit}, {BILL: bill}, {CREDIT: {}, BILL: bill}, {}):
        assert answers(money.shipment_date, of(**papers)) == []


SHIPPED_ON = date(2026, 9, 5)


def presented(days: int) -> dict[str, str]:
    return {P + "issueDate": (SHIPPED_ON + timedelta(days=days)).isoformat()}


@pytest.mark.parametrize(
    ("credit", "days", "expected"),
    [
        (None, 21, ["agree"]),
        (None, 22, ["conflict late"]),
        ({}, 21, ["agree"]),
        ({}, 22, ["conflict late"]),
        ({C + "presentationDays": "10"}, 10, ["agree"]),
        ({C + "presentationDays": "10"}, 11, ["conflict late"]),
        ({C + "expiryDate": "2026-09-25"}, 20, ["agree", "agree"]),
        ({C + "expiryDate": "2026-09-25"}, 21, ["agree", "conflict expired"]),
        (
            {C + "expiryDate": "2026-09-25", C + "presentationDays": "19"},
            21,
            ["conflict late", "conflict expired"],
        ),
    ],
)
def test_papers_are_presented_within_the_days_and_before_the_credit_ends(
    credit, days, expected
) -> None:
    """UCP 600 articles 14(c), 6(e)."""
    papers = {LETTER: presented(days), BILL: {SHIPPED: SHIPPED_ON.isoformat()}}
    if credit is not None:
        papers[CREDIT] = credit
    assert answers(money.presentation_date, of(**papers)) == expected


def test_a_presentation_is_told_with_the_last_day_it_had() -> None:
    papers = {
        LETTER: presented(3),
        BILL: {SHIPPED: "2026-09-05"},
        CREDIT: {C + "expiryDate": "2026-10-01"},
    }
    day = "presentation_letter:presentationDocument.issueDate = 2026-09-08"
    last = f"transport_document:{SHIPPED} and 21 days = 2026-09-26"
    expiry = "documentary_credit:documentaryCredit.expiryDate = 2026-10-01"
    asked = told(money.presentation_date, of(**papers))
    assert asked == [
        ("XD-24 agree", Topic.PRESENTATION_PERIOD, day, last),
        ("XD-24 agree", Topic.EXPIRY_DAY, day, expiry),
    ]
    # Without a day of shipment only the credit's own end is asked, without a bill nothing.
    assert told(money.presentation_date, of(**{**papers, BILL: {}})) == asked[1:]
    assert answers(money.presentation_date, of(**{LETTER: papers[LETTER]})) == []
    assert answers(money.presentation_date, of(**{BILL: papers[BILL]})) == []


OWN_DATES = {
    UBL: IN,
    CII: IN,
    PACKING: "packingListDocument.",
    BILL: "transportContractDocument.",
    "rail_consignment_note": "railConsignmentNoteDocument.",
    "road_consignment_note": "roadConsignmentNoteDocument.",
    "origin_rcep": "rcepOriginDocument.",
    "origin_form_e": "formEOriginDocument.",
    EXPORT: "exportDeclarationDocument.",
    COVER: T,
}


@pytest.mark.parametrize("kind", OWN_DATES)
@pytest.mark.parametrize(
    ("day", "answer"),
    [
        *(("2026-09-14", "agree"), ("2026-09-15", "agree")),
        ("2026-09-16", "conflict issued_later"),
    ],
)
def test_no_paper_bears_a_day_after_the_presentation(kind, day, answer) -> None:
    path = OWN_DATES[kind] + "issueDate"
    letter = {LETTER: {P + "issueDate": "2026-09-15"}}
    # The day of another paper that it repeats is not its own.
    given = of(**letter, **{kind: {"otherDocument.issueDate": "2027-01-01", path: day}})
    assert answers(money.document_dates, given) == [answer]
    assert told(money.document_dates, given) == [
        (
            f"XD-25 {answer.split()[0]}",
            Topic.ISSUE_DAY,
            f"{kind}:{path} = {day}",
            "presentation_letter:presentationDocument.issueDate = 2026-09-15",
        )
    ]
    assert answers(money.document_dates, of(**letter, **{kind: {"x": "2027-01-01"}})) == []
    assert answers(money.document_dates, of(**{kind: {path: day}})) == []


def cover(amount: str = "110", **more: str) -> dict[str, str]:
    days = {"issueDate": "2026-09-05", "effectiveDate": "2026-09-05", "currencyCode": "EUR"}
    return {T + name: text for name, text in {"insuredAmount": amount, **days, **more}.items()}


@pytest.mark.parametrize(
    ("issued", "effective", "field", "answer"),
    [
        ("2026-09-05", "2026-09-05", "issueDate", "agree"),
        ("2026-09-06", "2026-09-06", "issueDate", "conflict"),
        ("2026-09-09", "2026-09-05", "effectiveDate", "agree"),
        ("2026-09-04", "2026-09-07", "issueDate", "agree"),
        ("2026-09-09", "2026-09-06", "effectiveDate", "conflict"),
    ],
)
def test_cover_begins_with_the_shipment_by_one_of_its_days(
    issued, effective, field, answer
) -> None:
    """UCP 600 article 28(e)."""
    given = of(
        **{COVER: cover(issueDate=issued, effectiveDate=effective), BILL: {SHIPPED: "2026-09-05"}}
    )
    start = issued if field == "issueDate" else effective
    assert told(money.insurance, given) == [
        (
            f"XD-26 {answer}",
            Topic.COVER_START,
            f"insurance_declaration:insuranceDocument.{field} = {start}",
            f"transport_document:{SHIPPED} = 2026-09-05",
        )
    ]


@pytest.mark.parametrize(
    ("insured", "answer"),
    [("110", "agree"), ("109.99", "conflict"), ("110.01", "agree"), ("100", "conflict")],
)
def test_cover_is_for_110_per_cent_in_the_invoices_currency(insured, answer) -> None:
    """UCP 600 article 28(f)."""
    wanted = "invoice_cii:110 per cent of the amount = 110"
    currency = "invoice_cii:invoiceDocument.currencyCode = EUR"
    assert told(money.insurance, of(**{COVER: cover(insured), CII: invoice("100")})) == [
        (
            f"XD-27 {answer}",
            Topic.INSURED_AMOUNT,
            wanted,
            f"insurance_declaration:insuranceDocument.insuredAmount = {insured}",
        ),
        (
            "XD-27 agree",
            Topic.COVER_CURRENCY,
            currency,
            "insurance_declaration:insuranceDocument.currencyCode = EUR",
        ),
    ]
    dollars = of(**{COVER: cover(insured, currencyCode="USD"), CII: invoice("100")})
    assert answers(money.insurance, dollars) == [answer, "conflict"]


def test_cover_of_no_amount_covers_an_invoice_of_nothing_only() -> None:
    silent = {T + "currencyCode": "EUR"}
    assert answers(money.insurance, of(**{COVER: silent, UBL: invoice("0.01")}))[0] == "conflict"
    assert answers(money.insurance, of(**{COVER: silent, UBL: invoice("0")}))[0] == "agree"
    assert answers(money.insurance, of(**{COVER: silent})) == []
    assert answers(money.insurance, of(**{BILL: {SHIPPED: "2026-09-05"}, UBL: invoice("1")})) == []


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (("EXW", "FCA", "FAS", "FOB"), "COL"),
        (("CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP"), "PRE"),
    ],
)
def test_freight_is_prepaid_where_the_seller_carries(rules, wanted) -> None:
    for rule in rules:
        papers = {UBL: {TERMS + "deliveryTypeCode": rule}, BILL: {"freightPaymentCode": wanted}}
        assert told(money.freight, of(**papers)) == [
            (
                "XD-30 agree",
                Topic.FREIGHT,
                f"invoice_ubl:freight under {rule} = {wanted}",
                f"transport_document:freightPaymentCode = {wanted}",
            )
        ]
        for other in ("PRE", "COL"):
            answer = "agree" if other == wanted else "conflict"
            papers[BILL] = {"freightPaymentCode": other}
            assert answers(money.freight, of(**papers)) == [answer]
        assert answers(money.freight, of(**{**papers, BILL: {}})) == ["conflict"]
        assert answers(money.freight, of(**{UBL: papers[UBL]})) == []
        assert answers(money.freight, of(**{BILL: papers[BILL]})) == []
    assert answers(money.freight, of(**{UBL: {TERMS + "deliveryTypeCode": "DAF"}, BILL: {}})) == []


NAMING = (
    *(CII, PACKING, BILL, "rail_consignment_note", "road_consignment_note"),
    *("origin_rcep", "origin_form_e", EXPORT, IMPORT, COVER, "shipping_instruction", LETTER),
)


@pytest.mark.parametrize("kind", NAMING)
def test_number_and_day_of_the_invoice_are_the_same_wherever_they_stand(kind) -> None:
    named = {IN + "id": "INV-1", IN + "issueDate": "2026-09-01"}
    left = [f"invoice_ubl:{path} = {text}" for path, text in named.items()]
    right = [f"{kind}:{path} = {text}" for path, text in named.items()]
    assert told(money.references, of(**{UBL: named, kind: named})) == [
        ("XD-32 agree", Topic.INVOICE_NUMBERS, left[0], right[0]),
        ("XD-32 agree", Topic.INVOICE_DAYS, left[1], right[1]),
    ]
    for path, expected in (
        (IN + "id", ["conflict", "agree"]),
        (IN + "issueDate", ["agree", "conflict"]),
    ):
        assert answers(money.references, of(**{UBL: named, kind: {**named, path: "X"}})) == expected
        only = {path: named[path]}
        assert answers(money.references, of(**{UBL: named, kind: only})) == ["agree"]
    assert answers(money.references, of(**{UBL: named, kind: {}})) == []
    if kind != CII:
        assert answers(money.references, of(**{kind: named})) == []


def test_an_invoice_is_not_compared_with_itself() -> None:
    named = {IN + "id": "INV-1"}
    assert answers(money.references, of(**{CII: named})) == []
    [one] = told(money.references, of(**{CII: named, PACKING: named}))
    assert one[2:] == ("invoice_cii:invoiceDocument.id = INV-1", f"{PACKING}:{IN}id = INV-1")


def valuation(**more: str) -> dict[str, str]:
    charges = {"freightAmount": "7", "insuranceAmount": "2", "exchangeRate": "2"}
    return {"customsValuation." + name: text for name, text in {**charges, **more}.items()}


@pytest.mark.parametrize(
    ("rule", "value"),
    [("FOB", "218"), ("CFR", "204"), ("CIF", "200")],
)
def test_a_declared_value_is_rebuilt_from_invoice_and_declared_charges(rule, value) -> None:
    """100 in goods; freight of 7 is outside of FOB, insurance of 2 of FOB and CFR, at 2 for 1."""
    terms = {TERMS + "deliveryTypeCode": rule}
    ours = {**invoice("100"), **terms}
    goods = "goods with the declared charges and rate"
    asked = of(**{UBL: ours, IMPORT: {**ours, **valuation()}})
    assert told(money.declared_value, asked) == [
        (
            "XD-35 agree",
            Topic.CUSTOMS_VALUE,
            f"invoice_ubl:{goods} = {value}",
            f"import_declaration:customsValue = {value}",
        )
    ]
    # What the declaration says of the goods is held against the invoice, its charges are not.
    lower = {**ours, **valuation(), LINE + "unitPriceAmount": "90"}
    assert answers(money.declared_value, of(**{UBL: ours, IMPORT: lower})) == [
        "conflict difference"
    ]
    cent = {**ours, **valuation(), LINE + "unitPriceAmount": "99.99"}
    assert answers(money.declared_value, of(**{UBL: ours, IMPORT: cent})) == [
        "undecided may_be_rounding"
    ]
    own = {**ours, **valuation(freightAmount="70")}
    assert answers(money.declared_value, of(**{UBL: {**ours, **valuation()}, IMPORT: own})) == [
        "agree"
    ]
    assert answers(money.declared_value, of(**{UBL: ours})) == []
    assert answers(money.declared_value, of(**{IMPORT: own})) == []
