"""Several processes of one node on one database and one bus, written to while they die."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
import psycopg

from zhidao.bus.embedded import EmbeddedNats
from zhidao.core.programs.child import free_port
from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import agreed_token
from zhidao.store.embedded import EmbeddedPostgres

READY_S = 60.0
_PARTY = {"party": "maker", "name": "Maker", "trade_role": "exporter", "country": "CN"}
_BANK = {"party": "bank", "name": "Bank", "trade_role": "bank", "country": "KZ"}
_BYTES = "application/octet-stream"
_PLACE = {"name": "Holder", "currency": "CNY", "town": "Almaty", "country": "KZ"}
_ORDER = {
    "gtin": "06901234000016",
    "quantity": 5,
    "limits": [{"name": "pressure", "low": "1", "high": "2", "unit": "BAR"}],
    "readers": [],
}


@contextlib.contextmanager
def database_in(folder: Path) -> Iterator[str]:
    """A PostgreSQL that outlives every process of the node; gives its URL."""
    server = EmbeddedPostgres(folder / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()


@dataclass
class Process:
    """One `zhidao serve` of the node."""

    port: int
    child: asyncio.subprocess.Process
    out: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self) -> dict[str, Any]:
        """What it said of itself last, `{}` before that."""
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return json.loads(lines[-1]) if lines else {}

    @property
    def serves(self) -> bool:
        return self.told().get("standby") is False

    def send(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)


@dataclass
class Rig:
    """Starts, kills and stops processes; ends them all in the end."""

    folder: Path
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "corridor"
    processes: list[Process] = field(default_factory=list)
    _bus: EmbeddedNats | None = None
    _bus_url: str = ""
    _count: int = 0

    async def __aenter__(self) -> Self:
        self._bus = EmbeddedNats(self.folder / "nats")
        self._bus_url = self._bus.start()
        (self.folder / "data").mkdir(mode=0o700)
        passphrase = self.folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("throw-away keys of a test")
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            if process.child.returncode is None:
                process.send(signal.SIGCONT)
                process.send(signal.SIGKILL)
                await process.child.wait()
        if self._bus:
            self._bus.stop()

    async def start(self, *words: str, **settings: str) -> Process:
        """Starts one more and waits until it answers, as holder or as standby."""
        self._count += 1
        port = free_port()
        environment = os.environ | {
            "ZHIDAO_NODE_NAME": self.name,
            "ZHIDAO_NODE_DEMO": "true",
            "ZHIDAO_HTTP_TLS": "off",
            "ZHIDAO_HTTP_PORT": str(port),
            "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
            "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
            "ZHIDAO_DEVICES_PORT": "0",
            "ZHIDAO_DATABASE_URL": self.database_url,
            "ZHIDAO_BUS_URL": self._bus_url,
            "ZHIDAO_KEYS_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            **self.settings,
            **settings,
        }
        out = self.folder / f"process-{self._count}.out"
        command = (sys.executable, "-m", "zhidao.cli", "serve", "--json")
        with out.open("wb") as told, (self.folder / f"process-{self._count}.log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *command,
                *("--data", str(self.folder / "data"), *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                env=environment,
            )
        process = Process(port, child, out)
        self.processes.append(process)
        await until(lambda: bool(process.told()) or child.returncode is not None)
        assert child.returncode is None, self.log_of(process)
        return process

    def log_of(self, process: Process) -> str:
        return process.out.with_suffix(".log").read_text()[-3000:]

    def living(self) -> list[Process]:
        return [each for each in self.processes if each.child.returncode is None]

    def holder(self) -> Process:
        """The process that said last that it serves."""
        return next(each for each in self.living() if each.serves)

    async def kill(self, process: Process) -> None:
        process.send(signal.SIGKILL)
        await process.child.wait()

    async def stop(self, process: Process) -> None:
        process.send(signal.SIGTERM)
        await process.child.wait()

    def state(self) -> dict[str, Any]:
        """What the node's own file says (with codes)."""
        found = [
            json.loads(file.read_bytes()) for file in (self.folder / "data").glob("node*.json")
        ]
        return next(each for each in found if not each["standby"])


async def until(condition: Any, seconds: float = READY_S) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@dataclass
class Books:
    """What callers were promised: orders and transfers that were acknowledged."""

    maker: str = ""
    bank: str = ""
    accounts: Sequence[str] = ()
    orders: list[str] = field(default_factory=list)
    transfers: list[UUID] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    last_s: float = 0.0


