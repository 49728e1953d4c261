"""Packing list, certificates of origin, customs declarations, insurance and the bank's letter.

JSON forms of our own with the consignment's field names. The certificates bear the data elements
of the RCEP form (Agreement chapter 3, annex 3B) and of ASEAN-China Form E, the declarations those
of a customs entry; element numbers were not checked against the published annexes and no WCO
schema is shipped.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from zhidao.core.money import Currency
from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.documents.carriage import (
    AIR_WAYBILL,
    BILL_OF_LADING,
    DELIVERY_TERMS,
    EQUIPMENT_PATHS,
    RAIL_NOTE,
    ROAD_NOTE,
    SHIPPING_INSTRUCTION,
    item_paths,
    own_form,
    party_paths,
    totals,
)
from zhidao.trade.domain.documents.invoices import INVOICE_CII, INVOICE_UBL, line_net
from zhidao.trade.domain.documents.mapping import Constant, Derived, DocumentForm, Leaves
from zhidao.trade.domain.model.catalogue import CREDIT, FIELDS, ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment

# A paper names the contract of the main carriage by its number.
CARRIAGE_NUMBERS: Final = {
    form.number_path: mode
    for mode, form in (
        ("sea", BILL_OF_LADING),
        ("rail", RAIL_NOTE),
        ("road", ROAD_NOTE),
        ("air", AIR_WAYBILL),
    )
}
PACKING_LIST: Final = own_form(
    "packing_list",
    ("Packing list", "装箱单"),
    "packingListDocument.id",
    "packingListDocument.issueDate",
    "invoiceDocument.id",
    "invoiceDocument.issueDate",
    "buyerOrderDocument.id",
    *party_paths("consignorParty"),
    *party_paths("consigneeParty"),
    "loadingBaseportLocation.id",
    "loadingBaseportLocation.name",
    "unloadingBaseportLocation.id",
    "unloadingBaseportLocation.name",
    *item_paths(
        "id",
        "natureIdentificationCargo.description",
        "globalId",
        "requestedQuantity",
        "requestedUnitCode",
        "netWeight",
        "grossWeight",
        "grossVolume",
        "packageQuantity",
        "packageTypeCode",
        "shippingMarks",
        "equipmentId",
    ),
    *EQUIPMENT_PATHS,
    totals("netWeight", "grossWeight", "grossVolume", "packageQuantity"),
)


def _certificate(kind: str, titles: tuple[str, str], document: str, agreement: str) -> DocumentForm:
    return own_form(
        kind,
        titles,
        f"{document}.id",
        f"{document}.issueDate",
        Constant("agreement", agreement),
        "originAuthorityParty.name",
        *party_paths("consignorParty"),
        *party_paths("consigneeParty"),
        "mainCarriageTransportMovement.departureDate",
        "mainCarriageTransportMovement.meansName",
        "mainCarriageTransportMovement.id",
        "loadingBaseportLocation.id",
        "unloadingBaseportLocation.id",
        "invoiceDocument.id",
        "invoiceDocument.issueDate",
        "hsEditionCode",
        *item_paths(
            "id",
            "natureIdentificationCargo.description",
            "typeCode",
            "originCountry.id",
            "originCriterionCode",
            "requestedQuantity",
            "requestedUnitCode",
            "netWeight",
            "packageQuantity",
            "packageTypeCode",
            "shippingMarks",
        ),
        totals("netWeight", "packageQuantity"),
    )


RCEP_CERTIFICATE: Final = _certificate(
    "origin_rcep",
    ("Certificate of origin, RCEP", "原产地证书（区域全面经济伙伴关系协定）"),
    "rcepOriginDocument",
    "RCEP",
)
FORM_E: Final = _certificate(
    "origin_form_e",
    ("Certificate of origin, Form E", "原产地证书（中国—东盟，E表）"),
    "formEOriginDocument",
    "ACFTA",
)


def customs_value(consignment: CanonicalConsignment) -> Decimal:
    """The CIF value of the goods in the declaration's currency, rounded half up.

    That is the value in the invoice's currency by the declared rate: units of the declaration's
    currency for one unit of the invoice's.
    """
    rate = Decimal(consignment.get("customsValuation.exchangeRate", "1"))
    exponent = Currency(consignment.get("customsValuation.currencyCode", "EUR")).exponent
    value = invoiced_value(consignment) * rate
    return value.quantize(Decimal(1).scaleb(-exponent), rounding=ROUND_HALF_UP)


def invoiced_value(consignment: CanonicalConsignment) -> Decimal:
    """The CIF value of the goods in the invoice's currency.

    Freight and insurance are added where the delivery terms leave them outside of the price.
    Source: WTO Valuation Agreement articles 1 and 8(2); not checked.
    """
    goods = sum((line_net(consignment, k) for k in range(consignment.counts[ITEM])), Decimal(0))
    rule = consignment.get("applicableTradeDeliveryTerms.deliveryTypeCode")
    freight = Decimal(consignment.get("customsValuation.freightAmount", "0"))
    insurance = Decimal(consignment.get("customsValuation.insuranceAmount", "0"))
    if rule in ("EXW", "FCA", "FAS", "FOB"):
        goods += freight
    # Of the rules under which the seller carries, only these three make him insure.
    if rule in SELLER_PAYS_CARRIAGE and rule not in ("CIF", "CIP", "DDP"):
        goods += insurance
    return goods


def _value_leaf(name: str) -> Callable[[CanonicalConsignment], Leaves]:
    return lambda consignment: {name: f"{customs_value(consignment):f}"}


_DECLARED: Final = item_paths(
    "id",
    "natureIdentificationCargo.description",
    "typeCode",
    "originCountry.id",
    "requestedQuantity",
    "requestedUnitCode",
    "unitPriceAmount",
    "netWeight",
    "grossWeight",
    "packageQuantity",
    "packageTypeCode",
)
_DECLARATION: Final = (
    *party_paths("consignorParty"),
    "consignorParty.usccId",
    "consignorParty.eoriId",
    *party_paths("consigneeParty"),
    "consigneeParty.usccId",
    "consigneeParty.eoriId",
    "invoiceDocument.id",
    "invoiceDocument.issueDate",
    "invoiceDocument.currencyCode",
    "transportContractDocument.id",
    *(path for path in CARRIAGE_NUMBERS if path != BILL_OF_LADING.number_path),
    "mainCarriageTransportMovement.meansName",
    "mainCarriageTransportMovement.id",
    "loadingBaseportLocation.id",
    "unloadingBaseportLocation.id",
    *DELIVERY_TERMS,
    "hsEditionCode",
    *_DECLARED,
    *EQUIPMENT_PATHS,
)

EXPORT_DECLARATION: Final = own_form(
    "export_declaration",
    ("Export declaration", "出口货物报关单"),
    "exportDeclarationDocument.id",
    "exportDeclarationDocument.issueDate",
    *_DECLARATION,
    totals("netWeight", "grossWeight", "packageQuantity"),
)
IMPORT_DECLARATION: Final = own_form(
    "import_declaration",
    ("Import declaration", "进口货物报关单"),
    "importDeclarationDocument.id",
    "importDeclarationDocument.issueDate",
    *_DECLARATION,
    *(
        f"customsValuation.{name}"
        for name in (
            "freightAmount",
            "insuranceAmount",
            "currencyCode",
            "exchangeRate",
            "exchangeDate",
        )
    ),
    Derived(_value_leaf("customsValue")),
    totals("netWeight", "grossWeight", "packageQuantity"),
)
INSURANCE: Final = own_form(
    "insurance_declaration",
    ("Insurance declaration", "保险申报单"),
    "insuranceDocument.id",
    "insuranceDocument.issueDate",
    "insuranceDocument.effectiveDate",
    "insuranceDocument.insuredAmount",
    "insuranceDocument.currencyCode",
    "insurerParty.name",
    "consignorParty.name",
    "invoiceDocument.id",
    "mainCarriageTransportMovement.meansName",
    "mainCarriageTransportMovement.id",
    "loadingBaseportLocation.id",
    "unloadingBaseportLocation.id",
    *item_paths(
        "id",
        "natureIdentificationCargo.description",
        "packageQuantity",
        "packageTypeCode",
        "shippingMarks",
    ),
)
COVER_LETTER: Final = own_form(
    "presentation_letter",
    ("Presentation cover letter", "交单面函"),
    "presentationDocument.id",
    "presentationDocument.issueDate",
    "presentationDocument.drawnAmount",
    "invoiceDocument.currencyCode",
    "consignorParty.name",
    "presentingBankParty.name",
    "issuingBankParty.name",
    f"{CREDIT}.id",
    "invoiceDocument.id",
    "transportContractDocument.id",
    "packingListDocument.id",
    "insuranceDocument.id",
    "rcepOriginDocument.id",
    "formEOriginDocument.id",
    *(path for path in CARRIAGE_NUMBERS if path != BILL_OF_LADING.number_path),
)
# The credit is the bank's document, not ours: it is read, and projected only for the round trip.
DOCUMENTARY_CREDIT: Final = own_form(
    "documentary_credit",
    ("Documentary credit", "跟单信用证"),
    f"{CREDIT}.id",
    *(path for path in FIELDS if path.startswith(CREDIT + ".") and path != f"{CREDIT}.id"),
)

# The papers that an entry may make, in the order in which they are printed.
SET: Final = (
    INVOICE_UBL,
    INVOICE_CII,
    PACKING_LIST,
    BILL_OF_LADING,
    RAIL_NOTE,
    ROAD_NOTE,
    AIR_WAYBILL,
    RCEP_CERTIFICATE,
    FORM_E,
    EXPORT_DECLARATION,
    IMPORT_DECLARATION,
    SHIPPING_INSTRUCTION,
    INSURANCE,
    COVER_LETTER,
)
FORMS: Final = {form.kind: form for form in (*SET, DOCUMENTARY_CREDIT)}


def form_of(kind: str) -> DocumentForm:
    """The form of a kind."""
    return FORMS[kind]


def _by_kind(form: DocumentForm) -> tuple[Callable[[str], DocumentForm], tuple[str]]:
    return form_of, (form.kind,)


# A form bears functions, which cross to no other process: its kind does, and finds it there again.
copyreg.pickle(DocumentForm, _by_kind)
