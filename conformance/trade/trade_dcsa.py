"""DCSA's published messages of what we read, and what we write by DCSA's own schemas.

Read: Track and Trace 2.2 lists and the bill of lading. What a file named wrong calls a test case
must be refused; but for two that are too early and too late for the day on which they are read,
since a reader has no clock. Written: the bill of lading by EBL 3.0, events by Track and Trace 2.2.
Bookings, port calls and Track and Trace 3.0 are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.core.errors import MalformedInput
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import bill_of_lading, canonical_entry, tracking

ENTRY = Path(__file__).resolve().parents[2] / "tests/trade/data/set_entry.json"
_OF_THE_DAY = ("eventDateTime too early", "eventDateTime too late")


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("trade-dcsa", shared, "trade/dcsa", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    for file in sorted((folder / "messages").glob("tnt-220-*.json")):
        data = file.read_bytes()
        is_wrong = "wrong" in file.name
        yield f"{file.name}: {'refused' if is_wrong else 'read'}", _is_read(data) is not is_wrong
        for number, event in enumerate(json.loads(data)):
            case = event.get("TEST_CASE", "")
            wrong = is_wrong and bool(case)
            if case not in _OF_THE_DAY and (wrong or not is_wrong):
                yield f"{file.name}[{number}]", _is_read(json.dumps([event]).encode()) is not wrong
    events = tracking.read_dcsa((folder / "messages/tnt-220-response.json").read_bytes())
    yield "events come back", tracking.read_dcsa(tracking.write_dcsa(events)) == events
    yield from _written(folder, events)
    bill = (folder / "messages/pint-3.0.0-transport-document.json").read_bytes()
    named = bill.replace(b"TRANSPORT_DOCUMENT_REFERENCE_PLACEHOLDER", b"HMM0001")
    yield "pint transport document", bill_of_lading.read(named).number == "HMM0001"


def _written(folder: Path, events: list[Any]) -> Iterator[tuple[str, bool]]:
    tnt = _api(folder / "openapi/TNT_v2.2.0-resolved.yaml")
    for event in json.loads(tracking.write_dcsa(events)):
        name = "transportEvent" if event["eventType"] == "TRANSPORT" else "equipmentEvent"
        yield f"written event {event['eventID']}", _fits(event, name, tnt)
    ebl = _api(folder / "openapi/EBL_v3.0.4.yaml")
    for made in make_set(canonical_entry.read(ENTRY.read_bytes())):
        if made.form.kind == "transport_document":
            yield "written bill", _fits(json.loads(made.data), "TransportDocument", ebl)


def _is_read(data: bytes) -> bool:
    try:
        tracking.read_dcsa(data)
    except MalformedInput:
        return False
    return True


def _api(file: Path) -> dict[str, Any]:
    import yaml

    # The examples of the files bear dates, which YAML takes for more than texts.
    plain = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    api: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return api


def _fits(plain: Any, name: str, api: dict[str, Any]) -> bool:
    import jsonschema_rs

    # OpenAPI 3.0 schemas are of JSON Schema draft 4 in their bounds.
    schema = {"$ref": f"#/components/schemas/{name}", "components": api["components"]}
    return bool(jsonschema_rs.Draft4Validator(schema).is_valid(plain))
