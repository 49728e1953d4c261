from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.insight.sample_log import SampleLog, corridor, prepare

from zhidao.insight.domain.figures import EVENTS_MIN, count, median, median_duration, share
from zhidao.insight.domain.opened import Clock, LeafRef, OpenedLeaf, ranges


def leaves(number: int) -> list[OpenedLeaf]:
    book = SampleLog()
    for at in range(number // 14 + 1):
        prepare(book, f"c{at}")
    return list(book.log().leaves[:number])


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_a_median_has_as_many_values_below_as_above(values: list[int]):
    middle = median(sorted(values))
    assert sum(v < middle for v in values) * 2 <= len(values)
    assert sum(v > middle + 1 for v in values) * 2 <= len(values)


def test_a_share_is_named_from_the_fifth_case_on():
    few, enough = leaves(EVENTS_MIN - 1), leaves(EVENTS_MIN)
    assert not share("documents_valid", few, few[:1]).enough
    assert share("documents_valid", enough, enough[:1]).enough
    assert count("consignments", few).enough


def test_a_share_is_exact_to_a_tenth_of_a_percent():
    many = leaves(13)
    assert share("x", many, many[:1]).percent_tenths == 77
    assert share("x", many, many).percent_tenths == 1000
    assert share("x", [], []).percent_tenths == 0


def test_a_median_time_names_both_ends_of_each_case():
    found = corridor().leaves
    cases = [(found[0], found[2]), (found[2], found[3])]
    figure = median_duration("step_occurred", cases, Clock.OCCURRED, milestone="x")
    assert figure.value == 15_000
    assert set(figure.leaves) == {found[0].at, found[2].at, found[3].at}


@given(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 40))))
def test_ranges_hold_exactly_the_leaves_given(pairs: set[tuple[int, int]]):
    joined = ranges(LeafRef(log, index) for log, index in pairs)
    spread = [(log, at) for log, first, last in joined for at in range(first, last + 1)]
    assert spread == sorted(pairs)
    assert all(a[0] != b[0] or a[2] + 1 < b[1] for a, b in pairwise(joined))
