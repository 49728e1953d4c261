"""The commercial invoice as UBL 2.1 in the shape of EN 16931, written and read back.

Source: OASIS UBL 2.1 Invoice; EN 16931-1 business terms (BT) by their UBL binding. Facts that the
norm has no term for stand where it allows free ones: delivery terms in a note (BT-22), the
container as invoiced object (BT-18), the lot as an item attribute (BG-32).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency, Money
from zhidao.rules import parse_xml
from zhidao.trade.domain.consignment import Address, Vat
from zhidao.trade.domain.invoice import (
    EXEMPT_CATEGORIES,
    Invoice,
    InvoiceLine,
    InvoiceParty,
    VatSum,
)
from zhidao.trade.wire.fields import day
from zhidao.trade.wire.places import PREFIXES

_SPACES: Final = {prefix.rstrip(":"): space for space, prefix in PREFIXES.items() if prefix}
_INVOICE: Final = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
_CAC: Final = "{" + _SPACES["cac"] + "}"
_CBC: Final = "{" + _SPACES["cbc"] + "}"
_PROFILE: Final = "urn:cen.eu:en16931:2017"
_COMMERCIAL: Final = "380"  # UNTDID 1001: commercial invoice.
_CREDIT_TRANSFER: Final = "30"  # UNTDID 4461: credit transfer.
_INVOICED_OBJECT: Final = "130"  # UNTDID 1001: invoicing data sheet, EN 16931's mark of BT-18.
_EQUIPMENT: Final = "AAQ"  # UNTDID 1153: unit load device; the container's number.
_GTIN: Final = "0160"  # ISO 6523 ICD of GS1's GTIN.
_HARMONIZED: Final = "HS"  # UNTDID 7143: Harmonized System.
_TERMS: Final = "Delivery terms: "
_LOT: Final = "Lot"
_VAT_SCHEME: Final = "VAT"


def write(invoice: Invoice) -> bytes:
    """The invoice as UBL 2.1 in UTF-8; the same invoice always gives the same bytes."""
    spaces: Any = {None: _INVOICE, "cac": _SPACES["cac"], "cbc": _SPACES["cbc"]}
    root = etree.Element(f"{{{_INVOICE}}}Invoice", nsmap=spaces)
    _head(root, invoice)
    _party(_add(root, "AccountingSupplierParty"), invoice.seller)
    _party(_add(root, "AccountingCustomerParty"), invoice.buyer)
    _delivery_and_payment(root, invoice)
    _sums(root, invoice)
    for line in invoice.lines:
        _line(_add(root, "InvoiceLine"), line, invoice.currency)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _head(root: etree._Element, invoice: Invoice) -> None:
    _text(root, "CustomizationID", _PROFILE)
    _text(root, "ID", invoice.number)
    _text(root, "IssueDate", invoice.issued_on.isoformat())
    _text(root, "DueDate", invoice.due_on.isoformat())
    _text(root, "InvoiceTypeCode", _COMMERCIAL)
    _text(root, "Note", _TERMS + invoice.terms)
    _text(root, "DocumentCurrencyCode", invoice.currency.code)
    if invoice.order:
        _text(_add(root, "OrderReference"), "ID", invoice.order)
    if invoice.container:
        reference = _add(root, "AdditionalDocumentReference")
        _text(reference, "ID", invoice.container, schemeID=_EQUIPMENT)
        _text(reference, "DocumentTypeCode", _INVOICED_OBJECT)


def _party(role: etree._Element, party: InvoiceParty) -> None:
    body = _add(role, "Party")
    address = _add(body, "PostalAddress")
    _text(address, "StreetName", party.address.street)
    _text(address, "CityName", party.address.city)
    if party.address.postcode:
        _text(address, "PostalZone", party.address.postcode)
    _text(_add(address, "Country"), "IdentificationCode", party.address.country)
    if party.vat:
        scheme = _add(body, "PartyTaxScheme")
        _text(scheme, "CompanyID", party.vat)
        _text(_add(scheme, "TaxScheme"), "ID", _VAT_SCHEME)
    entity = _add(body, "PartyLegalEntity")
    _text(entity, "RegistrationName", party.name)
    if party.registration:
        _text(entity, "CompanyID", party.registration)


def _delivery_and_payment(root: etree._Element, invoice: Invoice) -> None:
    address = _add(_add(_add(root, "Delivery"), "DeliveryLocation"), "Address")
    _text(_add(address, "Country"), "IdentificationCode", invoice.buyer.address.country)
    means = _add(root, "PaymentMeans")
    _text(means, "PaymentMeansCode", _CREDIT_TRANSFER)
    _text(_add(means, "PayeeFinancialAccount"), "ID", invoice.account)


def _sums(root: etree._Element, invoice: Invoice) -> None:
    currency = invoice.currency
    total = _add(root, "TaxTotal")
    _amount(total, "TaxAmount", invoice.tax, currency)
    for row in invoice.vat:
        subtotal = _add(total, "TaxSubtotal")
        _amount(subtotal, "TaxableAmount", row.taxable, currency)
        _amount(subtotal, "TaxAmount", row.tax, currency)
        category = _category(_add(subtotal, "TaxCategory"), row.vat)
        if row.vat.category in EXEMPT_CATEGORIES:
            if invoice.exemption_code:
                _text(category, "TaxExemptionReasonCode", invoice.exemption_code)
            if invoice.exemption_reason:
                _text(category, "TaxExemptionReason", invoice.exemption_reason)
        _text(_add(category, "TaxScheme"), "ID", _VAT_SCHEME)
    sums = _add(root, "LegalMonetaryTotal")
    gross = invoice.net + invoice.tax
    _amount(sums, "LineExtensionAmount", invoice.net, currency)
    _amount(sums, "TaxExclusiveAmount", invoice.net, currency)
    _amount(sums, "TaxInclusiveAmount", gross, currency)
    _amount(sums, "PayableAmount", gross, currency)


# BR-O-05: a line that is not subject to VAT bears no rate.
_NO_RATE: Final = "O"


def _category(element: etree._Element, vat: Vat) -> etree._Element:
    _text(element, "ID", vat.category)
    if vat.category != _NO_RATE:
        _text(element, "Percent", f"{vat.percent:f}")
    return element


def _line(element: etree._Element, line: InvoiceLine, currency: Currency) -> None:
    _text(element, "ID", line.id)
    _text(element, "InvoicedQuantity", f"{line.quantity:f}", unitCode=line.unit)
    _amount(element, "LineExtensionAmount", line.net, currency)
    item = _add(element, "Item")
    _text(item, "Name", line.description)
    standard = _add(item, "StandardItemIdentification")
    _text(standard, "ID", line.gtin, schemeID=_GTIN)
    _text(_add(item, "OriginCountry"), "IdentificationCode", line.origin)
    classification = _add(item, "CommodityClassification")
    _text(classification, "ItemClassificationCode", line.hs, listID=_HARMONIZED)
    category = _category(_add(item, "ClassifiedTaxCategory"), line.vat)
    _text(_add(category, "TaxScheme"), "ID", _VAT_SCHEME)
    if line.lot:
        attribute = _add(item, "AdditionalItemProperty")
        _text(attribute, "Name", _LOT)
        _text(attribute, "Value", line.lot)
    price = _add(element, "Price")
    _text(price, "PriceAmount", f"{line.unit_price:f}", currencyID=currency.code)


def _add(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, _CAC + name)


def _text(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, _CBC + name, attributes).text = text


def _amount(parent: etree._Element, name: str, amount: Decimal, currency: Currency) -> None:
    digits = f"{amount:.{currency.exponent}f}"
    _text(parent, name, digits, currencyID=currency.code)


def read(data: bytes) -> Invoice:
    """The invoice of a UBL document, as far as our papers know its terms.

    It reads what `write` writes and tolerates terms beyond that; whether the document is valid is
    the rules' question. Raises MalformedInput for a missing or unreadable term that we need.
    """
    root = parse_xml(data)
    if root.tag != f"{{{_INVOICE}}}Invoice":
        raise MalformedInput("not a UBL 2.1 Invoice", where="root element")
    take = _Reader(root)
    return Invoice(
        number=take("cbc:ID"),
        issued_on=day(take("cbc:IssueDate"), where="cbc:IssueDate"),
        due_on=day(take("cbc:DueDate"), where="cbc:DueDate"),
        currency=Currency(take("cbc:DocumentCurrencyCode")),
        order=take("cac:OrderReference/cbc:ID", ""),
        seller=_read_party(root, "cac:AccountingSupplierParty"),
        buyer=_read_party(root, "cac:AccountingCustomerParty"),
        account=take("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID", ""),
        terms=_read_terms(root),
        container=take(
            f"cac:AdditionalDocumentReference[cbc:DocumentTypeCode='{_INVOICED_OBJECT}']/cbc:ID", ""
        ),
        exemption_code=take(_SUBTOTAL + "cbc:TaxExemptionReasonCode", ""),
        exemption_reason=take(_SUBTOTAL + "cbc:TaxExemptionReason", ""),
        lines=tuple(_read_line(element) for element in _all(root, "cac:InvoiceLine")),
        vat=tuple(_read_vat_sum(e) for e in _all(root, "cac:TaxTotal/cac:TaxSubtotal")),
    )


def amount_due(data: bytes) -> Money:
    """What the document itself says is due (BT-115), whatever its lines add up to.

    Raises MalformedInput if it does not say it once, in an amount of its currency.
    """
    stated = _all(parse_xml(data), "cac:LegalMonetaryTotal/cbc:PayableAmount")
    if len(stated) != 1:
        raise MalformedInput(f"{len(stated)} amounts due, not one", where="cbc:PayableAmount")
    return Money.parse((stated[0].text or "").strip(), stated[0].get("currencyID") or "")


_SUBTOTAL: Final = "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/"


class _Reader:
    """Takes the text of the first element at a path below one element."""

    def __init__(self, element: etree._Element) -> None:
        self._element = element

    def __call__(self, path: str, default: str | None = None) -> str:
        found = self._element.find(path, _SPACES)
        text = (found.text or "") if found is not None else default
        if text is None:
            raise MalformedInput(f"the invoice has no {path}", code="missing_term", where=path)
        return text

    def decimal(self, path: str) -> Decimal:
        """The decimal at a path."""
        return _decimal(self(path), path)


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    return element.findall(path, _SPACES)


def _decimal(text: str, where: str) -> Decimal:
    stripped = text.strip()
    plain = stripped.lstrip("+-").replace(".", "", 1)
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 40:
        raise MalformedInput(f"not a decimal: {text[:40]!r}", where=where)
    try:
        return Decimal(stripped)
    except InvalidOperation as error:
        raise MalformedInput(f"not a decimal: {text[:40]!r}", where=where) from error


def _read_party(root: etree._Element, role: str) -> InvoiceParty:
    take = _Reader(root)
    body = role + "/cac:Party/"
    address = body + "cac:PostalAddress/"
    return InvoiceParty(
        name=take(body + "cac:PartyLegalEntity/cbc:RegistrationName"),
        address=Address(
            street=take(address + "cbc:StreetName", ""),
            city=take(address + "cbc:CityName", ""),
            postcode=take(address + "cbc:PostalZone", ""),
            country=take(address + "cac:Country/cbc:IdentificationCode"),
        ),
        registration=take(body + "cac:PartyLegalEntity/cbc:CompanyID", ""),
        vat=take(body + "cac:PartyTaxScheme/cbc:CompanyID", ""),
    )


def _read_terms(root: etree._Element) -> str:
    notes = [element.text or "" for element in _all(root, "cbc:Note")]
    return next((note[len(_TERMS) :] for note in notes if note.startswith(_TERMS)), "")


def _read_vat(take: Callable[..., str], path: str) -> Vat:
    return Vat(
        category=take(path + "cbc:ID"),
        percent=_decimal(take(path + "cbc:Percent", "0"), path + "cbc:Percent"),
    )


def _read_vat_sum(element: etree._Element) -> VatSum:
    take = _Reader(element)
    return VatSum(
        vat=_read_vat(take, "cac:TaxCategory/"),
        taxable=take.decimal("cbc:TaxableAmount"),
        tax=take.decimal("cbc:TaxAmount"),
    )


def _read_line(element: etree._Element) -> InvoiceLine:
    take = _Reader(element)
    quantity = element.find("cbc:InvoicedQuantity", _SPACES)
    lots = [
        _Reader(attribute)("cbc:Value", "")
        for attribute in _all(element, "cac:Item/cac:AdditionalItemProperty")
        if _Reader(attribute)("cbc:Name", "") == _LOT
    ]
    return InvoiceLine(
        id=take("cbc:ID"),
        description=take("cac:Item/cbc:Name"),
        gtin=take("cac:Item/cac:StandardItemIdentification/cbc:ID", ""),
        hs=take(
            "cac:Item/cac:CommodityClassification/"
            f"cbc:ItemClassificationCode[@listID='{_HARMONIZED}']",
            "",
        ),
        origin=take("cac:Item/cac:OriginCountry/cbc:IdentificationCode", ""),
        lot=lots[0] if lots else "",
        quantity=take.decimal("cbc:InvoicedQuantity"),
        unit=(quantity.get("unitCode") or "") if quantity is not None else "",
        unit_price=take.decimal("cac:Price/cbc:PriceAmount"),
        vat=_read_vat(take, "cac:Item/cac:ClassifiedTaxCategory/"),
        net=take.decimal("cbc:LineExtensionAmount"),
    )
