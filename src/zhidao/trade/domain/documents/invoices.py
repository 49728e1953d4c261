"""The commercial invoice in both syntaxes of EN 16931, as tables of places.

Source: OASIS UBL 2.1 Invoice; UN/CEFACT CII D16B; the EN 16931 bindings of both. Facts that the
norm has no term for stand where the syntax has a place (the delivery terms), or where the norm
allows free ones: the shipping marks and the line's origin in item attributes (BG-32).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from zhidao.core.money import Currency
from zhidao.trade.domain.documents.mapping import (
    As,
    Constant,
    Derived,
    DerivedRow,
    DocumentForm,
    Leaves,
    Part,
    Row,
    Syntax,
)
from zhidao.trade.domain.invoice import EXEMPT_CATEGORIES, rounded
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment

_PROFILE: Final = "urn:cen.eu:en16931:2017"
_TERMS: Final = "applicableTradeDeliveryTerms"
TERMS_UBL: Final = "cac:DeliveryTerms"
TERMS_CII: Final = (
    "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/"
    "ram:ApplicableTradeDeliveryTerms/ram:"
)


def line_net(consignment: CanonicalConsignment, k: int) -> Decimal:
    """The net amount of a line (BT-131), rounded half up to the currency's decimals."""
    quantity = Decimal(consignment.get(f"{ITEM}[{k}].requestedQuantity", "0"))
    price = Decimal(consignment.get(f"{ITEM}[{k}].unitPriceAmount", "0"))
    return rounded(quantity, price, decimals=_decimals(consignment))


def invoice_total(consignment: CanonicalConsignment) -> Decimal:
    """The amount due (BT-115): all lines and their VAT."""
    return _net(consignment) + sum((tax for *_, tax in vat_rows(consignment)), Decimal(0))


def vat_rows(consignment: CanonicalConsignment) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """The VAT breakdown: category, rate, taxable amount, tax (BG-23, BR-CO-17)."""
    taxable: dict[tuple[str, Decimal], Decimal] = {}
    for k in range(consignment.counts[ITEM]):
        category = consignment.get(f"{ITEM}[{k}].taxCategoryCode")
        rate = Decimal(consignment.get(f"{ITEM}[{k}].taxRatePercent", "0"))
        taxable[category, rate] = taxable.get((category, rate), Decimal(0)) + line_net(
            consignment, k
        )
    return [
        (
            category,
            rate,
            base,
            rounded(base, rate.scaleb(-2), decimals=_decimals(consignment)),
        )
        for (category, rate), base in taxable.items()
    ]


def _decimals(consignment: CanonicalConsignment) -> int:
    return Currency(consignment.get("invoiceDocument.currencyCode", "EUR")).exponent


def _net(consignment: CanonicalConsignment) -> Decimal:
    lines = (line_net(consignment, k) for k in range(consignment.counts[ITEM]))
    return sum(lines, Decimal(0))


def _amount(value: Decimal, consignment: CanonicalConsignment) -> str:
    return f"{value:.{_decimals(consignment)}f}"


def _currency(consignment: CanonicalConsignment) -> str:
    return consignment.get("invoiceDocument.currencyCode")


def _ubl_party(element: str, role: str) -> tuple[Part, ...]:
    party = f"cac:{element}/cac:Party"
    address = party + "/cac:PostalAddress"
    return (
        Row(f"{address}/cbc:StreetName", f"{role}.postalAddress.streetName"),
        Row(f"{address}/cbc:CityName", f"{role}.postalAddress.cityName"),
        Row(f"{address}/cbc:PostalZone", f"{role}.postalAddress.postcodeCode"),
        Row(f"{address}/cac:Country/cbc:IdentificationCode", f"{role}.postalAddress.countryId"),
        Row(f"{party}/cac:PartyTaxScheme/cbc:CompanyID", f"{role}.taxRegistrationId"),
        Derived(_tax_scheme(party, role)),
        Row(f"{party}/cac:PartyLegalEntity/cbc:RegistrationName", f"{role}.name"),
        Row(f"{party}/cac:PartyLegalEntity/cbc:CompanyID", f"{role}.legalRegistrationId"),
    )


