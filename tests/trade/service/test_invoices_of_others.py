"""Other people's invoices are read: what no field takes is listed, and nothing is refused for it."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.documents.invoices import INVOICE_CII, INVOICE_UBL
from zhidao.trade.domain.model.forms import package_kind, unit
from zhidao.trade.service.document_set import read_document, read_of_others
from zhidao.trade.service.entering import imported, looked_at

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_SPACES = f'xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2"'


def line(number: int, quantity: str, unit_code: str, price: str, more: str = "") -> str:
    return (
        f"<cac:InvoiceLine><cbc:ID>{number}</cbc:ID>"
        f'<cbc:InvoicedQuantity unitCode="{unit_code}">{quantity}</cbc:InvoicedQuantity>'
        f"<cac:Item><cbc:Name>Item {number}</cbc:Name></cac:Item>"
        f"<cac:Price><cbc:PriceAmount>{price}</cbc:PriceAmount>{more}</cac:Price>"
        "</cac:InvoiceLine>"
    )


def invoice(inside: str) -> bytes:
    return (
        f'<Invoice xmlns="{UBL}Invoice-2" {_SPACES}><cbc:ID>R-1</cbc:ID>'
        f"<cbc:IssueDate>2026-09-01</cbc:IssueDate>{inside}</Invoice>"
    ).encode()


@pytest.mark.slow
def test_every_published_valid_invoice_is_read(shared):
    files = [
        file
        for folder in ("en16931/valid-ubl", "en16931/valid-cii", "xrechnung")
        for file in sorted((shared / "trade" / folder).rglob("*.[xX][mM][lL]"))
    ]
    assert len(files) == 95
    for file in files:
        values, unmapped = imported(file.read_bytes())
        lines = [path for path in values if path.endswith(".natureIdentificationCargo.description")]
        assert {"invoiceDocument.issueDate", "invoiceDocument.currencyCode"} <= set(values)
        # Two bear a number with a blank in it, which no document of ours could name.
        numbered = "invoiceDocument.id" in values
        assert numbered or "cbc:ID" in unmapped, file.name
        assert lines, file.name


def test_a_note_is_no_incoterm_and_is_listed():
    values, unmapped = imported(
        invoice("<cbc:Note>Thank you</cbc:Note><cbc:Note>2020</cbc:Note>" + line(1, "1", "EA", "2"))
    )
    assert not any(path.startswith("applicableTradeDeliveryTerms") for path in values)
    assert {"cbc:Note[0]", "cbc:Note[1]"} <= set(unmapped)
    assert values["invoiceDocument.id"] == "R-1"


@pytest.mark.parametrize("code", ["EA", "DAY", "MON", "XPP", "XBX", "H87", "E49", "1I", "ZZ"])
def test_every_unit_of_the_recommendations_is_one(code):
    assert unit(code) == code


@pytest.mark.parametrize("code", ["QQQQ", "PCE", "", "XX", "X", "XZZZ"])
def test_what_is_no_unit_is_refused(code):
    with pytest.raises(MalformedInput):
        unit(code)


def test_every_kind_of_package_of_the_recommendation_is_one():
    assert [package_kind(code) for code in ("CT", "1A", "AE", "ZZ")] == ["CT", "1A", "AE", "ZZ"]
    with pytest.raises(MalformedInput):
        package_kind("Q0")


def test_what_a_field_does_not_take_is_listed_with_the_reason_and_the_rest_is_read():
    lines = line(1, "two", "EA", "5") + line(2, "3", "PCE", "0.12345678") + line(3, "4", "XPP", "6")
    found = read_of_others(invoice(lines), kind="invoice_ubl")
    values = found.consignment.values
    item = "includedConsignmentItem"
    assert f"{item}[0].requestedQuantity" not in values
    assert values[f"{item}[0].unitPriceAmount"] == "5"
    assert f"{item}[1].requestedUnitCode" not in values
    assert f"{item}[1].unitPriceAmount" not in values
    assert values[f"{item}[2].requestedUnitCode"] == "XPP"
    refused = {
        "cac:InvoiceLine[0]/cbc:InvoicedQuantity",
        "cac:InvoiceLine[1]/cbc:InvoicedQuantity/@unitCode",
        "cac:InvoiceLine[1]/cac:Price/cbc:PriceAmount",
    }
    assert refused <= set(found.unmapped)
    why = {misfit.place: misfit for misfit in found.misfits}
    assert why["cac:InvoiceLine[0]/cbc:InvoicedQuantity"].seen == "two"
    assert "unit" in why["cac:InvoiceLine[1]/cbc:InvoicedQuantity/@unitCode"].wanted
    with pytest.raises(MalformedInput):
        read_document(invoice(lines), kind="invoice_ubl")


def test_allowances_and_prepayment_are_listed_and_the_totals_told():
    inside = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
        "<cbc:Amount>1.00</cbc:Amount></cac:AllowanceCharge><cac:LegalMonetaryTotal>"
        "<cbc:PrepaidAmount>2.00</cbc:PrepaidAmount><cbc:PayableAmount>7.00</cbc:PayableAmount>"
        "</cac:LegalMonetaryTotal>"
    )
    found = read_of_others(invoice(inside + line(1, "2", "EA", "5")), kind="invoice_ubl")
    assert "cac:AllowanceCharge/cbc:Amount" in found.unmapped
    assert "cac:LegalMonetaryTotal/cbc:PrepaidAmount" in found.unmapped
    told = {m.place: (m.seen, m.wanted) for m in found.misfits}
    assert told["cac:LegalMonetaryTotal/cbc:PayableAmount"] == ("7.00", "10.00")


@pytest.mark.parametrize(
    ("price", "base", "one"), [("12", "100", "0.12"), ("1", "3", ""), ("5", "0", "5")]
)
def test_a_price_for_several_is_not_taken_for_the_price_of_one(price, base, one):
    more = f"<cbc:BaseQuantity>{base}</cbc:BaseQuantity>"
    values, unmapped = imported(invoice(line(1, "7", "EA", price, more)))
    assert values.get("includedConsignmentItem[0].unitPriceAmount", "") == one
    assert "cac:InvoiceLine[0]/cac:Price/cbc:BaseQuantity" in unmapped


def as_credit_note(data: bytes) -> bytes:
    for ours, theirs in (
        ("InvoiceLine", "CreditNoteLine"),
        ("InvoicedQuantity", "CreditedQuantity"),
    ):
        data = data.replace(ours.encode(), theirs.encode())
    return (
        data.replace(b"<Invoice ", b"<CreditNote ")
        .replace(b"</Invoice>", b"</CreditNote>")
        .replace(f'"{UBL}Invoice-2"'.encode(), f'"{UBL}CreditNote-2"'.encode())
    )


def test_a_credit_note_is_read_and_never_held_for_the_invoice():
    owed = invoice(line(1, "2", "EA", "5"))
    values, _ = imported(as_credit_note(owed))
    assert values["includedConsignmentItem[0].requestedQuantity"] == "2"
    looked, comparison = looked_at([("c.xml", as_credit_note(owed)), ("i.xml", owed)])
    assert [each.kind for each in looked] == ["credit_note_ubl", "invoice_ubl"]
    alone = looked_at([("i.xml", owed)])[1]
    assert comparison.answers == alone.answers


def test_a_credit_note_in_cii_is_known_by_its_code(shared):
    file = shared / "trade/xrechnung/business-cases/standard/01.01a-INVOICE_uncefact.xml"
    text = file.read_bytes()
    assert read_of_others(text, kind="invoice_cii").kind == "invoice_cii"
    credit = text.replace(b"<ram:TypeCode>380<", b"<ram:TypeCode>381<", 1)
    assert credit != text
    assert read_of_others(credit, kind="invoice_cii").kind == "credit_note_cii"


@pytest.mark.parametrize("form", [INVOICE_UBL, INVOICE_CII], ids=lambda form: form.kind)
def test_our_invoice_bears_its_delivery_terms_where_the_syntax_has_them(form):
    places = {part.of: part.at for part in form.parts if hasattr(part, "of")}
    terms = [at for of, at in places.items() if of.startswith("applicableTradeDeliveryTerms")]
    assert len(terms) == 4
    assert all("DeliveryTerms" in at for at in terms)
    assert not any("Note" in part.at for part in form.parts if hasattr(part, "at"))


@pytest.mark.parametrize("kind", ["invoice_ubl", "invoice_cii"])
def test_an_invoice_of_ours_from_before_is_read_as_it_was_meant(kind):
    notes = ("FOB", "2020", "BDCGP", "Chattogram")
    if kind == "invoice_ubl":
        data = invoice("".join(f"<cbc:Note>{note}</cbc:Note>" for note in notes))
    else:
        cii = "urn:un:unece:uncefact:data:standard:"
        each = "".join(
            f"<ram:IncludedNote><ram:Content>{note}</ram:Content></ram:IncludedNote>"
            for note in notes
        )
        data = (
            f'<rsm:CrossIndustryInvoice xmlns:rsm="{cii}CrossIndustryInvoice:100" '
            f'xmlns:ram="{cii}ReusableAggregateBusinessInformationEntity:100">'
            f"<rsm:ExchangedDocument>{each}</rsm:ExchangedDocument></rsm:CrossIndustryInvoice>"
        ).encode()
    for read in (read_document, read_of_others):
        found = read(data, kind=kind)
        terms = "applicableTradeDeliveryTerms"
        assert found.consignment.get(f"{terms}.deliveryTypeCode") == "FOB"
        assert found.consignment.get(f"{terms}.edition") == "2020"
        assert found.consignment.get(f"{terms}.relevantLocation.id") == "BDCGP"
        assert found.consignment.get(f"{terms}.relevantLocation.name") == "Chattogram"


@pytest.mark.parametrize("zone", ["", "Z", "+06:00", "-05:00", "+14:00", "-14:00"])
def test_a_day_may_bear_its_zone(zone):
    inside = f"<cbc:DueDate>2026-10-01{zone}</cbc:DueDate>" + line(1, "1", "EA", "2")
    ((looked,), _) = looked_at([("a.xml", invoice(inside))])
    assert looked.found.consignment.get("invoiceDocument.dueDate") == "2026-10-01"
    assert not any(m.place == "cbc:DueDate" for m in looked.found.misfits)


@pytest.mark.parametrize("day", ["2026-10-01+15:00", "2026-10-01z", "2026-02-30Z", "Z", "2026-10Z"])
def test_what_is_no_day_is_listed_whatever_its_zone(day):
    inside = f"<cbc:DueDate>{day}</cbc:DueDate>" + line(1, "1", "EA", "2")
    ((looked,), _) = looked_at([("a.xml", invoice(inside))])
    assert "invoiceDocument.dueDate" not in looked.found.consignment.values
    assert "cbc:DueDate" in looked.found.unmapped


def test_goods_taken_back_are_read_with_their_quantity_below_zero():
    data = invoice(
        line(1, "5", "EA", "2") + line(2, "-1.50", "EA", "2") + line(3, "--1", "EA", "2")
    )
    ((looked,), _) = looked_at([("a.xml", data)])
    found = looked.found.consignment
    quantities = [found.get(f"includedConsignmentItem[{k}].requestedQuantity") for k in range(3)]
    assert quantities == ["5", "-1.5", ""]
    assert [m.place for m in looked.found.misfits if "Quantity" in m.place] == [
        "cac:InvoiceLine[2]/cbc:InvoicedQuantity"
    ]
    # Nothing of ours is made of such goods.
    with pytest.raises(MalformedInput):
        read_document(data, kind="invoice_ubl")
