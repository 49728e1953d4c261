"""Netting is exact, and gridlock resolution is the largest set that keeps everybody's order."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.adapters.offset import max_offset
from zhidao.finance.domain.receivables.netting import (
    Obligations,
    between_pairs,
    net,
    resolve_gridlock,
)

PARTIES = 4
ONE = st.tuples(st.integers(0, PARTIES - 1), st.integers(0, PARTIES - 1), st.integers(1, 9)).filter(
    lambda one: one[0] != one[1]
)


def obligations(rows: list[tuple[int, int, int]]) -> Obligations:
    table = np.array(rows or np.zeros((0, 3)), np.int64).reshape(-1, 3)
    return Obligations(
        table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2], PARTIES
    )


def test_three_equal_debts_in_a_ring_need_no_money() -> None:
    ring = obligations([(0, 1, 7), (1, 2, 7), (2, 0, 7)])
    assert net(ring).net_minor.tolist() == [0, 0, 0, 0]
    assert net(ring).needed_minor == 0
    done = resolve_gridlock(ring, np.zeros(PARTIES, np.int64))
    assert done.settles.all()
    assert done.value_minor == 21


def test_sums_stay_exact_above_two_to_the_53() -> None:
    big = 2**61
    found = net(obligations([(0, 1, big + 1), (0, 1, big + 2), (2, 3, 1)]))
    assert found.net_minor.tolist() == [-(2**62) - 3, 2**62 + 3, -1, 1]
    with pytest.raises(Refused):
        obligations([(0, 1, 2**62), (1, 0, 2**62)])


@pytest.mark.parametrize("row", [(0, 4, 1), (-1, 0, 1), (0, 1, 0), (0, 1, -5)])
def test_what_is_no_debt_is_refused(row) -> None:
    with pytest.raises(MalformedInput):
        obligations([row])
    with pytest.raises(MalformedInput):
        resolve_gridlock(obligations([(0, 1, 1)]), np.array([0, -1, 0, 0]))


def prefixes(rows: list[tuple[int, int, int]]) -> list[list[int]]:
    """Each party's own payments, in order."""
    return [[n for n, row in enumerate(rows) if row[0] == party] for party in range(PARTIES)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ONE, max_size=8),
    st.lists(st.integers(0, 6), min_size=PARTIES, max_size=PARTIES),
)
def test_no_set_that_keeps_the_order_settles_more(rows, balances) -> None:
    done = resolve_gridlock(obligations(rows), np.array(balances, np.int64))
    queues, best = prefixes(rows), -1
    for counts in product(*(range(len(queue) + 1) for queue in queues)):
        left = list(balances)
        chosen = [n for queue, count in zip(queues, counts, strict=True) for n in queue[:count]]
        for n in chosen:
            debtor, creditor, amount = rows[n]
            left[debtor] -= amount
            left[creditor] += amount
        if min(left) >= 0:
            best = max(best, sum(rows[n][2] for n in chosen))
    assert done.value_minor == best
    assert done.balance_minor.min() >= 0
    assert int(done.balance_minor.sum()) == sum(balances)
    for queue in queues:
        kept = [bool(done.settles[n]) for n in queue]
        assert kept == sorted(kept, reverse=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(ONE, max_size=12))
def test_pairs_keep_every_position(rows) -> None:
    table = obligations(rows)
    assert net(between_pairs(table)).net_minor.tolist() == net(table).net_minor.tolist()


def test_the_offset_cancels_cycles_and_nothing_else() -> None:
    pytest.importorskip("ortools", reason="OR-Tools is an extra")
    table = obligations([(0, 1, 5), (1, 2, 3), (2, 0, 9), (2, 3, 4)])
    assert max_offset(table).tolist() == [3, 3, 3, 0]