def _tax_scheme(party: str, role: str) -> Callable[[CanonicalConsignment], Leaves]:
    def compute(consignment: CanonicalConsignment) -> Leaves:
        if not consignment.get(f"{role}.taxRegistrationId"):
            return {}
        return {f"{party}/cac:PartyTaxScheme/cac:TaxScheme/cbc:ID": "VAT"}

    return compute


def _ubl_sums(consignment: CanonicalConsignment) -> Leaves:
    currency = _currency(consignment)
    rows = vat_rows(consignment)
    tax = sum((row[3] for row in rows), Decimal(0))
    leaves: Leaves = {
        "cac:TaxTotal/cbc:TaxAmount": _amount(tax, consignment),
        "cac:TaxTotal/cbc:TaxAmount/@currencyID": currency,
    }
    for k, (category, rate, base, amount) in enumerate(rows):
        at = f"cac:TaxTotal/cac:TaxSubtotal[{k}]"
        for name, value in (("TaxableAmount", base), ("TaxAmount", amount)):
            leaves[f"{at}/cbc:{name}"] = _amount(value, consignment)
            leaves[f"{at}/cbc:{name}/@currencyID"] = currency
        at += "/cac:TaxCategory"
        leaves[f"{at}/cbc:ID"] = category
        if category != "O":
            leaves[f"{at}/cbc:Percent"] = f"{rate:f}"
        if category in EXEMPT_CATEGORIES:
            for name, path in (
                ("TaxExemptionReasonCode", "exemptionReasonCode"),
                ("TaxExemptionReason", "exemptionReason"),
            ):
                reason = consignment.get(f"invoiceDocument.{path}")
                if reason:
                    leaves[f"{at}/cbc:{name}"] = reason
        leaves[f"{at}/cac:TaxScheme/cbc:ID"] = "VAT"
    net = _net(consignment)
    for name, value in (
        ("LineExtensionAmount", net),
        ("TaxExclusiveAmount", net),
        ("TaxInclusiveAmount", net + tax),
        ("PayableAmount", net + tax),
    ):
        leaves[f"cac:LegalMonetaryTotal/cbc:{name}"] = _amount(value, consignment)
        leaves[f"cac:LegalMonetaryTotal/cbc:{name}/@currencyID"] = currency
    return leaves


def _heard(group: str, reason: str, code: str) -> tuple[Part, ...]:
    """The exemption reasons of the VAT breakdown, whose rows the sums write."""
    return tuple(
        Row(f"{group}[{k}]{reason}{end}", f"invoiceDocument.exemptionReason{end}", heard=True)
        for k in range(_VAT_ROWS_READ)
        for end in ("", code)
    )


# Categories with a reason: E, AE, K, G, O; a breakdown has few rows before the first of them.
_VAT_ROWS_READ: Final = 8


def _percent(consignment: CanonicalConsignment, k: int) -> str | None:
    # BR-O-05: a line that is not subject to VAT bears no rate.
    if consignment.get(f"{ITEM}[{k}].taxCategoryCode") == "O":
        return None
    return consignment.get(f"{ITEM}[{k}].taxRatePercent") or None


def _each(value: str) -> Callable[[CanonicalConsignment, int], str]:
    return lambda _consignment, _k: value


_LINE: Final = "cac:InvoiceLine[]"
_ATTRIBUTE: Final = f"{_LINE}/cac:Item/cac:AdditionalItemProperty"

