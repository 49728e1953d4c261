"""Every field of the canonical consignment: its path, its form, and whether an entry needs it.

Names are those of UN/CEFACT's Buy-Ship-Pay reference model in lower camel case, as far as known by
heart; not checked against a published release. `[]` stands for each item or container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model import forms, identifiers, usual
from zhidao.trade.domain.model.forms import Form
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.model.usual import Usual

ITEM: Final = usual.ITEM
EQUIPMENT: Final = usual.EQUIPMENT
GROUPS: Final = (ITEM, EQUIPMENT)
GROUP_MAX: Final = 500
INDEX: Final = re.compile(r"\[\d+\]")
_GROUPED: Final = re.compile(rf"({ITEM}|{EQUIPMENT})\[(\d{{1,4}})\]\.")


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a consignment. `needed`: no paper that says it is made without it.

    `otherwise`: what stands there if nothing was typed, a value after `=` or another field's path.
    `beside`: the field with which it is typed or left out. `usual`: computes what stands there out
    of the field in `otherwise` and others.
    """

    path: str
    form: Form
    needed: bool = False
    otherwise: str = ""
    beside: str = ""
    usual: Usual | None = None

    def unsaid(
        self, values: Mapping[str, str], member: int, codes: KnownCodes
    ) -> tuple[str, str] | None:
        """What stands there if nothing was typed, and whose it is (itself: `=`).

        None: it has to be typed. An empty value: another field has to be typed first.
        """
        if self.usual is not None:
            text = self.usual(values, member, codes)
            whose = "" if self.otherwise[0] == "=" else self.otherwise
            return None if text is None else (text, whose.replace("[]", f"[{member}]"))
        if not self.otherwise:
            return None
        if self.otherwise[0] == "=":
            return self.otherwise[1:], ""
        return values.get(self.otherwise, ""), self.otherwise


def _party(role: str, *, needed: bool, registered: bool = False) -> tuple[Field, ...]:
    return (
        Field(f"{role}.name", forms.text(70), needed),
        Field(f"{role}.postalAddress.streetName", forms.text(70), needed),
        Field(f"{role}.postalAddress.cityName", forms.text(35), needed),
        Field(f"{role}.postalAddress.postcodeCode", forms.text(10)),
        Field(f"{role}.postalAddress.countryId", forms.country, needed),
        # DCSA's bill of lading asks a code of the consignee.
        Field(f"{role}.legalRegistrationId", forms.text(35), registered),
        Field(f"{role}.taxRegistrationId", forms.text(20)),
        *(Field(f"{role}.{name}", check) for name, check in identifiers.SCHEMES.items()),
    )


_INVOICED: Final = "invoiceDocument.issueDate"
_LADEN: Final = "transportContractDocument.issueDate"
_LEFT: Final = "mainCarriageTransportMovement.departureDate"
_MODES: Final = ("sea", "rail", "road", "air")


def _document(name: str, *, on: str = "", as_: str = "") -> tuple[Field, ...]:
    """A paper's number and day. `on`, `as_`: the field whose day or number it bears else."""
    number = Field(f"{name}.id", forms.reference, needed=True, otherwise=as_)
    return number, Field(f"{name}.issueDate", forms.day, needed=True, otherwise=on)


def _location(name: str, *, otherwise: str = "") -> tuple[Field, ...]:
    place, called = f"{name}.id", f"{name}.name"
    if not otherwise:
        return (
            Field(place, forms.unlocode, True),
            Field(called, forms.text(70), True, place, usual=usual.name_of(place)),
        )
    return (
        Field(place, forms.unlocode, True, f"{otherwise}.id", called),
        Field(called, forms.text(70), True, f"{otherwise}.name", place),
    )


