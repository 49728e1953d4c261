"""Values in the answers of an Ethereum JSON-RPC endpoint, read strictly.

Source: the Ethereum JSON-RPC specification (execution-apis, eth namespace). Every reader raises
MalformedInput (`bad_rpc_answer`) for what has another form.
"""

from __future__ import annotations

import re
from typing import Any, Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.evm import Address, LogEntry, Transaction

_QUANTITY: Final = re.compile("0x[0-9a-fA-F]{1,64}")


def fields(told: Any) -> dict[str, Any]:
    """An object."""
    if not isinstance(told, dict):
        raise _bad("no object")
    return told


def items(told: Any) -> list[Any]:
    """A list."""
    if not isinstance(told, list):
        raise _bad("no list")
    return told


def number(told: Any) -> int:
    """A quantity, `0x` and hexadecimal digits."""
    # Python's own reading would also take signs, spaces and underscores.
    if not isinstance(told, str) or not _QUANTITY.fullmatch(told):
        raise _bad("no number")
    return int(told, 16)


def octets(told: Any) -> bytes:
    """Bytes, `0x` and two digits each."""
    if not isinstance(told, str) or not told.startswith("0x"):
        raise _bad("no bytes")
    return parse_hex(told[2:].lower())


def address(told: Any) -> Address:
    """Twenty bytes."""
    read = octets(told)
    if len(read) != 20:
        raise _bad("no address")
    return Address(read)


def log_entry(told: Any) -> LogEntry:
    """What a contract told the world."""
    read = fields(told)
    topics = read.get("topics")
    if not isinstance(topics, list):
        raise _bad("a log without topics")
    return LogEntry(
        address(read.get("address")),
        tuple(octets(topic) for topic in topics),
        octets(read.get("data")),
    )


def transaction(told: Any) -> Transaction:
    """A transaction of any type as the chain tells it: without the bytes that were signed.

    Whoever needs the sender proven asks for the bytes; here the endpoint is taken at its word.
    """
    read = fields(told)
    to = read.get("to")
    fee = read.get("maxFeePerGas", read.get("gasPrice", "0x0"))
    return Transaction(
        chain_id=number(read.get("chainId", "0x0")),
        nonce=number(read.get("nonce")),
        fee_max_wei=number(fee),
        tip_max_wei=number(read.get("maxPriorityFeePerGas", "0x0")),
        gas=number(read.get("gas")),
        to=None if to is None else address(to),
        value_wei=number(read.get("value")),
        data=octets(read.get("input")),
        sender=address(read.get("from")),
        hash=octets(read.get("hash")),
        raw=b"",
    )


def _bad(what: str) -> MalformedInput:
    return MalformedInput(f"the chain's answer is {what}", code="bad_rpc_answer")
