"""The position report (0x0200), its additional items, and batches of reports (0x0704)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.wire.jt808.cursor import Cursor

STATUS_POSITIONED: Final = 1 << 1
STATUS_SOUTH: Final = 1 << 2
STATUS_WEST: Final = 1 << 3
# Coordinates went through the state's plug-in: GCJ-02, never to be mixed with WGS 84.
STATUS_ENCRYPTED: Final = 1 << 5
STATUS_GPS: Final = 1 << 18
STATUS_BEIDOU: Final = 1 << 19
ITEM_SATELLITES: Final = 0x31
_FIXED_BYTES: Final = 28
# Terminals write China Standard Time whatever their place.
_ZONE: Final = timedelta(hours=8)
_BATCH_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Item:
    """An additional item as it came: unknown ones are kept raw."""

    id: int
    value: bytes


@dataclass(frozen=True, slots=True)
class PositionReport:
    """0x0200. Coordinates in microdegrees without sign; hemispheres stand in `status`.

    `time_bcd`: YYMMDDhhmmss in GMT+8 as sent, since devices send dates that do not exist. `rest`
    is what follows the last whole item (vendors truncate lists), so that nothing is lost.
    """

    ID: ClassVar[int] = 0x0200
    alarm: int
    status: int
    latitude_udeg: int
    longitude_udeg: int
    altitude_m: int
    speed_tenth_kmh: int
    course_deg: int
    time_bcd: bytes
    items: tuple[Item, ...] = ()
    rest: bytes = b""

    @property
    def speed_kmh(self) -> float:
        """Speed in kilometres an hour; the wire counts tenths of it."""
        return self.speed_tenth_kmh / 10

    @property
    def signed_latitude_udeg(self) -> int:
        """Latitude in microdegrees, south negative."""
        return -self.latitude_udeg if self.status & STATUS_SOUTH else self.latitude_udeg

    @property
    def signed_longitude_udeg(self) -> int:
        """Longitude in microdegrees, west negative."""
        return -self.longitude_udeg if self.status & STATUS_WEST else self.longitude_udeg

    def item(self, item_id: int) -> bytes:
        """The value of an item. Raises MalformedInput if it is absent."""
        for item in self.items:
            if item.id == item_id:
                return item.value
        raise MalformedInput(f"the report has no item 0x{item_id:02X}", code="absent")


@dataclass(frozen=True, slots=True)
class PositionBatch:
    """0x0704. `kind` 0: ordinary, 1: caught up after a blind area (may be days late)."""

    ID: ClassVar[int] = 0x0704
    kind: int
    reports: tuple[PositionReport, ...]


def decode_report(body: bytes) -> PositionReport:
    """A position report from a body. Raises MalformedInput if its fixed part is cut."""
    read = Cursor(body, "JT/T 808 0x0200")
    fixed = [read.number(size) for size in (4, 4, 4, 4, 2, 2, 2)]
    time_bcd = read.take(6)
    items, rest = _decode_items(read.rest())
    alarm, status, latitude, longitude, altitude, speed, course = fixed
    return PositionReport(
        alarm=alarm,
        status=status,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        altitude_m=altitude,
        speed_tenth_kmh=speed,
        course_deg=course,
        time_bcd=time_bcd,
        items=items,
        rest=rest,
    )


def encode_report(report: PositionReport) -> bytes:
    """The body of a position report."""
    fields = (
        (report.alarm, 4),
        (report.status, 4),
        (report.latitude_udeg, 4),
        (report.longitude_udeg, 4),
        (report.altitude_m, 2),
        (report.speed_tenth_kmh, 2),
        (report.course_deg, 2),
    )
    try:
        out = b"".join(value.to_bytes(size, "big") for value, size in fields)
    except OverflowError as error:
        raise MalformedInput(f"JT/T 808 0x0200: a field is out of range: {error}") from error
    items = b"".join(bytes((item.id, len(item.value))) + item.value for item in report.items)
    return out + report.time_bcd + items + report.rest


def decode_batch(body: bytes) -> PositionBatch:
    """A batch from a body. Raises MalformedInput if lengths and count do not agree."""
    read = Cursor(body, "JT/T 808 0x0704")
    count, kind = read.number(2), read.number(1)
    if count > _BATCH_MAX:
        raise MalformedInput(f"JT/T 808 0x0704: {count} reports; at most {_BATCH_MAX} are read")
    reports = tuple(decode_report(read.take(read.number(2))) for _ in range(count))
    read.end()
    return PositionBatch(kind, reports)


def encode_batch(batch: PositionBatch) -> bytes:
    """The body of a batch."""
    bodies = [encode_report(report) for report in batch.reports]
    head = len(bodies).to_bytes(2, "big") + bytes((batch.kind,))
    return head + b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def time_to_bcd(at: Utc) -> bytes:
    """An instant as the twelve digits that terminals send: GMT+8, whole seconds."""
    return bytes.fromhex((at.to_datetime() + _ZONE).strftime("%y%m%d%H%M%S"))


def time_from_bcd(digits: bytes) -> Utc:
    """The instant that a terminal wrote, in this century.

    Raises MalformedInput for letters and for dates that do not exist (month 13).
    """
    text = digits.hex()
    if len(text) != 12 or not text.isdigit():
        raise MalformedInput(f"JT/T 808: {text[:24]} is not a BCD time")
    parts = [int(text[i : i + 2]) for i in range(0, 12, 2)]
    try:
        local = datetime(2000 + parts[0], *parts[1:], tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise MalformedInput(f"JT/T 808: no such time: {text}") from error
    return Utc.from_datetime(local - _ZONE)


def _decode_items(data: bytes) -> tuple[tuple[Item, ...], bytes]:
    items: list[Item] = []
    at = 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        end = at + 2 + data[at + 1]
        items.append(Item(data[at], data[at + 2 : end]))
        at = end
    return tuple(items), data[at:]
