"""When a chain takes a transaction: pure rules that need no engine, so the log can be kept clean.

The chain of a node is free: no fee, no coin. So whether a transaction may be executed depends on
the chain id, the sender's count and the gas alone, and is known before it is logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.evm import BLOCK_GAS_MAX, Address, Transaction, address_text

# Gas before the first instruction: yellow paper appendix G; EIP-2028 for data, EIP-3860 for code.
_GAS_TRANSACTION: Final = 21_000
_GAS_CREATE: Final = 32_000
_GAS_ZERO_BYTE: Final = 4
_GAS_BYTE: Final = 16
# EIP-3860: creation code is at most twice the largest contract (EIP-170).
INITCODE_BYTES_MAX: Final = 2 * 24_576
# Six bytes: no public network has so large an id, and JSON keeps it exactly.
_CHAIN_ID_BYTES: Final = 6


def chain_id_of(log_key: PublicKey) -> int:
    """The id of the chain that belongs to a log: from its key, so that no two nodes share one."""
    named = b"zhidao chain v1\n" + log_key.fingerprint.encode()
    return int.from_bytes(hashlib.sha256(named).digest()[:_CHAIN_ID_BYTES], "big") | 1 << 40


def intrinsic_gas(data: bytes, *, creates: bool) -> int:
    """What a transaction costs before its first instruction (without EIP-3860's word cost)."""
    zeros = data.count(0)
    content = zeros * _GAS_ZERO_BYTE + (len(data) - zeros) * _GAS_BYTE
    return _GAS_TRANSACTION + content + (_GAS_CREATE if creates else 0)


class Admission:
    """The counts of all senders, and the rules for their next transaction."""

    def __init__(self, chain_id: int, counts: Mapping[Address, int] | None = None) -> None:
        self.chain_id = chain_id
        self._counts = dict(counts or {})

    def next_nonce(self, sender: Address) -> int:
        """The number that the sender's next transaction must bear."""
        return self._counts.get(sender, 0)

    def counts(self) -> dict[Address, int]:
        """The counts of all senders."""
        return dict(self._counts)

    def check(self, transaction: Transaction) -> None:
        """Raises Refused with a typed code unless the transaction is the sender's next one.

        Codes: `wrong_chain`, `replayed_nonce`, `nonce_gap`, `fee_not_zero`, `value_not_zero`,
        `gas_too_low`, `gas_too_high`, `code_too_large`.
        """
        self._check_place(transaction)
        self.check_price(transaction)
        self.check_size(transaction)

    def check_price(self, transaction: Transaction) -> None:
        """What it pays: nothing, on a node's own chain."""
        if transaction.fee_max_wei or transaction.tip_max_wei:
            raise Refused("this chain asks no fee; set both fees to zero", code="fee_not_zero")
        if transaction.value_wei:
            raise Refused("this chain has no coin; set the value to zero", code="value_not_zero")

    def check_size(self, transaction: Transaction) -> None:
        """Its gas and its code, which bounds hold on every chain."""
        creates = transaction.to is None
        if creates and len(transaction.data) > INITCODE_BYTES_MAX:
            raise Refused(
                f"creation code of {len(transaction.data)} bytes; "
                f"at most {INITCODE_BYTES_MAX} (EIP-3860)",
                code="code_too_large",
            )
        least = intrinsic_gas(transaction.data, creates=creates)
        if transaction.gas < least:
            raise Refused(f"gas {transaction.gas} is below the least {least}", code="gas_too_low")
        if transaction.gas > BLOCK_GAS_MAX:
            raise Refused(f"gas is above a block's {BLOCK_GAS_MAX}", code="gas_too_high")

    def admit(self, transaction: Transaction) -> None:
        """Checks and counts it. Raises as `check`."""
        self.check(transaction)
        self._counts[transaction.sender] = transaction.nonce + 1

    def readmit(self, transaction: Transaction) -> None:
        """Counts what was written before. Raises as `check`."""
        self.admit(transaction)

    def copy(self) -> Admission:
        """An independent copy, to try a batch on."""
        return Admission(self.chain_id, self._counts)

    def check_chain(self, transaction: Transaction) -> None:
        """Raises Refused (`wrong_chain`) for what was signed for another chain."""
        if transaction.chain_id != self.chain_id:
            raise Refused(
                f"signed for chain {transaction.chain_id}, this is chain {self.chain_id}",
                code="wrong_chain",
            )

    def _check_place(self, transaction: Transaction) -> None:
        self.check_chain(transaction)
        expected = self.next_nonce(transaction.sender)
        sender = address_text(transaction.sender)
        if transaction.nonce < expected:
            raise Refused(
                f"{sender} has used the number {transaction.nonce} already",
                code="replayed_nonce",
                remedy=f"sign anew with nonce {expected}",
            )
        if transaction.nonce > expected:
            raise Refused(
                f"{sender}: nonce {transaction.nonce} leaves a gap",
                code="nonce_gap",
                remedy=f"sign anew with nonce {expected}",
            )
