"""The CBV 2.0 event hash: one name for one EPCIS event, however it was written down.

An event becomes one string (fields in a fixed order, lists sorted, identifiers canonical, times in
UTC milliseconds), and SHA-256 of it is the event's id in RFC 6920 form. It is no signature.
What has another type than EPCIS gives it is refused with its JSON pointer: a hash that does not
cover what it does not understand would name two different events.
Source: CBV 2.0 section 8.9 through its published test strings; the standard's text not checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.digital_link import canonical_link
from zhidao.industry.domain.typed_json import (
    Wrong,
    at,
    each_of,
    escaped,
    mapping,
    number,
    string,
    trimmed,
    unknown,
    utc_ms,
)

CBV: Final = "https://ref.gs1.org/cbv/"
GS1: Final = "https://gs1.org/voc/"
_ORDER: Final = (
    *("eventTime", "eventTimeZoneOffset", "certificationInfo", "parentID", "epcList"),
    *("inputEPCList", "childEPCs", "quantityList", "childQuantityList", "inputQuantityList"),
    *("outputEPCList", "outputQuantityList", "action", "transformationID", "bizStep"),
    *("disposition", "persistentDisposition", "readPoint", "bizLocation"),
    *("bizTransactionList", "destinationList", "sourceList", "sensorElementList", "ilmd"),
)
_LEFT_OUT: Final = frozenset(
    ("type", "eventID", "recordTime", "errorDeclaration", "@context", "hash", "id", "isA")
)
# Remarks of people and tools, at any depth: the reference leaves them out, and so does the hash.
_REMARKS: Final = frozenset(("rdfs:comment", "comment"))
DEPTH_MAX: Final = 64
_METADATA: Final = (
    *("time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData"),
    *("dataProcessingMethod", "bizRules"),
)
_REPORT: Final = (
    *("type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod"),
    *("time", "microorganism", "chemicalSubstance", "value", "component", "stringValue"),
    *("booleanValue", "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue"),
    *("sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem"),
)
_VOCABULARY: Final = {
    "bizStep": CBV + "BizStep-",
    "disposition": CBV + "Disp-",
    "bizTransaction": CBV + "BTT-",
    "source": CBV + "SDT-",
    "destination": CBV + "SDT-",
    "sensor": GS1,
    "exception": GS1,
    "component": CBV + "Comp-",
}
_OLD_VOCABULARY: Final = {
    "urn:epcglobal:cbv:bizstep:": CBV + "BizStep-",
    "urn:epcglobal:cbv:disp:": CBV + "Disp-",
    "urn:epcglobal:cbv:btt:": CBV + "BTT-",
    "urn:epcglobal:cbv:sdt:": CBV + "SDT-",
    "gs1:": GS1,
    "cbv:": CBV,
}
_ZONE: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)\Z", re.ASCII)
_QUANTITY_ORDER: Final = ("epcClass", "quantity", "uom")


def event_hash(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    """The event's id: `ni:///sha-256;<hex>?ver=CBV2.0`.

    event: an EPCIS 2.0 JSON event with compact names. prefixes: the document's own context terms.
    Raises MalformedInput, whose `where` is the JSON pointer within the event.
    """
    digest = hashlib.sha256(pre_hash(event, prefixes).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    """The string under the hash. Raises MalformedInput for what has not the types of an event."""
    try:
        text = _event(event, prefixes)
        text.encode()
    except Wrong as wrong:
        raise MalformedInput(
            f"EPCIS event: {wrong}",
            where=wrong.pointer,
            remedy="write the event as GS1's JSON Schema of EPCIS 2.0 has it",
        ) from None
    except UnicodeEncodeError as error:
        raise MalformedInput("EPCIS event: a lone surrogate is no text", where="/") from error
    return text


def context_terms(context: Any) -> dict[str, str]:
    """The prefixes that a document's `@context` itself declares; contexts by address are known."""
    terms: dict[str, str] = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, dict):
            terms |= {name: space for name, space in part.items() if isinstance(space, str)}
    return terms


