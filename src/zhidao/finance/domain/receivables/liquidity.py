"""How much money netting saves: the same payments settled one by one, in few cycles, or at once.

A simulation over obligations in the order of their arrival. Within a cycle only what is left after
netting must be paid; between cycles money that came in can be used again. Whole minor units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.receivables.netting import Obligations

CYCLES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Liquidity:
    """The money that all parties must bring together, and the most that one of them must."""

    cycles: int
    needed_minor: int
    largest_minor: int


def needed_in(obligations: Obligations, cycles: int) -> Liquidity:
    """What must be there beforehand if the day is settled in so many cycles of equal count.

    One cycle is one netting at the end; as many cycles as obligations is payment one by one.
    Raises MalformedInput for no cycle or too many.
    """
    count = len(obligations.amount_minor)
    if not 0 < cycles <= CYCLES_MAX:
        raise MalformedInput(f"a day has 1 to {CYCLES_MAX} cycles")
    cycles = min(cycles, max(count, 1))
    cycle = np.arange(count, dtype=np.int64) * cycles // max(count, 1)
    # One event for what a party pays and one for what it receives, in order of party and cycle.
    party = np.concatenate((obligations.debtor, obligations.creditor)).astype(np.int64)
    change = np.concatenate((-obligations.amount_minor, obligations.amount_minor))
    key = party * cycles + np.concatenate((cycle, cycle))
    order = np.argsort(key, kind="stable")
    key, change = key[order], change[order]
    last = np.flatnonzero(np.concatenate((key[1:] != key[:-1], [True]))) if count else key[:0]
    running = np.cumsum(change)[last]
    owner = key[last] // cycles
    return _lowest(running, owner, obligations.parties, cycles)


def _lowest(
    running: NDArray[np.int64], owner: NDArray[np.int64], parties: int, cycles: int
) -> Liquidity:
    """From running sums over all parties one after the other, each party's own lowest point."""
    lowest = np.zeros(parties, np.int64)
    if len(running):
        first = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
        # All parties' sums together are zero in the end, but each party starts where the one
        # before it ended: that much is taken off.
        before = np.concatenate(([0], running[first[1:] - 1]))
        own = running - np.repeat(before, np.diff(np.concatenate((first, [len(running)]))))
        np.minimum.at(lowest, owner, own)
    needs = -lowest
    return Liquidity(cycles, int(needs.sum()), int(needs.max()) if parties else 0)


def saved(obligations: Obligations, cycles: tuple[int, ...] = (1, 4, 24, 96)) -> list[Liquidity]:
    """The same day in each of these numbers of cycles, and at last one by one."""
    count = len(obligations.amount_minor)
    asked = [each for each in cycles if each < count]
    return [needed_in(obligations, each) for each in (*asked, max(count, 1))]
