"""A bill of lading as JSON with the field names of DCSA's transport document.

Only the fields that our checks ask are read; a carrier's document has many more, which stand
untouched in the archived bytes. Source: DCSA EBL 3.0 OpenAPI, schema TransportDocument.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.codes import KILOGRAMS, container_number, unlocode
from zhidao.trade.domain.consignment import Packages
from zhidao.trade.domain.papers import BillOfLading, Cargo
from zhidao.trade.wire.fields import Text, read_struct

_WEIGHT_MAX = Decimal(10) ** 9
_Party = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class _PartyField(msgspec.Struct, kw_only=True):
    partyName: _Party  # noqa: N815 (DCSA's own names, here and below)


class _NotifyField(msgspec.Struct, kw_only=True):
    partyName: _Party  # noqa: N815


class _Parties(msgspec.Struct, kw_only=True):
    shipper: _PartyField
    consignee: _PartyField | None = None
    notifyParties: Annotated[list[_NotifyField], msgspec.Meta(max_length=3)] = []  # noqa: N815


class _Weight(msgspec.Struct, kw_only=True):
    value: Decimal
    unit: Annotated[str, msgspec.Meta(max_length=3)]


class _Packaging(msgspec.Struct, kw_only=True):
    numberOfPackages: Annotated[int, msgspec.Meta(ge=1, le=99_999_999)]  # noqa: N815
    packageCode: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{2}\Z", max_length=2)]  # noqa: N815


class _CargoItem(msgspec.Struct, kw_only=True):
    equipmentReference: Annotated[str, msgspec.Meta(max_length=11)]  # noqa: N815
    cargoGrossWeight: _Weight  # noqa: N815
    outerPackaging: _Packaging  # noqa: N815


class _Item(msgspec.Struct, kw_only=True):
    descriptionOfGoods: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=150)]  # noqa: N815
    HSCodes: Annotated[
        list[Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,10}\Z", max_length=10)]],
        msgspec.Meta(max_length=50),
    ] = []
    cargoItems: Annotated[list[_CargoItem], msgspec.Meta(min_length=1, max_length=500)]  # noqa: N815


class _Location(msgspec.Struct, kw_only=True):
    UNLocationCode: Annotated[str, msgspec.Meta(max_length=5)]


class _Voyage(msgspec.Struct, kw_only=True):
    vesselName: Annotated[str, msgspec.Meta(max_length=50)] = ""  # noqa: N815
    carrierExportVoyageNumber: Annotated[str, msgspec.Meta(max_length=50)] = ""  # noqa: N815


class _Transports(msgspec.Struct, kw_only=True):
    portOfLoading: _Location  # noqa: N815
    portOfDischarge: _Location  # noqa: N815
    vesselVoyages: Annotated[list[_Voyage], msgspec.Meta(max_length=20)] = []  # noqa: N815


class _Clause(msgspec.Struct, kw_only=True):
    clauseContent: Annotated[str, msgspec.Meta(max_length=20_000)] = ""  # noqa: N815


class _Document(msgspec.Struct, kw_only=True):
    transportDocumentReference: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]  # noqa: N815
    transportDocumentTypeCode: Literal["BOL"]  # noqa: N815
    carrierCode: Annotated[str, msgspec.Meta(max_length=4)] = ""  # noqa: N815
    freightPaymentTermCode: Literal["PRE", "COL", ""] = ""  # noqa: N815
    isToOrder: bool  # noqa: N815
    documentParties: _Parties  # noqa: N815
    consignmentItems: Annotated[list[_Item], msgspec.Meta(min_length=1, max_length=100)]  # noqa: N815
    shippedOnBoardDate: date  # noqa: N815
    transports: _Transports
    carrierClauses: Annotated[list[str | _Clause], msgspec.Meta(max_length=100)] = []  # noqa: N815


def read(data: bytes) -> BillOfLading:
    """The bill of lading of a transport document that is shipped on board.

    Raises MalformedInput, naming the field, for a missing or wrong field that the checks need; a
    sea waybill is no bill of lading. Unknown fields are the carrier's business.
    """
    document = read_struct(data, _Document, what="bill of lading", one_line=False)
    parties = document.documentParties
    if parties.consignee is None and not document.isToOrder:
        raise MalformedInput(
            "a bill that is not to order names its consignee",
            where="$.documentParties.consignee",
            remedy="name the consignee or set isToOrder",
        )
    voyage = document.transports.vesselVoyages[:1]
    cargo = tuple(
        _cargo(item, part, f"$.consignmentItems[{i}].cargoItems[{k}]")
        for i, item in enumerate(document.consignmentItems)
        for k, part in enumerate(item.cargoItems)
    )
    return BillOfLading(
        number=document.transportDocumentReference,
        to_order=document.isToOrder,
        freight=document.freightPaymentTermCode,
        shipper=parties.shipper.partyName,
        consignee=parties.consignee.partyName if parties.consignee else "",
        notify=tuple(party.partyName for party in parties.notifyParties),
        loading=unlocode(document.transports.portOfLoading.UNLocationCode),
        discharge=unlocode(document.transports.portOfDischarge.UNLocationCode),
        on_board=document.shippedOnBoardDate,
        containers=tuple(dict.fromkeys(item.container for item in cargo)),
        means=voyage[0].vesselName if voyage else "",
        voyage=voyage[0].carrierExportVoyageNumber if voyage else "",
        clauses=tuple(
            clause if isinstance(clause, str) else clause.clauseContent
            for clause in document.carrierClauses
        ),
        cargo=cargo,
        carrier_code=document.carrierCode,
    )


def _cargo(item: _Item, part: _CargoItem, where: str) -> Cargo:
    weight = part.cargoGrossWeight
    if not weight.value.is_finite() or not 0 < weight.value <= _WEIGHT_MAX:
        raise MalformedInput(
            f"not a weight above 0, up to {_WEIGHT_MAX}: {str(weight.value)[:20]}",
            where=where + ".cargoGrossWeight.value",
        )
    if weight.unit not in KILOGRAMS:
        raise MalformedInput(
            f"unknown unit of weight: {weight.unit!r}",
            where=where + ".cargoGrossWeight.unit",
            remedy="give one of " + " ".join(KILOGRAMS),
        )
    return Cargo(
        description=" ".join(item.descriptionOfGoods),
        hs=tuple(code[:6] for code in item.HSCodes),
        container=container_number(part.equipmentReference),
        weight=weight.value,
        weight_unit=weight.unit,
        packages=Packages(part.outerPackaging.numberOfPackages, part.outerPackaging.packageCode),
        place=where,
    )


def write(bill: BillOfLading) -> bytes:
    """A transport document with the fields of the bill, one consignment item for each cargo."""
    parties: dict[str, Json] = {"shipper": {"partyName": bill.shipper}}
    if bill.consignee:
        parties["consignee"] = {"partyName": bill.consignee}
    if bill.notify:
        parties["notifyParties"] = [{"partyName": name} for name in bill.notify]
    carrier: dict[str, Json] = {"carrierCode": bill.carrier_code} if bill.carrier_code else {}
    return jcs(
        {
            **carrier,
            "transportDocumentReference": bill.number,
            "transportDocumentTypeCode": "BOL",
            "freightPaymentTermCode": bill.freight,
            "isElectronic": True,
            "isToOrder": bill.to_order,
            "documentParties": parties,
            "consignmentItems": [
                {
                    "descriptionOfGoods": [cargo.description],
                    "HSCodes": list(cargo.hs),
                    "cargoItems": [
                        {
                            "equipmentReference": cargo.container,
                            # A text keeps every digit; DCSA's own form is a number.
                            "cargoGrossWeight": {
                                "value": f"{cargo.weight:f}",
                                "unit": cargo.weight_unit,
                            },
                            "outerPackaging": {
                                "numberOfPackages": cargo.packages.count,
                                "packageCode": cargo.packages.kind,
                            },
                        }
                    ],
                }
                for cargo in bill.cargo
            ],
            "shippedOnBoardDate": bill.on_board.isoformat(),
            "transports": {
                "portOfLoading": {"UNLocationCode": bill.loading},
                "portOfDischarge": {"UNLocationCode": bill.discharge},
                "vesselVoyages": [
                    {"vesselName": bill.means, "carrierExportVoyageNumber": bill.voyage}
                ],
            },
            "carrierClauses": list(bill.clauses),
        }
    )
