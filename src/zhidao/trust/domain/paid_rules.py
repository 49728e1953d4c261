"""When a chain of others takes a transaction: it asks fees, and a waiting one may be raised.

Beside what is written here, accounts may have transactions on the chain that this node did not
write; so a sender's next number is the larger of both counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address, Transaction

# Clients take a replacement if both fees are a tenth higher.
_RAISED_NUMERATOR, _RAISED_DENOMINATOR = 11, 10
FEE_MAX_WEI: Final = 10**15
# An eighth more is surely enough for all of them.
_BUMP_NUMERATOR, _BUMP_DENOMINATOR = 9, 8


@dataclass(frozen=True, slots=True)
class Fees:
    """The most for a unit of gas, and the part of it for whoever mines, in wei."""

    fee_max_wei: int
    tip_max_wei: int

    def bumped(self) -> Fees:
        """High enough to take the place of a transaction with these."""
        return Fees(*(_raised(value) for value in (self.fee_max_wei, self.tip_max_wei)))


class PaidAdmission(Admission):
    """The counts of all senders on a chain of others, and what was written for each number."""

    def __init__(
        self,
        chain_id: int,
        mined: Mapping[Address, int],
        *,
        counts: Mapping[Address, int] | None = None,
        written: Mapping[tuple[Address, int], Transaction] | None = None,
    ) -> None:
        """`mined`: how many transactions the chain has of a sender, kept level by its owner."""
        super().__init__(chain_id, counts)
        self._mined = mined
        self._written = dict(written or {})

    def next_nonce(self, sender: Address) -> int:
        """The number that the sender's next transaction must bear."""
        return max(super().next_nonce(sender), self._mined.get(sender, 0))

    def check(self, transaction: Transaction) -> None:
        """As on the own chain; also takes the same act under the same number for higher fees."""
        before = self._written.get((transaction.sender, transaction.nonce))
        if before is not None and is_raised(before, transaction):
            self.check_price(transaction)
            self.check_size(transaction)
            return
        super().check(transaction)

    def check_price(self, transaction: Transaction) -> None:
        """Fees are asked here; coins are sent by themselves, to pay for gas."""
        if not transaction.tip_max_wei <= transaction.fee_max_wei <= FEE_MAX_WEI:
            raise Refused(
                f"a fee of at most {FEE_MAX_WEI} wei for a unit of gas, the tip in it",
                code="fee_too_high",
            )
        if transaction.value_wei and transaction.data:
            raise Refused("a call to these contracts sends no coins", code="value_not_zero")

    def admit(self, transaction: Transaction) -> None:
        """Checks and counts it. Raises as `check`."""
        self.check(transaction)
        self._count(transaction)

    def readmit(self, transaction: Transaction) -> None:
        """Counts what was written before, whatever the chain has by now."""
        self.check_chain(transaction)
        self._count(transaction)

    def copy(self) -> PaidAdmission:
        """An independent copy, to try a batch on."""
        return PaidAdmission(
            self.chain_id, self._mined, counts=self.counts(), written=self._written
        )

    def _count(self, transaction: Transaction) -> None:
        sender = transaction.sender
        self._written[sender, transaction.nonce] = transaction
        self._counts[sender] = max(self._counts.get(sender, 0), transaction.nonce + 1)


def _raised(value: int) -> int:
    return value * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1


def is_raised(before: Transaction, after: Transaction) -> bool:
    """Whether a transaction does the same as another under the same number, for more."""
    same = (before.chain_id, before.sender, before.nonce, before.to, before.data, before.value_wei)
    return same == (
        after.chain_id,
        after.sender,
        after.nonce,
        after.to,
        after.data,
        after.value_wei,
    ) and all(
        new * _RAISED_DENOMINATOR >= old * _RAISED_NUMERATOR
        for old, new in (
            (before.fee_max_wei, after.fee_max_wei),
            (before.tip_max_wei, after.tip_max_wei),
        )
    )
