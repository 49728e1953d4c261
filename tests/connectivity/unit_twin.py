"""A strict twin of a BeiDou unit, written from the sentences alone: it shares no code with the room.

It checks each sentence that it is given and notes every fault: a checksum, a field, a message
longer than the card's, an interval undercut. Between twins stands the air, which loses by a seed.
"""

from __future__ import annotations

import os
import random
import re
import socket
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

_LINE = re.compile(r"\$(CC[A-Z]{3}),([^*\r\n]*)\*([0-9A-F]{2})\r\n\Z")


def xor(body: str) -> str:
    value = 0
    for letter in body:
        value ^= ord(letter)
    return f"{value:02X}"


def line(body: str) -> bytes:
    return f"${body}*{xor(body)}\r\n".encode()


@dataclass
class Twin:
    """One unit. `bits` of a message; `old`: protocol 2.1; `refuses`: share of requests refused."""

    card: str
    interval_s: float
    bits: int = 628
    old: bool = True
    level: int = 3
    refuses: float = 0.0
    silent: float = 0.0
    seed: int = 0
    air: Callable[[str, str, bytes], None] = lambda *_: None
    faults: list[str] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    refusals: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.card}/{self.seed}")
        self._held = b""
        self.free_at = float("-inf")

    def take(self, data: bytes, now: float) -> bytes:
        """What the unit answers to these bytes."""
        self._held += data
        out = b""
        while b"\n" in self._held:
            text, _, self._held = self._held.partition(b"\n")
            out += self._sentence((text + b"\n").decode("ascii"), now)
        return out

    def _sentence(self, text: str, now: float) -> bytes:
        match = _LINE.match(text)
        if not match or xor(f"{match[1]},{match[2]}") != match[3]:
            self.faults.append(f"no sentence: {text!r}")
            return b""
        name, fields = match[1], match[2].split(",")
        if name == "CCICA" and self.old:
            return line(
                f"BDICI,{self.card},00012345,0000011,6,{self.interval_s:g},{self.level},N,0"
            )
        if name == "CCICR" and not self.old:
            rest = f"1,3,0,N,1,Y,1,0,0,3,1,{self.interval_s:g},{self.level},1,1,2,2,0,0,0,0"
            return line(f"BDICP,{self.card},2032472,{rest}")
        if name == "CCTXA" and self.old and len(fields) == 4:
            return self._send(fields[0], fields[1:3], fields[3], now)
        if name == "CCTCQ" and not self.old and len(fields) == 6:
            return self._send(fields[0], fields[1:4], fields[4], now)
        if name not in ("CCICA", "CCICR"):
            self.faults.append(f"a request of the other protocol: {text!r}")
        return b""

    def _send(self, receiver: str, codes: list[str], payload: str, now: float) -> bytes:
        kinds = [("0", "1"), ("0", "1", "2")] if self.old else ["12345", "12", "12345"]
        if not all(code in kind for code, kind in zip(codes, kinds, strict=True)):
            self.faults.append(f"codes {codes}")
        if not re.fullmatch(r"[0-9]{7,8}", receiver) or not re.fullmatch(
            r"(?:[0-9A-F]{2})+", payload
        ):
            self.faults.append(f"receiver {receiver}, payload {payload}")
        if 4 * len(payload) > self.bits:
            self.faults.append(f"{4 * len(payload)} bits of {self.bits}")
        if now < self.free_at:
            self.faults.append(f"interval undercut: {self.free_at - now:.6f} s too early")
        if self._chance.random() < self.refuses:
            self.refusals += 1
            wait = self._chance.choice((0, 7, 40))
            self.free_at = max(self.free_at, now + wait)
            return self._answer(done=False, reason=4, wait=wait)
        self.free_at = now + self.interval_s
        self.sent_at.append(now)
        data = bytes.fromhex(payload)
        mixed = codes[-1] == ("2" if self.old else "3")
        self.air(self.card, receiver, data[1:] if mixed and data[:1] == b"\xa4" else data)
        return b"" if self._chance.random() < self.silent else self._answer(done=True)

    def _answer(self, *, done: bool, reason: int = 0, wait: int = 0) -> bytes:
        letter = "Y" if done else "N"
        if self.old:
            return line(f"BDFKI,TXA,{letter},Y,{reason},{wait:04}")
        return line(f"BDFKI,082920,TCQ,{letter},{reason},{wait}")

    def heard(self, sender: str, data: bytes) -> bytes:
        """What the unit writes when a message comes."""
        if self.old:
            return line(f"BDTXR,1,{sender},1,,{data.hex().upper()}")
        return line(f"BDTCI,{sender.zfill(8)},{self.card},2,082920,2,0,{data.hex().upper()}")


@dataclass
class Air:
    """Messages between twins, of which some are lost and some come twice."""

    loss: float = 0.0
    seed: int = 0
    doubled: float = 0.0
    under_way: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"air/{self.seed}")

    def __call__(self, sender: str, receiver: str, data: bytes) -> None:
        if self._chance.random() < self.loss:
            return
        self.under_way.append((sender, receiver, data))
        if self._chance.random() < self.doubled:
            self.under_way.append((sender, receiver, data))

    def drain(self) -> list[tuple[str, str, bytes]]:
        out, self.under_way = self.under_way, []
        return out


class Wires:
    """Twins on real lines, pseudo-terminals or sockets, served by one thread until closed."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self._lock = threading.Lock()
        self._ends: dict[str, tuple[Twin, Callable[[], bytes], Callable[[bytes], None]]] = {}
        self._closing: list[Callable[[], None]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def pty(self, twin: Twin) -> str:
        twin.air = self._air
        ours, theirs = os.openpty()
        # A unit echoes nothing, as a terminal does before somebody sets it.
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._closing += [lambda: os.close(ours), lambda: os.close(theirs)]

        def read() -> bytes:
            try:
                return os.read(ours, 4096)
            except (BlockingIOError, OSError):
                return b""

        with self._lock:
            self._ends[twin.card] = (twin, read, lambda data: void(os.write(ours, data)))
        return os.ttyname(theirs)

    def tcp(self, twin: Twin) -> str:
        twin.air = self._air
        server = socket.create_server(("127.0.0.1", 0))
        server.setblocking(False)
        links: list[socket.socket] = []
        self._closing += [server.close, lambda: [link.close() for link in links]]

        def read() -> bytes:
            try:
                link, _ = server.accept()
                link.setblocking(False)
                links.append(link)
            except BlockingIOError:
                pass
            try:
                return links[-1].recv(4096) if links else b""
            except OSError:
                return b""

        with self._lock:
            self._ends[twin.card] = (twin, read, lambda data: void(links and links[-1].send(data)))
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                ends = dict(self._ends)
            for twin, read, write in ends.values():
                data = read()
                out = twin.take(data, time.monotonic()) if data else b""
                if out:
                    write(out)
            for sender, receiver, data in self._air.drain():
                if receiver in ends:
                    ends[receiver][2](ends[receiver][0].heard(sender, data))
            time.sleep(0.002)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for each in self._closing:
            each()


def void(_: object) -> None:
    return None
