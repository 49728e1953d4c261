"""What short message carries in a gap is what the bearer policy says of each report there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.bearer_policy import Bearer, BearerPolicy, MobileLink
from zhidao.connectivity.domain.message import Form
from zhidao.connectivity.domain.radio.gaps import gaps
from zhidao.connectivity.domain.radio.stretches import Service, Stretch, Terms

# Ten metres a second.
_TERMS = Terms(speed_kmh=36.0, report_s=60.0)
_POLICY = BearerPolicy(silence_s=600, early_s=30)
_LETTERS = {
    "v": Service.SERVED,
    "b": Service.BORDERLINE,
    "s": Service.SILENT,
    "u": Service.UNJUDGED,
}


def _route(*parts: tuple[str, float]) -> list[Stretch]:
    """Stretches by letter and seconds."""
    found, at_m = [], 0.0
    for letter, lasts_s in parts:
        service, to_m = _LETTERS[letter], at_m + lasts_s * 10
        found.append(Stretch(service, at_m, to_m, 0, 0, 0.0, 1.0, (0.0, 0.0), (), False))
        at_m = to_m
    return found


def test_in_a_silent_gap_short_message_helps_early() -> None:
    [gap] = gaps(_route(("v", 100), ("s", 300), ("v", 100)), _TERMS, _POLICY)
    # Reports at 0, 60, 120, 180 and 240 s; the first is tried before half a minute has passed.
    assert (gap.short_messages, gap.short_after_s) == (4, 60.0)
    assert gap.surely_silent


def test_in_a_gap_that_may_be_served_it_waits_for_the_whole_silence() -> None:
    [gap] = gaps(_route(("b", 660), ("v", 100)), _TERMS, _POLICY)
    assert (gap.short_messages, gap.short_after_s) == (1, 600.0)
    [less] = gaps(_route(("b", 600), ("v", 100)), _TERMS, _POLICY)
    assert (less.short_messages, less.short_after_s) == (0, math.inf)


def test_the_silence_goes_on_from_stretch_to_stretch_of_a_gap() -> None:
    [gap] = gaps(_route(("b", 300), ("s", 120), ("u", 300)), _TERMS, _POLICY)
    # Early at 300 and 360 s in the silent stretch, then again from 600 s on: 600 and 660.
    assert (gap.short_messages, gap.short_after_s) == (4, 300.0)


def test_a_contact_of_two_stretches_is_as_long_as_both() -> None:
    two = gaps(_route(("s", 100), ("v", 40), ("v", 40), ("s", 100)), _TERMS, _POLICY)
    assert [(gap.first, gap.last) for gap in two] == [(0, 0), (3, 3)]
    [one] = gaps(_route(("s", 100), ("v", 20), ("v", 20), ("s", 100)), _TERMS, _POLICY)
    assert (one.first, one.last, one.surely_silent) == (0, 3, False)


@pytest.mark.parametrize(("lasts_s", "count"), [(59.9, 1), (60.0, 2)])
def test_a_contact_of_one_report_is_one(lasts_s: float, count: int) -> None:
    found = gaps(_route(("s", 100), ("v", lasts_s), ("s", 100)), _TERMS, _POLICY)
    assert len(found) == count


@given(
    parts=st.lists(
        st.tuples(st.sampled_from("vbsu"), st.floats(1, 2_000)), min_size=1, max_size=12
    ),
    report_s=st.floats(1, 900),
    limits=st.tuples(st.floats(0, 900), st.floats(0, 900)),
)
def test_counting_is_asking_the_policy_report_by_report(parts, report_s, limits) -> None:
    terms = Terms(speed_kmh=36.0, report_s=report_s)
    policy = BearerPolicy(silence_s=max(limits), early_s=min(limits))
    found = _route(*parts)
    link = MobileLink().tried(0.0)
    for gap in gaps(found, terms, policy):
        expected = []
        for each in found[gap.first : gap.last + 1]:
            number = math.ceil((each.from_m - gap.from_m) / 10 / report_s - 1e-9)
            while number < math.ceil((each.to_m - gap.from_m) / 10 / report_s - 1e-9):
                chosen = policy.bearers(
                    Form.POSITIONS, link, now_s=number * report_s, need=each.short_message
                )
                if Bearer.SHORT_MESSAGE in chosen:
                    expected.append(number * report_s)
                number += 1
        assert gap.short_messages == len(expected)
        assert gap.short_after_s == min(expected, default=math.inf)
