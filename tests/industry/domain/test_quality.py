"""A machine's values against an order's limits: both limits belong to what is allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.quality import (
    CLOCK_SLACK_NS,
    FLOAT,
    GOOD,
    Bound,
    Judgement,
    Reading,
    Sample,
    Why,
    as_float32,
    decimal_of,
    judge,
    not_shown,
    sift,
)

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


@pytest.mark.bound("industry.domain.quality._DECIMAL_CHARS_MAX")
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


END = AT.plus_ns(10**9)


def reading(value: str | None = "12", *, at: int | None = 0, **other: str) -> Reading:
    """A reading of torque, `at` nanoseconds after the run began."""
    told = {"name": "torque", "type": "Double", "status": GOOD} | other
    source_at = None if at is None else AT.plus_ns(at)
    number = None if value is None else Decimal(value)
    return Reading(value=number, source_at=source_at, server_at=END, **told)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (reading(status="BadSensorFailure"), Why.STATUS),
        (reading(status="UncertainLastUsableValue"), Why.STATUS),
        (reading(status="GoodLocalOverride"), Why.STATUS),
        (reading(None), Why.NO_NUMBER),
        (reading(None, status="BadNotConnected"), Why.STATUS),
        (reading(at=None), Why.NO_SOURCE_TIME),
        (reading(at=-CLOCK_SLACK_NS - 1), Why.SOURCE_TIME),
        (reading(at=10**9 + CLOCK_SLACK_NS + 1), Why.SOURCE_TIME),
    ],
)
def test_what_is_not_good_or_not_of_the_run_is_no_sample(told: Reading, why: Why) -> None:
    sifted = sift([told, reading(at=1)], begun_at=AT, ended_at=END)
    assert sifted.left == ((told, why),)
    assert [sample.observed_at for sample in sifted.samples] == [AT.plus_ns(1)]
    assert not_shown(sifted, [TORQUE]) == ["torque"], "what was said beside is in doubt"


@pytest.mark.parametrize("at", [-CLOCK_SLACK_NS, 10**9 + CLOCK_SLACK_NS])
def test_the_clock_of_a_machine_may_be_two_seconds_beside(at: int) -> None:
    sifted = sift([reading(at=at)], begun_at=AT, ended_at=END)
    assert len(sifted.samples) == 1
    assert not_shown(sifted, [TORQUE]) == []


def test_a_value_that_stands_still_was_measured_once() -> None:
    sifted = sift([reading()] * 20, begun_at=AT, ended_at=END)
    assert len(sifted.samples) == 1
    assert {why for _, why in sifted.left} == {Why.REPEATED}
    assert not_shown(sifted, [TORQUE]) == [], "a repetition is no doubt"
    # The same instant of another name is another sample.
    assert len(sift([reading(), reading(name="heat")], begun_at=AT, ended_at=END).samples) == 2


def test_two_values_of_one_instant_are_a_contradiction() -> None:
    sifted = sift([reading("12"), reading("13")], begun_at=AT, ended_at=END)
    assert [why for _, why in sifted.left] == [Why.CONTRADICTS]
    assert not_shown(sifted, [TORQUE]) == ["torque"]


def test_a_name_of_which_nothing_counts_is_not_shown() -> None:
    heat = Bound("heat", Decimal(0), Decimal(50), "CEL")
    sifted = sift([reading()], begun_at=AT, ended_at=END)
    assert not_shown(sifted, [heat, TORQUE]) == ["heat"]


@pytest.mark.parametrize(
    ("text", "type_", "outside"),
    [
        # What a machine of 32 bits says of 6.1, 6.2 and the numbers beside them.
        (repr(6.099999904632568), FLOAT, 0),
        (repr(6.099999904632568), "Double", 1),
        (repr(6.099999427795410), FLOAT, 1),
        (repr(6.199999809265137), FLOAT, 0),
        (repr(6.200000286102295), FLOAT, 1),
        ("6.1", "Double", 0),
    ],
)
def test_a_limit_is_compared_at_the_precision_of_the_sample(text, type_, outside) -> None:
    bound = Bound("x", Decimal("6.1"), Decimal("6.2"), "BAR")
    [found] = judge([Sample("x", Decimal(text), AT, type_)], [bound])
    assert found.outside == outside


def test_the_largest_double_has_a_mean() -> None:
    bound = Bound("x", Decimal("-1e400"), Decimal("1e400"), "C62")
    [found] = judge([Sample("x", Decimal(repr(1.7976931348623157e308)), AT, "Double")], [bound])
    assert found.mean == found.highest


def test_a_limit_beyond_a_float_is_none_for_a_float() -> None:
    bound = Bound("x", Decimal("-1e40"), Decimal("1e40"), "C62")
    assert judge([Sample("x", Decimal("3e38"), AT, FLOAT)], [bound])[0].outside == 0
    assert as_float32(Decimal("0.5")) == Decimal("0.5")
