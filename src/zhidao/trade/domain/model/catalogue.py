"""Every field of the canonical consignment: its path, its form, and whether an entry needs it.

Names are those of UN/CEFACT's Buy-Ship-Pay reference model in lower camel case, as far as known by
heart; not checked against a published release. `[]` stands for each item or container.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model import forms, identifiers
from zhidao.trade.domain.model.forms import Form

ITEM: Final = "includedConsignmentItem"
EQUIPMENT: Final = "utilizedTransportEquipment"
GROUPS: Final = (ITEM, EQUIPMENT)
GROUP_MAX: Final = 500
_INDEX: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a consignment. `needed`: an entry without it is refused.

    `otherwise`: what stands there if nothing was typed, a value after `=` or another field's path.
    `beside`: the field with which it is typed or left out.
    """

    path: str
    form: Form
    needed: bool = False
    otherwise: str = ""
    beside: str = ""

    def asked(self, values: Mapping[str, str]) -> bool:
        """Whether an entry with these values has to say it itself."""
        return self.needed and not (self.otherwise and self.beside not in values)


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


def _document(name: str, *, on: str = "") -> tuple[Field, ...]:
    number = Field(f"{name}.id", forms.reference, needed=True)
    return number, Field(f"{name}.issueDate", forms.day, needed=True, otherwise=on)


def _location(name: str, *, otherwise: str = "") -> tuple[Field, ...]:
    place, called = f"{name}.id", f"{name}.name"
    if not otherwise:
        return Field(place, forms.unlocode, True), Field(called, forms.text(70), True)
    return (
        Field(place, forms.unlocode, True, f"{otherwise}.id", called),
        Field(called, forms.text(70), True, f"{otherwise}.name", place),
    )


