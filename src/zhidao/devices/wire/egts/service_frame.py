"""What a packet of EGTS carries: records of services, alone or behind an answer or a signature.

Source: GOST 33465-2015, tables 5 to 7, 14 and 15, as read in a transcript.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.transport import (
    APPDATA,
    COMPRESSED,
    ENCRYPTED,
    RESPONSE,
    SIGNED_APPDATA,
    Packet,
)
from zhidao.devices.wire.jt808.cursor import Cursor

# Services (table 16).
AUTH_SERVICE, TELEDATA_SERVICE = 1, 2
# Table 7: a signature has at most so many bytes.
SIGNATURE_BYTES_MAX: Final = 512
# Of one packet, so that the answer to it fits one packet too.
RECORDS_MAX: Final = 4_096
# Record flags: the sender's and the recipient's service is on the device; which fields there are.
ON_DEVICE, FOR_DEVICE = 0x80, 0x40
_TIMED, _OF_EVENT, _OF_OBJECT = 0x04, 0x02, 0x01
_PRESENT: Final = _TIMED | _OF_EVENT | _OF_OBJECT
_WHAT: Final = "EGTS record"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a service. `data`: its subrecords, not read yet (`subrecords.subrecords_of`).

    `marks`: its flags without those that say which fields there are; `object_id`: of the unit that
    it is about; `time_s`: when it was made, in seconds after 2010-01-01T00:00:00Z. None: absent.
    """

    number: int
    source: int
    recipient: int
    data: bytes
    marks: int = 0
    object_id: int | None = None
    event_id: int | None = None
    time_s: int | None = None

    def encode(self) -> bytes:
        """Its bytes. Raises MalformedInput for what does not fit its field."""
        fields = (self.object_id, self.event_id, self.time_s)
        flags = self.marks & ~_PRESENT
        for value, bit in zip(fields, (_OF_OBJECT, _OF_EVENT, _TIMED), strict=True):
            flags |= bit if value is not None else 0
        try:
            head = len(self.data).to_bytes(2, "little") + self.number.to_bytes(2, "little")
            head += bytes((flags,))
            head += b"".join(each.to_bytes(4, "little") for each in fields if each is not None)
        except OverflowError as error:
            raise MalformedInput("EGTS: a number does not fit its field") from error
        return head + bytes((self.source, self.recipient)) + self.data


@dataclass(frozen=True, slots=True)
class ServiceFrame:
    """The records of a packet. `answers`: the packet that it answers, with which `result`; or none.

    `signature`: of a signed packet; it is not checked here.
    """

    records: tuple[Record, ...] = ()
    answers: int | None = None
    result: int = 0
    signature: bytes | None = None

    @property
    def kind(self) -> int:
        """The type of its packet."""
        if self.answers is not None:
            return RESPONSE
        return APPDATA if self.signature is None else SIGNED_APPDATA

    def encode(self) -> bytes:
        """What the packet carries."""
        before = b""
        if self.answers is not None:
            before = self.answers.to_bytes(2, "little") + bytes((self.result,))
        elif self.signature is not None:
            before = len(self.signature).to_bytes(2, "little") + self.signature
        return before + b"".join(record.encode() for record in self.records)


def decode_frame(packet: Packet) -> ServiceFrame:
    """What a packet carries.

    Raises MalformedInput: `encrypted`, `compressed`, `unknown_type`, `truncated`, `bad_count`,
    `bad_length` for a signature that is too long.
    """
    if packet.flags & ENCRYPTED:
        raise MalformedInput("EGTS: the packet is encrypted", code="encrypted")
    if packet.flags & COMPRESSED:
        raise MalformedInput("EGTS: the packet is compressed", code="compressed")
    read = Cursor(packet.data, _WHAT)
    if packet.kind == APPDATA:
        return ServiceFrame(_records(read))
    if packet.kind == RESPONSE:
        answers, (result,) = _number(read, 2), read.take(1)
        return ServiceFrame(_records(read), answers=answers, result=result)
    if packet.kind != SIGNED_APPDATA:
        raise MalformedInput(f"EGTS: packet type {packet.kind}", code="unknown_type")
    size = _number(read, 2)
    if size > SIGNATURE_BYTES_MAX:
        raise MalformedInput(f"EGTS: a signature of {size} bytes", code="bad_length")
    return ServiceFrame(signature=read.take(size), records=_records(read))


def timed(records: Sequence[Record]) -> Iterator[Record]:
    """The records of a packet, each with its time: of one object only the first must bear it."""
    last: dict[int | None, int] = {}
    for record in records:
        if record.time_s is not None:
            last[record.object_id] = record.time_s
            yield record
        elif record.object_id in last:
            yield replace(record, time_s=last[record.object_id])
        else:
            yield record


def _records(read: Cursor) -> tuple[Record, ...]:
    records: list[Record] = []
    while read.left:
        if len(records) == RECORDS_MAX:
            raise MalformedInput(
                f"EGTS: more than {RECORDS_MAX} records in a packet", code="bad_count"
            )
        records.append(_record(read))
    return tuple(records)


def _record(read: Cursor) -> Record:
    size, number, (flags,) = _number(read, 2), _number(read, 2), read.take(1)
    object_id, event_id, time_s = (
        _number(read, 4) if flags & bit else None for bit in (_OF_OBJECT, _OF_EVENT, _TIMED)
    )
    source, recipient = read.take(2)
    return Record(
        number=number,
        source=source,
        recipient=recipient,
        data=read.take(size),
        marks=flags & ~_PRESENT,
        object_id=object_id,
        event_id=event_id,
        time_s=time_s,
    )


def _number(read: Cursor, size: int) -> int:
    return int.from_bytes(read.take(size), "little")
