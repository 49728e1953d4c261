"""What is drawn, drafted and invoiced: each check at its bound, one past it, and with both data."""

from __future__ import annotations

from typing import Any

import pytest
from tests.finance.credit_cases import BUYER, CREDIT, GOODS, SELLER, Plain, clean, paper

from zhidao.core.canonical import jcs
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.examination import examine
from zhidao.finance.wire.credit import read_credit, read_presentation

OPEN = BankingCalendar("Suzhou", rest=frozenset())
OURS = ("amount.", "draft.", "invoice.")
WHOLE = CREDIT["amount_minor"]


def found(
    *,
    credit: Plain | None = None,
    goods: Plain | None = None,
    shipment: Plain | None = None,
    claimed: int | None = None,
    draft: Plain | None = None,
    invoice: Plain | None = None,
    more: list[Plain] | None = None,
    without: tuple[str, ...] = (),
) -> list[tuple[str, str, str]]:
    """Check, credit's datum and document's, of what differs from a presentation that complies."""
    terms, presentation = clean()
    terms |= credit or {}
    terms["goods"] |= goods or {}
    terms["shipment"] |= shipment or {}
    if claimed is not None:
        presentation["claimed_minor"] = claimed
    paper(presentation, "draft").update(draft or {})
    paper(presentation, "invoice").update(invoice or {})
    presentation["documents"] += more or []
    presentation["documents"] = [
        each for each in presentation["documents"] if each["kind"] not in without
    ]
    answer = examine(read_credit(jcs(terms)), read_presentation(jcs(presentation)), OPEN)
    return [
        (one.check, one.left, one.right)
        for one in answer.discrepancies
        if one.check.startswith(OURS)
    ]


def drawn(amount: int) -> Plain:
    """A claim, its draft and its invoice, all of one amount."""
    charges = amount - WHOLE
    invoice = {"amount_minor": amount, "charges_minor": charges}
    return {"claimed": amount, "draft": _draft(amount), "invoice": invoice}


def _draft(amount: int) -> Plain:
    return {"amount_minor": amount, "words_minor": amount}


def second(kind: str, **fields: Any) -> Plain:
    _, presentation = clean()
    other: Plain = paper(presentation, kind)
    return other | fields


