"""Transport documents: DCSA's bill of lading and shipping instruction, rail note, road note.

Source of the sea forms: DCSA EBL 3.0 OpenAPI, schema TransportDocument. The rail note bears the
field names of the consignment; its boxes follow the use of the CIM/SMGS note, the road note's those
of the CMR Convention's article 6; box numbers were not checked against the printed forms.
"""

from __future__ import annotations

from typing import Final

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
    json_number,
)
from zhidao.trade.domain.model.catalogue import EQUIPMENT, ITEM
from zhidao.trade.domain.model.code_lists import BULK_KINDS, PACKAGE_KINDS
from zhidao.trade.domain.model.consignment import CanonicalConsignment

TERMS: Final = "As agreed between shipper and carrier."


def party_paths(role: str) -> tuple[str, ...]:
    """What a paper says of a party beside its identifiers."""
    return (
        f"{role}.name",
        *(
            f"{role}.postalAddress.{name}"
            for name in ("streetName", "cityName", "postcodeCode", "countryId")
        ),
    )


def item_paths(*names: str) -> tuple[str, ...]:
    """Paths of fields of each item."""
    return tuple(f"{ITEM}[].{name}" for name in names)


def totals(*names: str) -> Derived:
    """Sums of item fields as numbers under `totals`."""

    def compute(consignment: CanonicalConsignment) -> Leaves:
        return {f"totals.{name}": json_number(consignment.total(name)) for name in names}

    return Derived(compute)


CARGO: Final = item_paths(
    "id",
    "natureIdentificationCargo.description",
    "typeCode",
    "grossWeight",
    "grossVolume",
    "packageQuantity",
    "packageTypeCode",
    "shippingMarks",
    "equipmentId",
)
EQUIPMENT_PATHS: Final = (f"{EQUIPMENT}[].id", f"{EQUIPMENT}[].affixedSealId")
_WAGONS: Final = (f"{ITEM}[].wagonId", f"{EQUIPMENT}[].wagonId")
DELIVERY_TERMS: Final = tuple(
    f"applicableTradeDeliveryTerms.{name}"
    for name in (
        "deliveryTypeCode",
        "edition",
        "relevantLocation.id",
        "relevantLocation.name",
    )
)