_NAMED: Final = "applicableTradeDeliveryTerms.relevantLocation"
_ITEM_FIELDS: Final = (
    Field("id", forms.reference, True, "=1, 2, 3", usual=usual.item_number),
    Field("natureIdentificationCargo.description", forms.description, needed=True),
    Field("globalId", forms.reference),
    Field("typeCode", forms.hs_code, needed=True),
    Field("originCountry.id", forms.country, needed=True),
    Field("originCriterionCode", forms.one_of("WO", "PE", "CTC", "RVC", "CR", "ACU", "DMI")),
    Field("requestedQuantity", forms.positive, needed=True),
    Field("requestedUnitCode", forms.unit, needed=True),
    Field("unitPriceAmount", forms.positive, needed=True),
    Field(
        "taxCategoryCode",
        forms.one_of("S", "Z", "E", "AE", "K", "G", "O"),
        True,
        usual.SELLERS_COUNTRY,
        usual=usual.tax_category,
    ),
    Field("taxRatePercent", forms.number, True, f"{ITEM}[].taxCategoryCode", usual=usual.tax_rate),
    Field("netWeight", forms.positive, needed=True),
    Field("grossWeight", forms.positive, needed=True),
    Field("grossVolume", forms.positive, needed=True),
    Field("packageQuantity", forms.count, needed=True),
    Field("packageTypeCode", forms.package_kind, needed=True),
    Field("shippingMarks", forms.text(35), True, "=N/M", usual=usual.no_marks),
    Field("equipmentId", forms.container, True, f"{EQUIPMENT}[0].id", usual=usual.only_box),
    Field("wagonId", forms.text(12)),
    Field("lotId", forms.text(40)),
    Field("productionOrderId", forms.reference),
    Field("invoiceId", forms.reference),
)
_EQUIPMENT_FIELDS: Final = (
    Field("id", forms.container, needed=True),
    Field("affixedSealId", forms.text(15), needed=True),
    Field("wagonId", forms.text(12)),
)
CREDIT: Final = "documentaryCredit"
_CREDIT_FIELDS: Final = (
    Field("id", forms.reference),
    Field("goodsDescription", forms.text(300)),
    Field("currencyCode", forms.currency),
    Field("amount", forms.positive),
    Field("tolerancePercent", forms.number),
    Field("deliveryTerms", forms.text(120)),
    Field("beneficiaryName", forms.text(70)),
    Field("applicantName", forms.text(70)),
    Field("consigneeName", forms.text(70)),
    Field("notifiedName", forms.text(70)),
    Field("loadingRange", forms.text(70)),
    Field("unloadingRange", forms.text(70)),
    Field("latestShipmentDate", forms.day),
    Field("expiryDate", forms.day),
    Field("presentationDays", forms.count),
    Field("originalQuantity", forms.count),
    Field("transhipmentAllowed", forms.flag),
)

# What a consignment needs beyond its papers to be carried over nodes: who may read and act there
# under which name, and the production that it comes from.
ON_NODE: Final = (
    "consignorParty",
    "consigneeParty",
    "carrierParty",
    "issuingBankParty",
    "presentingBankParty",
    "customsParty",
)
_NODE_FIELDS: Final = (
    Field("customsParty.name", forms.text(70)),
    *(Field(f"{role}.nodeId", forms.node_party) for role in ON_NODE),
    Field("originStatementDocument.id", forms.reference),
    Field("productionOrderDocument.id", forms.reference),
    Field("productionOrderDocument.lotId", forms.text(40)),
    Field("simulatedIndicator", forms.flag),
)