INVOICE_UBL: Final = DocumentForm(
    kind="invoice_ubl",
    titles=("Commercial invoice", "商业发票"),
    syntax=Syntax.XML,
    number_path="invoiceDocument.id",
    root="{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice",
    parts=(
        Constant("cbc:CustomizationID", _PROFILE),
        Row("cbc:ID", "invoiceDocument.id"),
        Row("cbc:IssueDate", "invoiceDocument.issueDate"),
        Row("cbc:DueDate", "invoiceDocument.dueDate"),
        Constant("cbc:InvoiceTypeCode", "380"),
        Row("cbc:DocumentCurrencyCode", "invoiceDocument.currencyCode"),
        Row("cac:OrderReference/cbc:ID", "buyerOrderDocument.id"),
        *_ubl_party("AccountingSupplierParty", "consignorParty"),
        *_ubl_party("AccountingCustomerParty", "consigneeParty"),
        Derived(
            lambda c: {
                "cac:Delivery/cac:DeliveryLocation/cac:Address/cac:Country/"
                "cbc:IdentificationCode": c.get("consigneeParty.postalAddress.countryId")
            }
        ),
        Row(f"{TERMS_UBL}/cbc:ID", f"{_TERMS}.deliveryTypeCode"),
        Row(f"{TERMS_UBL}/cbc:SpecialTerms", f"{_TERMS}.edition", As.EDITION),
        Row(f"{TERMS_UBL}/cac:DeliveryLocation/cbc:ID", f"{_TERMS}.relevantLocation.id"),
        Row(f"{TERMS_UBL}/cac:DeliveryLocation/cbc:Name", f"{_TERMS}.relevantLocation.name"),
        Constant("cac:PaymentMeans/cbc:PaymentMeansCode", "30"),
        Row("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID", "invoiceDocument.payeeAccountId"),
        Derived(_ubl_sums),
        *_heard("cac:TaxTotal/cac:TaxSubtotal", "/cac:TaxCategory/cbc:TaxExemptionReason", "Code"),
        Row(f"{_LINE}/cbc:ID", f"{ITEM}[].id"),
        Row(f"{_LINE}/cbc:InvoicedQuantity", f"{ITEM}[].requestedQuantity"),
        Row(f"{_LINE}/cbc:InvoicedQuantity/@unitCode", f"{ITEM}[].requestedUnitCode"),
        DerivedRow(
            f"{_LINE}/cbc:LineExtensionAmount", ITEM, lambda c, k: _amount(line_net(c, k), c)
        ),
        DerivedRow(
            f"{_LINE}/cbc:LineExtensionAmount/@currencyID", ITEM, lambda c, _k: _currency(c)
        ),
        Row(f"{_LINE}/cac:Item/cbc:Name", f"{ITEM}[].natureIdentificationCargo.description"),
        Row(f"{_LINE}/cac:Item/cac:StandardItemIdentification/cbc:ID", f"{ITEM}[].globalId"),
        DerivedRow(
            f"{_LINE}/cac:Item/cac:StandardItemIdentification/cbc:ID/@schemeID",
            ITEM,
            lambda c, k: "0160" if c.get(f"{ITEM}[{k}].globalId") else None,
        ),
        Row(
            f"{_LINE}/cac:Item/cac:OriginCountry/cbc:IdentificationCode",
            f"{ITEM}[].originCountry.id",
        ),
        Row(
            f"{_LINE}/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode",
            f"{ITEM}[].typeCode",
        ),
        DerivedRow(
            f"{_LINE}/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode/@listID",
            ITEM,
            _each("HS"),
        ),
        Row(f"{_LINE}/cac:Item/cac:ClassifiedTaxCategory/cbc:ID", f"{ITEM}[].taxCategoryCode"),
        DerivedRow(f"{_LINE}/cac:Item/cac:ClassifiedTaxCategory/cbc:Percent", ITEM, _percent),
        DerivedRow(
            f"{_LINE}/cac:Item/cac:ClassifiedTaxCategory/cac:TaxScheme/cbc:ID", ITEM, _each("VAT")
        ),
        DerivedRow(f"{_ATTRIBUTE}[0]/cbc:Name", ITEM, _each("Shipping marks")),
        Row(f"{_ATTRIBUTE}[0]/cbc:Value", f"{ITEM}[].shippingMarks"),
        DerivedRow(f"{_ATTRIBUTE}[1]/cbc:Name", ITEM, _each("Net weight in kg")),
        Row(f"{_ATTRIBUTE}[1]/cbc:Value", f"{ITEM}[].netWeight"),
        DerivedRow(f"{_ATTRIBUTE}[2]/cbc:Name", ITEM, _each("VAT rate in per cent")),
        Row(f"{_ATTRIBUTE}[2]/cbc:Value", f"{ITEM}[].taxRatePercent"),
        Row(f"{_LINE}/cac:Price/cbc:PriceAmount", f"{ITEM}[].unitPriceAmount"),
        DerivedRow(
            f"{_LINE}/cac:Price/cbc:PriceAmount/@currencyID", ITEM, lambda c, _k: _currency(c)
        ),
    ),
)

