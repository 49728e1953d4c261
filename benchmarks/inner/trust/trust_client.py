"""Bare HTTP over kept connections to a server of the benchmark: httpx is slower than it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it went: status, body, and seconds from the first byte out to the last in."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """One kept connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connects."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, body: bytes) -> Exchange:
        """Sends and waits for the whole answer."""
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n\r\n"
        return await self._exchange(head.encode() + body)

    async def get(self, path: str) -> Exchange:
        """Asks and waits for the whole answer."""
        return await self._exchange(f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode())

    async def _exchange(self, request: bytes) -> Exchange:
        started_s = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await self._reader.readexactly(length)
        return Exchange(int(head[9:12]), body, time.perf_counter() - started_s)

    def close(self) -> None:
        """Lets go."""
        self._writer.close()


async def post_all(port: int, path: str, lanes: Sequence[Iterable[bytes]]) -> list[Exchange]:
    """Each lane's bodies one after another over its own connection, all lanes at once."""

    async def lane(bodies: Iterable[bytes]) -> list[Exchange]:
        connection = await Connection.open(port)
        try:
            return [await connection.post(path, body) for body in bodies]
        finally:
            connection.close()

    done = await asyncio.gather(*(lane(bodies) for bodies in lanes))
    return [exchange for lane_done in done for exchange in lane_done]


def p99_ms(exchanges: Sequence[Exchange]) -> float:
    """The 99th percentile of the waiting, in milliseconds."""
    waits = sorted(each.seconds for each in exchanges)
    return waits[int(len(waits) * 0.99)] * 1000


@contextmanager
def serving(*words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server of `trust_server` until the block ends: its port and process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.inner.trust.trust_server", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("port "):
                yield int(line.split()[1]), process
                break
        else:
            raise SystemExit("the server did not start")
    finally:
        process.kill()
        process.wait(30)
