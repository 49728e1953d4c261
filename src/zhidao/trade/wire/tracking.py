"""Movements as EPCIS 2.0 object events and as DCSA Track and Trace 2.2 events, both ways.

Source: GS1 EPCIS 2.0 and CBV 2.0 (business steps); DCSA T&T 2.2 OpenAPI. EPCIS tells what
happened, so planned and estimated movements have no EPCIS form. What one form has no term for
stands in an extension (`zhidao:…`) or, for DCSA, in the change remark.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Utc
from zhidao.trade.domain.documents.mapping import json_number
from zhidao.trade.domain.tracking.movement import OF_TRANSPORT, Classifier, Kind, Movement

TRACKING_BYTES_MAX: Final = 16 * 1024 * 1024
EVENTS_MAX: Final = 20_000
_CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_EXTENSION: Final = {"zhidao": "urn:zhidao:tracking:"}
_UNLOCODE: Final = "urn:zhidao:unlocode:"
_BIC: Final = "urn:epc:id:bic:"  # GS1 EPC Tag Data Standard: ISO 6346 container codes.
_STEPS: Final = {
    Kind.ARRIVED: "arriving",
    Kind.DEPARTED: "departing",
    Kind.LOADED: "loading",
    Kind.DISCHARGED: "unloading",
    Kind.GATE_IN: "entering_exiting",
    Kind.GATE_OUT: "entering_exiting",
    Kind.STUFFED: "packing",
    Kind.STRIPPED: "unpacking",
    Kind.INSPECTED: "inspecting",
}
_CORRECTS: Final = "corrects "
_MEANS: Final = "means "


def write_epcis(events: Sequence[Movement], *, created_at: Utc) -> bytes:
    """An EPCIS document of movements that happened. Raises Refused for any that did not."""
    for event in events:
        if event.classifier is not Classifier.ACTUAL:
            raise Refused(
                f"event {event.id} is {event.classifier.name.lower()}",
                code="not_happened",
                remedy="EPCIS tells what happened; send estimates as DCSA events",
            )
    return jcs(
        {
            "@context": [_CONTEXT, _EXTENSION],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": str(created_at),
            "epcisBody": {"eventList": [_epcis(event) for event in events]},
        }
    )


def _epcis(event: Movement) -> Json:
    plain: dict[str, Json] = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{event.id}",
        "eventTime": str(event.occurred_at),
        "eventTimeZoneOffset": "+00:00",
        "recordTime": str(event.recorded_at),
        "epcList": [_BIC + event.equipment if event.equipment else f"urn:zhidao:call:{event.call}"],
        "action": "OBSERVE",
        "bizStep": _STEPS[event.kind],
        "disposition": "in_transit",
        "readPoint": {"id": _UNLOCODE + event.place},
        "zhidao:kind": event.kind.value,
        "zhidao:mode": event.mode,
        "zhidao:call": event.call,
        "zhidao:isEmpty": event.is_empty,
    }
    for name, text in (
        ("means", event.means),
        ("meansId", event.means_id),
        ("voyage", event.voyage),
        ("corrects", event.corrects),
    ):
        if text:
            plain[f"zhidao:{name}"] = text
    if event.temperature_c is not None:
        value = json_number(event.temperature_c)
        report = {"type": "Temperature", "value": value, "uom": "CEL"}
        plain["sensorElementList"] = [{"sensorReport": [report]}]
    return plain


def read_epcis(data: bytes) -> list[Movement]:
    """The movements of an EPCIS document. Raises MalformedInput for what is none."""
    plain = _Plain(parse_strict(data, bytes_max=TRACKING_BYTES_MAX), "$")
    if plain.text("type") != "EPCISDocument":
        raise MalformedInput("not an EPCIS document", where="type")
    return [_from_epcis(event) for event in plain.inner("epcisBody").objects("eventList")]


def _from_epcis(plain: _Plain) -> Movement:
    kind = _kind(plain, "zhidao:kind")
    if plain.text("bizStep") != _STEPS[kind]:
        raise MalformedInput("business step and kind do not fit", where=plain.at)
    (thing,) = plain.texts("epcList", size=1)
    reports = [
        report
        for element in plain.objects("sensorElementList", needed=False)
        for report in element.objects("sensorReport")
        if report.text("type") == "Temperature"
    ]
    return Movement(
        id=_after(plain.text("eventID"), "urn:uuid:"),
        kind=kind,
        classifier=Classifier.ACTUAL,
        occurred_at=Utc.parse(plain.text("eventTime")),
        recorded_at=Utc.parse(plain.text("recordTime")),
        place=_after(plain.inner("readPoint").text("id"), _UNLOCODE),
        mode=plain.text("zhidao:mode"),
        call=plain.text("zhidao:call"),
        means=plain.text("zhidao:means", ""),
        means_id=plain.text("zhidao:meansId", ""),
        voyage=plain.text("zhidao:voyage", ""),
        equipment="" if kind in OF_TRANSPORT else _after(thing, _BIC),
        is_empty=plain.flag("zhidao:isEmpty"),
        temperature_c=reports[0].number("value") if reports else None,
        corrects=plain.text("zhidao:corrects", ""),
    )


def write_dcsa(events: Sequence[Movement]) -> bytes:
    """A DCSA T&T 2.2 list of transport and equipment events.

    A temperature has no place there: it stands in the change remark beside what is corrected.
    """
    return jcs([_dcsa(event) for event in events])


def _dcsa(event: Movement) -> Json:
    is_transport = event.kind in OF_TRANSPORT
    call: dict[str, Json] = {
        "transportCallID": event.call,
        "modeOfTransport": event.mode,
        "UNLocationCode": event.place,
    }
    if event.voyage:
        call["exportVoyageNumber"] = event.voyage
    if event.means_id:
        call["vessel"] = {"vesselIMONumber": event.means_id, "vesselName": event.means}
    plain: dict[str, Json] = {
        "eventID": event.id,
        "eventCreatedDateTime": str(event.recorded_at),
        "eventType": "TRANSPORT" if is_transport else "EQUIPMENT",
        "eventClassifierCode": event.classifier.value,
        "eventDateTime": str(event.occurred_at),
        "transportCall": call,
    }
    remarks = [_CORRECTS + event.corrects] if event.corrects else []
    if event.means and not event.means_id:
        # DCSA names a vessel by its IMO number only; a train or truck has none.
        remarks.append(_MEANS + event.means)
    if event.temperature_c is not None:
        remarks.append(f"temperature {event.temperature_c:f} CEL")
    if is_transport:
        plain["transportEventTypeCode"] = event.kind.value
        if remarks:
            plain["changeRemark"] = "; ".join(remarks)
    else:
        plain["equipmentEventTypeCode"] = event.kind.value
        plain["equipmentReference"] = event.equipment
        plain["emptyIndicatorCode"] = "EMPTY" if event.is_empty else "LADEN"
        if remarks:
            # Equipment events have no remark; references are free pairs of type and value.
            plain["references"] = [
                {"referenceType": "FF", "referenceValue": remark} for remark in remarks
            ]
    return plain


def read_dcsa(data: bytes) -> list[Movement]:
    """The movements of a DCSA event list; shipment events, which move nothing, are left out.

    Raises MalformedInput for an event that is none, of whichever kind.
    """
    parsed = parse_strict(data, bytes_max=TRACKING_BYTES_MAX)
    if not isinstance(parsed, list):
        raise MalformedInput(
            "not a list of events",
            where="$",
            remedy="Track and Trace 2.2 gives a list; version 3, an object, is not read",
        )
    events = _Plain({"events": parsed}, "$").objects("events")
    return [moved for event in events for moved in _moved(event)]


def _moved(plain: _Plain) -> list[Movement]:
    if plain.text("eventType") != "SHIPMENT":
        return [_from_dcsa(plain)]
    # It moves nothing, but a list with a broken event is no list to go by.
    for name in ("eventCreatedDateTime", "eventDateTime"):
        Utc.parse(plain.text(name))
    return []


def _from_dcsa(plain: _Plain) -> Movement:
    is_transport = plain.text("eventType") == "TRANSPORT"
    kind = _kind(plain, "transportEventTypeCode" if is_transport else "equipmentEventTypeCode")
    call = plain.inner("transportCall")
    remark = plain.text("changeRemark", "")
    if not is_transport:
        remark = "; ".join(
            r.text("referenceValue")
            for r in plain.objects("references", needed=False)
            if r.text("referenceType") == "FF"
        )
    corrects, means, temperature = _remarks(remark)
    vessel = call.inner("vessel", needed=False)
    classifier = plain.text("eventClassifierCode")
    if classifier not in list(Classifier):
        raise MalformedInput(f"unknown classifier {classifier[:10]!r}", where=plain.at)
    return Movement(
        id=plain.text("eventID"),
        kind=kind,
        classifier=Classifier(classifier),
        occurred_at=Utc.parse(plain.text("eventDateTime")),
        recorded_at=Utc.parse(plain.text("eventCreatedDateTime")),
        place=_place(plain, call),
        mode=call.text("modeOfTransport"),
        call=call.text("transportCallID"),
        means=vessel.text("vesselName", "") or means,
        means_id=vessel.text("vesselIMONumber", ""),
        voyage=call.text("exportVoyageNumber", ""),
        equipment="" if is_transport else plain.text("equipmentReference"),
        is_empty=plain.text("emptyIndicatorCode", "LADEN") == "EMPTY",
        temperature_c=temperature,
        corrects=corrects,
    )


def _place(plain: _Plain, call: _Plain) -> str:
    """Where it happened: the event's own location before that of its call."""
    for location in (
        plain.inner("eventLocation", needed=False),
        call,
        call.inner("location", needed=False),
    ):
        found = location.text("UNLocationCode", "")
        if found:
            return found
    raise MalformedInput("no UN/LOCODE says where it happened", where=plain.at)


