"""Goods and their movement in the words of the UN Transparency Protocol, release 0.7.0.

Sources: UNTP 0.7.0 schema of the Digital Product Passport; the UNTP specification's pages on
lifecycle events; UN/CEFACT web vocabulary (places by UN/LOCODE). An entry knows no factory, so
where goods were made is what the exporter says beside it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from zhidao.trade.domain.consignment import ConsignmentEntry, GoodsLine, Place, TradeParty
from zhidao.trade.domain.documents.mapping import json_number
from zhidao.trade.events import Delivered

# GS1 Digital Link: 01 is the trade item, 10 its lot.
_TRADE_ITEM: Final = "https://id.gs1.org/01/"
_PLACES: Final = "https://vocabulary.uncefact.org/unlocode#"
_KILOGRAM: Final = "KGM"


def product(
    entry: ConsignmentEntry, line: GoodsLine, *, facility: dict[str, str]
) -> dict[str, Any]:
    """A line of goods as a UNTP Product. `facility`: id (a URI) and name of where it was made."""
    lot = line.lot or entry.lot
    return {
        "type": ["Product"],
        **_named(entry, line),
        "description": _description(entry, line),
        "idScheme": _scheme(line),
        **({"batchNumber": lot} if lot else {}),
        "productCategory": [
            {
                "code": line.hs,
                "name": f"HS {line.hs}",
                "schemeId": "https://www.wcoomd.org/",
                "schemeName": "Harmonized System",
            }
        ],
        "relatedParty": [_role("exporter", entry.exporter)],
        "producedAtFacility": {"type": ["Facility"], **facility},
        "countryOfProduction": {"countryCode": line.origin},
        "dimensions": {
            "weight": {"value": json_number(line.net_kg), "unit": _KILOGRAM},
        },
    }


def movement(entry: ConsignmentEntry, delivered: Delivered) -> dict[str, Any]:
    """A proven arrival as a UNTP MoveEvent, from the place of loading to where it was proven."""
    name = f"urn:zhidao:consignment:{entry.id}"
    return {
        "type": ["MoveEvent", "LifecycleEvent"],
        "id": f"{name}:arrival:{delivered.arrival}",
        "name": f"Arrival of {entry.id} at {delivered.place}",
        "eventDate": delivered.observed_at,
        "activityType": {
            "code": "arriving",
            "name": "Arriving",
            "schemeId": "https://ref.gs1.org/cbv/BizStep",
            "schemeName": "GS1 CBV Business Step",
        },
        "movedProduct": [
            {
                "product": _named(entry, line),
                "quantity": {"value": json_number(line.quantity), "unit": line.unit},
                "disposition": "new",
            }
            for line in entry.lines
        ],
        "fromFacility": _facility(entry.transport.loading),
        "toFacility": _facility(entry.transport.discharge),
        "consignmentId": name,
        "relatedParty": [
            _role("consignor", entry.exporter),
            _role("consignee", entry.importer),
            _role("carrier", entry.parties["carrier"]),
        ],
        "relatedDocument": [
            {
                "linkURL": f"urn:zhidao:event:{delivered.arrival}",
                "linkName": "The proven arrival in the node's log; `zhidao verify` checks it",
            }
        ],
    }


def _named(entry: ConsignmentEntry, line: GoodsLine) -> dict[str, str]:
    """How a product is called: by its lot, else by its trade item, else by its line here."""
    lot, item = line.lot or entry.lot, f"{_TRADE_ITEM}{line.gtin.zfill(14)}"
    if not line.gtin:
        link, grain = f"urn:zhidao:consignment:{entry.id}:line:{line.id}", "batch"
    elif lot:
        link, grain = f"{item}/10/{quote(lot, safe='')}", "batch"
    else:
        link, grain = item, "model"
    return {"id": link, "name": line.description, "idGranularity": grain}


def _scheme(line: GoodsLine) -> dict[str, Any]:
    if line.gtin:
        link, name = _TRADE_ITEM, "Global Trade Item Number (GTIN)"
    else:
        link, name = "urn:zhidao:consignment", "Line of a consignment"
    return {"type": ["IdentifierScheme"], "id": link, "name": name}


def _description(entry: ConsignmentEntry, line: GoodsLine) -> str:
    said = f"{line.quantity} {line.unit} in consignment {entry.id}"
    return f"{said}; simulated" if entry.simulated else said


def _role(role: str, party: TradeParty) -> dict[str, Any]:
    return {
        "role": role,
        "party": {"type": ["Party"], "id": f"urn:zhidao:party:{party.id}", "name": party.name},
    }


def _facility(place: Place) -> dict[str, Any]:
    return {"type": ["Facility"], "id": f"{_PLACES}{place.unlocode}", "name": place.name}
