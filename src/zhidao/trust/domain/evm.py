"""Values of an Ethereum virtual machine: addresses, blocks, transactions and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, NewType

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput

Address = NewType("Address", bytes)
"""Twenty bytes."""

ZERO_ADDRESS: Final = Address(bytes(20))
WORD_BYTES: Final = 32
UINT256_MAX: Final = 2**256 - 1
# A block of Ethereum's main net in 2024 took 30 million gas; no title transaction needs 5 million.
BLOCK_GAS_MAX: Final = 30_000_000


def address_text(address: bytes) -> str:
    """An address as the house writes it: `0x` and lower-case hexadecimal.

    >>> address_text(ZERO_ADDRESS)
    '0x0000000000000000000000000000000000000000'
    """
    return "0x" + address.hex()


def parse_address(text: str) -> Address:
    """Reads `0x` and forty lower-case hexadecimal digits."""
    if not text.startswith("0x") or len(text) != 42:
        raise MalformedInput(f"not an address: {text[:50]!r}")
    return Address(parse_hex(text[2:]))


@dataclass(frozen=True, slots=True)
class Block:
    """What a contract can learn about its place. `timestamp_s`: Unix time in whole seconds."""

    number: int
    timestamp_s: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of EIP-1559 whose sender was recovered from its signature.

    `to` is None for a contract creation. Fees are in wei for one unit of gas.
    `raw` are the signed bytes, `hash` their Keccak-256.
    """

    chain_id: int
    nonce: int
    fee_max_wei: int
    tip_max_wei: int
    gas: int
    to: Address | None
    value_wei: int
    data: bytes
    sender: Address
    hash: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a contract told the world: its address, indexed words (32 bytes each) and data."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


# Keccak-256 of no bytes.
EMPTY_CODE: Final = bytes.fromhex(
    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
)


class Held(NamedTuple):
    """What an address holds beside its storage."""

    nonce: int = 0
    balance: int = 0
    code_hash: bytes = EMPTY_CODE


@dataclass(frozen=True, slots=True)
class FlatState:
    """All accounts, codes by digest, and storage words by address: enough to go on from."""

    accounts: Mapping[bytes, Held]
    codes: Mapping[bytes, bytes]
    storage: Mapping[bytes, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class StateChanges:
    """What became of a state since some moment: None for an account, zero for a word that went."""

    accounts: Mapping[bytes, Held | None]
    codes: Mapping[bytes, bytes]
    storage: Mapping[bytes, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine made of a transaction.

    `output`: returned bytes or revert data. `created`: the new contract, for a creation.
    `failure` is empty on success, else the engine's reason (`revert` or the name of the fault).
    """

    gas_used: int
    output: bytes
    logs: tuple[LogEntry, ...]
    created: Address | None
    failure: str

    @property
    def succeeded(self) -> bool:
        """Whether its effects stand."""
        return not self.failure