def _remarks(text: str) -> tuple[str, str, Decimal | None]:
    """The corrected event, the means' name and the temperature of a remark of ours."""
    corrects, means, temperature = "", "", None
    for part in text.split("; "):
        if part.startswith(_CORRECTS):
            corrects = part.removeprefix(_CORRECTS)
        elif part.startswith(_MEANS):
            means = part.removeprefix(_MEANS)
        words = part.split(" ")
        if len(words) == 3 and words[0] == "temperature" and words[2] == "CEL":
            temperature = _decimal(words[1])
    return corrects, means, temperature


def _decimal(text: str) -> Decimal:
    digits = text.removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise MalformedInput(f"not a temperature: {text[:20]!r}")
    return Decimal(text)


def _kind(plain: _Plain, key: str) -> Kind:
    text = plain.text(key)
    if text not in list(Kind):
        raise MalformedInput(f"no movement that we know: {text[:10]!r}", where=plain.at)
    return Kind(text)


def _after(text: str, start: str) -> str:
    if not text.startswith(start):
        raise MalformedInput(f"does not begin with {start}: {text[:60]!r}")
    return text.removeprefix(start)


class _Plain:
    """A JSON object with its place, for reading that names what is missing."""

    def __init__(self, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise MalformedInput("not an object", where=at)
        self._value = value
        self.at = at

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it has to be there."""
        found = self._value.get(key, default)
        if not isinstance(found, str) or len(found) > 500:
            raise MalformedInput(f"no text {key}", where=f"{self.at}.{key}")
        return found

    def texts(self, key: str, *, size: int) -> list[str]:
        """So many texts."""
        found = self._value.get(key)
        if not isinstance(found, list) or len(found) != size:
            raise MalformedInput(f"{key} has not {size} members", where=f"{self.at}.{key}")
        if not all(isinstance(each, str) for each in found):
            raise MalformedInput(f"{key} has other than texts", where=f"{self.at}.{key}")
        return found

    def flag(self, key: str) -> bool:
        """True or false, false where it is not there."""
        found = self._value.get(key, False)
        if not isinstance(found, bool):
            raise MalformedInput(f"{key} is neither true nor false", where=self.at)
        return found

    def number(self, key: str) -> Decimal:
        """A number as an exact decimal."""
        found = self._value.get(key)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise MalformedInput(f"no number {key}", where=self.at)
        return Decimal(repr(found))

    def inner(self, key: str, *, needed: bool = True) -> _Plain:
        """An object; an empty one where it is not there and not needed."""
        return _Plain(self._value.get(key, None if needed else {}), f"{self.at}.{key}")

    def objects(self, key: str, *, needed: bool = True) -> list[_Plain]:
        """A bounded list of objects."""
        found = self._value.get(key, None if needed else [])
        if not isinstance(found, list) or len(found) > EVENTS_MAX:
            raise MalformedInput(f"{key} is no list of at most {EVENTS_MAX}", where=self.at)
        return [_Plain(each, f"{self.at}.{key}[{k}]") for k, each in enumerate(found)]
