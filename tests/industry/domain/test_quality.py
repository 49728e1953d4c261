"""A machine's values against an order's limits: both limits belong to what is allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import Bound, Judgement, Sample, decimal_of, judge

AT = Utc.parse("2026-05-04T08:00:00Z")
TORQUE = Bound("torque", Decimal("11.5"), Decimal("12.5"), "NU")


def samples(name: str, *values: str) -> list[Sample]:
    return [Sample(name, Decimal(value), AT) for value in values]


@pytest.mark.parametrize(
    ("value", "outside"),
    [("11.5", 0), ("11.4999999", 1), ("12.5", 0), ("12.5000001", 1), ("12", 0), ("-12", 1)],
)
def test_a_value_on_a_limit_keeps_it_and_one_past_it_does_not(value, outside) -> None:
    [found] = judge(samples("torque", value), [TORQUE])
    exact = Decimal(value)
    mean = exact.quantize(Decimal("0.0001"))
    assert found == Judgement(TORQUE, 1, exact, exact, mean, outside)


def test_all_samples_of_a_name_are_judged_together_and_others_left_alone() -> None:
    heat = Bound("heat", Decimal(0), Decimal(50), "CEL")
    given_ = [
        *samples("torque", "12.5", "11", "13"),
        *samples("heat", "49", "51", "50"),
        *samples("noise", "99"),
    ]
    assert judge(given_, [heat, TORQUE]) == [
        Judgement(heat, 3, Decimal(49), Decimal(51), Decimal("50.0000"), 1),
        Judgement(TORQUE, 3, Decimal(11), Decimal(13), Decimal("12.1667"), 2),
    ]
    assert judge(given_, []) == []


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(0, 40))
def test_what_is_outside_is_counted_one_by_one(values: list[int], low: int) -> None:
    bound = Bound("x", Decimal(low), Decimal(low + 10), "C62")
    [found] = judge(samples("x", *map(str, values)), [bound])
    assert found.outside == len([v for v in values if v not in range(low, low + 11)])
    assert (found.lowest, found.highest, found.count) == (min(values), max(values), len(values))
    assert abs(found.mean * len(values) - sum(values)) <= Decimal("0.0001") * len(values)


def test_what_was_not_measured_is_not_within_limits() -> None:
    for given_ in ([], samples("heat", "12")):
        with pytest.raises(MalformedInput, match="no value of torque"):
            judge(given_, [TORQUE])


def test_a_limit_may_be_one_value_but_not_upside_down() -> None:
    assert Bound("x", Decimal("1.0"), Decimal(1), "C62").low == 1
    with pytest.raises(MalformedInput, match=r"limit x: low 1\.01 is above high 1"):
        Bound("x", Decimal("1.01"), Decimal(1), "C62")


@pytest.mark.parametrize("text", ["0", "-1.50", "1E-9", "1" * 30])
def test_a_plain_number_has_30_characters_at_most(text: str) -> None:
    assert decimal_of(text, what="torque") == Decimal(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *(("", "no number"), ("x", "no number"), ("1,5", "no number"), ("0x1", "no number")),
        *(("NaN", "no plain number"), ("Infinity", "no plain number"), ("-inf", "no plain number")),
        *(("1" * 31, "no plain number"), ("0." + "0" * 29, "no plain number")),
    ],
)
def test_what_is_no_plain_number_is_malformed(text: str, told: str) -> None:
    with pytest.raises(MalformedInput, match=f"torque is {told}: "):
        decimal_of(text, what="torque")


def test_a_long_text_is_quoted_by_its_first_40_characters() -> None:
    with pytest.raises(MalformedInput) as caught:
        decimal_of("x" * 40 + "y", what="torque")
    assert f"{'x' * 40!r}" in str(caught.value)