async def open_books(rig: Rig, url: str) -> Books:
    """A maker and a bank with two accounts."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await Caller(http).ask(
            "POST", "/v1/session/link", json={"code": rig.state()["admin_code"]}
        )
        cookies = dict(answer.cookies)
        http.cookies.clear()
        admin = Caller(
            http,
            headers={
                "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
                "X-CSRF-Token": cookies["zhidao_csrf"],
            },
        )
        made = await admin.post("/v1/tokens", {"party": rig.name, "role": "operator"})
        operator = Caller(http, made["token"])
        await admin.post("/v1/parties", _PARTY)
        await admin.post("/v1/parties", _BANK)
        maker = await agreed_token(admin, operator, {"party": "maker", "role": "party"})
        bank = await agreed_token(admin, operator, {"party": "bank", "role": "party"})
        admitted = {"bank": "bank", "name": "Bank", "bic": "ALMAKZKA"}
        await operator.post("/v1/finance/banks", admitted | {"town": "Almaty", "country": "KZ"})
        caller = Caller(http, bank)
        accounts = [
            str((await caller.post("/v1/finance/accounts", {"holder": holder} | _PLACE))["account"])
            for holder in ("one", "two")
        ]
        funds = {"deposit": "d", "holder": "one", "amount_minor": 10**12, "currency": "CNY"}
        await caller.post("/v1/finance/deposits", funds)
    return Books(maker=maker, bank=bank, accounts=accounts)


async def write_on(rig: Rig, books: Books, chance: random.Random, *, pause_s: float = 0.01) -> None:
    """Writes until cancelled, to whichever process, each write again until it is acknowledged."""
    async with httpx.AsyncClient(timeout=8) as http:
        while True:
            if chance.random() < 0.5:
                name = f"order-{chance.getrandbits(64):x}"
                body: Any = {"order": name, **_ORDER}
                await _insist(rig, books, chance, http, "/v1/industry/orders", body, books.maker)
                books.orders.append(name)
            else:
                transfer = UUID(int=chance.getrandbits(128), version=4)
                record = _record(transfer, books)
                await _insist(rig, books, chance, http, _RECORDS, record, books.bank)
                books.transfers.append(transfer)
            books.last_s = time.monotonic()
            await asyncio.sleep(pause_s)


_RECORDS = "/v1/finance/transfers/CNY/records"


def _record(transfer: UUID, books: Books) -> bytes:
    """A transfer of one fen as TigerBeetle's clients write it: 128 bytes, little-endian."""
    named = (transfer, *map(UUID, books.accounts))
    names = b"".join(one.int.to_bytes(16, "little") for one in named)
    currency, payment = int.from_bytes(b"CNY", "big"), 4
    return struct.pack("<48sQQ32xQIIIHHQ", names, 1, 0, 0, 0, 0, currency, payment, 0, 0)


async def late_order(process: Process, books: Books, name: str) -> str:
    """What a process says that is stopped while it is asked: a status and a code, or nothing."""
    async with httpx.AsyncClient(timeout=60) as http:
        try:
            answer = await http.post(
                process.url + "/v1/industry/orders",
                json={"order": name, **_ORDER},
                headers={"Authorization": f"Bearer {books.maker}"},
            )
        except httpx.TransportError as error:
            return type(error).__name__
    if answer.status_code < 400:
        books.orders.append(name)
    return f"{answer.status_code} {answer.json().get('code', '')}"


async def _insist(
    rig: Rig,
    books: Books,
    chance: random.Random,
    http: httpx.AsyncClient,
    path: str,
    body: Any,
    token: str,
) -> None:
    again = False
    while True:
        try:
            answer = await http.post(
                chance.choice(rig.living()).url + path,
                **({"content": body} if isinstance(body, bytes) else {"json": body}),
                headers={
                    "Authorization": f"Bearer {token}",
                    **({"Content-Type": _BYTES} if isinstance(body, bytes) else {}),
                },
            )
        except httpx.TransportError:
            again = True
            books.seen["transport"] = books.seen.get("transport", 0) + 1
            await asyncio.sleep(0.05)
            continue
        if answer.status_code < 400 and isinstance(body, bytes):
            assert answer.json() in (["created"], ["exists"]), answer.text
        if answer.status_code < 400 or (again and answer.status_code == 409):
            return
        code = str(answer.json().get("code"))
        books.seen[code] = books.seen.get(code, 0) + 1
        assert answer.status_code == 503, answer.text
        again = True
        await asyncio.sleep(0.05)


def check_books(database_url: str, books: Books) -> dict[str, int]:
    """Counts what was lost or doubled, straight from the tables, and replays the log's tree."""
    with psycopg.connect(database_url) as link:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return link.execute(sql.encode()).fetchall()

        made = [str(row[0]) for row in rows("select aggregate from industry.event")]
        held = [row[0] for row in rows("select id from finance.transfer_id")]
        leaves = [bytes(row[0]) for row in rows(_LEAVES)]
        told = [(int(size), bytes(note)) for size, note in rows(_NOTES)]
        boxes = [(index, bytes(leaf)) for index, leaf in rows(_BOXES)]
    orders = [name.rpartition("/")[2] for name in made]
    counted = {name: orders.count(name) for name in set(books.orders)}
    return {
        "acknowledged": len(books.orders) + len(books.transfers),
        "lost": sum(not many for many in counted.values()) + len(set(books.transfers) - set(held)),
        "doubled": sum(many > 1 for many in counted.values()) + len(held) - len(set(held)),
        "unlogged": sum(index is None for index, _ in boxes),
        "leaves_doubled": len(leaves) - len(set(leaves)),
        "misplaced": sum(index is not None and leaves[index] != leaf for index, leaf in boxes),
        "forks": sum(_root_in(note) != _root(leaves[:size]) for size, note in told),
        "leaves": len(leaves),
    }


_LEAVES = "select entry from trust.log_leaf order by leaf_index"
_NOTES = "select size, note from trust.log_checkpoint order by size desc limit 40"
_ROOMS = (
    *("devices", "connectivity", "trust", "exchange", "positioning"),
    *("industry", "insight", "trade", "finance", "node"),
)
_BOXES = " union all ".join(f"select leaf_index, leaf from {room}.outbox" for room in _ROOMS)


def _root_in(note: bytes) -> str:
    """The root in a checkpoint's third line (C2SP tlog-checkpoint), as hexadecimal."""
    import base64

    return base64.b64decode(note.split(b"\n")[2]).hex()


def _root(leaves: Sequence[bytes]) -> str:
    """The Merkle tree hash of RFC 6962 section 2.1, written down as it stands there."""

    def tree(part: Sequence[bytes]) -> bytes:
        if len(part) == 1:
            return hashlib.sha256(b"\0" + part[0]).digest()
        split = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + tree(part[:split]) + tree(part[split:])).digest()

    return (tree(leaves) if leaves else hashlib.sha256(b"").digest()).hex()
