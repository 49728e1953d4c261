"""Batches of accounts and transfers as lines of JSON, with TigerBeetle's field names.

One line is one batch: {"accounts": [...]} or {"transfers": [...]}, also under TigerBeetle's names
of the operations, create_accounts and create_transfers; and, if wanted, "timestamp": the time of
the batch's last event in ns (Unix), so that reservations can end. Numbers are integers or decimal
strings (128 bits do not survive every JSON reader); flags are bits, a name, or a list of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.ledger import (
    Account,
    AccountFlag,
    Transfer,
    TransferFlag,
)

LINE_BYTES_MAX: Final = 8 * 1024 * 1024
EVENTS_MAX: Final = 8_190
"""The most events of a line: what batches of TigerBeetle's earlier releases held, one more than a
node takes at once."""
_Number: TypeAlias = int | str
_Flags: TypeAlias = int | str | list[str]


@dataclass(frozen=True, slots=True)
class RequestBatch:
    """One line: accounts or transfers (one of both is empty), and its time, 0 if none is given."""

    operation: str
    """TigerBeetle's name of what is asked."""
    accounts: tuple[Account, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    timestamp: int = 0


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    id: _Number
    ledger: _Number = 0
    code: _Number = 0
    flags: _Flags = 0
    debits_pending: _Number = 0
    debits_posted: _Number = 0
    credits_pending: _Number = 0
    credits_posted: _Number = 0
    user_data_128: _Number = 0
    user_data_64: _Number = 0
    user_data_32: _Number = 0
    timestamp: _Number = 0
    reserved: _Number = 0


class _Transfer(msgspec.Struct, forbid_unknown_fields=True):
    id: _Number
    debit_account_id: _Number = 0
    credit_account_id: _Number = 0
    amount: _Number = 0
    pending_id: _Number = 0
    user_data_128: _Number = 0
    user_data_64: _Number = 0
    user_data_32: _Number = 0
    timeout: _Number = 0
    ledger: _Number = 0
    code: _Number = 0
    flags: _Flags = 0
    timestamp: _Number = 0


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    accounts: list[_Account] | None = None
    create_accounts: list[_Account] | None = None
    transfers: list[_Transfer] | None = None
    create_transfers: list[_Transfer] | None = None
    timestamp: _Number = 0


_BITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("code", "flags"), 16),
    **dict.fromkeys(("ledger", "reserved", "timeout", "user_data_32"), 32),
    **dict.fromkeys(("timestamp", "user_data_64"), 64),
}
_IDS: Final = frozenset(("id", "debit_account_id", "credit_account_id", "pending_id"))
_DECODER: Final = msgspec.json.Decoder(_Line)


def decode_line(data: bytes, number: int) -> RequestBatch:
    """One line of a file. Raises MalformedInput, naming the line and the field."""
    where = f"line {number}"
    if len(data) > LINE_BYTES_MAX:
        raise MalformedInput(f"a line of more than {LINE_BYTES_MAX} bytes", where=where)
    try:
        line = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedInput(f"not a batch: {error}", where=where) from error
    asked = [line.accounts, line.create_accounts, line.transfers, line.create_transfers]
    given = [each for each in asked if each is not None]
    if len(given) != 1 or len(given[0]) > EVENTS_MAX:
        raise MalformedInput(
            f"a line holds up to {EVENTS_MAX} accounts or transfers, not both", where=where
        )
    stamp = _number("timestamp", line.timestamp, where)
    accounts = line.accounts if line.accounts is not None else line.create_accounts
    if accounts is not None:
        return RequestBatch(
            "create_accounts",
            tuple(_account(one, f"{where}, account {n}") for n, one in enumerate(accounts)),
            timestamp=stamp,
        )
    return RequestBatch(
        "create_transfers",
        transfers=tuple(
            _transfer(one, f"{where}, transfer {n}")
            for n, one in enumerate(line.transfers or line.create_transfers or ())
        ),
        timestamp=stamp,
    )


def _account(one: _Account, where: str) -> Account:
    return Account(**_values(one, where), flags=AccountFlag(_flags(one.flags, AccountFlag, where)))


def _transfer(one: _Transfer, where: str) -> Transfer:
    flags = TransferFlag(_flags(one.flags, TransferFlag, where))
    return Transfer(**_values(one, where), flags=flags)


def _values(one: _Account | _Transfer, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in one.__struct_fields__:
        if name != "flags":
            value = _number(name, getattr(one, name), where)
            values[name] = UUID(int=value) if name in _IDS else value
    return values


def _number(name: str, value: _Number, where: str) -> int:
    bits = _BITS.get(name, 128)
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 39):
            raise MalformedInput(f"{name} is no decimal number: {value[:40]!r}", where=where)
        value = int(value)
    if not 0 <= value < 1 << bits:
        raise MalformedInput(f"{name} must be from 0 to 2^{bits} - 1", where=where)
    return value


def _flags(value: _Flags, known: type[IntFlag], where: str) -> int:
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
        return _number("flags", value, where)
    names = value if isinstance(value, list) else [w for w in value.split("|") if w.strip()]
    bits = 0
    for name in names:
        flag = known.__members__.get(name.strip().upper())
        if flag is None:
            raise MalformedInput(f"no such flag: {name[:40]!r}", where=where)
        bits |= int(flag)
    return bits


def balances_of(account: Account) -> dict[str, Any]:
    """An account as a line of JSON holds it: 128-bit numbers are decimal strings."""
    return {
        "id": str(account.id.int),
        "debits_pending": str(account.debits_pending),
        "debits_posted": str(account.debits_posted),
        "credits_pending": str(account.credits_pending),
        "credits_posted": str(account.credits_posted),
        "user_data_128": str(account.user_data_128),
        "user_data_64": str(account.user_data_64),
        "user_data_32": account.user_data_32,
        "ledger": account.ledger,
        "code": account.code,
        "flags": [str(flag.name).lower() for flag in AccountFlag if flag & account.flags],
        "timestamp": str(account.timestamp),
    }
