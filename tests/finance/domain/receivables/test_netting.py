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


def columns(count: int, *, parties: int = 2, amount: int = 1) -> Obligations:
    """As many debts of party 0 to the last one."""
    return Obligations(
        np.zeros(count, np.int32),
        np.full(count, parties - 1, np.int32),
        np.full(count, amount, np.int64),
        parties,
    )


@pytest.mark.parametrize("parties", [1, 2, 1_000_000])
def test_as_many_parties_net_as_the_bound_says(parties: int) -> None:
    assert net(columns(1, parties=parties)).pays_minor[0] == 1


@pytest.mark.parametrize("parties", [-1, 0, 1_000_001])
def test_no_party_or_one_past_the_bound_is_refused(parties: int) -> None:
    with pytest.raises(MalformedInput, match="1 to 1000000 parties"):
        Obligations(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), parties)


def test_five_million_debts_net_and_one_more_does_not() -> None:
    assert columns(5_000_000).gross_minor == 5_000_000
    with pytest.raises(MalformedInput, match="at most 5000000 obligations"):
        columns(5_000_001)


@pytest.mark.parametrize("lengths", [(1, 2, 2), (2, 1, 2), (2, 2, 1), (0, 0, 1)])
def test_columns_of_unequal_length_are_no_debts(lengths: tuple[int, int, int]) -> None:
    debtor, creditor, amount = (np.ones(length, np.int64) for length in lengths)
    with pytest.raises(MalformedInput, match="columns of one length"):
        Obligations(debtor.astype(np.int32), creditor.astype(np.int32), amount, PARTIES)


@pytest.mark.parametrize(
    ("row", "is_debt"),
    [
        ((0, 3, 1), True),
        ((3, 0, 1), True),
        ((4, 0, 1), False),
        ((0, -1, 1), False),
        ((0, 1, 0), False),
    ],
)
def test_one_debt_among_good_ones_has_two_parties_of_the_list(row, is_debt) -> None:
    rows = [(1, 2, 5), row, (2, 1, 5)]
    if is_debt:
        assert obligations(rows).gross_minor == 10 + row[2]
        return
    with pytest.raises(MalformedInput, match="two parties of the list and a positive amount"):
        obligations(rows)


@pytest.mark.parametrize(
    "amounts",
    [
        [2**63 - 1],
        [2**62, 2**62 - 1],
        # Both halves of 32 bits full; and a sum whose low halves alone pass 32 bits.
        [2**32 - 1, 2**32 - 1, 2**32 - 1],
        [2**32, 2**32 + 1, 3 * 2**32 - 1],
        [1, 2**31, 2**33 - 2],
    ],
)
def test_the_gross_sum_is_exact_to_the_last_unit(amounts: list[int]) -> None:
    assert obligations([(0, 1, one) for one in amounts]).gross_minor == sum(amounts)


def test_the_gross_sum_has_63_bits_and_no_unit_more() -> None:
    for amounts in ([2**62, 2**62], [2**63 - 1, 1], [2**63 - 1] * 5):
        with pytest.raises(Refused, match="beyond"):
            obligations([(0, 1, one) for one in amounts])


def test_positions_say_who_pays_and_who_receives() -> None:
    found = net(obligations([(0, 1, 5), (1, 2, 3), (0, 2, 4)]))
    assert found.pays_minor.tolist() == [9, 3, 0, 0]
    assert found.receives_minor.tolist() == [0, 5, 7, 0]
    assert found.net_minor.tolist() == [-9, 2, 7, 0]
    # Party 0 alone pays on balance; the others need no money of their own.
    assert found.needed_minor == 9
    assert net(obligations([(0, 1, 1), (1, 2, 3)])).needed_minor == 1 + 2


def test_a_queue_stops_at_the_first_payment_that_lacks_money() -> None:
    """Party 0 has 5: its payments of 3 and 2 settle, the next of 1 does not, nor what waits on it."""
    table = obligations([(0, 1, 3), (1, 2, 3), (0, 1, 2), (0, 3, 1), (3, 2, 1)])
    done = resolve_gridlock(table, np.array([5, 0, 0, 0]))
    assert done.settles.tolist() == [True, True, True, False, False]
    assert done.balance_minor.tolist() == [0, 2, 3, 0]
    assert done.value_minor == 8


def test_no_payments_settle_to_nothing() -> None:
    done = resolve_gridlock(obligations([]), np.array([4, 0, 0, 1]))
    assert (done.settles.tolist(), done.value_minor) == ([], 0)
    assert done.balance_minor.tolist() == [4, 0, 0, 1]


@pytest.mark.parametrize("balances", [[0, 0, 0], [0, 0, 0, 0, 0], [[0, 0, 0, 0]], [0, 0, 0, -1]])
def test_balances_are_one_a_party_and_none_below_nought(balances: list) -> None:
    with pytest.raises(MalformedInput, match="each party has a balance"):
        resolve_gridlock(obligations([(0, 1, 1)]), np.array(balances, np.int64))


@pytest.mark.parametrize(
    ("balances", "amount"),
    [
        ([2**62, 2**62 - 2, 0, 0], 1),
        ([2**32 - 1, 2**32 - 1, 2**32 - 1, 0], 2**63 - 1 - 3 * (2**32 - 1)),
        ([3, 2**32 + 1, 0, 0], 2**63 - 1 - 2**32 - 4),
    ],
)
def test_balances_and_debts_together_fill_63_bits_and_no_unit_more(balances, amount) -> None:
    held = np.array(balances, np.int64)
    done = resolve_gridlock(obligations([(0, 0, amount)]), held)
    assert done.balance_minor.tolist() == balances
    held[3] += 1
    with pytest.raises(Refused, match="balances and obligations together"):
        resolve_gridlock(obligations([(0, 0, amount)]), held)


@pytest.mark.parametrize("parties", [65_536, 65_537])
def test_order_is_kept_beyond_what_sixteen_bits_number(parties: int) -> None:
    """The last party pays twice, and 0, whom 16 bits would take it for, once."""
    last = parties - 1
    table = Obligations(
        np.array([last, 0, last], np.int32),
        np.array([0, 1, 1], np.int32),
        np.array([5, 2, 3], np.int64),
        parties,
    )
    held = np.zeros(parties, np.int64)
    held[last] = 7
    done = resolve_gridlock(table, held)
    assert done.settles.tolist() == [True, True, False]
    assert (done.balance_minor[0], done.balance_minor[1], done.balance_minor[last]) == (3, 2, 2)


def test_each_pair_owes_once_what_it_owed_in_all() -> None:
    pairs = between_pairs(obligations([(3, 1, 5), (0, 3, 1), (3, 1, 2**40), (1, 3, 4), (0, 3, 1)]))
    rows = zip(pairs.debtor, pairs.creditor, pairs.amount_minor, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [(0, 3, 2), (1, 3, 4), (3, 1, 2**40 + 5)]
    assert pairs.parties == PARTIES
    assert (pairs.debtor.dtype, pairs.creditor.dtype) == (np.int32, np.int32)


def test_pairs_of_a_million_parties_are_not_mixed_up() -> None:
    """The number of a pair is past 32 bits there."""
    debtor = np.array([999_999, 999_998, 999_999], np.int32)
    creditor = np.array([999_998, 999_999, 999_998], np.int32)
    pairs = between_pairs(Obligations(debtor, creditor, np.array([1, 2, 4]), 1_000_000))
    assert pairs.debtor.tolist() == [999_998, 999_999]
    assert pairs.creditor.tolist() == [999_999, 999_998]
    assert pairs.amount_minor.tolist() == [2, 5]
