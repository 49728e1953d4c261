"""Pauses grow to a bound, are spread by chance, and end where they should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Refused
from zhidao.core.retry_policy import RetryPolicy


class Fixed:
    """Chance that always falls the same way."""

    def __init__(self, byte: int) -> None:
        self._byte = byte

    def token(self, size: int) -> bytes:
        return bytes([self._byte]) * size


def test_pauses_double_to_a_bound():
    policy = RetryPolicy(0.1, 1.0)
    ceilings = [policy.ceiling_s(n) for n in (1, 2, 3, 4, 5, 10_000)]
    assert ceilings == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_no_failure_at_all_waits_as_the_first():
    assert RetryPolicy(0.1, 1.0).ceiling_s(0) == 0.1


@pytest.mark.parametrize(("jitter", "least"), [(0.0, 0.4), (0.5, 0.2), (1.0, 0.0)])
def test_chance_takes_off_no_more_than_its_part(jitter: float, least: float):
    policy = RetryPolicy(0.1, 10.0, jitter)
    assert policy.pause_s(3, Fixed(0)) == 0.4
    assert policy.pause_s(3, Fixed(255)) == pytest.approx(least, abs=1e-9)
    assert policy.pause_s(3, Fixed(255)) > 0


def test_many_who_failed_together_come_back_apart():
    randomness, policy = SeededRandomness(5), RetryPolicy(1.0, 1.0, 1.0)
    pauses = sorted(policy.pause_s(1, randomness) for _ in range(1_000))
    # Evenly: each tenth of the second has its hundred, give or take.
    tenths = [sum(n / 10 <= p < (n + 1) / 10 for p in pauses) for n in range(10)]
    assert all(60 < count < 140 for count in tenths), tenths


def test_it_is_over_at_the_bound_and_not_one_before():
    policy = RetryPolicy(0.1, 1.0, attempts_max=3)
    assert [policy.is_over(n) for n in (2, 3, 4)] == [False, True, True]
    assert not RetryPolicy(0.1, 1.0).is_over(10**9)


@pytest.mark.parametrize("values", [(2.0, 1.0, 0.0), (-0.1, 1.0, 0.0), (0.1, 1.0, 1.01)])
def test_a_policy_that_makes_no_sense_is_refused(values: tuple[float, float, float]):
    with pytest.raises(Refused):
        RetryPolicy(*values)


@given(
    first_s=st.floats(0, 1e3),
    more_s=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    failures=st.integers(0, 10**12),
)
def test_a_pause_is_never_past_the_longest(first_s, more_s, jitter, failures):
    policy = RetryPolicy(first_s, first_s + more_s, jitter)
    assert 0 <= policy.pause_s(failures, SeededRandomness(failures)) <= first_s + more_s
