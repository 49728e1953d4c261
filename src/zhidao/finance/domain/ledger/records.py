"""Transfers in columns: TigerBeetle's 128-byte record as a numpy type, and as plain tuples.

The same bytes are the leaf of the hash tree, the message between client and node and the row of a
batch, so no step of the fast path makes one Python object for each transfer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag

TRANSFER: Final = np.dtype(
    [
        ("id", "V16"),
        ("debit_account_id", "V16"),
        ("credit_account_id", "V16"),
        ("amount", "<u8"),
        ("amount_high", "<u8"),
        ("pending_id", "V16"),
        ("user_data_128", "V16"),
        ("user_data_64", "<u8"),
        ("user_data_32", "<u4"),
        ("timeout", "<u4"),
        ("ledger", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("timestamp", "<u8"),
    ]
)
"""One transfer, little-endian; amounts of 128 bits stand in two halves."""
RECORD_BYTES: Final = 128
RECORD: Final = np.dtype("V128")
"""The same as plain bytes."""
assert TRANSFER.itemsize == RECORD_BYTES
Records: TypeAlias = NDArray[np.void]
Name: TypeAlias = bytes
"""A 128-bit identifier as 16 little-endian bytes."""
NO_NAME: Final = bytes(16)
MAX_NAME: Final = b"\xff" * 16

_RECORD: Final = struct.Struct("<16s16s16sQQ16s16sQIIIHHQ")
assert _RECORD.size == RECORD_BYTES
_LOW: Final = 2**64 - 1
# Fewer rows are read one by one: thirteen columns cost more than they save.
_COLUMNS_FROM: Final = 32


class Movement(NamedTuple):
    """One transfer as the sequential machine reads it: names are bytes, the amount an integer."""

    id: Name
    debit_account_id: Name
    credit_account_id: Name
    amount: int
    pending_id: Name
    user_data_128: Name
    user_data_64: int
    user_data_32: int
    timeout: int
    ledger: int
    code: int
    flags: int
    timestamp: int


def name_of(identifier: UUID) -> Name:
    """The name of an account or transfer."""
    return identifier.int.to_bytes(16, "little")


def uuid_of(name: Name) -> UUID:
    """The identifier behind a name."""
    return UUID(int=int.from_bytes(name, "little"))


def movement_of(transfer: Transfer) -> Movement:
    """A transfer as the machine reads it."""
    return Movement(
        name_of(transfer.id),
        name_of(transfer.debit_account_id),
        name_of(transfer.credit_account_id),
        transfer.amount,
        name_of(transfer.pending_id),
        transfer.user_data_128.to_bytes(16, "little"),
        transfer.user_data_64,
        transfer.user_data_32,
        transfer.timeout,
        transfer.ledger,
        transfer.code,
        int(transfer.flags),
        transfer.timestamp,
    )


def transfer_of(movement: Movement) -> Transfer:
    """The same transfer as the services use it."""
    return Transfer(
        id=uuid_of(movement.id),
        debit_account_id=uuid_of(movement.debit_account_id),
        credit_account_id=uuid_of(movement.credit_account_id),
        amount=movement.amount,
        pending_id=uuid_of(movement.pending_id),
        user_data_128=int.from_bytes(movement.user_data_128, "little"),
        user_data_64=movement.user_data_64,
        user_data_32=movement.user_data_32,
        timeout=movement.timeout,
        ledger=movement.ledger,
        code=movement.code,
        flags=TransferFlag(movement.flags),
        timestamp=movement.timestamp,
    )


def record_bytes(movement: Movement) -> bytes:
    """The 128 bytes of one transfer."""
    amount = movement.amount
    return _RECORD.pack(*movement[:3], amount & _LOW, amount >> 64, *movement[4:])


def records_of(movements: Iterable[Movement]) -> Records:
    """Movements as records, shape (n,)."""
    return np.frombuffer(b"".join(map(record_bytes, movements)), TRANSFER)


def movements_of(records: Records) -> list[Movement]:
    """Records, shape (n,), as movements."""
    if len(records) < _COLUMNS_FROM:
        rows = _RECORD.iter_unpack(records.tobytes())
        return [Movement._make((*row[:3], row[3] | row[4] << 64, *row[5:])) for row in rows]
    columns: list[list[Any]] = [
        records[name].tolist() for name in TRANSFER.names or () if name != "amount_high"
    ]
    for place in np.flatnonzero(records["amount_high"]).tolist():
        columns[3][place] |= int(records["amount_high"][place]) << 64
    return [Movement._make(row) for row in zip(*columns, strict=True)]


def transfers_of(records: Records) -> tuple[Transfer, ...]:
    """Records as the services use them."""
    return tuple(map(transfer_of, movements_of(records)))


def from_transfers(transfers: Sequence[Transfer]) -> Records:
    """Transfers as records, shape (n,)."""
    return records_of(map(movement_of, transfers))


def from_bytes(data: bytes) -> Records:
    """A batch as it comes from a client: records of 128 bytes, one after the other.

    Raises MalformedInput for a length that is no multiple of 128.
    """
    if len(data) % RECORD_BYTES:
        raise MalformedInput(
            f"{len(data)} bytes are no whole number of transfers of {RECORD_BYTES} bytes",
            remedy="send the records of a batch one after the other and nothing else",
        )
    return np.frombuffer(data, TRANSFER)


def big_endian(names: NDArray[np.void]) -> NDArray[np.void]:
    """A column of names, shape (n,) of V16, in the byte order of PostgreSQL's uuid; and back."""
    flat = np.ascontiguousarray(names).view(np.uint8).reshape(len(names), 16)
    return np.ascontiguousarray(flat[:, ::-1]).view("V16").reshape(len(names))
