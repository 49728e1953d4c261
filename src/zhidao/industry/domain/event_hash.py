"""The CBV 2.0 event hash: one name for one EPCIS event, however it was written down.

An event becomes one string (fields in a fixed order, lists sorted, identifiers canonical, times in
UTC milliseconds), and SHA-256 of it is the event's id in RFC 6920 form. It is no signature.
Source: CBV 2.0 section 8.9 through its published test strings; the standard's text not checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.digital_link import canonical_link

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
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_QUANTITY_ORDER: Final = ("epcClass", "quantity", "uom")


def event_hash(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    """The event's id: `ni:///sha-256;<hex>?ver=CBV2.0`.

    event: an EPCIS 2.0 JSON event with compact names. prefixes: the document's own context terms.
    """
    digest = hashlib.sha256(pre_hash(event, prefixes).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    """The string under the hash. Raises MalformedInput for an event without type or time."""
    if not isinstance(event.get("type"), str) or not isinstance(event.get("eventTime"), str):
        raise MalformedInput("an EPCIS event needs type and eventTime")
    parts = [f"eventType={event['type']}"]
    parts += [_standard(name, event[name], prefixes) for name in _ORDER if name in event]
    extensions = [
        _extension(name, value, prefixes)
        for name, value in event.items()
        if name not in _ORDER and name not in _LEFT_OUT
    ]
    return "".join(parts + sorted(extensions))


def _standard(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    if (parts := _parts_of_list(name, value)) is not None:
        return name + "".join(sorted(parts)) if parts else ""
    if name in ("readPoint", "bizLocation"):
        own = sorted(_extension(k, v, prefixes) for k, v in value.items() if k != "id")
        return f"{name}id={canonical_link(value['id'])}" + "".join(own)
    nested: dict[str, Callable[[], list[str]]] = {
        "persistentDisposition": lambda: _persistent(value),
        "sensorElementList": lambda: sorted(_sensor(element, prefixes) for element in value),
        "ilmd": lambda: sorted(_extension(k, v, prefixes) for k, v in value.items()),
    }
    if name in nested:
        return name + "".join(nested[name]())
    listed = value if isinstance(value, list) else [value]
    return "".join(sorted(f"{name}={_simple(name, each)}" for each in listed))


def _parts_of_list(name: str, value: Any) -> list[str] | None:
    """What the elements of a standard list say, in any order; None for what is no such list."""
    if name in ("epcList", "inputEPCList", "outputEPCList", "childEPCs"):
        return [f"epc={canonical_link(epc)}" for epc in value]
    if name.endswith(("quantityList", "QuantityList")):
        return [_quantity(element) for element in value]
    if name in ("bizTransactionList", "sourceList", "destinationList"):
        return [_typed(name.removesuffix("List"), item) for item in value]
    return None


def _simple(name: str, value: Any) -> str:
    if name == "eventTime":
        return _utc_ms(value)
    if name in ("bizStep", "disposition"):
        return _word(name, value)
    if name in ("parentID", "transformationID"):
        return canonical_link(value)
    return _text(value)


def _quantity(element: Mapping[str, Any]) -> str:
    fields = [
        f"{name}={canonical_link(element[name]) if name == 'epcClass' else _text(element[name])}"
        for name in _QUANTITY_ORDER
        if name in element
    ]
    return "quantityElement" + "".join(fields)


def _typed(kind: str, item: Mapping[str, Any]) -> str:
    known = f"type={_word(kind, item['type'])}" if "type" in item else ""
    return known + f"{kind}={canonical_link(item[kind])}"


def _persistent(value: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name in ("set", "unset"):
        words = value.get(name, [])
        listed = words if isinstance(words, list) else [words]
        found += sorted(f"{name}={_word('disposition', word)}" for word in listed)
    return found


def _sensor(element: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    metadata = element.get("sensorMetadata")
    text = "sensorElement"
    if metadata:
        text += "sensorMetadata" + _ordered(metadata, _METADATA, prefixes)
    reports = element.get("sensorReport", [])
    listed = reports if isinstance(reports, list) else [reports]
    text += "".join(sorted("sensorReport" + _ordered(r, _REPORT, prefixes) for r in listed))
    own = [
        _extension(name, value, prefixes)
        for name, value in element.items()
        if name not in ("sensorMetadata", "sensorReport")
    ]
    return text + "".join(sorted(own))


def _ordered(fields: Mapping[str, Any], order: tuple[str, ...], prefixes: Mapping[str, str]) -> str:
    text = "".join(
        f"{name}={_sensor_value(name, fields[name])}" for name in order if name in fields
    )
    own = [_extension(k, v, prefixes) for k, v in fields.items() if k not in order]
    return text + "".join(sorted(own))


def _sensor_value(name: str, value: Any) -> str:
    if name in ("time", "startTime", "endTime"):
        return _utc_ms(value)
    if name == "type":
        return _word("sensor", value)
    if name in ("exception", "component"):
        return _word(name, value)
    return canonical_link(value) if isinstance(value, str) else _text(value)


def _extension(name: str, value: Any, prefixes: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    full = f"{{{prefixes[prefix]}}}{local}" if colon and prefix in prefixes else name
    if isinstance(value, Mapping):
        return full + "".join(sorted(_extension(k, v, prefixes) for k, v in value.items()))
    if isinstance(value, list):
        return "".join(sorted(_extension(name, item, prefixes) for item in value))
    return f"{full}={_text(value)}"


def _word(kind: str, value: str) -> str:
    """A vocabulary word as its full web name."""
    for old, new in _OLD_VOCABULARY.items():
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value if ":" in value else _VOCABULARY[kind] + value


def _text(value: Any) -> str:
    """A value as text: numbers without trailing zeros, whitespace outside trimmed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        plain = format(Decimal(repr(value)).normalize(), "f")
        return "0" if plain == "-0" else plain
    return str(value).strip()


def _utc_ms(text: str) -> str:
    """A time in UTC with milliseconds, halves rounded up."""
    match = _TIME.match(text)
    if not match:
        raise MalformedInput(f"not an EPCIS time: {text[:40]!r}")
    moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).astimezone(UTC)
    ms = int(Decimal("0" + (match[2] or ".0")).scaleb(3).to_integral_value("ROUND_HALF_UP"))
    moment += timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