def _event(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    fields = mapping(event)
    for name in ("type", "eventTime"):
        if name not in fields:
            raise Wrong(f"it has no {name}")
    parts = [f"eventType={at('type', string, fields['type'])}"]
    parts += [
        at(name, partial(_standard, name, prefixes=prefixes), fields[name])
        for name in _ORDER
        if name in fields
    ]
    own = [
        _extension(name, value, prefixes, 2)
        for name, value in fields.items()
        if name not in _ORDER and name not in _LEFT_OUT
    ]
    return "".join(parts + sorted(own))


def _standard(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    reader = _READERS.get(name)
    if reader is None:
        return f"{name}={trimmed(value)}"
    return reader(name, value, prefixes)


def _list_of(read: Callable[[Any], str]) -> Callable[[str, Any, Mapping[str, str]], str]:
    """What the elements of a standard list say, in any order; nothing for an empty list."""

    def of_list(name: str, value: Any, _: Mapping[str, str]) -> str:
        parts = each_of(value, read)
        return name + "".join(sorted(parts)) if parts else ""

    return of_list


def _epc(value: Any) -> str:
    return f"epc={canonical_link(string(value))}"


def _quantity(value: Any) -> str:
    element = mapping(value)
    text = "quantityElement"
    for name in element:
        if name not in _QUANTITY_ORDER and name not in _REMARKS:
            unknown(name)
    if "epcClass" in element:
        text += f"epcClass={at('epcClass', _link, element['epcClass'])}"
    if "quantity" in element:
        text += f"quantity={at('quantity', number, element['quantity'])}"
    if "uom" in element:
        text += f"uom={at('uom', trimmed, element['uom'])}"
    return text


def _typed(kind: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        item = mapping(value)
        for name in item:
            if name not in ("type", kind) and name not in _REMARKS:
                unknown(name)
        if kind not in item:
            raise Wrong(f"it has no {kind}")
        known = f"type={at('type', _words(kind), item['type'])}" if "type" in item else ""
        return known + f"{kind}={at(kind, _link, item[kind])}"

    return read


def _place(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    place = mapping(value)
    if "id" not in place:
        raise Wrong("it has no id")
    own = sorted(_extension(k, v, prefixes, 3) for k, v in place.items() if k != "id")
    return f"{name}id={at('id', _link, place['id'])}" + "".join(own)


def _persistent(name: str, value: Any, _: Mapping[str, str]) -> str:
    fields = mapping(value)
    found: list[str] = []
    for part in fields:
        if part not in ("set", "unset") and part not in _REMARKS:
            unknown(part)
    for part in ("set", "unset"):
        if part in fields:
            said = fields[part]
            listed = [said] if isinstance(said, str) else said
            words = at(part, lambda words: each_of(words, _words("disposition")), listed)
            found += sorted(f"{part}={word}" for word in words)
    return name + "".join(found)


def _sensors(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    return name + "".join(sorted(each_of(value, lambda element: _sensor(element, prefixes))))


def _sensor(value: Any, prefixes: Mapping[str, str]) -> str:
    element = mapping(value)
    text = "sensorElement"
    if element.get("sensorMetadata") is not None:
        fields = at("sensorMetadata", mapping, element["sensorMetadata"])
        if fields:
            read = at("sensorMetadata", lambda f: _ordered(f, _METADATA, prefixes), fields)
            text += "sensorMetadata" + read
    if "sensorReport" in element:
        said = element["sensorReport"]
        reports = at("sensorReport", lambda value: _reports(value, prefixes), said)
        text += "".join(sorted("sensorReport" + report for report in reports))
    own = [
        _extension(name, each, prefixes, 4)
        for name, each in element.items()
        if name not in ("sensorMetadata", "sensorReport")
    ]
    return text + "".join(sorted(own))


def _reports(value: Any, prefixes: Mapping[str, str]) -> list[str]:
    """Reports of a sensor; one alone may stand without its list."""
    if isinstance(value, Mapping):
        return [_ordered(value, _REPORT, prefixes)]
    return each_of(value, lambda report: _ordered(mapping(report), _REPORT, prefixes))


def _ordered(fields: Mapping[str, Any], order: tuple[str, ...], prefixes: Mapping[str, str]) -> str:
    text = "".join(
        f"{name}={at(name, _SENSOR.get(name, _sensor_value), fields[name])}"
        for name in order
        if name in fields
    )
    own = [_extension(k, v, prefixes, 6) for k, v in fields.items() if k not in order]
    return text + "".join(sorted(own))


def _sensor_value(value: Any) -> str:
    return canonical_link(value) if isinstance(value, str) else _text(value)


def _ilmd(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    fields = mapping(value)
    return name + "".join(sorted(_extension(k, v, prefixes, 3) for k, v in fields.items()))


def _certified(name: str, value: Any, _: Mapping[str, str]) -> str:
    listed = [value] if isinstance(value, str) else value
    return "".join(sorted(f"{name}={text}" for text in each_of(listed, trimmed)))


def _extension(name: str, value: Any, prefixes: Mapping[str, str], depth: int) -> str:
    """A field that is none of EPCIS, with its full name. depth: how far below the event it is."""
    if name in _REMARKS:
        return ""
    if not isinstance(name, str):
        raise Wrong("a name is text")
    prefix, colon, local = name.partition(":")
    full = f"{{{prefixes[prefix]}}}{local}" if colon and prefix in prefixes else name
    try:
        return _own(full, value, prefixes, depth)
    except Wrong as wrong:
        wrong.place.append(escaped(name))
        raise


def _own(full: str, value: Any, prefixes: Mapping[str, str], depth: int) -> str:
    if depth > DEPTH_MAX:
        raise Wrong(f"it is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, Mapping):
        inner = [_extension(k, v, prefixes, depth + 1) for k, v in value.items()]
        return full + "".join(sorted(inner))
    if isinstance(value, list):
        return "".join(sorted(each_of(value, lambda each: _own(full, each, prefixes, depth + 1))))
    return f"{full}={_text(value)}"


def _words(kind: str) -> Callable[[Any], str]:
    """Reads a vocabulary word as its full web name."""

    def read(value: Any) -> str:
        text = string(value)
        for old, new in _OLD_VOCABULARY.items():
            if text.startswith(old):
                return new + text.removeprefix(old)
        return text if ":" in text else _VOCABULARY[kind] + text

    return read


def _text(value: Any) -> str:
    """A value as text: numbers without trailing zeros, whitespace outside trimmed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    return trimmed(value)


def _zone(name: str, value: Any, _: Mapping[str, str]) -> str:
    text = string(value)
    if not _ZONE.match(text):
        raise Wrong(f"not an offset from UTC: {text[:40]!r}")
    return f"{name}={text}"


def _link(value: Any) -> str:
    return canonical_link(string(value))


_SENSOR: Final[Mapping[str, Callable[[Any], str]]] = {
    "time": utc_ms,
    "startTime": utc_ms,
    "endTime": utc_ms,
    "type": _words("sensor"),
    "exception": _words("exception"),
    "component": _words("component"),
}


def _field(read: Callable[[Any], str]) -> Callable[[str, Any, Mapping[str, str]], str]:
    return lambda name, value, _: f"{name}={read(value)}"


_EPCS: Final = ("epcList", "inputEPCList", "outputEPCList", "childEPCs")
_QUANTITIES: Final = (
    *("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
)
_READERS: Final[Mapping[str, Callable[[str, Any, Mapping[str, str]], str]]] = {
    **dict.fromkeys(_EPCS, _list_of(_epc)),
    **dict.fromkeys(_QUANTITIES, _list_of(_quantity)),
    "bizTransactionList": _list_of(_typed("bizTransaction")),
    "sourceList": _list_of(_typed("source")),
    "destinationList": _list_of(_typed("destination")),
    "eventTime": _field(utc_ms),
    "eventTimeZoneOffset": _zone,
    "bizStep": _field(_words("bizStep")),
    "disposition": _field(_words("disposition")),
    "parentID": _field(_link),
    "transformationID": _field(_link),
    "certificationInfo": _certified,
    "readPoint": _place,
    "bizLocation": _place,
    "persistentDisposition": _persistent,
    "sensorElementList": _sensors,
    "ilmd": _ilmd,
}
