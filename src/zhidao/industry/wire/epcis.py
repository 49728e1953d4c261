"""EPCIS 2.0 documents of a finished lot, each event named by its CBV hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.timescale import Utc
from zhidao.industry.domain.digital_link import lot_link, serial_link
from zhidao.industry.domain.event_hash import event_hash
from zhidao.industry.domain.quality import Judgement

_CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# The context's own term for CBV master data; it stands in the hash as a full name.
_PREFIXES: Final = {"cbvmda": "urn:epcglobal:cbv:mda:"}


def lot_document(
    *,
    gtin: str,
    lot: str,
    serials: Sequence[str],
    finished_at: Utc,
    judgements: Sequence[Judgement],
) -> tuple[bytes, list[str]]:
    """The EPCIS document of a lot (canonical JSON) and the hash ids of its events.

    Two events: the items were commissioned, and the lot was inspected with what was measured. Of a
    lot of which nothing was measured only the first.
    """
    items = [serial_link(gtin, serial) for serial in serials]
    time = _epcis_time(finished_at)
    common = {"eventTime": time, "eventTimeZoneOffset": "+00:00", "disposition": "active"}
    events: list[dict[str, Any]] = [
        {
            **common,
            "type": "ObjectEvent",
            "epcList": items,
            "action": "ADD",
            "bizStep": "commissioning",
            "ilmd": {"cbvmda:lotNumber": lot},
        },
        {
            **common,
            "type": "ObjectEvent",
            "quantityList": [{"epcClass": lot_link(gtin, lot), "quantity": len(items)}],
            "action": "OBSERVE",
            "bizStep": "inspecting",
            "sensorElementList": [
                {
                    "sensorMetadata": {"time": time},
                    "sensorReport": [_report(judgement) for judgement in judgements],
                }
            ],
        },
    ]
    if not judgements:
        del events[1]
    hashes = [event_hash(event, _PREFIXES) for event in events]
    for event, name in zip(events, hashes, strict=True):
        event["eventID"] = name
    document: dict[str, Any] = {
        "@context": [_CONTEXT, _PREFIXES],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": time,
        "epcisBody": {"eventList": events},
    }
    return jcs(document), hashes


def _report(judgement: Judgement) -> dict[str, Any]:
    # Decimals go as text in a string field: a float would not be what the machine said.
    return {
        "type": judgement.bound.name,
        "stringValue": f"{judgement.lowest}..{judgement.highest}",
        "uom": judgement.bound.unit,
    }


def _epcis_time(at: Utc) -> str:
    return at.to_datetime().strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{at.to_datetime().microsecond // 1000:03d}Z"
    )
