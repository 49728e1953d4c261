"""Records of codecs 8, 8 Extended and 16: where, when, and elements by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.wire.jt808.cursor import Cursor
from zhidao.devices.wire.teltonika.packet import Packet

CODEC_8, CODEC_8E, CODEC_16 = 0x08, 0x8E, 0x10
RECORD_CODECS: Final = (CODEC_8, CODEC_8E, CODEC_16)
# Kept frames are numbered behind the messages of JT/T 808, which have sixteen bits.
_KEPT: Final = 1 << 16
_SIZES: Final = (1, 2, 4, 8)
_MS_NS: Final = 1_000_000
# 1972-01-01, from when on there is UTC: a tracker without a clock says 1970; and 2100-01-01.
_FIRST_MS: Final = 63_072_000_000
_END_MS: Final = 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Form:
    """How many bytes a codec takes for the number of an element, and for a count of them."""

    number: int
    count: int
    has_generation: bool = False
    has_sized: bool = False
    sizes: tuple[int, ...] = _SIZES


FORMS: Final[Mapping[int, Form]] = {
    CODEC_8: Form(number=1, count=1),
    CODEC_8E: Form(number=2, count=2, has_sized=True),
    CODEC_16: Form(number=2, count=1, has_generation=True),
}
# Some firmwares have elements of 16 bytes in codec 8, behind those of 8.
WIDE_8: Final = Form(number=1, count=1, sizes=(*_SIZES, 16))


@dataclass(frozen=True, slots=True)
class Record:
    """One record. Degrees are 1e-7 on the wire; no satellites: the place is the last known one.

    `elements`: values by number, as bytes, in the order of the wire; `sized` (codec 8 Extended):
    those of any length; `generation` (codec 16): what made it be sent; `event`: the number of the
    element that did.
    """

    at_ms: int
    priority: int
    longitude_e7: int
    latitude_e7: int
    altitude_m: int
    course_deg: int
    satellites: int
    speed_kmh: int
    event: int = 0
    generation: int = 0
    elements: tuple[tuple[int, bytes], ...] = field(default=())
    sized: tuple[tuple[int, bytes], ...] = field(default=())

    @property
    def at(self) -> Utc:
        """When the terminal says that it was there. Raises MalformedInput as `time_of`.

        The field has room for half a thousand million years.
        """
        return time_of(self.at_ms)


def time_of(at_ms: int) -> Utc:
    """The moment so many milliseconds after 1970.

    Raises MalformedInput (`no_time`) before 1972 and after 2099.
    """
    if not _FIRST_MS <= at_ms < _END_MS:
        raise MalformedInput(
            f"Teltonika: {at_ms} ms after 1970 is no time of a terminal",
            code="no_time",
            remedy="let the terminal take its time from its receiver",
        )
    return Utc.from_unix_ns(at_ms * _MS_NS)


def kept_id(codec: int) -> int:
    """The number under which frames of a codec are kept."""
    return _KEPT + codec


# Those with records: each is a position.
RECORD_IDS: Final = tuple(map(kept_id, RECORD_CODECS))


def decode_records(packet: Packet) -> tuple[Record, ...]:
    """The records of a packet.

    Raises MalformedInput: `unknown_codec`, `bad_count` where the number before and behind the
    records differs from theirs, `truncated`, `trailing`.
    """
    return tuple(record for record, _ in _read(packet))


def singled(packet: Packet) -> tuple[Packet, ...]:
    """Each record of a packet as a packet of one record, its bytes as they came.

    A terminal that was not answered may put a record beside others the next time: only by itself
    it is the same. Raises MalformedInput as `decode_records`.
    """
    return tuple(Packet(bytes((packet.codec, 1)) + raw + b"\1") for _, raw in _read(packet))


def _read(packet: Packet) -> tuple[tuple[Record, bytes], ...]:
    try:
        return _records(packet, _form(packet.codec))
    except MalformedInput:
        if packet.codec != CODEC_8:
            raise
        wide = _records_or_none(packet)
        if wide is None:
            raise
        return wide


def _records_or_none(packet: Packet) -> tuple[tuple[Record, bytes], ...] | None:
    try:
        return _records(packet, WIDE_8)
    except MalformedInput:
        return None


def _records(packet: Packet, form: Form) -> tuple[tuple[Record, bytes], ...]:
    read = Cursor(packet.data, f"Teltonika codec {packet.codec:02X}")
    read.take(1)
    count = read.number(1)
    records = []
    for _ in range(count):
        start = read.at
        record = _record(read, form)
        records.append((record, packet.data[start : read.at]))
    again = read.number(1)
    read.end()
    if again != count:
        raise MalformedInput(
            f"Teltonika: {count} records before, {again} behind them", code="bad_count"
        )
    return tuple(records)


def encode_records(codec: int, records: tuple[Record, ...], *, form: Form | None = None) -> Packet:
    """A packet of records. Raises MalformedInput for what the codec cannot hold."""
    form = form or _form(codec)
    try:
        count = len(records).to_bytes(1, "big")
        body = b"".join(_written(each, form) for each in records)
    except OverflowError as error:
        raise MalformedInput("Teltonika: a number does not fit its field") from error
    return Packet(bytes((codec,)) + count + body + count)


def _form(codec: int) -> Form:
    if codec not in FORMS:
        raise MalformedInput(
            f"Teltonika: codec {codec:02X} holds no records that are read here",
            code="unknown_codec",
        )
    return FORMS[codec]


def _record(read: Cursor, form: Form) -> Record:
    at_ms, priority = read.number(8), read.number(1)
    longitude, latitude, altitude = (_signed(read, size) for size in (4, 4, 2))
    course, satellites, speed = read.number(2), read.number(1), read.number(2)
    event = read.number(form.number)
    generation = read.number(1) if form.has_generation else 0
    total = read.number(form.count)
    elements: list[tuple[int, bytes]] = []
    for size in form.sizes:
        many = read.number(form.count)
        elements += [(read.number(form.number), read.take(size)) for _ in range(many)]
    many = read.number(form.count) if form.has_sized else 0
    sized = tuple((read.number(form.number), read.take(read.number(2))) for _ in range(many))
    if total != len(elements) + len(sized):
        raise MalformedInput(
            f"Teltonika: {total} elements announced, {len(elements) + len(sized)} came",
            code="bad_count",
        )
    return Record(
        at_ms=at_ms,
        priority=priority,
        longitude_e7=longitude,
        latitude_e7=latitude,
        altitude_m=altitude,
        course_deg=course,
        satellites=satellites,
        speed_kmh=speed,
        event=event,
        generation=generation,
        elements=tuple(elements),
        sized=sized,
    )


def _written(record: Record, form: Form) -> bytes:
    out = record.at_ms.to_bytes(8, "big") + record.priority.to_bytes(1, "big")
    for degrees in (record.longitude_e7, record.latitude_e7):
        out += degrees.to_bytes(4, "big", signed=True)
    out += record.altitude_m.to_bytes(2, "big", signed=True)
    out += record.course_deg.to_bytes(2, "big") + record.satellites.to_bytes(1, "big")
    out += record.speed_kmh.to_bytes(2, "big") + record.event.to_bytes(form.number, "big")
    out += record.generation.to_bytes(1, "big") if form.has_generation else b""
    out += (len(record.elements) + len(record.sized)).to_bytes(form.count, "big")
    for size in form.sizes:
        of_size = [each for each in record.elements if len(each[1]) == size]
        out += len(of_size).to_bytes(form.count, "big")
        out += b"".join(number.to_bytes(form.number, "big") + value for number, value in of_size)
    odd = [each for each in record.elements if len(each[1]) not in form.sizes]
    if odd or (record.sized and not form.has_sized):
        raise MalformedInput(f"Teltonika: such elements have {form.sizes} bytes")
    if form.has_sized:
        out += len(record.sized).to_bytes(form.count, "big")
        for number, value in record.sized:
            out += number.to_bytes(form.number, "big") + len(value).to_bytes(2, "big") + value
    return out


def _signed(read: Cursor, size: int) -> int:
    return int.from_bytes(read.take(size), "big", signed=True)