_ITEM_FIELDS: Final = (
    Field("id", forms.reference, needed=True),
    Field("natureIdentificationCargo.description", forms.description, needed=True),
    Field("globalId", forms.reference),
    Field("typeCode", forms.hs_code, needed=True),
    Field("originCountry.id", forms.country, needed=True),
    Field("originCriterionCode", forms.one_of("WO", "PE", "CTC", "RVC", "CR", "ACU", "DMI")),
    Field("requestedQuantity", forms.positive, needed=True),
    Field("requestedUnitCode", forms.unit, needed=True),
    Field("unitPriceAmount", forms.positive, needed=True),
    Field("taxCategoryCode", forms.one_of("S", "Z", "E", "AE", "K", "G", "O"), needed=True),
    Field("taxRatePercent", forms.number, needed=True),
    Field("netWeight", forms.positive, needed=True),
    Field("grossWeight", forms.positive, needed=True),
    Field("grossVolume", forms.positive, needed=True),
    Field("packageQuantity", forms.count, needed=True),
    Field("packageTypeCode", forms.package_kind, needed=True),
    Field("shippingMarks", forms.text(35), needed=True),
    Field("equipmentId", forms.container, needed=True),
    Field("lotId", forms.text(40)),
    Field("productionOrderId", forms.reference),
    Field("invoiceId", forms.reference),
)
_EQUIPMENT_FIELDS: Final = (
    Field("id", forms.container, needed=True),
    Field("affixedSealId", forms.text(15), needed=True),
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
        *_party("consignorParty", needed=True),
        *_party("consigneeParty", needed=True, registered=True),
        Field("notifiedParty.name", forms.text(70), True, "consigneeParty.name"),
        Field("carrierParty.name", forms.text(35), needed=True),
        Field("carrierParty.postalAddress.streetName", forms.text(70), needed=True),
        Field("carrierParty.postalAddress.cityName", forms.text(35), needed=True),
        Field("carrierParty.postalAddress.countryId", forms.country, needed=True),
        Field("carrierParty.emailAddress", forms.email, needed=True),
        Field("carrierParty.scacCode", forms.text(4), needed=True),
        Field("issuingBankParty.name", forms.text(70), needed=True),
        Field("presentingBankParty.name", forms.text(70), needed=True),
        Field("insurerParty.name", forms.text(70), needed=True),
        Field("originAuthorityParty.name", forms.text(70), needed=True),
        *_document("invoiceDocument"),
        Field("invoiceDocument.dueDate", forms.day, needed=True),
        Field("invoiceDocument.currencyCode", forms.currency, needed=True),
        Field("invoiceDocument.payeeAccountId", forms.text(34), needed=True),
        Field("invoiceDocument.exemptionReasonCode", forms.text(30)),
        Field("invoiceDocument.exemptionReason", forms.text(100)),
        Field("buyerOrderDocument.id", forms.reference, needed=True),
        *_document("packingListDocument", on=_INVOICED),
        *_document("transportContractDocument"),
        Field("transportContractDocument.electronicIndicator", forms.flag, needed=True),
        Field("transportContractDocument.toOrderIndicator", forms.flag, needed=True),
        Field("transportContractDocument.originalQuantity", forms.count),
        Field("transportContractDocument.clause", forms.text(300)),
        Field("freightPaymentCode", forms.one_of("PRE", "COL"), needed=True),
        Field("shippingInstructionDocument.id", forms.reference, True, "carrierBookingDocument.id"),
        Field("carrierBookingDocument.id", forms.reference, needed=True),
        *_document("railConsignmentNoteDocument", on=_LADEN),
        *_document("roadConsignmentNoteDocument", on=_LADEN),
        *_document("rcepOriginDocument", on=_INVOICED),
        *_document("formEOriginDocument", on=_INVOICED),
        *_document("exportDeclarationDocument", on=_INVOICED),
        *_document("importDeclarationDocument", on="mainCarriageTransportMovement.arrivalDate"),
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
        *_location("applicableTradeDeliveryTerms.relevantLocation"),
        Field("mainCarriageTransportMovement.meansName", forms.text(50), needed=True),
        Field("mainCarriageTransportMovement.meansId", forms.imo),
        Field("mainCarriageTransportMovement.id", forms.text(20), needed=True),
        Field("mainCarriageTransportMovement.modeCode", forms.one_of("sea", "rail", "road", "air")),
        Field("mainCarriageTransportMovement.departureDate", forms.day, needed=True),
        Field("mainCarriageTransportMovement.arrivalDate", forms.day, needed=True),
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
        Field("customsValuation.currencyCode", forms.currency, needed=True),
        Field("customsValuation.exchangeRate", forms.positive, needed=True),
        Field("customsValuation.exchangeDate", forms.day, needed=True),
        *_NODE_FIELDS,
        *(Field(f"{CREDIT}.{f.path}", f.form) for f in _CREDIT_FIELDS),
        *(Field(f"{ITEM}[].{f.path}", f.form, f.needed) for f in _ITEM_FIELDS),
        *(Field(f"{EQUIPMENT}[].{f.path}", f.form, f.needed) for f in _EQUIPMENT_FIELDS),
    )
}


def field_of(path: str) -> Field:
    """The field of a concrete path such as `includedConsignmentItem[0].typeCode`.

    Raises MalformedInput for a path that the catalogue does not have.
    """
    found = FIELDS.get(_INDEX.sub("[]", path))
    if found is None:
        raise MalformedInput("no such field", code="unknown_field", where=path[:120])
    return found


def unsaid(values: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What stands where an entry says nothing: by path the value, and whose it is (itself: `=`)."""
    found: dict[str, tuple[str, str]] = {}
    for path, field in FIELDS.items():
        if not field.otherwise or path in values or field.beside in values:
            continue
        if field.otherwise[0] == "=":
            found[path] = (field.otherwise[1:], path)
        elif field.otherwise in values:
            found[path] = (values[field.otherwise], field.otherwise)
    return found


def canonical(path: str, value: str) -> str:
    """The one canonical text of a value. Raises MalformedInput with the path."""
    try:
        return field_of(path).form(value)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]), code=error.code, where=error.where or path, remedy=error.remedy
        ) from error
