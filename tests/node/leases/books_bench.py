"""What callers of a node's processes were promised, and whether the tables kept it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import psycopg
from tests.node.leases.processes_bench import Process, Rig, until

from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import agreed_token

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


@dataclass
class Books:
    """What callers were promised: orders and transfers that were acknowledged."""

    admin: dict[str, str] = field(default_factory=dict)
    operator: str = ""
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
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRF-Token": cookies["zhidao_csrf"],
        }
        admin = Caller(http, headers=headers)
        made = await admin.post("/v1/tokens", {"party": rig.name, "role": "operator"})
        operator = Caller(http, made["token"])
        await admin.post("/v1/parties", _PARTY)
        await admin.post("/v1/parties", _BANK)
        for holder in ("one", "two"):
            await admin.post("/v1/parties", _PARTY | {"party": holder})
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
    return Books(admin=headers, operator=made["token"], maker=maker, bank=bank, accounts=accounts)


async def finished_lot(url: str, books: Books) -> str:
    """The path of a lot of the maker's that stands."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        maker = Caller(http, books.maker)
        await maker.post("/v1/industry/orders", {"order": "read", **_ORDER})
        path = "/v1/industry/orders/read/lots"
        await maker.post(path, {"lot": "one", "serials": list("12345"), "typed": True})
    return f"{path}/one"


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
        assert answer.headers.get("Retry-After"), answer.text
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
    return base64.b64decode(note.split(b"\n")[2]).hex()


def _root(leaves: Sequence[bytes]) -> str:
    """The Merkle tree hash of RFC 6962 section 2.1, written down as it stands there."""

    def tree(part: Sequence[bytes]) -> bytes:
        if len(part) == 1:
            return hashlib.sha256(b"\0" + part[0]).digest()
        split = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + tree(part[:split]) + tree(part[split:])).digest()

    return (tree(leaves) if leaves else hashlib.sha256(b"").digest()).hex()


NOTHING_WRONG = ("lost", "doubled", "unlogged", "leaves_doubled", "misplaced", "forks")


def nothing_wrong(told: dict[str, int]) -> bool:
    """Whether every promise was kept."""
    return not any(told[name] for name in NOTHING_WRONG)


def begin_writing(rig: Rig, books: Books, seed: int, many: int = 4) -> list[asyncio.Task[None]]:
    """So many callers that write until `end_writing`."""
    return [
        asyncio.create_task(write_on(rig, books, random.Random(seed + number)))
        for number in range(many)
    ]


async def end_writing(writers: Sequence[asyncio.Task[None]], rig: Rig) -> None:
    """Stops writing, then all processes in order, so that everything is logged."""
    for writer in writers:
        writer.cancel()
    for each in await asyncio.gather(*writers, return_exceptions=True):
        assert isinstance(each, asyncio.CancelledError), each
    holder = rig.holder()
    for process in (*(one for one in rig.living() if one is not holder), holder):
        await rig.stop(process)


async def kill_and_wait(rig: Rig, books: Books) -> float:
    """Kills who holds the leases; how many seconds later something was written again."""
    victim = rig.holder()
    await rig.kill(victim)
    killed_s = time.monotonic()
    await until(lambda: any(each.serves for each in rig.living()))
    await until(lambda: books.last_s > killed_s)
    rig.processes.remove(victim)
    return books.last_s - killed_s
