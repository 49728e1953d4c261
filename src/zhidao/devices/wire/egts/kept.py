"""Records of EGTS as they are kept: each by itself, in a packet of its own."""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.service_frame import (
    TELEDATA_SERVICE,
    Record,
    ServiceFrame,
    decode_frame,
)
from zhidao.devices.wire.egts.subrecords import PosData, Subrecord
from zhidao.devices.wire.egts.transport import APPDATA, Packet, decode_packet

# Behind the messages of JT/T 808, which have sixteen bits, and the codecs of Teltonika.
_KEPT: Final = 2 << 16
POSITION_ID: Final = _KEPT | TELEDATA_SERVICE << 8 | PosData.type_id


def kept_id(record: Record, subrecords: tuple[Subrecord, ...]) -> int:
    """The number under which a record is kept: by its service and subrecord, a position first."""
    if any(isinstance(each, PosData) for each in subrecords):
        return POSITION_ID
    first = subrecords[0].type_id if subrecords else 0
    return _KEPT | record.recipient << 8 | first


def packed(record: Record) -> bytes:
    """A packet with this record and no other."""
    return Packet(record.number, APPDATA, ServiceFrame((record,)).encode()).encode()


def kept_record(plain: bytes) -> Record:
    """The record in such a packet. Raises MalformedInput for any other bytes."""
    records = decode_frame(decode_packet(plain)).records
    if len(records) != 1:
        raise MalformedInput(f"EGTS: {len(records)} records were kept as one", code="bad_count")
    return records[0]


def said(record: Record, subrecords: tuple[Subrecord, ...]) -> bytes | None:
    """What tells a record from others, however often and by which number it is sent.

    None: it bears no time, and another may say the same again.
    """
    bears_time = record.time_s is not None or any(isinstance(s, PosData) for s in subrecords)
    if not bears_time:
        return None
    return record.encode()[4:]  # Without its length, which the data have, and its number.
