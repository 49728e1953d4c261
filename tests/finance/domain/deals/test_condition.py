"""Conditions over events: what is met, what is open, what can never be met any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finance.domain.deals.histories import history

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.finance.domain.deals.condition import (
    DEPTH_MAX,
    LEAVES_MAX,
    MARKS,
    Attestation,
    Happened,
    Standing,
    deadlines,
    holds,
    judge,
    lapses,
    leaves,
    name,
    read,
    says,
)
from zhidao.positioning.events import ArrivalProven, Marks, Site
from zhidao.trade.events import CustomsReleased, PapersChecked

S = 1_000_000_000
FIRST_S = 1_767_225_600  # 2026 begins
UNTIL = "2026-01-01T00:01:40Z"  # its hundredth second


def word(by: str) -> dict[str, Any]:
    return {"kind": "word", "by": by, "word": "ok"}


def met(*pairs: tuple[str, int]) -> dict[str, int]:
    return {name(Attestation(by=by, word="ok")): (FIRST_S + at_s) * S for by, at_s in pairs}


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
    assert [leaf.by for leaf in leaves(read(plain)) if isinstance(leaf, Attestation)] == ["b", "a"]


def refused(plain: dict[str, Any]) -> str:
    """The code under which a condition is refused."""
    with pytest.raises(Refused) as refusal:
        read(plain)
    return refusal.value.code


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (deep(DEPTH_MAX), "at most 8 deep"),
        ({"kind": "all", "of": [{"kind": "any", "of": [word("a")] * 33}] * 2}, "at most 64 leaves"),
        ({"kind": "at_least", "count": 2, "of": [word("a")]}, "more conditions are needed"),
        (
            FACT | {"fact": "trade.Nothing.v1"},
            "known: positioning.ArrivalProven.v1, positioning.ArrivalProven.v2, ",
        ),
        (FACT | {"says": {"agree": 1}}, "has no agree like 1"),
        (FACT | {"says": {"checks": True}}, "has no checks like True"),
        (FACT | {"marks": ["recomputed"]}, "only an arrival"),
        (FACT | {"risk_ppb": 1}, "only an arrival"),
        (FACT | {"fact": "positioning.ArrivalProven.v1", "marks": ["sworn"]}, "known marks"),
    ],
)
def test_what_means_nothing_is_refused_with_its_reason(plain: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said) as refusal:
        read(plain)
    assert refusal.value.code == "unknown_condition"


def test_a_condition_may_be_as_deep_and_as_wide_as_said() -> None:
    assert len(list(leaves(read(deep(DEPTH_MAX - 1))))) == 1
    by = {"kind": "by", "until": UNTIL, "of": deep(DEPTH_MAX - 2)}
    assert len(list(leaves(read(by)))) == 1
    assert refused({"kind": "by", "until": UNTIL, "of": deep(DEPTH_MAX - 1)}) == "unknown_condition"
    wide = {"kind": "all", "of": [{"kind": "any", "of": [word("a")] * (LEAVES_MAX // 2)}] * 2}
    assert len(list(leaves(read(wide)))) == LEAVES_MAX
    all_of_one = {"kind": "all", "of": [word("a")] * LEAVES_MAX}
    assert len(list(leaves(read(all_of_one)))) == LEAVES_MAX
    for kind in ({"kind": "all"}, {"kind": "any"}, {"kind": "at_least", "count": 1}):
        with pytest.raises(MalformedInput, match="length <= 64"):
            read({**kind, "of": [word("a")] * (LEAVES_MAX + 1)})
        with pytest.raises(MalformedInput, match="length >= 1"):
            read({**kind, "of": []})


def test_the_count_of_k_of_n_is_from_1_to_as_many_as_there_may_be() -> None:
    most = {"kind": "at_least", "count": LEAVES_MAX, "of": [word("a")] * LEAVES_MAX}
    assert read(most)
    assert read({"kind": "at_least", "count": 1, "of": [word("a")]})
    for count in (0, LEAVES_MAX + 1):
        with pytest.raises(MalformedInput, match="int"):
            read({**most, "count": count})


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [("consignment", 1, 64), ("fact", 1, 64), ("asserted_by", 0, 64)],
)
def test_names_are_as_long_as_said(field: str, least: int, most: int) -> None:
    for length in (least, most):
        named = FACT | {field: "x" * length}
        # No fact has such a name, but one of that length is looked for.
        assert refused(named) if field == "fact" else read(named)
    for length in {least - 1, most + 1} - {-1}:
        with pytest.raises(MalformedInput, match="length"):
            read(FACT | {field: "x" * length})


def test_a_deadline_is_a_moment_in_20_to_40_characters() -> None:
    for until in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000000+00:00"):
        assert read({"kind": "by", "until": until, "of": word("a")})
    for until in ("2026-01-01T00:00:00", "2026-01-01T00:00:00." + "0" * 20 + "Z"):
        with pytest.raises(MalformedInput, match="length"):
            read({"kind": "by", "until": until, "of": word("a")})
    with pytest.raises(MalformedInput):
        read({"kind": "by", "until": "soon enough, I should think", "of": word("a")})


@pytest.mark.parametrize(
    "plain",
    [
        *({**word("a"), "more": 1}, {**FACT, "more": 1}),
        *({"kind": kind, "of": [word("a")], "more": 1} for kind in ("all", "any")),
        {"kind": "at_least", "count": 1, "of": [word("a")], "more": 1},
        {"kind": "by", "until": UNTIL, "of": word("a"), "more": 1},
    ],
)
def test_an_unknown_field_is_refused_by_its_name(plain: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput, match="`more`") as refusal:
        read(plain)
    assert refusal.value.where == "condition"


def test_all_marks_may_be_asked_for_at_once_and_no_sixth() -> None:
    asked = ARRIVED | {"marks": sorted(MARKS)}
    assert read(asked)
    with pytest.raises(MalformedInput, match="length"):
        read(asked | {"marks": [*sorted(MARKS), "recomputed"]})


def test_what_is_asked_of_a_fact_is_bounded() -> None:
    says_8 = {f"f{n}": True for n in range(8)}
    assert refused(FACT | {"says": says_8}) == "unknown_condition"
    with pytest.raises(MalformedInput, match="length"):
        read(FACT | {"says": says_8 | {"f9": True}})
    for risk_ppb in (0, 1, 1_000_000_000):
        assert read(ARRIVED | {"risk_ppb": risk_ppb})
    for risk_ppb in (-1, 1_000_000_001):
        with pytest.raises(MalformedInput, match="int"):
            read(ARRIVED | {"risk_ppb": risk_ppb})


def test_deadlines_are_those_of_every_part() -> None:
    later = "2026-01-01T00:05:00Z"
    inner = {"kind": "by", "until": UNTIL, "of": word("a")}
    outer = {"kind": "by", "until": later, "of": {"kind": "any", "of": [inner, word("b"), FACT]}}
    assert list(deadlines(read(outer))) == [(FIRST_S + 300) * S, (FIRST_S + 100) * S]
    for group in ({"kind": "all"}, {"kind": "at_least", "count": 1}):
        assert list(deadlines(read({**group, "of": [inner]}))) == [(FIRST_S + 100) * S]
    assert list(deadlines(read(word("a")))) == []


def test_a_condition_that_is_not_met_is_met_since_no_moment() -> None:
    assert judge(read(word("a")), {}, now_ns=1).since_ns == 0


ARRIVED = {"kind": "fact", "fact": "positioning.ArrivalProven.v2", "consignment": "C-1"}
BEARS_ALL = Marks(
    signed_by_terminal=True,
    bound_to_goods=True,
    recomputed=True,
    corroborated_by=["network"],
    disagreed_by=[],
    inside_risk_ppb=10,
)
ARRIVAL = ArrivalProven(
    consignment="C-1",
    terminal="T-1",
    site=Site(name="yard", latitude_ndeg=1, longitude_ndeg=2, radius_mm=1),
    observed_at=UNTIL,
    latitude_ndeg=1,
    longitude_ndeg=2,
    height_mm=3,
    protection_mm=4,
    satellites=8,
    epochs=60,
    marks=BEARS_ALL,
    window="w",
    navigation="n",
    evidence="e",
    simulated=False,
)
PAPERS = PapersChecked(consignment="C-1", agree=True, checks=3, documents=[], findings=[])


def event(fact: Fact, by: str = "node") -> SignedEvent:
    return history("a/b", (by, fact))[0]


def leaf(plain: dict[str, Any], **told: Any) -> Happened:
    found = read({**plain, **told})
    assert isinstance(found, Happened)
    return found


def test_a_fact_holds_for_its_consignment_by_whom_it_was_asked_of() -> None:
    assert holds(leaf(FACT), event(PAPERS))
    assert not holds(leaf(FACT, consignment="C-2"), event(PAPERS))
    assert not holds(
        leaf(FACT), event(CustomsReleased(consignment="C-1", declaration="", decision=""))
    )
    assert holds(leaf(FACT, asserted_by="auditor"), event(PAPERS, "auditor"))
    assert not holds(leaf(FACT, asserted_by="auditor"), event(PAPERS, "node"))


def test_a_fact_has_the_values_that_are_asked_in_their_types() -> None:
    asked = leaf(FACT, says={"agree": True, "checks": 3})
    assert holds(asked, event(PAPERS))
    assert not holds(asked, event(msgspec.structs.replace(PAPERS, checks=4)))
    assert not holds(asked, event(msgspec.structs.replace(PAPERS, agree=False)))
    # One and true are equal in Python, and nowhere else.
    as_one = {**PAPERS.payload(), "agree": 1}
    assert not says(asked, PapersChecked.TYPE, as_one)
    assert not says(asked, PapersChecked.TYPE, {"consignment": "C-1", "agree": True})
    assert not says(asked, "trade.Nothing.v1", PAPERS.payload())


def test_another_word_about_the_same_lapses_it_and_nothing_else_does() -> None:
    asked = leaf(FACT, says={"agree": True})
    disagree = msgspec.structs.replace(PAPERS, agree=False)
    assert lapses(asked, event(disagree))
    assert not lapses(asked, event(PAPERS))
    assert not lapses(asked, event(msgspec.structs.replace(disagree, consignment="C-2")))
    assert not lapses(asked, event(CustomsReleased(consignment="C-1", declaration="", decision="")))
    assert not lapses(asked, replace(event(disagree), type="trade.Nothing.v1"))


def test_a_fact_of_a_former_version_is_the_same_fact() -> None:
    former = replace(event(ARRIVAL), type="positioning.ArrivalProven.v1")
    plain = {
        k: v
        for k, v in former.payload.items()
        if k not in ("before", "surroundings", "open_questions")
    }
    assert holds(leaf(ARRIVED), replace(former, payload=plain))
    assert holds(leaf(ARRIVED, fact="positioning.ArrivalProven.v1"), event(ARRIVAL))


@pytest.mark.parametrize(
    ("mark", "without"),
    [
        ("signed_by_terminal", {"signed_by_terminal": False}),
        ("bound_to_goods", {"bound_to_goods": False}),
        ("recomputed", {"recomputed": False}),
        ("corroborated", {"corroborated_by": []}),
        ("inside_open_sky_model", {"inside_risk_ppb": 0}),
    ],
)
def test_an_arrival_bears_the_marks_that_are_asked_and_may_lack_others(
    mark: str, without: dict[str, Any]
) -> None:
    lacks = event(
        msgspec.structs.replace(ARRIVAL, marks=msgspec.structs.replace(BEARS_ALL, **without))
    )
    assert holds(leaf(ARRIVED, marks=[mark]), event(ARRIVAL))
    assert not holds(leaf(ARRIVED, marks=[mark]), lacks)
    assert holds(leaf(ARRIVED, marks=sorted(MARKS - {mark})), lacks)
    assert not holds(leaf(ARRIVED, marks=sorted(MARKS)), lacks)


def arrival_at(**marks: Any) -> SignedEvent:
    return event(
        msgspec.structs.replace(ARRIVAL, marks=msgspec.structs.replace(BEARS_ALL, **marks))
    )


def test_whoever_contradicts_an_arrival_blocks_it_whatever_is_asked() -> None:
    assert not holds(leaf(ARRIVED), arrival_at(disagreed_by=["network"]))


def test_the_risk_may_be_as_great_as_asked_and_must_be_known() -> None:
    asked = leaf(ARRIVED, risk_ppb=10)
    assert holds(asked, arrival_at(inside_risk_ppb=10))
    assert holds(asked, arrival_at(inside_risk_ppb=1))
    assert holds(leaf(ARRIVED, risk_ppb=1), arrival_at(inside_risk_ppb=1))
    assert not holds(asked, arrival_at(inside_risk_ppb=11))
    assert not holds(asked, arrival_at(inside_risk_ppb=0))
    # Who asks for no risk takes an arrival that tells none.
    assert holds(leaf(ARRIVED), arrival_at(inside_risk_ppb=0))


def test_the_weaker_models_risk_counts_only_where_its_mark_is_asked() -> None:
    weaker = arrival_at(inside_risk_ppb=0, inside_open_sky_model_ppb=5)
    assert not holds(leaf(ARRIVED, risk_ppb=10), weaker)
    assert holds(leaf(ARRIVED, risk_ppb=10, marks=["inside_open_sky_model"]), weaker)
    assert not holds(leaf(ARRIVED, risk_ppb=4, marks=["inside_open_sky_model"]), weaker)


def test_one_of_several_containers_is_not_the_consignment() -> None:
    part = event(msgspec.structs.replace(ARRIVAL, container="CSQU3054383"))
    other = event(msgspec.structs.replace(ARRIVAL, container="MSCU6639870"))
    whole = leaf(ARRIVED)
    assert (holds(whole, part), lapses(whole, part)) == (False, False)
    named = leaf(ARRIVED, says={"container": "CSQU3054383"})
    assert (holds(named, part), holds(named, other)) == (True, False)
    # What comes of the second says nothing of the first.
    assert not lapses(named, other)
    by = leaf(ARRIVED, says={"terminal": part.payload["terminal"]})
    assert holds(by, part)