def own_form(
    kind: str, titles: tuple[str, str], number_path: str, *parts: Part | str
) -> DocumentForm:
    """A JSON form of our own: constants name its type, strings are fields at their own paths."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    rows = tuple(Row(part, part) if isinstance(part, str) else part for part in parts)
    return DocumentForm(
        kind=kind,
        titles=titles,
        syntax=Syntax.JSON,
        number_path=number_path,
        parts=(
            Constant("type", f"zhidao.{name}.v1"),
            Row(number_path, number_path),
            *rows,
        ),
    )


def _dcsa_party(element: str, role: str) -> tuple[Part, ...]:
    at = f"documentParties.{element}"
    return (
        Row(f"{at}.partyName", f"{role}.name"),
        Row(f"{at}.address.street", f"{role}.postalAddress.streetName"),
        Row(f"{at}.address.city", f"{role}.postalAddress.cityName"),
        Row(f"{at}.address.postCode", f"{role}.postalAddress.postcodeCode"),
        Row(f"{at}.address.countryCode", f"{role}.postalAddress.countryId"),
    )


_CODES: Final = "documentParties.consignee.identifyingCodes"


def _consignee_codes(consignment: CanonicalConsignment) -> Leaves:
    """Whose list each code of the consignee is from: DCSA asks at least one code."""
    leaves: Leaves = {}
    if consignment.get("consigneeParty.legalRegistrationId"):
        leaves[f"{_CODES}[0].codeListProvider"] = "ZZZ"
    if consignment.get("consigneeParty.leiId"):
        leaves[f"{_CODES}[1].codeListProvider"] = "GLEIF"
    return leaves


def _package_name(consignment: CanonicalConsignment, k: int) -> str | None:
    return PACKAGE_KINDS.get(consignment.get(f"{ITEM}[{k}].packageTypeCode"))


def _booking(consignment: CanonicalConsignment, _k: int) -> str | None:
    return consignment.get("carrierBookingDocument.id") or None


def _kilograms(_consignment: CanonicalConsignment, _k: int) -> str:
    return "KGM"


def _cubic_metres(_consignment: CanonicalConsignment, _k: int) -> str:
    return "MTQ"


def _movement_types(consignment: CanonicalConsignment) -> Leaves:
    """Full containers go from yard to yard, parcels from freight station to freight station.

    DCSA knows no bulk: such a bill says neither.
    """
    if consignment.counts[EQUIPMENT]:
        yard, load = "CY", "FCL"
    elif is_bulk(consignment):
        return {}
    else:
        yard, load = "CFS", "LCL"
    ends = (("receiptType", "deliveryType", yard), ("cargoMovementType", "cargoMovementType", load))
    return {
        f"{name}{at}": code
        for here, there, code in ends
        for name, at in ((here, "AtOrigin"), (there, "AtDestination"))
    }


def is_bulk(consignment: CanonicalConsignment) -> bool:
    """Whether all goods are loose: by Recommendation 21, kinds of package that are none."""
    kinds = consignment.each(ITEM, "packageTypeCode")
    return bool(kinds) and all(kind in BULK_KINDS for kind in kinds)


_GOODS: Final = "consignmentItems[]."
_CARGO: Final = _GOODS + "cargoItems[0]."
_BOX: Final = "utilizedTransportEquipments[]."

_SEA_CARGO: Final[tuple[Part, ...]] = (
    DerivedRow(_GOODS + "carrierBookingReference", ITEM, _booking),
    Row(_GOODS + "descriptionOfGoods", f"{ITEM}[].natureIdentificationCargo.description", As.LINES),
    Row(_GOODS + "HSCodes[0]", f"{ITEM}[].typeCode"),
    Row(_GOODS + "shippingMarks[0]", f"{ITEM}[].shippingMarks"),
    Row(_CARGO + "equipmentReference", f"{ITEM}[].equipmentId"),
    Row(_CARGO + "cargoGrossWeight.value", f"{ITEM}[].grossWeight", As.NUMBER),
    DerivedRow(_CARGO + "cargoGrossWeight.unit", ITEM, _kilograms),
    Row(_CARGO + "cargoGrossVolume.value", f"{ITEM}[].grossVolume", As.NUMBER),
    DerivedRow(_CARGO + "cargoGrossVolume.unit", ITEM, _cubic_metres),
    Row(_CARGO + "outerPackaging.numberOfPackages", f"{ITEM}[].packageQuantity", As.INTEGER),
    Row(_CARGO + "outerPackaging.packageCode", f"{ITEM}[].packageTypeCode"),
    DerivedRow(_CARGO + "outerPackaging.description", ITEM, _package_name),
    Row(_BOX + "equipment.equipmentReference", f"{EQUIPMENT}[].id"),
    DerivedRow(_BOX + "isShipperOwned", EQUIPMENT, lambda _c, _k: False),
    Row(_BOX + "seals[0].number", f"{EQUIPMENT}[].affixedSealId"),
)

BILL_OF_LADING: Final = DocumentForm(
    kind="transport_document",
    titles=("Bill of lading", "海运提单"),
    syntax=Syntax.JSON,
    number_path="transportContractDocument.id",
    parts=(
        Row("transportDocumentReference", "transportContractDocument.id"),
        Row("shippingInstructionsReference", "shippingInstructionDocument.id"),
        Constant("transportDocumentStatus", "ISSUED"),
        Constant("transportDocumentTypeCode", "BOL"),
        Constant("isShippedOnBoardType", value=True),
        Row("freightPaymentTermCode", "freightPaymentCode"),
        Row("isElectronic", "transportContractDocument.electronicIndicator", As.FLAG),
        Row("isToOrder", "transportContractDocument.toOrderIndicator", As.FLAG),
        Row(
            "numberOfOriginalsWithoutCharges",
            "transportContractDocument.originalQuantity",
            As.INTEGER,
        ),
        Row("shippedOnBoardDate", "mainCarriageTransportMovement.departureDate"),
        Constant("termsAndConditions", TERMS),
        Derived(_movement_types),
        Row("issueDate", "transportContractDocument.issueDate"),
        Row("carrierCode", "carrierParty.scacCode"),
        Constant("carrierCodeListProvider", "NMFTA"),
        Row("carrierClauses[0].clauseContent", "transportContractDocument.clause"),
        Derived(
            lambda c: {
                "transports.plannedDepartureDate": c.get(
                    "mainCarriageTransportMovement.departureDate"
                )
            }
        ),
        Row("transports.plannedArrivalDate", "mainCarriageTransportMovement.arrivalDate"),
        Row("transports.placeOfReceipt.UNLocationCode", "receiptLocation.id"),
        Row("transports.placeOfReceipt.locationName", "receiptLocation.name"),
        Row("transports.portOfLoading.UNLocationCode", "loadingBaseportLocation.id"),
        Row("transports.portOfLoading.locationName", "loadingBaseportLocation.name"),
        Row("transports.portOfDischarge.UNLocationCode", "unloadingBaseportLocation.id"),
        Row("transports.portOfDischarge.locationName", "unloadingBaseportLocation.name"),
        Row("transports.placeOfDelivery.UNLocationCode", "deliveryLocation.id"),
        Row("transports.placeOfDelivery.locationName", "deliveryLocation.name"),
        Row("transports.vesselVoyages[0].vesselName", "mainCarriageTransportMovement.meansName"),
        Row(
            "transports.vesselVoyages[0].carrierExportVoyageNumber",
            "mainCarriageTransportMovement.id",
        ),
        Row("transports.vesselVoyages[1].vesselName", "onCarriageTransportMovement.meansName"),
        Row(
            "transports.vesselVoyages[1].carrierExportVoyageNumber",
            "onCarriageTransportMovement.id",
        ),
        Derived(lambda c: {"invoicePayableAt.UNLocationCode": c.get("loadingBaseportLocation.id")}),
        Derived(lambda c: {"partyContactDetails[0].name": c.get("carrierParty.name")}),
        Row("partyContactDetails[0].email", "carrierParty.emailAddress"),
        *_dcsa_party("shipper", "consignorParty"),
        *_dcsa_party("consignee", "consigneeParty"),
        Derived(_consignee_codes),
        Row(f"{_CODES}[0].partyCode", "consigneeParty.legalRegistrationId"),
        Row(f"{_CODES}[1].partyCode", "consigneeParty.leiId"),
        *_dcsa_party("issuingParty", "carrierParty")[:3],
        Row(
            "documentParties.issuingParty.address.countryCode",
            "carrierParty.postalAddress.countryId",
        ),
        Row("documentParties.notifyParties[0].partyName", "notifiedParty.name"),
        Row("references[0].value", "carrierBookingDocument.id"),
        Constant("references[0].type", "FF"),
        *_SEA_CARGO,
    ),
)

SHIPPING_INSTRUCTION: Final = own_form(
    "shipping_instruction",
    ("Shipping instruction", "托运单"),
    "shippingInstructionDocument.id",
    "carrierBookingDocument.id",
    "invoiceDocument.id",
    *party_paths("consignorParty"),
    *party_paths("consigneeParty"),
    "notifiedParty.name",
    "carrierParty.name",
    "freightPaymentCode",
    "mainCarriageTransportMovement.meansName",
    "mainCarriageTransportMovement.meansId",
    "mainCarriageTransportMovement.id",
    "receiptLocation.id",
    "loadingBaseportLocation.id",
    "loadingBaseportLocation.name",
    "unloadingBaseportLocation.id",
    "unloadingBaseportLocation.name",
    "deliveryLocation.id",
    *CARGO,
    *EQUIPMENT_PATHS,
    totals("grossWeight", "packageQuantity", "grossVolume"),
)

RAIL_NOTE: Final = own_form(
    "rail_consignment_note",
    ("CIM/SMGS consignment note", "国际货约/国际货协运单"),
    "railConsignmentNoteDocument.id",
    "railConsignmentNoteDocument.issueDate",
    Constant("contractsOfCarriage[0]", "CIM"),
    Constant("contractsOfCarriage[1]", "SMGS"),
    *party_paths("consignorParty"),
    *party_paths("consigneeParty"),
    "carrierParty.name",
    "railTransportMovement.wagonId",
    "receiptLocation.id",
    "receiptLocation.name",
    "receiptLocation.stationId",
    "deliveryLocation.id",
    "deliveryLocation.name",
    "deliveryLocation.stationId",
    "invoiceDocument.id",
    *CARGO,
    *EQUIPMENT_PATHS,
    *_WAGONS,
    totals("grossWeight", "packageQuantity"),
)

ROAD_NOTE: Final = own_form(
    "road_consignment_note",
    ("CMR consignment note", "公路运单（CMR）"),
    "roadConsignmentNoteDocument.id",
    "roadConsignmentNoteDocument.issueDate",
    # CMR article 6(1)(k): the statement that the Convention applies; paraphrased.
    Constant("conventionStatement", "Carriage under the CMR Convention, whatever else is agreed."),
    *party_paths("consignorParty"),
    *party_paths("consigneeParty"),
    "carrierParty.name",
    "roadTransportMovement.vehicleId",
    "receiptLocation.id",
    "receiptLocation.name",
    "deliveryLocation.id",
    "deliveryLocation.name",
    "invoiceDocument.id",
    *CARGO,
    *EQUIPMENT_PATHS,
    totals("grossWeight", "packageQuantity"),
)

AIR_WAYBILL: Final = own_form(
    "air_waybill",
    ("Air waybill", "航空货运单"),
    "airWaybillDocument.id",
    "airWaybillDocument.issueDate",
    *party_paths("consignorParty"),
    *party_paths("consigneeParty"),
    "notifiedParty.name",
    "carrierParty.name",
    "freightPaymentCode",
    "mainCarriageTransportMovement.id",
    "mainCarriageTransportMovement.departureDate",
    "loadingBaseportLocation.id",
    "loadingBaseportLocation.name",
    "unloadingBaseportLocation.id",
    "unloadingBaseportLocation.name",
    "invoiceDocument.id",
    *CARGO,
    totals("grossWeight", "packageQuantity", "grossVolume"),
)
