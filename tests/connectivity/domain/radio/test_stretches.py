"""A route falls into stretches, and a silence is expected for as long as its gap takes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.bearer_policy import BearerPolicy, Need
from zhidao.connectivity.domain.radio.gaps import gaps, with_silences
from zhidao.connectivity.domain.radio.reception import Chances
from zhidao.connectivity.domain.radio.stretches import (
    Service,
    Stretch,
    Terms,
    stretches,
)
from zhidao.core.errors import MalformedInput

# 36 km/h: ten metres a second, so a sample of 100 m lasts ten seconds.
_TERMS = Terms(speed_kmh=36.0, report_s=30.0)
_POLICY = BearerPolicy()


def _found(*spans: tuple[float, float]) -> Chances:
    low, high = (np.array([each[n] for each in spans]) for n in (0, 1))
    return Chances(low, (low + high) / 2, high, np.zeros(len(spans), dtype=np.int64))


def _judged(*spans: tuple[float, float], terms: Terms = _TERMS, **more) -> tuple[Stretch, ...]:
    found = stretches(np.arange(len(spans)) * 100.0, _found(*spans), terms, **more)
    return with_silences(found, gaps(found, terms, _POLICY))


def _sure(*chances: float) -> list[tuple[float, float]]:
    return [(each, each) for each in chances]


def test_a_place_is_what_both_ends_of_its_span_say_and_else_unjudged() -> None:
    spans = [(0.9, 1.0), (0.1, 0.89), (0.0, 0.09), (0.0, 0.1), (0.89, 0.9), (0.0, 1.0)]
    found = [each.service.value for span in spans for each in _judged(span, span)]
    assert found == "served borderline silent unjudged unjudged unjudged".split()


def test_stretches_meet_half_way_between_samples_and_cover_the_route() -> None:
    found = _judged(*_sure(1, 1, 0, 0, 0, 0.5, 1))
    assert [(each.from_m, each.to_m, each.service.value) for each in found] == [
        (0, 150, "served"),
        (150, 450, "silent"),
        (450, 550, "borderline"),
        (550, 600, "served"),
    ]
    assert [each.short_message for each in found] == [Need.NO, Need.MUST, Need.MAY, Need.NO]


def test_a_silence_is_expected_for_as_long_as_the_whole_gap_takes() -> None:
    found = _judged(*_sure(1, 1, 1, 1, 1, 0, 0, 0.5, 1, 1, 1, 1, 1))
    # From 450 to 750 m at ten metres a second, in both of its stretches; none where it is served.
    assert [each.expected_silence_s for each in found] == [0, 30, 30, 0]
    assert [each.silent_s for each in found] == [(0, 0), (20, 20), (5, 5), (0, 0)]


def test_the_silence_of_an_unjudged_stretch_has_a_least_and_a_most() -> None:
    [_, unjudged, _] = _judged((1, 1), (1, 1), (0.2, 0.95), (0.2, 0.95), (1, 1), (1, 1))
    assert unjudged.service is Service.UNJUDGED
    assert unjudged.silent_s == pytest.approx((1.0, 16.0))
    assert unjudged.expected_silence_s == 20


def test_a_contact_too_short_for_a_report_ends_no_silence() -> None:
    short = _judged(*_sure(1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1))
    assert [each.expected_silence_s for each in short] == [0, 60, 60, 60, 0]
    # Three samples last 30 s, which is long enough.
    long = _judged(*_sure(1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1))
    assert [each.expected_silence_s for each in long] == [0, 20, 0, 20, 0]


def test_a_short_contact_at_an_end_of_the_route_is_in_no_gap() -> None:
    found = _judged(*_sure(1, 0, 0, 1))
    assert [each.expected_silence_s for each in found] == [0, 20, 0]


def test_gaps_say_whether_they_are_silent_for_sure() -> None:
    found = _judged(*_sure(0, 0, 1, 1, 1, 1, 0, 0.5))
    [first, second] = gaps(found, _TERMS, _POLICY)
    assert (first.from_m, first.to_m, first.surely_silent) == (0, 150, True)
    assert (second.from_m, second.to_m, second.surely_silent) == (550, 700, False)
    assert gaps(_judged(*_sure(1, 1)), _TERMS, _POLICY) == ()


def test_extrapolation_judges_and_marks_what_is_beyond_and_nothing_else() -> None:
    spans = [(1, 1), (1, 1), (0.0, 0.1), (0.9, 0.95), (0.0, 1.0), (0, 0), (0, 0)]
    plain = _judged(*spans)
    assert [each.service.value for each in plain] == [
        "served",
        "unjudged",
        "served",
        "unjudged",
        "silent",
    ]
    assert not any(each.extrapolated for each in plain)
    found = _judged(*spans, extrapolate=True)
    assert [(each.service.value, each.extrapolated) for each in found] == [
        ("served", False),
        ("silent", True),
        ("served", False),
        ("borderline", True),
        ("silent", False),
    ]


def test_the_cells_of_a_stretch_are_its_three_most_frequent() -> None:
    cell = np.array([4, 2, 2, 7, 4, 4, 9, -1])
    low = np.ones(8)
    [only] = stretches(np.arange(8) * 100.0, Chances(low, low, low, cell), _TERMS)
    assert only.cells == (4, 2, 7)


@given(
    spans=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: (min(pair), max(pair))),
        min_size=2,
        max_size=80,
    ),
    report_s=st.floats(1, 200),
)
def test_stretches_and_gaps_account_for_every_metre(spans, report_s) -> None:
    terms = Terms(speed_kmh=36.0, report_s=report_s)
    found = _judged(*spans, terms=terms)
    assert found[0].from_m == 0
    assert found[-1].to_m == (len(spans) - 1) * 100
    for one, two in itertools.pairwise(found):
        assert one.to_m == two.from_m
        assert one.service is not two.service
    quiet_s = sum(e.length_m / 10 for e in found if e.service is not Service.SERVED)
    gap_s = sum((gap.to_m - gap.from_m) / 10 for gap in gaps(found, terms, _POLICY))
    assert gap_s >= quiet_s - 1e-6
    for each in found:
        assert each.silent_s[0] <= each.silent_s[1] + 1e-9
        if each.service is not Service.SERVED:
            assert each.expected_silence_s >= math.floor(each.silent_s[1] - 1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"served": 0.5, "silent": 0.5},
        {"served": 1.0},
        {"silent": 0.0},
        {"served": math.nan},
        {"speed_kmh": 0.99},
        {"speed_kmh": 400.1},
        {"report_s": 0.99},
        {"report_s": 86_400.1},
        {"speed_kmh": math.nan},
    ],
)
def test_terms_that_judge_nothing_are_refused(wrong) -> None:
    with pytest.raises(MalformedInput):
        Terms(**wrong)


def test_terms_at_their_ends_are_taken() -> None:
    Terms(speed_kmh=1, report_s=1)
    Terms(speed_kmh=400, report_s=86_400)
