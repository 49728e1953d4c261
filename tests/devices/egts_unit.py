"""An EGTS unit written byte by byte from the standard's tables, without the node's codec."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass, field

TID, OTHER_TID, DISPATCHER = 865_905, 295_855, 2_219
IMEI = "352094081673958"
EPOCH_S = 1_262_304_000


def crc8(data: bytes) -> int:
    """Bit by bit: polynomial 0x31, from all ones."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x31 if value & 0x80 else value << 1) & 0xFF
    return value


def crc16(data: bytes) -> int:
    """Bit by bit: polynomial 0x1021, from all ones."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def packet(data: bytes, *, number: int = 1, kind: int = 1, flags: int = 0) -> bytes:
    """Header, what it carries, both checksums."""
    head = struct.pack("<BBBBBHHB", 1, 0, flags, 11, 0, len(data), number, kind)
    checked = struct.pack("<H", crc16(data)) if data else b""
    return head + bytes((crc8(head),)) + data + checked


def record(
    *subrecords: tuple[int, bytes],
    number: int = 1,
    service: int = 2,
    oid: int | None = None,
    time_s: int | None = None,
) -> bytes:
    """One record from a device, to the same service as its own."""
    inner = b"".join(struct.pack("<BH", kind, len(data)) + data for kind, data in subrecords)
    flags = 0x80 | (1 if oid is not None else 0) | (4 if time_s is not None else 0)
    told = b"" if oid is None else struct.pack("<I", oid)
    told += b"" if time_s is None else struct.pack("<I", time_s - EPOCH_S)
    return struct.pack("<HHB", len(inner), number, flags) + told + bytes((service, service)) + inner


def position(
    at_s: int,
    latitude: float = 43.2,
    longitude: float = 76.9,
    *,
    altitude: int = 640,
    valid: bool = True,
    speed: float = 60.5,
    course: int = 271,
) -> tuple[int, bytes]:
    """A POS_DATA with an altitude."""
    flags = (1 if valid else 0) | 0x12 | 0x80
    flags |= (0x20 if latitude < 0 else 0) | (0x40 if longitude < 0 else 0)
    moved = round(speed * 10) | (0x4000 if altitude < 0 else 0) | (0x8000 if course > 255 else 0)
    places = (round(abs(latitude) / 90 * 0xFFFFFFFF), round(abs(longitude) / 180 * 0xFFFFFFFF))
    data = struct.pack("<IIIBHB", at_s - EPOCH_S, *places, flags, moved, course & 0xFF)
    return 16, data + b"\x7b\0\0\x01\0" + abs(altitude).to_bytes(3, "little")


def satellites(count: int, systems: int = 3) -> tuple[int, bytes]:
    """An EXT_POS_DATA."""
    return 17, struct.pack("<BBH", 0x18, count, systems)


def terminal_identity(tid: int = TID, imei: str = "") -> tuple[int, bytes]:
    """A TERM_IDENTITY."""
    told = imei.encode().ljust(15, b"\0") if imei else b""
    return 1, struct.pack("<IB", tid, 0x12 if imei else 0x10) + told


def dispatcher_identity(did: int = DISPATCHER) -> tuple[int, bytes]:
    """A DISPATCHER_IDENTITY with a description."""
    return 5, struct.pack("<BI", 0, did) + b"platform"


@dataclass
class Told:
    """What the node said to a packet: of the transport, and record by record."""

    result: int
    records: dict[int, int] = field(default_factory=dict)


@dataclass
class Unit:
    """One line of a unit."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int = 0

    @classmethod
    async def call(cls, port: int, host: str = "127.0.0.1") -> Unit:
        return cls(*await asyncio.open_connection(host, port))

    async def heard(self, timeout_s: float = 10) -> tuple[int, int, bytes]:
        """Number, type and content of the next packet, its checksums right."""
        async with asyncio.timeout(timeout_s):
            head = await self.reader.readexactly(11)
            assert head[0] == 1
            assert head[3] == 11
            assert head[10] == crc8(head[:10])
            size, number, kind = struct.unpack("<HHB", head[5:10])
            data = await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == struct.pack("<H", crc16(data))
        return number, kind, data

    async def say(self, *records: bytes, timeout_s: float = 10) -> Told:
        """Sends a packet of records; what is answered to it."""
        self.number = self.number + 1 & 0xFFFF
        return await self.say_raw(packet(b"".join(records), number=self.number), timeout_s)

    async def say_raw(self, raw: bytes, timeout_s: float = 10) -> Told:
        """The same for bytes that are a packet already."""
        self.writer.write(raw)
        _, kind, data = await self.heard(timeout_s)
        assert kind == 0
        answers, result = struct.unpack("<HB", data[:3])
        assert answers == int.from_bytes(raw[7:9], "little")
        return Told(result, dict(_confirmed(data[3:])))

    async def come_in(self, identity: tuple[int, bytes] | None = None) -> int:
        """Says who it is; the result code."""
        said = await self.say(record(identity or terminal_identity(), service=1))
        assert said == Told(0, {1: 0})
        number, kind, data = await self.heard()
        assert kind == 1
        size, at, flags, source, recipient = struct.unpack("<HHBBB", data[:7])
        assert (flags & 0x40, source, recipient, size) == (0x40, 1, 1, 4)
        assert data[7:10] == b"\x09\x01\x00"
        # As the standard has it, the unit confirms that too; nobody answers this.
        confirmed = record((0, struct.pack("<HB", at, 0)), service=1)
        self.writer.write(packet(struct.pack("<HB", number, 0) + confirmed, kind=0))
        return data[10]

    async def ended(self) -> bool:
        """Whether the node hung up without another word."""
        said = b""
        # The node may end it before it has read what the unit said last.
        with suppress(ConnectionResetError):
            async with asyncio.timeout(10):
                said = await self.reader.read()
        self.close()
        return said == b""

    def close(self) -> None:
        self.writer.close()


def _confirmed(data: bytes):
    while data:
        size, _, flags, *_ = struct.unpack("<HHBBB", data[:7])
        assert flags in (0, 0x40)  # For a service on the device or not; no other field is there.
        inner, data = data[7 : 7 + size], data[7 + size :]
        for at in range(0, len(inner), 6):
            kind, length, number, status = struct.unpack("<BHHB", inner[at : at + 6])
            assert (kind, length) == (0, 3)
            yield number, status