FIELDS: Final[dict[str, Field]] = {
    field.path: field
    for field in (
        Field("id", forms.reference, needed=True),
        # EN 16931 BR-CO-26 asks an identifier of the seller.
        *_party("consignorParty", needed=True, registered=True),
        *_party("consigneeParty", needed=True, registered=True),
        Field("notifiedParty.name", forms.text(70), True, "consigneeParty.name"),
        Field("carrierParty.name", forms.text(35), needed=True),
        Field("carrierParty.postalAddress.streetName", forms.text(70), needed=True),
        Field("carrierParty.postalAddress.cityName", forms.text(35), needed=True),
        Field("carrierParty.postalAddress.countryId", forms.country, needed=True),
        Field("carrierParty.emailAddress", forms.email, needed=True),
        Field("carrierParty.scacCode", forms.scac, needed=True),
        Field("issuingBankParty.name", forms.text(70), needed=True),
        Field("presentingBankParty.name", forms.text(70), needed=True),
        Field("insurerParty.name", forms.text(70), needed=True),
        Field("originAuthorityParty.name", forms.text(70), needed=True),
        *_document("invoiceDocument"),
        Field("invoiceDocument.dueDate", forms.day, needed=True),
        Field("invoiceDocument.currencyCode", forms.currency, needed=True),
        Field("invoiceDocument.payeeAccountId", forms.text(34), needed=True),
        Field("invoiceDocument.exemptionReasonCode", forms.text(30)),
        Field(
            "invoiceDocument.exemptionReason",
            forms.text(100),
            otherwise=f"{ITEM}[0].taxCategoryCode",
            usual=usual.exemption_reason,
        ),
        # Goods are sold without an order, too; EN 16931 BT-13 is optional.
        Field("buyerOrderDocument.id", forms.reference),
        *_document("packingListDocument", on=_INVOICED, as_="invoiceDocument.id"),
        *_document("transportContractDocument", on=_LEFT),
        Field("transportContractDocument.electronicIndicator", forms.flag, True, "=false"),
        Field("transportContractDocument.toOrderIndicator", forms.flag, True, "=false"),
        Field("transportContractDocument.originalQuantity", forms.count),
        Field("transportContractDocument.clause", forms.text(300)),
        Field(
            "freightPaymentCode",
            forms.one_of("PRE", "COL"),
            True,
            usual.DELIVERY_RULE,
            usual=usual.freight_payment,
        ),
        Field("shippingInstructionDocument.id", forms.reference, True, "carrierBookingDocument.id"),
        Field("carrierBookingDocument.id", forms.reference, needed=True),
        *_document("railConsignmentNoteDocument", on=_LADEN),
        *_document("roadConsignmentNoteDocument", on=_LADEN),
        Field("airWaybillDocument.id", identifiers.air_waybill, True),
        Field("airWaybillDocument.issueDate", forms.day, True, _LEFT, usual=usual.day_of_waybill),
        Field("originAgreementCode", forms.one_of("RCEP", "ACFTA")),
        *_document("rcepOriginDocument", on=_INVOICED),
        *_document("formEOriginDocument", on=_INVOICED),
        *_document("exportDeclarationDocument", on=_INVOICED, as_="id"),
        *_document(
            "importDeclarationDocument",
            on="mainCarriageTransportMovement.arrivalDate",
            as_="id",
        ),
        *_document("insuranceDocument", on=_INVOICED),
        Field("insuranceDocument.effectiveDate", forms.day, True, _INVOICED),
        Field("insuranceDocument.insuredAmount", forms.positive, needed=True),
        Field(
            "insuranceDocument.currencyCode", forms.currency, True, "invoiceDocument.currencyCode"
        ),
        *_document("presentationDocument", on=_LADEN),
        Field("presentationDocument.drawnAmount", forms.positive, needed=True),
        Field("applicableTradeDeliveryTerms.deliveryTypeCode", forms.incoterm, needed=True),
        Field("applicableTradeDeliveryTerms.edition", forms.one_of("2020"), True, "=2020"),
        Field(f"{_NAMED}.id", forms.unlocode, True, usual.DELIVERY_RULE, usual=usual.named_place),
        Field(f"{_NAMED}.name", forms.text(70), True, f"{_NAMED}.id", usual=usual.named_as),
        Field("mainCarriageTransportMovement.meansName", forms.text(50), needed=True),
        Field("mainCarriageTransportMovement.meansId", forms.imo),
        Field("mainCarriageTransportMovement.id", forms.text(20), needed=True),
        Field("mainCarriageTransportMovement.modeCode", forms.one_of(*_MODES), otherwise="=sea"),
        Field("mainCarriageTransportMovement.departureDate", forms.day, needed=True),
        Field("mainCarriageTransportMovement.arrivalDate", forms.day, needed=True),
        Field("preCarriageTransportMovement.modeCode", forms.one_of(*_MODES)),
        Field("onCarriageTransportMovement.modeCode", forms.one_of(*_MODES)),
        Field("loadTypeCode", forms.one_of("FCL", "LCL", "BULK")),
        Field("onCarriageTransportMovement.meansName", forms.text(50)),
        Field("onCarriageTransportMovement.id", forms.text(20)),
        Field("railTransportMovement.wagonId", forms.text(12), needed=True),
        Field("roadTransportMovement.vehicleId", forms.text(20), needed=True),
        *_location("loadingBaseportLocation"),
        *_location("unloadingBaseportLocation"),
        *_location("receiptLocation", otherwise="loadingBaseportLocation"),
        *_location("deliveryLocation", otherwise="unloadingBaseportLocation"),
        Field("receiptLocation.stationId", forms.station),
        Field("deliveryLocation.stationId", forms.station),
        Field("hsEditionCode", forms.one_of("2017", "2022"), True, "=2022"),
        Field("customsValuation.freightAmount", forms.number, needed=True),
        Field("customsValuation.insuranceAmount", forms.number, needed=True),
        Field(
            "customsValuation.currencyCode", forms.currency, True, "invoiceDocument.currencyCode"
        ),
        Field(
            "customsValuation.exchangeRate",
            forms.positive,
            True,
            "customsValuation.currencyCode",
            usual=usual.rate_of_itself,
        ),
        Field("customsValuation.exchangeDate", forms.day, True, _INVOICED, usual=usual.day_of_rate),
        *_NODE_FIELDS,
        *(Field(f"{CREDIT}.{f.path}", f.form) for f in _CREDIT_FIELDS),
        *(replace(f, path=f"{ITEM}[].{f.path}") for f in _ITEM_FIELDS),
        *(Field(f"{EQUIPMENT}[].{f.path}", f.form, f.needed) for f in _EQUIPMENT_FIELDS),
    )
}


