"""What a platform says to a unit of EGTS: what became of its packets and records, and of itself.

Source: GOST 33465-2015, 5.6.2.2, 5.6.2.4, 6.7.2.1 and 6.7.2.9, and the codes of appendix C.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.egts.service_frame import (
    AUTH_SERVICE,
    FOR_DEVICE,
    ON_DEVICE,
    Record,
    ServiceFrame,
)
from zhidao.devices.wire.egts.subrecords import (
    BAD_DATA,
    RecordResponse,
    ResultCode,
    encode_subrecords,
)
from zhidao.devices.wire.egts.transport import APPDATA, RESPONSE, Packet, Route

_NUMBERS: Final = 1 << 16
# Appendix C, by the codes of our own errors; any other is wrong data.
_RESULTS: Final = {
    "bad_preamble": 128,
    "encrypted": 129,
    "bad_header": 131,
    "unknown_type": 133,
    "bad_header_checksum": 137,
    "bad_checksum": 138,
    "bad_length": 139,
    "oversize": 139,
}


def result_of(error: MalformedInput) -> int:
    """The code by which the standard names what is wrong with a packet."""
    return _RESULTS.get(error.code, BAD_DATA)


class Replies:
    """Writes what one line is told, and numbers its packets and records."""

    def __init__(self) -> None:
        self._packets = -1
        self._records = -1

    def response(
        self,
        packet_id: int,
        result: int,
        statuses: Sequence[tuple[Record, int]] = (),
        route: Route | None = None,
    ) -> bytes:
        """The answer to a packet, with what became of each of its records.

        `route`: by which the packet came; the answer goes the same way back.
        """
        groups: dict[tuple[int, int, int], list[RecordResponse]] = {}
        for record, status in statuses:
            between = (record.recipient, record.source, _marks(record))
            groups.setdefault(between, []).append(RecordResponse(record.number, status))
        records = tuple(
            self._record(encode_subrecords(found), *between) for between, found in groups.items()
        )
        frame = ServiceFrame(records, answers=packet_id, result=result)
        return self._packet(frame, RESPONSE, route)

    def result(self, record: Record, code: int, route: Route | None = None) -> bytes:
        """Whether whoever said who he is in this record is let in."""
        data = encode_subrecords([ResultCode(code)])
        told = self._record(data, AUTH_SERVICE, AUTH_SERVICE, _marks(record))
        return self._packet(ServiceFrame((told,)), APPDATA, route)

    def _record(self, data: bytes, source: int, recipient: int, marks: int) -> Record:
        self._records = (self._records + 1) % _NUMBERS
        return Record(self._records, source, recipient, data, marks)

    def _packet(self, frame: ServiceFrame, kind: int, route: Route | None) -> bytes:
        self._packets = (self._packets + 1) % _NUMBERS
        back = Route(route.recipient, route.peer, route.hops) if route else None
        return Packet(self._packets, kind, frame.encode(), route=back).encode()


def _marks(record: Record) -> int:
    return FOR_DEVICE if record.marks & ON_DEVICE else 0