def test_a_presentation_that_complies_has_nothing_against_it() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("credit", "most"),
    [
        ({}, WHOLE),
        ({"tolerance_plus": 3}, WHOLE * 103 // 100),
        ({"about": True}, WHOLE * 110 // 100),
    ],
)
def test_no_more_is_drawn_than_the_credit_and_its_tolerance_give(credit, most) -> None:
    """UCP 600 articles 18(b), 30(a)."""
    assert found(credit=credit, **drawn(most)) == []
    assert found(credit=credit, **drawn(most + 1)) == [
        (
            "amount.over",
            f"credit:32B most = {most}",
            f"presentation:claimed_minor = {most + 1}",
        )
    ]


def less(amount: int) -> Plain:
    """A whole shipment at a lower price: what the unit price says is another question."""
    each = {"unit_price_minor": 1, "charges_minor": amount - 24, "amount_minor": amount}
    return {
        "claimed": amount,
        "draft": _draft(amount),
        "invoice": each,
        "goods": {"unit_price_minor": 1},
    }


@pytest.mark.parametrize(
    ("credit", "least"),
    [
        ({}, WHOLE * 95 // 100),
        ({"tolerance_minus": 2}, WHOLE * 98 // 100),
        ({"about": True}, WHOLE * 90 // 100),
    ],
)
def test_a_whole_shipment_comes_to_five_per_cent_less_at_most(credit, least) -> None:
    """UCP 600 article 30(c); where parts may be shipped, less may be drawn."""
    assert found(credit=credit, **less(least)) == []
    assert found(credit=credit, **less(least - 1)) == [
        (
            "amount.under",
            f"credit:32B least = {least}",
            f"presentation:claimed_minor = {least - 1}",
        )
    ]
    assert found(credit=credit, shipment={"partial_allowed": True}, **less(least - 1)) == []


def test_the_claim_is_what_the_invoices_come_to_and_the_credit_at_most() -> None:
    for claimed in (WHOLE - 1, WHOLE - 200_000):
        assert found(claimed=claimed, draft=_draft(claimed)) == [
            (
                "amount.invoices",
                f"invoice:amount_minor = {WHOLE}",
                f"presentation:claimed_minor = {claimed}",
            )
        ]
    # An invoice may be higher if no more than the credit is drawn (article 18(b)).
    above = {"amount_minor": WHOLE + 500, "charges_minor": 500}
    assert found(invoice=above) == []
    assert [
        each[0] for each in found(invoice=above, claimed=WHOLE - 1, draft=_draft(WHOLE - 1))
    ] == ["amount.invoices"]
    # Two invoices count together.
    halves = {"quantity": 12, "amount_minor": WHOLE // 2}
    assert found(invoice=halves, more=[second("invoice", **halves, number="2")]) == []
    assert found(
        invoice=halves,
        more=[second("invoice", **halves, number="2")],
        claimed=WHOLE - 1,
        draft=_draft(WHOLE - 1),
    ) == [
        (
            "amount.invoices",
            f"invoice:amount_minor = {WHOLE}",
            f"presentation:claimed_minor = {WHOLE - 1}",
        )
    ]
    assert "amount.invoices" not in {each[0] for each in found(without=("invoice",))}


def test_drafts_come_to_the_claim_together() -> None:
    assert found(draft=_draft(WHOLE - 1)) == [
        (
            "draft.amount",
            f"draft:amount_minor = {WHOLE - 1}",
            f"presentation:claimed_minor = {WHOLE}",
        )
    ]
    one, two = _draft(WHOLE - 40), second("draft", **_draft(40))
    assert found(draft=one, more=[two]) == []
    assert found(without=("draft",)) == []


@pytest.mark.parametrize(
    ("credit", "draft", "expected"),
    [
        (
            {},
            {"words_minor": WHOLE + 1},
            [
                (
                    "draft.words",
                    f"draft:words_minor = {WHOLE + 1}",
                    f"draft:amount_minor = {WHOLE}",
                )
            ],
        ),
        (
            {},
            {"currency": "USD"},
            [("draft.currency", "credit:32B = EUR", "draft:currency = USD")],
        ),
        (
            {},
            {"tenor_days": 91},
            [("draft.tenor", "credit:42C = 90", "draft:tenor_days = 91")],
        ),
        (
            {},
            {"drawee": "Another Bank"},
            [("draft.drawee", "credit:42A = Vestkyst Bank A/S", "draft:drawee = Another Bank")],
        ),
        ({}, {"drawee": "VESTKYST BANK A S"}, []),
        ({"drawee": "Third Bank"}, {"drawee": "Third Bank"}, []),
        (
            {"drawee": "Third Bank"},
            {},
            [("draft.drawee", "credit:42A = Third Bank", "draft:drawee = Vestkyst Bank A/S")],
        ),
        (
            {},
            {"drawee": BUYER},
            [
                ("draft.drawee", "credit:42A = Vestkyst Bank A/S", f"draft:drawee = {BUYER}"),
                ("draft.applicant", f"credit:50 = {BUYER}", f"draft:drawee = {BUYER}"),
            ],
        ),
        (
            {},
            {"issuer": BUYER},
            [("draft.drawer", f"credit:59 = {SELLER}", f"draft:issuer = {BUYER}")],
        ),
    ],
)
def test_a_draft_says_what_the_credit_says(credit, draft, expected) -> None:
    assert found(credit=credit, draft=draft) == expected


@pytest.mark.parametrize(
    ("invoice", "expected"),
    [
        (
            {"seller": {"name": "Wuxi Valves", "country": "CN"}},
            [("invoice.seller", f"credit:59 = {SELLER}", "invoice:seller = Wuxi Valves")],
        ),
        ({"seller": {"name": "SUZHOU PRECISION PUMPS CO LTD", "country": "CN"}}, []),
        (
            {"buyer": {"name": "Another", "country": "DK"}},
            [("invoice.buyer", f"credit:50 = {BUYER}", "invoice:buyer = Another")],
        ),
        (
            {"seller": {"name": SELLER, "country": "HK"}},
            [("invoice.countries", "credit:59 = CN", "invoice:country = HK")],
        ),
        (
            {"buyer": {"name": BUYER, "country": "SE"}},
            [("invoice.countries", "credit:50 = DK", "invoice:country = SE")],
        ),
        (
            {"currency": "USD"},
            [("invoice.currency", "credit:32B = EUR", "invoice:currency = USD")],
        ),
        (
            {"description": "Brass valve"},
            [("invoice.goods", f"credit:45A = {GOODS}", "invoice:description = Brass valve")],
        ),
        ({"description": f"24 pieces of {GOODS.upper()}, new"}, []),
        (
            {"title": "Proforma invoice"},
            [("invoice.title", "credit:46A = invoice", "invoice:title = Proforma invoice")],
        ),
        (
            {"title": "Pro-forma"},
            [("invoice.title", "credit:46A = invoice", "invoice:title = Pro-forma")],
        ),
        (
            {"title": "PROVISIONAL INVOICE"},
            [("invoice.title", "credit:46A = invoice", "invoice:title = PROVISIONAL INVOICE")],
        ),
        ({"title": "Invoice"}, []),
        ({"unit": "KGM"}, [("invoice.unit", "credit:45A unit = H87", "invoice:unit = KGM")]),
        ({"rule": "FOB"}, [("invoice.rule", "credit:45A rule = CIF", "invoice:rule = FOB")]),
        (
            {"place": "Aarhus"},
            [("invoice.rule", "credit:45A place = Esbjerg", "invoice:place = Aarhus")],
        ),
        ({"place": "ESBJERG."}, []),
        (
            {"free_of_charge": True},
            [
                (
                    "invoice.free_goods",
                    "credit:45A = nothing free of charge",
                    "invoice:free_of_charge = yes",
                )
            ],
        ),
        (
            {"charges_minor": 1},
            [
                (
                    "invoice.sum",
                    f"invoice:quantity x price + charges = {WHOLE + 1}",
                    f"invoice:amount_minor = {WHOLE}",
                )
            ],
        ),
        (
            {"unit_price_minor": 185_001, "amount_minor": WHOLE + 24},
            [
                (
                    "invoice.price",
                    "credit:45A price = 185000",
                    "invoice:unit_price_minor = 185001",
                )
            ],
        ),
    ],
)
def test_an_invoice_says_what_the_credit_says(invoice, expected) -> None:
    assert found(invoice=invoice) == expected


def test_what_the_credit_leaves_open_the_invoice_may_say() -> None:
    assert found(goods={"rule": "", "place": ""}, invoice={"rule": "FOB", "place": "X"}) == []
    price = {"unit_price_minor": 185_001, "amount_minor": WHOLE + 24}
    assert found(goods={"unit_price_minor": 0}, invoice=price) == []


@pytest.mark.parametrize(
    ("goods", "least", "most"),
    [
        # By pieces there is no tolerance (article 30(b)); else five per cent, about is ten.
        ({"by_pieces": True}, 100, 100),
        ({"by_pieces": False}, 95, 105),
        ({"about": True}, 90, 110),
        ({"about": True, "by_pieces": False}, 90, 110),
    ],
)
def test_quantity_keeps_the_tolerance_of_article_30(goods, least, most) -> None:
    terms = {"quantity": 100, "unit_price_minor": 1, **goods}

    def asked(quantity: int, **more: Any) -> list[tuple[str, str, str]]:
        charges = WHOLE - quantity
        invoice = {"quantity": quantity, "unit_price_minor": 1, "charges_minor": charges}
        return found(goods=terms, invoice=invoice, **more)

    assert asked(least) == asked(most) == []
    assert asked(most + 1) == [
        ("invoice.over_quantity", "credit:45A quantity = 100", f"invoice:quantity = {most + 1}")
    ]
    assert asked(least - 1) == [
        ("invoice.partial", "credit:43P = not allowed", f"invoice:quantity = {least - 1} of 100")
    ]
    assert asked(least - 1, shipment={"partial_allowed": True}) == []


PUMPS = {"description": "Pump", "quantity": 20, "unit_price_minor": 200_000}
KITS = {"description": "Pump seal kit", "quantity": 4, "unit_price_minor": 110_000}


def of_two(*lines: Plain, quantity: int = 24, **more: Any) -> list[tuple[str, str, str]]:
    """A credit of pumps and of kits, whose names hold the pumps' own."""
    goods = {"lines": [PUMPS, KITS], "unit_price_minor": 0, "description": "Pumps and kits"}
    invoice = {"lines": list(lines), "quantity": quantity, "unit_price_minor": 0, **more}
    return found(goods=goods, invoice=invoice)


def test_each_line_is_of_the_most_exactly_described_kind() -> None:
    kits = {**KITS, "description": "Pump seal kit, black"}
    assert of_two({**PUMPS, "description": "Red pump"}, kits) == []
    # In any order, and in several lines of one kind.
    halves = {**PUMPS, "quantity": 10}
    assert of_two(kits, halves, {**halves, "description": "PUMP no. 2"}) == []


def test_a_line_of_no_kind_a_price_and_a_quantity_are_told_by_line() -> None:
    assert of_two(PUMPS, {**KITS, "description": "Spare motor"}) == [
        ("invoice.goods", "credit:45A = Pumps and kits", "invoice:lines = Spare motor"),
        ("invoice.partial", "credit:43P = not allowed", "invoice:lines = Pump seal kit: 0 of 4"),
    ]
    dear = {**KITS, "unit_price_minor": 110_001}
    assert of_two(PUMPS, dear, amount_minor=WHOLE + 4) == [
        ("invoice.price", "credit:45A price = 110000", "invoice:lines = Pump seal kit: 110001")
    ]
    moved = [{**PUMPS, "quantity": 21}, {**KITS, "quantity": 3}]
    assert of_two(*moved, amount_minor=WHOLE + 90_000) == [
        ("invoice.over_quantity", "credit:45A quantity = Pump: 20", "invoice:lines = Pump: 21"),
        ("invoice.partial", "credit:43P = not allowed", "invoice:lines = Pump seal kit: 3 of 4"),
    ]
    assert of_two(PUMPS, KITS, quantity=25) == [
        ("invoice.sum", "invoice:lines = 24", "invoice:quantity = 25"),
        ("invoice.over_quantity", "credit:45A quantity = 24", "invoice:quantity = 25"),
    ]


def test_an_invoice_without_lines_is_about_one_kind_of_several() -> None:
    assert of_two(description="Motor", quantity=24)[0] == (
        "invoice.goods",
        "credit:45A = Pumps and kits",
        "invoice:description = Motor",
    )