_CII: Final = "rsm:SupplyChainTradeTransaction/ram:"
_CII_LINE: Final = _CII + "IncludedSupplyChainTradeLineItem[]/ram:"
_SETTLE: Final = _CII + "ApplicableHeaderTradeSettlement/ram:"


def _cii_party(element: str, role: str) -> tuple[Part, ...]:
    party = f"{_CII}ApplicableHeaderTradeAgreement/ram:{element}/ram:"
    address = party + "PostalTradeAddress/ram:"
    tax = party + "SpecifiedTaxRegistration/ram:ID"

    def scheme(consignment: CanonicalConsignment) -> Leaves:
        return {tax + "/@schemeID": "VA"} if consignment.get(f"{role}.taxRegistrationId") else {}

    return (
        Row(party + "Name", f"{role}.name"),
        Row(party + "SpecifiedLegalOrganization/ram:ID", f"{role}.legalRegistrationId"),
        Row(address + "PostcodeCode", f"{role}.postalAddress.postcodeCode"),
        Row(address + "LineOne", f"{role}.postalAddress.streetName"),
        Row(address + "CityName", f"{role}.postalAddress.cityName"),
        Row(address + "CountryID", f"{role}.postalAddress.countryId"),
        Row(tax, f"{role}.taxRegistrationId"),
        Derived(scheme),
    )


def _cii_tax(consignment: CanonicalConsignment) -> Leaves:
    leaves: Leaves = {}
    for k, (category, rate, base, amount) in enumerate(vat_rows(consignment)):
        at = f"{_SETTLE}ApplicableTradeTax[{k}]/ram:"
        leaves[at + "CalculatedAmount"] = _amount(amount, consignment)
        leaves[at + "TypeCode"] = "VAT"
        reason = consignment.get("invoiceDocument.exemptionReason")
        code = consignment.get("invoiceDocument.exemptionReasonCode")
        exempt = category in EXEMPT_CATEGORIES
        if exempt and reason:
            leaves[at + "ExemptionReason"] = reason
        leaves[at + "BasisAmount"] = _amount(base, consignment)
        leaves[at + "CategoryCode"] = category
        if exempt and code:
            leaves[at + "ExemptionReasonCode"] = code
        if category != "O":
            leaves[at + "RateApplicablePercent"] = f"{rate:f}"
    return leaves


def _cii_sums(consignment: CanonicalConsignment) -> Leaves:
    at = f"{_SETTLE}SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
    net = _net(consignment)
    tax = sum((row[3] for row in vat_rows(consignment)), Decimal(0))
    return {
        at + "LineTotalAmount": _amount(net, consignment),
        at + "TaxBasisTotalAmount": _amount(net, consignment),
        at + "TaxTotalAmount": _amount(tax, consignment),
        at + "TaxTotalAmount/@currencyID": _currency(consignment),
        at + "GrandTotalAmount": _amount(net + tax, consignment),
        at + "DuePayableAmount": _amount(net + tax, consignment),
    }


def _characteristic(k: int, name: str, path: str) -> tuple[Part, ...]:
    at = f"{_CII_LINE}SpecifiedTradeProduct/ram:ApplicableProductCharacteristic[{k}]/ram:"
    return (
        DerivedRow(at + "Description", ITEM, _each(name)),
        Row(at + "Value", f"{ITEM}[].{path}"),
    )


_FORMAT_102: Final = "udt:DateTimeString/@format"
_PRODUCT: Final = _CII_LINE + "SpecifiedTradeProduct/ram:"
_LINE_SETTLE: Final = _CII_LINE + "SpecifiedLineTradeSettlement/ram:"
_QUANTITY: Final = _CII_LINE + "SpecifiedLineTradeDelivery/ram:BilledQuantity"
_CLASS: Final = _PRODUCT + "DesignatedProductClassification/ram:ClassCode"

