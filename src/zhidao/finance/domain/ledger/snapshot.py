"""The balances of a ledger at one batch, as bytes: what a restart begins with, and what is stated.

Accounts stand in TigerBeetle's 128-byte record; the Merkle root over them goes into the log, so a
balance can be proven with a few hashes. Behind them: open reservations and the filter of used ids.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.core.hashing.hashtree import leaf_hash, tree_root
from zhidao.core.versions import check_tag
from zhidao.finance.domain.ledger.book import Book
from zhidao.finance.domain.ledger.id_filter import IdFilter
from zhidao.finance.domain.ledger.ledger import Account, account_flags
from zhidao.finance.domain.ledger.records import (
    RECORD_BYTES,
    TRANSFER,
    movements_of,
    name_of,
    records_of,
    uuid_of,
)

_MAGIC: Final = b"zhidao ledger balances 1\n"
# id, four sums of 128 bits, user data (128, 64, 32 bits), reserved, ledger, code, flags, timestamp.
_ACCOUNT: Final = struct.Struct("<16s16s16s16s16s16sQIIIHHQ")
assert _ACCOUNT.size == RECORD_BYTES
# Room for a reservation that has a timeout, and for one million accounts and more.
_HEADER_MAX: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A book right after a batch."""

    shard: str
    number: int
    head: bytes
    last_ns: int
    book: Book


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shard: str
    number: int
    head: str
    last_ns: int
    accounts: int
    reservations: int
    filters: list[tuple[int, int]]


def account_bytes(account: Account) -> bytes:
    """An account's 128 bytes: the leaf of the tree of balances."""
    sums = (
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    )
    return _ACCOUNT.pack(
        name_of(account.id),
        *(value.to_bytes(16, "little") for value in sums),
        account.user_data_128.to_bytes(16, "little"),
        account.user_data_64,
        account.user_data_32,
        0,
        account.ledger,
        account.code,
        int(account.flags),
        account.timestamp,
    )


def account_from(data: bytes) -> Account:
    """An account from its 128 bytes. Raises MalformedInput for flags that do not exist."""
    name, *wide, data_64, data_32, _, ledger, code, flags, timestamp = _ACCOUNT.unpack(data)
    numbers = [int.from_bytes(value, "little") for value in wide]
    return Account(
        id=uuid_of(name),
        ledger=ledger,
        code=code,
        flags=account_flags(flags),
        user_data_128=numbers[4],
        debits_pending=numbers[0],
        debits_posted=numbers[1],
        credits_pending=numbers[2],
        credits_posted=numbers[3],
        user_data_64=data_64,
        user_data_32=data_32,
        timestamp=timestamp,
    )


def account_leaves(accounts: Iterable[Account]) -> list[bytes]:
    """The leaf hashes of the tree of balances, in order of opening."""
    return [leaf_hash(account_bytes(account)) for account in accounts]


def balances_root(accounts: Iterable[Account]) -> bytes:
    """The root over all balances."""
    return tree_root(account_leaves(accounts))


def encode(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot."""
    accounts = b"".join(map(account_bytes, snapshot.book.accounts()))
    reservations = records_of(snapshot.book.open.values()).tobytes()
    filters = snapshot.book.used.dump()
    header = msgspec.json.encode(
        _Header(
            shard=snapshot.shard,
            number=snapshot.number,
            head=snapshot.head.hex(),
            last_ns=snapshot.last_ns,
            accounts=len(accounts) // RECORD_BYTES,
            reservations=len(reservations) // RECORD_BYTES,
            filters=[(len(data), count) for data, count in filters],
        )
    )
    parts = [accounts, reservations, *(data for data, _ in filters)]
    return b"".join((_MAGIC, len(header).to_bytes(4, "big"), header, *parts))


def decode(data: bytes) -> Snapshot:
    """A snapshot from its bytes. Raises MalformedInput for any that are not one."""
    at = len(_MAGIC) + 4
    length = int.from_bytes(data[len(_MAGIC) : at], "big")
    if not data.startswith(_MAGIC):
        begun = data[: len(_MAGIC) + 9].decode("latin-1")
        check_tag(begun, (_MAGIC.decode().strip(),), form="a ledger's balances", where="byte 0")
        raise MalformedInput("these bytes are no balances of a ledger")
    if length > _HEADER_MAX:
        raise MalformedInput(f"the head of the balances has more than {_HEADER_MAX} bytes")
    try:
        header = msgspec.json.decode(data[at : at + length], type=_Header)
        head = bytes.fromhex(header.head)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedInput(f"the head of the balances is broken: {error}") from error
    at += length
    sizes = [header.accounts * RECORD_BYTES, header.reservations * RECORD_BYTES]
    sizes += [size for size, _ in header.filters]
    if min(sizes) < 0 or at + sum(sizes) != len(data):
        raise MalformedInput("the balances are cut short or too long")
    parts = []
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    book = Book()
    for start in range(0, sizes[0], RECORD_BYTES):
        book.put_account(account_from(parts[0][start : start + RECORD_BYTES]))
    for movement in movements_of(np.frombuffer(parts[1], TRANSFER)):
        book.hold(movement)
    counts = [count for _, count in header.filters]
    book.used = IdFilter.load(list(zip(parts[2:], counts, strict=True)))
    return Snapshot(header.shard, header.number, head, header.last_ns, book)


def digest(data: bytes) -> str:
    """The SHA-256 of a snapshot's bytes, as the log states it."""
    return hashlib.sha256(data).hexdigest()


def position(book: Book, account: UUID) -> int | None:
    """The place of an account in the tree of balances, or None."""
    return book.slots.get(name_of(account))
