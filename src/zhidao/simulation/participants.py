"""Who takes part in the demonstration, and the papers of its one consignment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

OPERATOR: Final = "operator"
PARTIES: Final = (
    ("exporter", "Chang'an Pump Works Co., Ltd.", "exporter", "CN"),
    ("carrier", "Hexi Multimodal Transport Co., Ltd.", "carrier", "CN"),
    ("importer", "Alatau Water Supply LLP", "importer", "KZ"),
    ("importer-bank", "Alatau Trade Bank JSC", "importer's bank", "KZ"),
    ("exporter-bank", "Weihe Commercial Bank", "exporter's bank", "CN"),
    ("customs", "Customs post of the dry port", "customs", "KZ"),
)
ALL: Final = [party for party, *_ in PARTIES]
# Between whom the corridor's other consignments go, at home on the importer's side.
SHIPPER: Final = ("sim-shipper", "Simulated shippers of the corridor")
BUYER: Final = ("sim-buyer", "Simulated buyers of the corridor")
BESIDE: Final = ((*SHIPPER, "exporter", "CN"), (*BUYER, "importer", "KZ"))
OF_CORRIDOR: Final = (SHIPPER[0], BUYER[0], "carrier", "customs", "importer-bank")
# The others are at home on the importer's side, where title, deal and arrival are.
ON_EXPORTER_SIDE: Final = ("exporter", "exporter-bank")
ORDER: Final = "PO-2026-117"
LOT: Final = "L-0417"
GTIN: Final = "06901234567892"
CONTAINER: Final = "CSQU3054383"
SEAL: Final = "ZD-884213"
TERMINAL: Final = "BDT-0417"
PHONE: Final = "+8613800000417"
SERIALS: Final = [f"SP40-{number:04d}" for number in range(1, 25)]
CURRENCY: Final = "CNY"
AMOUNT_MINOR: Final = 32_736_000  # 24 x 12,800.00 + 48 x 420.00
FUNDS_MINOR: Final = 50_000_000
LINE_MINOR: Final = 10_000_000_000  # What the exporter's bank lets the importer's owe it.
BILL_NUMBER: Final = "HMTXA0417"
CARRIER_CODE: Final = "HMTX"
LIMITS: Final = (
    {"name": "Flow", "low": "45", "high": "51", "unit": "MQH"},
    {"name": "Pressure", "low": "5.9", "high": "6.5", "unit": "BAR"},
    {"name": "Vibration", "low": "0", "high": "2.8", "unit": "C16"},
)
BANKS: Final = (
    ("importer-bank", "Alatau Trade Bank JSC", "ALTBKZKA", "Almaty", "KZ"),
    ("exporter-bank", "Weihe Commercial Bank", "WEIHCNB1", "Xi'an", "CN"),
)
CUSTOMERS: Final = (
    ("importer-bank", "importer", "Almaty", "KZ"),
    ("exporter-bank", "exporter", "Xi'an", "CN"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A named place of the papers: UN/LOCODE and name."""

    unlocode: str
    name: str


@dataclass(frozen=True, slots=True)
class Voyage:
    """Where the goods go, and the days that the papers name (ISO dates)."""

    loading: Place
    discharge: Place
    issued_on: str
    shipped_on: str
    due_on: str
    mode: str
    means: str


# By road to Almaty, as the simulated scenario goes and whoever needs any voyage.
TO_ALMATY: Final = Voyage(
    loading=Place("CNSIA", "Xi'an"),
    discharge=Place("KZALA", "Almaty"),
    issued_on="2026-09-15",
    shipped_on="2026-09-17",
    due_on="2026-12-15",
    mode="road",
    means="Truck A-88417",
)


