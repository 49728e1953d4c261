"""The simulation of liquidity against a walk through the payments, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.receivables.liquidity import needed_in, saved
from zhidao.finance.domain.receivables.netting import Obligations, net

_DEBT = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 1_000)).filter(
    lambda debt: debt[0] != debt[1]
)


def _of(debts: list[tuple[int, int, int]]) -> Obligations:
    columns = list(zip(*debts, strict=True)) or [(), (), ()]
    return Obligations(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int32),
        np.array(columns[2], np.int64),
        6,
    )


def _walked(debts: list[tuple[int, int, int]], cycles: int) -> tuple[int, int]:
    held, lowest = [0] * 6, [0] * 6
    for cycle in range(cycles):
        for place, (debtor, creditor, amount) in enumerate(debts):
            if place * cycles // len(debts) == cycle:
                held[debtor] -= amount
                held[creditor] += amount
        lowest = [min(low, now) for low, now in zip(lowest, held, strict=True)]
    return -sum(lowest), -min(lowest)


@settings(max_examples=60, deadline=None)
@given(st.lists(_DEBT, min_size=1, max_size=30), st.integers(1, 40))
def test_the_simulation_equals_a_walk_through_the_day(
    debts: list[tuple[int, int, int]], cycles: int
) -> None:
    found = needed_in(_of(debts), cycles)
    assert (found.needed_minor, found.largest_minor) == _walked(debts, min(cycles, len(debts)))


@settings(max_examples=40, deadline=None)
@given(st.lists(_DEBT, min_size=1, max_size=30))
def test_one_cycle_needs_what_the_net_positions_need(debts: list[tuple[int, int, int]]) -> None:
    table = _of(debts)
    assert needed_in(table, 1).needed_minor == net(table).needed_minor
    told = saved(table)
    assert told[-1].cycles == len(debts)
    assert all(one.needed_minor <= told[-1].needed_minor for one in told[:1])


def test_a_chain_of_payments_needs_the_money_only_once() -> None:
    # 0 pays 1 pays 2 pays 0: together nothing, one by one the first amount, once.
    table = _of([(0, 1, 100), (1, 2, 100), (2, 0, 100)])
    assert needed_in(table, 1).needed_minor == 0
    assert needed_in(table, 3).needed_minor == 100
    with pytest.raises(MalformedInput):
        needed_in(table, 0)
