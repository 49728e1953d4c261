"""Netting: who owes what in sum, and how many queued payments can settle at one moment.

All in whole minor units of one currency. Gridlock resolution: M. L. Bech and K. Soramaki,
"Gridlock Resolution in Interbank Payment Systems", Bank of Finland Discussion Paper 9/2001 (known
from its abstract and other papers' descriptions; the paper itself was not at hand).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX

PARTIES_MAX = 1_000_000
OBLIGATIONS_MAX = 5_000_000
_HALF = np.int64(2**32 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Obligations:
    """Debts in the order of their arrival: party numbers and positive amounts, shape (n,) each.

    Raises MalformedInput for numbers out of range, Refused for a sum beyond 2^63-1.
    """

    debtor: NDArray[np.int32]
    creditor: NDArray[np.int32]
    amount_minor: NDArray[np.int64]
    parties: int

    def __post_init__(self) -> None:
        count = len(self.amount_minor)
        if not len(self.debtor) == len(self.creditor) == count <= OBLIGATIONS_MAX:
            raise MalformedInput(f"at most {OBLIGATIONS_MAX} obligations, in columns of one length")
        if not 0 < self.parties <= PARTIES_MAX:
            raise MalformedInput(f"1 to {PARTIES_MAX} parties can net")
        if not count:
            return
        lowest = min(int(self.debtor.min()), int(self.creditor.min()))
        highest = max(int(self.debtor.max()), int(self.creditor.max()))
        if lowest < 0 or highest >= self.parties or int(self.amount_minor.min()) <= 0:
            raise MalformedInput("an obligation has two parties of the list and a positive amount")
        if self.gross_minor > AMOUNT_MINOR_MAX:
            raise Refused("all obligations together are beyond 2^63-1 minor units")

    @property
    def gross_minor(self) -> int:
        """The sum of all amounts, exactly: halves of 32 bits cannot overflow 64."""
        low = int((self.amount_minor & _HALF).sum())
        return low + (int((self.amount_minor >> np.int64(32)).sum()) << 32)


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """What each party receives and pays in all, minor units, shape (parties,)."""

    receives_minor: NDArray[np.int64]
    pays_minor: NDArray[np.int64]

    @property
    def net_minor(self) -> NDArray[np.int64]:
        """Receives less pays; sums to zero."""
        return self.receives_minor - self.pays_minor

    @property
    def needed_minor(self) -> int:
        """The money that settles all: the sum of what net payers pay."""
        net = self.net_minor
        return -int(net[net < 0].sum())


def net(obligations: Obligations) -> Positions:
    """The multilateral positions."""
    sums = np.zeros((2, obligations.parties), np.int64)
    np.add.at(sums[0], obligations.creditor, obligations.amount_minor)
    np.add.at(sums[1], obligations.debtor, obligations.amount_minor)
    return Positions(sums[0], sums[1])


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """Which obligations settle together (shape (n,)), and the balances after that."""

    settles: NDArray[np.bool_]
    balance_minor: NDArray[np.int64]
    value_minor: int


def resolve_gridlock(obligations: Obligations, balance_minor: NDArray[np.int64]) -> Settlement:
    """The largest set that settles at once while each party keeps its own order of payments.

    `balance_minor`: shape (parties,), not negative; none is negative afterwards either. From all
    payments the newest of each party that lacks money are taken away until nobody lacks any.
    Raises MalformedInput for a negative balance, Refused for sums beyond 2^63-1.
    """
    parties = obligations.parties
    if balance_minor.shape != (parties,) or (balance_minor < 0).any():
        raise MalformedInput("each party has a balance that is not negative")
    held = int((balance_minor >> np.int64(32)).sum()) << 32
    if held + int((balance_minor & _HALF).sum()) + obligations.gross_minor > AMOUNT_MINOR_MAX:
        raise Refused("balances and obligations together are beyond 2^63-1 minor units")
    order = _by_party(obligations.debtor, parties)
    amount, creditor = obligations.amount_minor[order], obligations.creditor[order]
    counts = np.bincount(obligations.debtor, minlength=parties)
    begin = np.concatenate(([0], np.cumsum(counts)))
    paid = np.concatenate((np.zeros(1, np.int64), np.cumsum(amount)))
    end = begin[1:].copy()
    available = balance_minor + net(obligations).receives_minor
    asked = np.arange(parties)
    while True:
        first, last = begin[asked], end[asked]
        reach = np.searchsorted(paid, paid[first] + available[asked], "right") - 1
        short = np.flatnonzero(reach < last)
        if not len(short):
            break
        gone = _ranges(reach[short], last[short])
        end[asked[short]] = reach[short]
        np.subtract.at(available, creditor[gone], amount[gone])
        # Only those that receive less now may lack money next.
        asked = np.unique(creditor[gone])
    settles = np.zeros(len(amount), np.bool_)
    settles[order[_ranges(begin[:-1], end)]] = True
    left = available - (paid[end] - paid[begin[:-1]])
    return Settlement(settles, left, int((paid[end] - paid[begin[:-1]]).sum()))


def _by_party(party: NDArray[np.int32], parties: int) -> NDArray[np.intp]:
    """Places ordered by party, first come first within each."""
    # numpy sorts 16 bits by counting, several times faster than by comparing.
    narrow = party.astype(np.uint16) if parties <= 1 << 16 else party
    return np.argsort(narrow, kind="stable")


def _ranges(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """The whole numbers of several half-open ranges, one range after the other."""
    lengths = last - first
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.intp] = np.arange(total) + np.repeat(first - (ends - lengths), lengths)
    return found


def between_pairs(obligations: Obligations) -> Obligations:
    """The same debts with one obligation for each pair of parties."""
    key = obligations.debtor.astype(np.int64) * obligations.parties + obligations.creditor
    pairs, places = np.unique(key, return_inverse=True)
    amount = np.zeros(len(pairs), np.int64)
    np.add.at(amount, places, obligations.amount_minor)
    debtor, creditor = np.divmod(pairs, obligations.parties)
    return Obligations(
        debtor.astype(np.int32), creditor.astype(np.int32), amount, obligations.parties
    )
