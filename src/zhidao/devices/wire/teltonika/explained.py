"""Frames of Teltonika terminals explained to a person, without a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.frame_view import Explained, FrameView
from zhidao.devices.wire.teltonika.packet import (
    Greeting,
    Packet,
    decode_datagram,
    decode_frame,
    greeting_of,
)
from zhidao.devices.wire.teltonika.records import Record, decode_records, time_of
from zhidao.devices.wire.teltonika.texts import (
    COMMAND,
    OTHER_IMEI,
    RESPONSE,
    TEXT_CODECS,
    Text,
    decode_texts,
)

_PREAMBLE: Final = bytes(4)
_KINDS: Final = {
    COMMAND: "command",
    RESPONSE: "answer",
    OTHER_IMEI: "refused: the command names another IMEI",
}
# Elements that all models of the maker number alike: name, unit, scale.
_ELEMENTS: Final = {
    21: ("network signal", "", 1.0),
    24: ("speed", "km/h", 1.0),
    66: ("external voltage", "V", 0.001),
    67: ("battery voltage", "V", 0.001),
    69: ("GNSS status", "", 1.0),
    181: ("PDOP", "", 0.1),
    182: ("HDOP", "", 0.1),
    239: ("ignition", "", 1.0),
    240: ("movement", "", 1.0),
}


def is_of_teltonika(data: bytes) -> bool:
    """Whether bytes look like a greeting, a frame or a datagram of such a terminal."""
    return (
        data[:4] == _PREAMBLE
        or (data[:2] == b"\x00\x0f" and data[2:17].isdigit())
        or (len(data) > 8 and int.from_bytes(data[:2], "big") == len(data) - 2)
    )


def explained(data: bytes) -> list[FrameView]:
    """What one greeting, frame or datagram says; a greeting may stand before a frame."""
    return list(_explained(data))


def _explained(data: bytes) -> Iterator[FrameView]:
    rest = data
    if data[:2] == b"\x00\x0f" and data[2:17].isdigit() and len(data) >= 17:
        greeting, rest = greeting_of(data[:17]), data[17:]
        yield _greeted(greeting, data[:17])
    if not rest:
        return
    try:
        if rest[:4] == _PREAMBLE:
            yield _told(decode_frame(rest), {}, rest)
        else:
            datagram = decode_datagram(rest)
            about: dict[str, str | int] = {"imei": datagram.imei, "packet": datagram.packet_id}
            yield _told(datagram.packet, about, rest)
    except MalformedInput as error:
        yield FrameView("no frame of Teltonika", rest, wrong=str(error))


def _greeted(greeting: Greeting, raw: bytes) -> FrameView:
    field = Explained(2, 17, "imei", greeting.imei, "who calls")
    return FrameView("Teltonika greeting", raw, {"bytes": len(raw)}, (field,), raw)


def _told(packet: Packet, about: dict[str, str | int], raw: bytes) -> FrameView:
    title = f"Teltonika codec {packet.codec:02X}"
    about = about | {"bytes": len(packet.data)}
    try:
        if packet.codec in TEXT_CODECS:
            told, found = "texts", [_text(*each) for each in enumerate(decode_texts(packet), 1)]
        else:
            told = "records"
            found = [tuple(_fields(*each)) for each in enumerate(decode_records(packet), 1)]
    except MalformedInput as error:
        return FrameView(title, raw, about, body=packet.data, wrong=str(error))
    fields = tuple(field for each in found for field in each)
    return FrameView(title, raw, about | {told: len(found)}, fields, packet.data)


def _text(number: int, text: Text) -> tuple[Explained, ...]:
    at = f"texts.{number}"
    fields = [Explained(0, 0, f"{at}.kind", text.kind, _KINDS.get(text.kind, "not known here"))]
    if text.imei:
        fields.append(Explained(0, 0, f"{at}.imei", text.imei, "whom it is for, or who answers"))
    if text.at_ms:
        fields.append(Explained(0, 0, f"{at}.time", *_moment(text.at_ms)))
    shown = text.content.decode("utf-8", "backslashreplace")
    fields.append(Explained(0, 0, f"{at}.text", shown, ""))
    return tuple(fields)


def _fields(number: int, record: Record) -> Iterator[Explained]:
    """The fields of a record, by name; the bytes of each stand where the codec puts them."""
    at = f"records.{number}"
    told = (
        ("time", *_moment(record.at_ms)),
        ("latitude", record.latitude_e7, f"{record.latitude_e7 / 1e7:.7f} degrees"),
        ("longitude", record.longitude_e7, f"{record.longitude_e7 / 1e7:.7f} degrees"),
        ("altitude", record.altitude_m, f"{record.altitude_m} m"),
        ("course", record.course_deg, f"{record.course_deg} degrees"),
        ("satellites", record.satellites, "" if record.satellites else "no fix: the last place"),
        ("speed", record.speed_kmh, f"{record.speed_kmh} km/h"),
        ("event", record.event, "" if record.event else "none"),
    )
    for name, value, meaning in told:
        yield Explained(0, 0, f"{at}.{name}", value, meaning)
    for element, raw in (*record.elements, *record.sized):
        yield Explained(0, 0, f"{at}.{element}", raw.hex(), _means(element, raw))


def _moment(at_ms: int) -> tuple[str | int, str]:
    try:
        return str(time_of(at_ms)), ""
    except MalformedInput:
        return at_ms, "ms after 1970, a time that does not exist"


def _means(element: int, raw: bytes) -> str:
    name, unit, scale = _ELEMENTS.get(element, ("", "", 1.0))
    if not name:
        return "by the model"
    said = f"{int.from_bytes(raw, 'big') * scale:.3f}".rstrip("0").rstrip(".")
    return f"{name} {said} {unit}".rstrip()