INVOICE_CII: Final = DocumentForm(
    kind="invoice_cii",
    titles=("Commercial invoice (CII)", "商业发票（CII）"),
    syntax=Syntax.XML,
    number_path="invoiceDocument.id",
    root="{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice",
    parts=(
        Constant(
            "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
            _PROFILE,
        ),
        Row("rsm:ExchangedDocument/ram:ID", "invoiceDocument.id"),
        Constant("rsm:ExchangedDocument/ram:TypeCode", "380"),
        Row(
            "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",
            "invoiceDocument.issueDate",
            As.COMPACT_DAY,
        ),
        Constant(f"rsm:ExchangedDocument/ram:IssueDateTime/{_FORMAT_102}", "102"),
        Row(_CII_LINE + "AssociatedDocumentLineDocument/ram:LineID", f"{ITEM}[].id"),
        Row(_PRODUCT + "GlobalID", f"{ITEM}[].globalId"),
        DerivedRow(
            _PRODUCT + "GlobalID/@schemeID",
            ITEM,
            lambda c, k: "0160" if c.get(f"{ITEM}[{k}].globalId") else None,
        ),
        Row(_PRODUCT + "Name", f"{ITEM}[].natureIdentificationCargo.description"),
        *_characteristic(0, "Shipping marks", "shippingMarks"),
        *_characteristic(1, "Net weight in kg", "netWeight"),
        *_characteristic(2, "VAT rate in per cent", "taxRatePercent"),
        Row(_CLASS, f"{ITEM}[].typeCode"),
        DerivedRow(_CLASS + "/@listID", ITEM, _each("HS")),
        Row(_PRODUCT + "OriginTradeCountry/ram:ID", f"{ITEM}[].originCountry.id"),
        Row(
            _CII_LINE
            + "SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount",
            f"{ITEM}[].unitPriceAmount",
        ),
        Row(_QUANTITY, f"{ITEM}[].requestedQuantity"),
        Row(_QUANTITY + "/@unitCode", f"{ITEM}[].requestedUnitCode"),
        DerivedRow(_LINE_SETTLE + "ApplicableTradeTax/ram:TypeCode", ITEM, _each("VAT")),
        Row(_LINE_SETTLE + "ApplicableTradeTax/ram:CategoryCode", f"{ITEM}[].taxCategoryCode"),
        DerivedRow(_LINE_SETTLE + "ApplicableTradeTax/ram:RateApplicablePercent", ITEM, _percent),
        DerivedRow(
            _LINE_SETTLE + "SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
            ITEM,
            lambda c, k: _amount(line_net(c, k), c),
        ),
        *_cii_party("SellerTradeParty", "consignorParty"),
        *_cii_party("BuyerTradeParty", "consigneeParty"),
        Row(TERMS_CII + "DeliveryTypeCode", f"{_TERMS}.deliveryTypeCode"),
        Row(TERMS_CII + "Description", f"{_TERMS}.edition", As.EDITION),
        Row(TERMS_CII + "RelevantTradeLocation/ram:ID", f"{_TERMS}.relevantLocation.id"),
        Row(TERMS_CII + "RelevantTradeLocation/ram:Name", f"{_TERMS}.relevantLocation.name"),
        Row(
            _CII + "ApplicableHeaderTradeAgreement/ram:BuyerOrderReferencedDocument/"
            "ram:IssuerAssignedID",
            "buyerOrderDocument.id",
        ),
        Derived(
            lambda c: {
                f"{_CII}ApplicableHeaderTradeDelivery/ram:ShipToTradeParty/"
                "ram:PostalTradeAddress/ram:CountryID": c.get(
                    "consigneeParty.postalAddress.countryId"
                )
            }
        ),
        Row(_SETTLE + "InvoiceCurrencyCode", "invoiceDocument.currencyCode"),
        Constant(_SETTLE + "SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", "30"),
        Row(
            _SETTLE + "SpecifiedTradeSettlementPaymentMeans/"
            "ram:PayeePartyCreditorFinancialAccount/ram:ProprietaryID",
            "invoiceDocument.payeeAccountId",
        ),
        Derived(_cii_tax),
        *_heard(_SETTLE + "ApplicableTradeTax", "/ram:ExemptionReason", "Code"),
        Row(
            _SETTLE + "SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",
            "invoiceDocument.dueDate",
            As.COMPACT_DAY,
        ),
        Constant(_SETTLE + f"SpecifiedTradePaymentTerms/ram:DueDateDateTime/{_FORMAT_102}", "102"),
        Derived(_cii_sums),
    ),
)