_FOLLOWING: Final = [(path, field) for path, field in FIELDS.items() if field.otherwise]
USAGE: Final = "="


def field_of(path: str) -> Field:
    """The field of a concrete path such as `includedConsignmentItem[0].typeCode`.

    Raises MalformedInput for a path that the catalogue does not have.
    """
    found = FIELDS.get(INDEX.sub("[]", path))
    if found is None:
        raise MalformedInput("no such field", code="unknown_field", where=path[:120])
    return found


def unsaid(
    values: Mapping[str, str], codes: KnownCodes = SHORT_CODES
) -> dict[str, tuple[str, str]]:
    """What stands where an entry says nothing: by path the value, and whose it is (`=`: usage)."""
    found: dict[str, tuple[str, str]] = {}
    known = dict(values)
    sizes = sizes_of(values)
    # What follows from a field that follows itself may stand in front of it.
    for pattern, field in _FOLLOWING * 2:
        for k, path in members(pattern, sizes):
            if path in known or field.beside in values:
                continue
            told = field.unsaid(known, k, codes)
            if told is not None and told[0]:
                text, whose = told
                found[path] = (text, found[whose][1] if whose in found else whose or USAGE)
                known[path] = text
    return found


def sizes_of(values: Mapping[str, str]) -> dict[str, int]:
    """How many members each repeated group of typed values has."""
    sizes = dict.fromkeys(GROUPS, 0)
    for path in values:
        match = _GROUPED.match(path)
        if match:
            sizes[match[1]] = max(sizes[match[1]], int(match[2]) + 1)
    return sizes


def members(pattern: str, sizes: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """The paths of a field with their places in the group, one for a field of none."""
    group, found, _ = pattern.partition("[].")
    if not found:
        yield 0, pattern
        return
    yield from ((k, pattern.replace("[]", f"[{k}]", 1)) for k in range(sizes[group]))


_ZONE: Final = re.compile(r"(?<=[0-9]{2})(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)\Z", re.ASCII)


def canonical_of_others(path: str, value: str) -> str:
    """The canonical text of a value that somebody else's system wrote.

    A day may bear its zone (XML Schema part 2, 3.2.9, xs:date), and the zone changes no day; a
    quantity may be below zero, as of goods taken back. Raises MalformedInput as `canonical` does.
    """
    if field_of(path).form is forms.day:
        return canonical(path, _ZONE.sub("", value))
    if path.endswith("].requestedQuantity") and value[:1] == "-":
        return f"-{canonical(path, value[1:])}"
    return canonical(path, value)


def canonical(path: str, value: str) -> str:
    """The one canonical text of a value. Raises MalformedInput with the path."""
    try:
        return field_of(path).form(value)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]), code=error.code, where=error.where or path, remedy=error.remedy
        ) from error
