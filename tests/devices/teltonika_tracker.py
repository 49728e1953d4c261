"""A Teltonika tracker written byte by byte from the published layouts, without the node's codec."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

IMEI = "352094081673958"


def crc(data: bytes) -> int:
    """CRC-16/IBM bit by bit: polynomial x16 + x15 + x2 + 1, reflected, from zero."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


def record(
    at_ms: int,
    latitude: float = 43.2,
    longitude: float = 76.9,
    *,
    altitude: int = 640,
    satellites: int = 9,
    speed: int = 60,
) -> bytes:
    """One record of codec 8 with one element of one byte (ignition on)."""
    head = struct.pack(">QB", at_ms, 0)
    place = struct.pack(">iihHBH", round(longitude * 1e7), round(latitude * 1e7), altitude, 90,
                        satellites, speed)  # fmt: skip
    return head + place + bytes((0, 1, 1, 239, 1, 0, 0, 0))


def frame(data: bytes) -> bytes:
    """What goes over TCP: four zeros, length, data, checksum."""
    return bytes(4) + struct.pack(">I", len(data)) + data + struct.pack(">I", crc(data))


def packet(*records: bytes, codec: int = 8, behind: int | None = None) -> bytes:
    """A frame of records; `behind`: their number at the end, if it is to differ."""
    many = len(records)
    last = many if behind is None else behind
    return frame(bytes((codec, many)) + b"".join(records) + bytes((last,)))


@dataclass
class Tracker:
    """One line of a tracker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def call(cls, port: int, host: str = "127.0.0.1") -> Tracker:
        return cls(*await asyncio.open_connection(host, port))

    async def greet(self, imei: str = IMEI) -> bytes:
        """Says who it is; 01 if it is let in."""
        self.writer.write(struct.pack(">H", len(imei)) + imei.encode())
        return await self.heard(1)

    async def tell(self, raw: bytes) -> int:
        """Sends a frame; how many records were acknowledged."""
        self.writer.write(raw)
        return int.from_bytes(await self.heard(4), "big")

    async def heard(self, size: int, timeout_s: float = 10) -> bytes:
        async with asyncio.timeout(timeout_s):
            return await self.reader.readexactly(size)

    async def ended(self) -> bool:
        """Whether the node hung up without another word."""
        async with asyncio.timeout(10):
            said = await self.reader.read()
        self.close()
        return said == b""

    def close(self) -> None:
        self.writer.close()
