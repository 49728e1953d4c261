"""What a stopped node left on its disk, read from outside: journals, log, ledger, bus.

An auditor's tool: it starts the node's own database and bus without the node and looks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nats
import psycopg
from nats.js.errors import NotFoundError
from psycopg import sql
from psycopg.rows import dict_row

from zhidao.core.events import SignedEvent
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import from_bytes, transfers_of
from zhidao.node.config import load
from zhidao.node.serve import start_servers

ROOMS: Final = (
    *("devices", "connectivity", "trust", "exchange", "positioning"),
    *("industry", "insight", "trade", "finance", "node"),
)
_STREAM: Final = "ZHIDAO"
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node's whole record.

    `events`: every event by id. `boxes`: (event id, leaf index or None, leaf, published) of each
    outbox row. `leaves`: entries of the log by index. `balances`: credits less debits in minor
    units by (account code, account), reservations apart in `pending`. `frames`: digests of the
    stored device frames. `bus`: ids of the messages on the bus in order.
    """

    events: dict[str, SignedEvent]
    boxes: tuple[tuple[str, int | None, bytes, bool], ...]
    leaves: dict[int, bytes]
    log_size: int
    transfers: tuple[tuple[int, int, int, int], ...]
    balances: dict[tuple[int, str], int]
    pending: int
    frames: frozenset[bytes]
    bus: tuple[str, ...]
    dead_letters: tuple[str, ...]

    @property
    def facts(self) -> Counter[str]:
        """How often each type of fact was recorded."""
        return Counter(event.type for event in self.events.values())


async def read_record(data: Path) -> NodeRecord:
    """Reads the folder of a node that does not run. Call it from the main thread."""
    servers = start_servers(load(None, {}, {"node.data": str(data)}))
    try:
        with psycopg.connect(servers.database_url, row_factory=dict_row) as link:
            found = _database(link)
        return NodeRecord(**found, bus=await _bus(servers.bus_url))
    finally:
        servers.stop()


def _database(link: psycopg.Connection[_Row]) -> _Row:
    def rows(query: str) -> list[_Row]:
        return link.execute(query.encode()).fetchall()

    boxes, events = [], {}
    for room in ROOMS:
        for row in link.execute(_of_room("select event from {room}.event", room)):
            event = SignedEvent.decode(row["event"])
            assert str(event.id) not in events, "one id, two events"
            events[str(event.id)] = event
        boxes += [
            (str(row["event_id"]), row["leaf_index"], row["leaf"], row["published"])
            for row in link.execute(_of_room("select * from {room}.outbox", room))
        ]
    head = rows("select size from trust.log_head")
    accounts = {row["id"]: row["code"] for row in rows("select id, code from finance.account")}
    transfers = _transfers(rows("select data from finance.records order by shard, batch"))
    return {
        "events": events,
        "boxes": tuple(boxes),
        "leaves": {
            row["leaf_index"]: row["entry"]
            for row in rows("select leaf_index, entry from trust.log_leaf")
        },
        "log_size": head[0]["size"] if head else 0,
        "transfers": tuple(
            (
                accounts[t.debit_account_id],
                accounts[t.credit_account_id],
                t.amount,
                t.flags & _KINDS,
            )
            for t in transfers
        ),
        "balances": _balances(transfers, accounts),
        "pending": _pending(transfers),
        "frames": frozenset(row["digest"] for row in rows("select digest from devices.frame")),
        "dead_letters": tuple(
            f"{row['consumer']} {row['subject']}: {row['reason']}"
            for row in rows("select consumer, subject, reason from node.dead_letter")
        ),
    }


# Flags of a transfer: TigerBeetle's, which the ledger follows.
_PENDING: Final = TransferFlag.PENDING
_POST: Final = TransferFlag.POST_PENDING_TRANSFER
_VOID: Final = TransferFlag.VOID_PENDING_TRANSFER
_KINDS: Final = _PENDING | _POST | _VOID


def _transfers(batches: list[_Row]) -> list[Transfer]:
    return [one for batch in batches for one in transfers_of(from_bytes(bytes(batch["data"])))]


def _balances(transfers: list[Transfer], accounts: dict[Any, int]) -> dict[tuple[int, str], int]:
    sums: Counter[Any] = Counter(dict.fromkeys(accounts, 0))
    for transfer in transfers:
        if not transfer.flags & (_PENDING | _VOID):
            sums[transfer.debit_account_id] -= transfer.amount
            sums[transfer.credit_account_id] += transfer.amount
    return {(accounts[account], str(account)): minor for account, minor in sums.items()}


def _pending(transfers: list[Transfer]) -> int:
    """Reservations that were neither posted nor voided, in minor units."""
    ended = {t.pending_id for t in transfers if t.flags & (_POST | _VOID)}
    return sum(t.amount for t in transfers if t.flags & _PENDING and t.id not in ended)


def _of_room(query: str, room: str) -> sql.Composed:
    return sql.SQL(query).format(room=sql.Identifier(room))


async def _bus(url: str) -> tuple[str, ...]:
    client = await nats.connect(url, connect_timeout=5)
    try:
        stream = client.jetstream()
        state = (await stream.stream_info(_STREAM)).state
        ids = []
        for number in range(state.first_seq, state.last_seq + 1):
            message = await stream.get_msg(_STREAM, seq=number)
            ids.append((message.headers or {}).get("Nats-Msg-Id", ""))
        return tuple(ids)
    except NotFoundError:
        return ()
    finally:
        await client.close()