def entry(consignment: str, voyage: Voyage, *, order: str = ORDER) -> dict[str, Any]:
    """The entry file of the consignment: the only place where its facts are typed."""
    names = {party: name for party, name, *_ in PARTIES}

    def party(name: str, *address: str, registration: str = "") -> dict[str, Any]:
        told: dict[str, Any] = {"nodeId": name, "name": names[name]}
        if address:
            keys = ("streetName", "cityName", "countryId", "postcodeCode")
            told["postalAddress"] = dict(zip(keys, address, strict=False))
        return told | ({"legalRegistrationId": registration} if registration else {})

    def place(at: Place) -> dict[str, str]:
        return {"id": at.unlocode, "name": at.name}

    return {
        "type": "zhidao.ConsignmentEntry.v2",
        "id": consignment,
        "consignorParty": party(
            "exporter",
            *("88 Weibin Road", "Xi'an", "CN", "710000"),
            registration="91610100MA6TX2XX8K",
        ),
        "consigneeParty": party(
            "importer", "12 Abay Avenue", "Almaty", "KZ", "050000", registration="970440001234"
        ),
        "carrierParty": party("carrier", "1 Dongfeng Road", "Xi'an", "CN"),
        "issuingBankParty": party("importer-bank"),
        "presentingBankParty": party("exporter-bank"),
        "customsParty": party("customs"),
        "invoiceDocument": {
            "id": "INV-2026-0417",
            "issueDate": voyage.issued_on,
            "dueDate": voyage.due_on,
            "currencyCode": CURRENCY,
            "payeeAccountId": "CN-WEIH-6222021102034567",
            "exemptionReasonCode": "VATEX-EU-O",
            "exemptionReason": "Not subject to VAT",
        },
        "packingListDocument": {"id": "PL-2026-0417"},
        "originStatementDocument": {"id": "OS-2026-0417"},
        "productionOrderDocument": {"id": order, "lotId": LOT},
        "includedConsignmentItem": [
            _item("1", "Stainless steel centrifugal pump SP-40", GTIN, "841370", "24", "12800")
            | {
                "netWeight": "1104",
                "grossWeight": "1248",
                "packageQuantity": "12",
                "lotId": LOT,
            },
            _item("2", "Mechanical seal kit for SP-40", "06901234567908", "848420", "48", "420")
            | {"netWeight": "38.4", "grossWeight": "43.2", "packageQuantity": "2"},
        ],
        "applicableTradeDeliveryTerms": {
            "deliveryTypeCode": "CIP",
            "edition": "2020",
            "relevantLocation": place(voyage.discharge),
        },
        "mainCarriageTransportMovement": {
            "modeCode": voyage.mode,
            "meansName": voyage.means,
            "id": "X8041",
        },
        "loadingBaseportLocation": place(voyage.loading),
        "unloadingBaseportLocation": place(voyage.discharge),
        "utilizedTransportEquipment": [{"id": CONTAINER}],
        "simulatedIndicator": "true",
    }


def bill_of_lading(voyage: Voyage, *, gross_kg: float = 1291.2) -> bytes:
    """The carrier's bill of lading; another weight makes it conflict with the other papers."""
    names = {party: name for party, name, *_ in PARTIES}
    document = {
        "transportDocumentReference": BILL_NUMBER,
        "transportDocumentTypeCode": "BOL",
        "carrierCode": CARRIER_CODE,
        "carrierCodeListProvider": "NMFTA",
        "freightPaymentTermCode": "PRE",
        "isElectronic": True,
        "isToOrder": False,
        "documentParties": {
            "shipper": {"partyName": names["exporter"]},
            "consignee": {"partyName": names["importer"]},
            "issuingParty": {"partyName": names["carrier"]},
        },
        "consignmentItems": [
            {
                "descriptionOfGoods": ["Stainless steel centrifugal pumps", "and seal kits"],
                "HSCodes": ["841370", "848420"],
                "cargoItems": [
                    {
                        "equipmentReference": CONTAINER,
                        "cargoGrossWeight": {"value": gross_kg, "unit": "KGM"},
                        "outerPackaging": {"numberOfPackages": 14, "packageCode": "CT"},
                    }
                ],
            }
        ],
        "utilizedTransportEquipments": [
            {
                "equipment": {"equipmentReference": CONTAINER, "ISOEquipmentCode": "22G1"},
                "isShipperOwned": False,
            }
        ],
        "shippedOnBoardDate": voyage.shipped_on,
        "transports": {
            "portOfLoading": {"UNLocationCode": voyage.loading.unlocode},
            "portOfDischarge": {"UNLocationCode": voyage.discharge.unlocode},
            "vesselVoyages": [{"vesselName": voyage.means, "carrierExportVoyageNumber": "X8041"}],
        },
    }
    return json.dumps(document).encode()


def _item(
    number: str, description: str, gtin: str, hs: str, quantity: str, price: str
) -> dict[str, Any]:
    return {
        "id": number,
        "natureIdentificationCargo": {"description": description},
        "globalId": gtin,
        "typeCode": hs,
        "originCountry": {"id": "CN"},
        "originCriterionCode": "PE",
        "requestedQuantity": quantity,
        "requestedUnitCode": "H87",
        "unitPriceAmount": price,
        "taxCategoryCode": "O",
        "taxRatePercent": "0",
        "packageTypeCode": "CT",
        "equipmentId": CONTAINER,
    }
