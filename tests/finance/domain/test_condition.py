"""Conditions over events: what is met, what is open, what can never be met any more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.condition import Standing, Word, judge, leaves, name, read

S = 1_000_000_000
FIRST_S = 1_767_225_600  # 2026 begins
UNTIL = "2026-01-01T00:01:40Z"  # its hundredth second


def word(by: str) -> dict[str, Any]:
    return {"kind": "word", "by": by, "word": "ok"}


def met(*pairs: tuple[str, int]) -> dict[str, int]:
    return {name(Word(by=by, word="ok")): (FIRST_S + at_s) * S for by, at_s in pairs}


def standing(plain: dict[str, Any], told: dict[str, int], now_s: int) -> str:
    return judge(read(plain), told, now_ns=(FIRST_S + now_s) * S).standing.value


def test_a_deadline_is_kept_or_lost_and_both_are_final() -> None:
    by = {"kind": "by", "until": UNTIL, "of": word("a")}
    assert standing(by, {}, 100) == "open"
    assert standing(by, {}, 101) == "lost"
    assert standing(by, met(("a", 100)), 500) == "met"
    assert standing(by, met(("a", 101)), 101) == "lost"


def test_k_of_n_is_met_by_the_kth_and_lost_when_too_few_are_left() -> None:
    late = {"kind": "by", "until": UNTIL, "of": word("c")}
    two = {"kind": "at_least", "count": 2, "of": [word("a"), word("b"), late]}
    assert standing(two, met(("a", 1)), 99) == "open"
    assert standing(two, met(("a", 1), ("b", 7)), 99) == "met"
    assert (
        judge(read(two), met(("a", 1), ("b", 7), ("c", 3)), now_ns=(FIRST_S + 99) * S).since_ns
        == (FIRST_S + 3) * S
    )
    all_three = {"kind": "all", "of": two["of"]}
    assert standing(all_three, met(("a", 1), ("b", 7)), 101) == "lost"
    one = {"kind": "any", "of": [late, word("a")]}
    assert standing(one, {}, 101) == "open"
    assert (
        standing({"kind": "by", "until": UNTIL, "of": two}, met(("a", 1), ("b", 101)), 101)
        == "lost"
    )


def trees(depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.sampled_from("abcd").map(word)
    if not depth:
        return leaf
    lower = trees(depth - 1)
    several = st.lists(lower, min_size=1, max_size=3)
    return st.one_of(
        leaf,
        several.map(lambda of: {"kind": "all", "of": of}),
        several.map(lambda of: {"kind": "any", "of": of}),
        several.map(lambda of: {"kind": "at_least", "count": (len(of) + 1) // 2, "of": of}),
        lower.map(lambda of: {"kind": "by", "until": UNTIL, "of": of}),
    )


@settings(max_examples=150, deadline=None)
@given(trees(), st.dictionaries(st.sampled_from("abcd"), st.integers(1, 199)))
def test_what_is_final_stays_so_whatever_comes_later(
    plain: dict[str, Any], times: dict[str, int]
) -> None:
    """Words come in their order and time goes on: met and lost are never taken back."""
    condition, final = read(plain), None
    for now_s in (*sorted(times.values()), 300):
        told = met(*((by, at) for by, at in times.items() if at <= now_s))
        found = judge(condition, told, now_ns=(FIRST_S + now_s) * S)
        if final is not None:
            assert found == final
        if found.standing is not Standing.OPEN:
            final = found


def deep(levels: int) -> dict[str, Any]:
    plain = word("a")
    for _ in range(levels):
        plain = {"kind": "all", "of": [plain]}
    return plain


FACT = {"kind": "fact", "fact": "trade.PapersChecked.v1", "consignment": "C-1"}


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"kind": "none"},
        {"kind": "all", "of": []},
        {"kind": "at_least", "count": 2, "of": [word("a")]},
        {"kind": "at_least", "count": 0, "of": [word("a")]},
        {"kind": "by", "until": "soon enough, I should think", "of": word("a")},
        {"kind": "word", "by": "a", "word": "Not OK"},
        {"kind": "word", "by": "a", "word": "ok", "more": 1},
        FACT | {"fact": "trade.Nothing.v1"},
        FACT | {"says": {"agree": 1}},
        FACT | {"says": {"nothing": True}},
        FACT | {"marks": ["recomputed"]},
        FACT | {"fact": "positioning.ArrivalProven.v1", "marks": ["sworn"]},
        deep(8),
        deep(2_000),
        {"kind": "all", "of": [{"kind": "any", "of": [word("a")] * 33}] * 2},
    ],
)
def test_a_condition_that_means_nothing_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises((MalformedInput, Refused)):
        read(plain)


def test_the_leaves_are_told_in_their_order() -> None:
    plain = {"kind": "all", "of": [word("b"), {"kind": "by", "until": UNTIL, "of": word("a")}]}
    assert [leaf.by for leaf in leaves(read(plain)) if isinstance(leaf, Word)] == ["b", "a"]
