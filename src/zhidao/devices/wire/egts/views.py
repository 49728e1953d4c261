"""Packets of EGTS explained to a person, without a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.service_frame import (
    AUTH_SERVICE,
    TELEDATA_SERVICE,
    Record,
    ServiceFrame,
    decode_frame,
)
from zhidao.devices.wire.egts.subrecords import (
    AdSensorsData,
    DispatcherIdentity,
    ExtPosData,
    LiquidLevel,
    PosData,
    RecordResponse,
    ResultCode,
    Subrecord,
    TermIdentity,
    subrecords_of,
    time_of,
)
from zhidao.devices.wire.egts.transport import (
    RESPONSE,
    VERSION,
    Deframer,
    Lost,
    Packet,
    crc8,
    decode_packet,
)
from zhidao.devices.wire.frame_view import Explained, FrameView

_HEADERS: Final = (11, 16)
_KINDS: Final = {0: "answer", 1: "data", 2: "signed data"}
_SERVICES: Final = {
    AUTH_SERVICE: "authorisation",
    TELEDATA_SERVICE: "telematic data",
    4: "commands",
    9: "firmware",
    10: "emergency call",
}
_RESULTS: Final = {
    0: "done",
    1: "in progress",
    128: "protocol not supported",
    129: "cannot be decrypted",
    130: "processing denied",
    131: "wrong header",
    132: "wrong data",
    133: "type not supported",
    136: "data of this source are not taken",
    137: "wrong checksum of the header",
    138: "wrong checksum of the data",
    139: "wrong length",
    146: "object not found",
    149: "service denied",
    150: "service not known",
    151: "authorisation denied",
    153: "identifier not found",
}
_NAMES: Final = {
    (0, 0): "RECORD_RESPONSE",
    (AUTH_SERVICE, 1): "TERM_IDENTITY",
    (AUTH_SERVICE, 2): "MODULE_DATA",
    (AUTH_SERVICE, 3): "VEHICLE_DATA",
    (AUTH_SERVICE, 5): "DISPATCHER_IDENTITY",
    (AUTH_SERVICE, 6): "AUTH_PARAMS",
    (AUTH_SERVICE, 7): "AUTH_INFO",
    (AUTH_SERVICE, 8): "SERVICE_INFO",
    (AUTH_SERVICE, 9): "RESULT_CODE",
    (TELEDATA_SERVICE, 16): "POS_DATA",
    (TELEDATA_SERVICE, 17): "EXT_POS_DATA",
    (TELEDATA_SERVICE, 18): "AD_SENSORS_DATA",
    (TELEDATA_SERVICE, 19): "COUNTERS_DATA",
    (TELEDATA_SERVICE, 21): "STATE_DATA",
    (TELEDATA_SERVICE, 24): "ABS_AN_SENS_DATA",
    (TELEDATA_SERVICE, 27): "LIQUID_LEVEL_SENSOR",
}
_FLAGS: Final = (
    *((0x01, "valid", "no fix"), (0x02, "in 3D", "in 2D"), (0x04, "PZ-90.02", "WGS 84")),
    *((0x08, "out of the black box", ""), (0x10, "moving", "standing")),
)
_UNITS: Final = ("not calibrated", "%", "tenths of a litre", "a unit that is reserved")
_UDEG: Final = 1_000_000

Field = tuple[int, str, Any, str]


def has_egts_header(data: bytes) -> bool:
    """Whether bytes begin with a header of this protocol, its checksum right."""
    head = data[3] if resembles_egts(data) else 0
    return bool(head) and len(data) >= head and crc8(data[: head - 1]) == data[head - 1]


def resembles_egts(data: bytes) -> bool:
    """Whether bytes begin like a header of this protocol, whatever its checksum."""
    return len(data) > 3 and data[0] == VERSION and data[3] in _HEADERS


def explained(data: bytes) -> list[FrameView]:
    """What one packet says, or several in a row."""
    found: list[FrameView] = []
    read = 0
    for each in Deframer().feed(data):
        if isinstance(each, Lost):
            return [*found, FrameView("no packet of EGTS", data[read:], wrong=str(each.error))]
        read += len(each)
        found.append(_packet(each))
    if read < len(data):
        wrong = f"EGTS: the packet ends after {len(data) - read} bytes, which are not all of it"
        found.append(FrameView("no packet of EGTS", data[read:], wrong=wrong))
    return found


def _packet(raw: bytes) -> FrameView:
    try:
        packet = decode_packet(raw)
    except MalformedInput as error:
        return FrameView("no packet of EGTS", raw, wrong=str(error))
    title, about = f"EGTS {_KINDS.get(packet.kind, packet.kind)}", _about(packet)
    fields: list[Explained] = []
    try:
        frame = decode_frame(packet)
        # What was told before an error stays told.
        fields.extend(_frame(frame))
    except MalformedInput as error:
        return FrameView(title, raw, about, tuple(fields), packet.data, str(error))
    about |= {"records": len(frame.records)}
    return FrameView(title, raw, about, tuple(fields), packet.data)


def _about(packet: Packet) -> dict[str, str | int]:
    about: dict[str, str | int] = {"packet": packet.packet_id, "priority": packet.flags & 3}
    if packet.route:
        about |= {"from": packet.route.peer, "to": packet.route.recipient}
    return about | {"bytes": len(packet.data)}


def _frame(frame: ServiceFrame) -> Iterator[Explained]:
    at = 0
    if frame.kind == RESPONSE:
        yield Explained(0, 2, "answers", frame.answers, "the packet that it answers")
        yield Explained(2, 3, "result", frame.result, _result(frame.result))
        at = 3
    elif frame.signature is not None:
        at = 2 + len(frame.signature)
        yield Explained(0, 2, "signature_length", at - 2, "bytes of signature")
        yield Explained(2, at, "signature", frame.signature, "not checked here")
    for number, record in enumerate(frame.records, 1):
        yield from _record(f"records.{number}", at, record)
        at += len(record.encode())


def _record(name: str, at: int, record: Record) -> Iterator[Explained]:
    head: list[Field] = [
        (2, "length", len(record.data), "bytes of subrecords"),
        (2, "number", record.number, ""),
        (1, "flags", record.marks, "from a device" if record.marks & 0x80 else "from a platform"),
    ]
    if record.object_id is not None:
        head.append((4, "object", record.object_id, "the unit that it is about"))
    if record.event_id is not None:
        head.append((4, "event", record.event_id, ""))
    if record.time_s is not None:
        head.append((4, "time", *_moment(record.time_s)))
    for role, service in (("source", record.source), ("recipient", record.recipient)):
        head.append((1, role, service, _SERVICES.get(service, "a service that is not known here")))
    yield from _placed(name, at, head)
    at += len(record.encode()) - len(record.data)
    for number, each in enumerate(subrecords_of(record), 1):
        service = record.recipient if each.type_id else 0
        told = _NAMES.get((service, each.type_id), f"type {each.type_id}")
        size = len(each.encode())
        said: Field = (3, "", each.type_id, f"the type, and {size} bytes")
        yield from _placed(f"{name}.{number}.{told}", at, [said, *_fields(each)])
        at += 3 + size


def _placed(name: str, at: int, fields: list[Field]) -> Iterator[Explained]:
    for size, field, value, meaning in fields:
        yield Explained(at, at + size, f"{name}.{field}" if field else name, value, meaning)
        at += size


def _fields(each: Subrecord) -> list[Field]:
    teller = _TELLERS.get(type(each))
    if teller is None:
        data = each.encode()
        return [(len(data), "data", data, "kept, not read")]
    return teller(each)


def _told_response(each: RecordResponse) -> list[Field]:
    return [(2, "record", each.record, ""), (1, "status", each.status, _result(each.status))]


def _told_result(each: ResultCode) -> list[Field]:
    return [(1, "code", each.code, _result(each.code))]


def _told_terminal(each: TermIdentity) -> list[Field]:
    fields: list[Field] = [
        (4, "terminal", each.terminal_id, "its own number, 0: not configured"),
        (1, "flags", "", "uses services unasked" if each.simple else "asks for services"),
    ]
    optional = (
        (each.home, 2, "home", "the platform that knows it"),
        (each.imei_text, 15, "imei", ""),
        (each.imsi, 16, "imsi", ""),
        (each.language, 3, "language", ""),
        (each.network, 3, "network", "MCC and MNC"),
        (each.buffer_bytes, 2, "buffer", "bytes that it takes at once"),
        (each.phone, 15, "phone", ""),
        (each.rest or None, len(each.rest), "rest", "kept, not read"),
    )
    for value, size, name, meaning in optional:
        if value is not None:
            shown = _text(value) if isinstance(value, bytes) and size > 3 else value
            fields.append((size, name, shown, meaning))
    return fields


def _told_dispatcher(each: DispatcherIdentity) -> list[Field]:
    return [
        (1, "kind", each.kind, ""),
        (4, "dispatcher", each.dispatcher_id, "the platform that passes its units on"),
        (len(each.description), "description", _text(each.description), ""),
    ]


def _told_position(each: PosData) -> list[Field]:
    said = ", ".join(filter(None, (yes if each.flags & bit else no for bit, yes, no in _FLAGS)))
    speed = f"{each.speed_tenth_kmh / 10} km/h"
    fields: list[Field] = [
        (4, "time", *_moment(each.time_s)),
        (4, "latitude", each.latitude, f"{each.latitude_udeg / _UDEG:.6f} degrees"),
        (4, "longitude", each.longitude, f"{each.longitude_udeg / _UDEG:.6f} degrees"),
        (1, "flags", each.flags, said),
        (2, "speed", each.speed_tenth_kmh, speed),
        (1, "course", each.course_deg, f"{each.course_deg} degrees"),
        (3, "odometer", each.odometer_tenth_km, f"{each.odometer_tenth_km / 10} km"),
        (1, "inputs", each.inputs, f"{each.inputs:08b}"),
        (1, "source", each.source, "what made it be sent"),
    ]
    if each.altitude_m is not None:
        fields.append((3, "altitude", each.altitude_m, f"{each.height_m} m"))
    if each.source_data:
        fields.append((len(each.source_data), "source_data", each.source_data, ""))
    return fields


def _told_quality(each: ExtPosData) -> list[Field]:
    fields: list[Field] = [(1, "flags", "", "which fields there are")]
    dilutions = (("vdop", each.vdop), ("hdop", each.hdop), ("pdop", each.pdop))
    fields += [(2, name, value, f"{value / 100}") for name, value in dilutions if value is not None]
    if each.satellites is not None:
        fields.append((1, "satellites", each.satellites, ""))
    if each.systems is not None:
        fields.append((2, "systems", each.systems, "1 GLONASS, 2 GPS, 4 Galileo, 16 BeiDou"))
    return fields


def _told_sensors(each: AdSensorsData) -> list[Field]:
    return [
        (1, "octets", "", "which inputs there are"),
        (1, "outputs", each.outputs, f"{each.outputs:08b}"),
        (1, "sensors", "", "which analog inputs there are"),
        *((1, f"inputs.{number}", value, f"{value:08b}") for number, value in each.inputs),
        *((3, f"analog.{number}", value, "") for number, value in each.analog),
    ]


def _told_level(each: LiquidLevel) -> list[Field]:
    failed = "; the sensor failed" if each.flags & 0x40 else ""
    value = each.level if each.value is None else each.value
    meaning = "as the sensor said it" if each.flags & 0x08 else _UNITS[each.flags >> 4 & 3]
    return [
        (1, "sensor", each.flags & 7, f"its number{failed}"),
        (2, "module", each.module, "its address"),
        (len(each.level), "level", value, meaning),
    ]


_TELLERS: Final[dict[type, Callable[[Any], list[Field]]]] = {
    RecordResponse: _told_response,
    ResultCode: _told_result,
    TermIdentity: _told_terminal,
    DispatcherIdentity: _told_dispatcher,
    PosData: _told_position,
    ExtPosData: _told_quality,
    AdSensorsData: _told_sensors,
    LiquidLevel: _told_level,
}


def _result(code: int) -> str:
    return _RESULTS.get(code, "a code of the standard's appendix")


def _moment(seconds: int) -> tuple[str | int, str]:
    try:
        return str(time_of(seconds)), ""
    except MalformedInput:
        return seconds, "s after 2010, a time that does not exist"


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("cp1251", "replace")
