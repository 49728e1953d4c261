"""Subrecords of EGTS: who calls, where he is, what his sensors say; the rest is kept as it came.

Source of those of service 1: GOST 33465-2015, tables 15, 18, 19 and 27, as read in a transcript.
Those of service 2 and the identity of a dispatcher stand in GOST 33472 and in order 285 of 2012 of
the Russian ministry of transport, which were not at hand: they are written as open implementations
agree to read them, and held against frames of real devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.wire.egts.service_frame import AUTH_SERVICE, TELEDATA_SERVICE, Record
from zhidao.devices.wire.jt808.cursor import Cursor

# Result codes (appendix C).
OK, PROCESSING_DENIED, BAD_DATA = 0, 130, 132
SOURCE_DENIED, NO_OBJECT, AUTH_DENIED, NO_ID = 136, 146, 151, 153
_IMEI_BYTES, _IMSI_BYTES, _PHONE_BYTES = 15, 16, 15
# 2010-01-01T00:00:00Z in seconds after 1970, and 2100-01-01.
_EPOCH_S: Final = 1_262_304_000
_END_S: Final = 4_102_444_800
_NS: Final = 1_000_000_000
_FULL: Final = 0xFFFF_FFFF
_QUARTER_UDEG, _HALF_UDEG = 90_000_000, 180_000_000
# Compass is what BeiDou was called before.
BEIDOU: Final = 8 | 16
_COURSE_HIGH: Final = 0x100
_SPEED_BITS: Final = 0x3FFF
_BELOW, _COURSE_9 = 0x4000, 0x8000


class Subrecord(Protocol):
    """One subrecord."""

    @property
    def type_id(self) -> int:
        """Its type within its service."""
        ...

    def encode(self) -> bytes:
        """Its data."""
        ...


@dataclass(frozen=True, slots=True)
class Raw:
    """A subrecord that is not read here."""

    type_id: int
    data: bytes

    def encode(self) -> bytes:
        """Its data, as it came."""
        return self.data


@dataclass(frozen=True, slots=True)
class RecordResponse:
    """What became of a record."""

    type_id: ClassVar[int] = 0
    record: int
    status: int

    def encode(self) -> bytes:
        """Its data."""
        return _bytes(self.record, 2) + bytes((self.status,))


@dataclass(frozen=True, slots=True)
class ResultCode:
    """Whether whoever called is let in."""

    type_id: ClassVar[int] = 9
    code: int

    def encode(self) -> bytes:
        """Its data."""
        return bytes((self.code,))


@dataclass(frozen=True, slots=True)
class TermIdentity:
    """Who a terminal is. None: not said. Texts are bytes, filled up as the device does.

    `simple`: it uses services without asking; `rest`: what a later edition says beside.
    """

    type_id: ClassVar[int] = 1
    terminal_id: int
    simple: bool = False
    home: int | None = None
    imei_text: bytes | None = None
    imsi: bytes | None = None
    language: bytes | None = None
    network: bytes | None = None
    buffer_bytes: int | None = None
    phone: bytes | None = None
    rest: bytes = b""

    @property
    def imei(self) -> str:
        """Its digits; empty where it has none that tells it from others."""
        text = (self.imei_text or b"").strip(b"\0 ")
        digits = text.decode("ascii") if text.isdigit() else ""
        return digits if digits.strip("0") else ""

    def encode(self) -> bytes:
        """Its data."""
        home = None if self.home is None else _bytes(self.home, 2)
        size = None if self.buffer_bytes is None else _bytes(self.buffer_bytes, 2)
        before = (home, self.imei_text, self.imsi, self.language)
        after = (self.network, size, self.phone)
        flags = _flags(before) | (0x10 if self.simple else 0) | _flags(after) << 5
        told = b"".join(each for each in (*before, *after) if each is not None)
        return _bytes(self.terminal_id, 4) + bytes((flags,)) + told + self.rest


@dataclass(frozen=True, slots=True)
class DispatcherIdentity:
    """Which platform it is that passes on what its terminals say."""

    type_id: ClassVar[int] = 5
    kind: int
    dispatcher_id: int
    description: bytes = b""

    def encode(self) -> bytes:
        """Its data."""
        return bytes((self.kind,)) + _bytes(self.dispatcher_id, 4) + self.description


@dataclass(frozen=True, slots=True)
class PosData:
    """Where a unit was. Angles are 1/2^32-1 of 90 and of 180 degrees, without sign.

    `flags`: 1 valid, 2 in three dimensions, 4 in PZ-90.02, 8 out of the black box, 16 moving, 32
    south, 64 west; `altitude_m` without sign, which `is_below` the sea has, None where it is not
    said; `source`: what made it be sent; `source_data`: what belongs to that.
    """

    type_id: ClassVar[int] = 16
    time_s: int
    latitude: int
    longitude: int
    flags: int
    speed_tenth_kmh: int
    course_deg: int
    odometer_tenth_km: int = 0
    inputs: int = 0
    source: int = 0
    is_below: bool = False
    altitude_m: int | None = None
    source_data: bytes = b""

    @property
    def at(self) -> Utc:
        """When the unit says that it was there. Raises MalformedInput as `time_of`."""
        return time_of(self.time_s)

    @property
    def is_valid(self) -> bool:
        """Whether the receiver had a fix."""
        return bool(self.flags & 0x01)

    @property
    def latitude_udeg(self) -> int:
        """With its sign, in microdegrees."""
        size = round(self.latitude * _QUARTER_UDEG / _FULL)
        return -size if self.flags & 0x20 else size

    @property
    def longitude_udeg(self) -> int:
        """With its sign, in microdegrees."""
        size = round(self.longitude * _HALF_UDEG / _FULL)
        return -size if self.flags & 0x40 else size

    @property
    def height_m(self) -> int:
        """The altitude with its sign; 0 where it is not said."""
        return -(self.altitude_m or 0) if self.is_below else self.altitude_m or 0

    def encode(self) -> bytes:
        """Its data."""
        moved = self.speed_tenth_kmh & _SPEED_BITS
        moved |= (_BELOW if self.is_below else 0) | (_COURSE_9 if self.course_deg > 0xFF else 0)
        flags = self.flags & 0x7F | (0 if self.altitude_m is None else 0x80)
        out = b"".join(_bytes(each, 4) for each in (self.time_s, self.latitude, self.longitude))
        out += bytes((flags,)) + _bytes(moved, 2) + bytes((self.course_deg & 0xFF,))
        out += _bytes(self.odometer_tenth_km, 3) + bytes((self.inputs, self.source))
        out += b"" if self.altitude_m is None else _bytes(self.altitude_m, 3)
        return out + self.source_data


@dataclass(frozen=True, slots=True)
class ExtPosData:
    """How good a position is: dilutions in hundredths, satellites, which systems. None: not said.

    `systems`: a sum of 1 GLONASS, 2 GPS, 4 Galileo, 8 Compass, 16 BeiDou, 32 DORIS, 64 IRNSS, 128
    QZSS.
    """

    type_id: ClassVar[int] = 17
    vdop: int | None = None
    hdop: int | None = None
    pdop: int | None = None
    satellites: int | None = None
    systems: int | None = None

    def encode(self) -> bytes:
        """Its data."""
        sizes = (2, 2, 2, 1, 2)
        values = (self.vdop, self.hdop, self.pdop, self.satellites, self.systems)
        told = [
            None if value is None else _bytes(value, size)
            for value, size in zip(values, sizes, strict=True)
        ]
        return bytes((_flags(told),)) + b"".join(each for each in told if each is not None)


@dataclass(frozen=True, slots=True)
class AdSensorsData:
    """Digital outputs, and those of eight octets of inputs and eight analog inputs that are told.

    `inputs`, `analog`: number from 1, value.
    """

    type_id: ClassVar[int] = 18
    outputs: int
    inputs: tuple[tuple[int, int], ...] = ()
    analog: tuple[tuple[int, int], ...] = ()

    def encode(self) -> bytes:
        """Its data."""
        octets = sum(1 << number - 1 for number, _ in self.inputs)
        sensors = sum(1 << number - 1 for number, _ in self.analog)
        out = bytes((octets, self.outputs, sensors)) + bytes(value for _, value in self.inputs)
        return out + b"".join(_bytes(value, 3) for _, value in self.analog)


@dataclass(frozen=True, slots=True)
class LiquidLevel:
    """A level of liquid as a sensor tells it.

    `flags`: three bits of number, 8 as its sensor said it, sixteens for the unit (0 not calibrated,
    1 percent, 2 tenths of a litre), 64 the sensor failed; `module`: its address.
    """

    type_id: ClassVar[int] = 27
    flags: int
    module: int
    level: bytes

    @property
    def value(self) -> int | None:
        """The level as a number; None where it is as its sensor said it, or that failed."""
        return None if self.flags & 0x48 else int.from_bytes(self.level, "little")

    def encode(self) -> bytes:
        """Its data."""
        return bytes((self.flags,)) + _bytes(self.module, 2) + self.level


def time_of(seconds: int) -> Utc:
    """The moment so many seconds after 2010. Raises MalformedInput (`no_time`) after 2099."""
    if not 0 <= seconds < _END_S - _EPOCH_S:
        raise MalformedInput(
            f"EGTS: {seconds} s after 2010 is no time of a unit",
            code="no_time",
            remedy="let the unit take its time from its receiver",
        )
    return Utc.from_unix_ns((_EPOCH_S + seconds) * _NS)


def subrecords_of(record: Record) -> tuple[Subrecord, ...]:
    """The subrecords of a record; one that is not known, or not as known, is `Raw`.

    Raises MalformedInput: `truncated`, also for an identity or a position that is not whole.
    """
    read, found = Cursor(record.data, "EGTS subrecord"), list[Subrecord]()
    while read.left:
        (type_id,), size = read.take(1), _number(read, 2)
        found.append(_read(record.recipient, type_id, read.take(size)))
    return tuple(found)


def encode_subrecords(subrecords: Sequence[Subrecord]) -> bytes:
    """The data of a record. Raises MalformedInput for what does not fit its field."""
    out = bytearray()
    for each in subrecords:
        data = each.encode()
        out += bytes((each.type_id,)) + _bytes(len(data), 2) + data
    return bytes(out)


def _read(service: int, type_id: int, data: bytes) -> Subrecord:
    reader = _READERS.get((service, type_id)) or (_response if not type_id else None)
    if reader is None:
        return Raw(type_id, data)
    try:
        found = reader(Cursor(data, f"EGTS subrecord {type_id}"))
    except MalformedInput:
        if (service, type_id) in _NEEDED:
            raise
        return Raw(type_id, data)
    return found if found.encode() == data else Raw(type_id, data)


def _response(read: Cursor) -> Subrecord:
    return RecordResponse(_number(read, 2), read.take(1)[0])


def _result(read: Cursor) -> Subrecord:
    return ResultCode(read.take(1)[0])


def _terminal(read: Cursor) -> Subrecord:
    terminal_id, (flags,) = _number(read, 4), read.take(1)

    def told(bit: int, size: int) -> bytes | None:
        return read.take(size) if flags & bit else None

    home = told(0x01, 2)
    imei, imsi, language = told(0x02, _IMEI_BYTES), told(0x04, _IMSI_BYTES), told(0x08, 3)
    network, size, phone = told(0x20, 3), told(0x40, 2), told(0x80, _PHONE_BYTES)
    return TermIdentity(
        terminal_id=terminal_id,
        simple=bool(flags & 0x10),
        home=None if home is None else int.from_bytes(home, "little"),
        imei_text=imei,
        imsi=imsi,
        language=language,
        network=network,
        buffer_bytes=None if size is None else int.from_bytes(size, "little"),
        phone=phone,
        rest=read.rest(),
    )


def _dispatcher(read: Cursor) -> Subrecord:
    (kind,) = read.take(1)
    return DispatcherIdentity(kind, _number(read, 4), read.rest())


def _position(read: Cursor) -> Subrecord:
    time_s, latitude, longitude = (_number(read, 4) for _ in range(3))
    (flags,), moved, (course,) = read.take(1), _number(read, 2), read.take(1)
    odometer, (inputs, source) = _number(read, 3), read.take(2)
    altitude = _number(read, 3) if flags & 0x80 else None
    return PosData(
        time_s=time_s,
        latitude=latitude,
        longitude=longitude,
        flags=flags & 0x7F,
        speed_tenth_kmh=moved & _SPEED_BITS,
        course_deg=course | (_COURSE_HIGH if moved & _COURSE_9 else 0),
        odometer_tenth_km=odometer,
        inputs=inputs,
        source=source,
        is_below=bool(moved & _BELOW),
        altitude_m=altitude,
        source_data=read.rest(),
    )


def _quality(read: Cursor) -> Subrecord:
    (flags,) = read.take(1)
    told = [
        _number(read, size) if flags & 1 << bit else None
        for bit, size in enumerate((2, 2, 2, 1, 2))
    ]
    read.end()
    return ExtPosData(*told)


def _sensors(read: Cursor) -> Subrecord:
    octets, outputs, sensors = read.take(3)
    inputs = tuple((n + 1, read.take(1)[0]) for n in range(8) if octets & 1 << n)
    analog = tuple((n + 1, _number(read, 3)) for n in range(8) if sensors & 1 << n)
    return AdSensorsData(outputs, inputs, analog)


def _level(read: Cursor) -> Subrecord:
    (flags,), module = read.take(1), _number(read, 2)
    level = read.rest()
    if not flags & 0x08 and len(level) != 4:
        raise MalformedInput(f"EGTS: a level of {len(level)} bytes", code="bad_length")
    return LiquidLevel(flags, module, level)


# Read elsewhere than in `_response`, by service and type.
_READERS: Final[dict[tuple[int, int], Callable[[Cursor], Subrecord]]] = {
    (AUTH_SERVICE, TermIdentity.type_id): _terminal,
    (AUTH_SERVICE, DispatcherIdentity.type_id): _dispatcher,
    (AUTH_SERVICE, ResultCode.type_id): _result,
    (TELEDATA_SERVICE, PosData.type_id): _position,
    (TELEDATA_SERVICE, ExtPosData.type_id): _quality,
    (TELEDATA_SERVICE, AdSensorsData.type_id): _sensors,
    (TELEDATA_SERVICE, LiquidLevel.type_id): _level,
}
# What must be whole: kept raw it would be acknowledged and nobody would see it.
_NEEDED: Final = (
    (AUTH_SERVICE, TermIdentity.type_id),
    (AUTH_SERVICE, DispatcherIdentity.type_id),
    (TELEDATA_SERVICE, PosData.type_id),
)


def _flags(values: Sequence[bytes | None]) -> int:
    return sum(1 << bit for bit, value in enumerate(values) if value is not None)


def _bytes(number: int, size: int) -> bytes:
    try:
        return number.to_bytes(size, "little")
    except OverflowError as error:
        raise MalformedInput(f"EGTS: {number} does not fit {size} bytes") from error


def _number(read: Cursor, size: int) -> int:
    return int.from_bytes(read.take(size), "little")
