"""Whoever knows less is less sure: nothing that is missing makes a level smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.satellites.ephemeris import Klobuchar
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.arrival_study import honest_window, sky

# As broadcast records have looked, from quiet years to solar maxima.
ALPHA = st.tuples(
    st.floats(0, 4e-8), st.floats(-2e-8, 1.2e-7), st.floats(-6e-7, 6e-7), st.floats(-1e-6, 1.6e-6)
)
BETA = st.tuples(
    st.floats(7e4, 1.6e5), st.floats(-3e5, 3e5), st.floats(-5e5, 5e5), st.floats(-5e5, 5e5)
)


@profile(max_examples=25)
@given(ALPHA, BETA, st.booleans())
def test_a_missing_ionosphere_record_makes_no_level_smaller(afternoon, alpha, beta, bds):
    seen = afternoon.seen.part(0, 3)
    told = replace(afternoon.navigation, klobuchar=Klobuchar(alpha, beta, bds=bds))
    known = solve(seen, told)
    unknown = solve(seen, replace(afternoon.navigation, klobuchar=None))
    both = known.solved & unknown.solved
    assert (unknown.horizontal_m[both] >= known.horizontal_m[both] - 1e-6).all()
    assert (unknown.vertical_m[both] >= known.vertical_m[both] - 1e-6).all()


def test_the_third_version_was_surer_without_the_record(afternoon):
    """The fault that this mends, kept as it was for the evidence that stands on it."""
    earlier = Settings.of_version_3()
    known = solve(afternoon.seen, afternoon.navigation, earlier)
    unknown = solve(afternoon.seen, replace(afternoon.navigation, klobuchar=None), earlier)
    assert (unknown.vertical_m < known.vertical_m).all()


def test_one_constellation_alone_has_its_own_fault_in_the_risk(afternoon):
    seen = afternoon.seen
    assert np.isinf(solve(seen, afternoon.navigation, risk=1e-5).horizontal_m).all()
    assert np.isfinite(
        solve(seen, afternoon.navigation, Settings.of_version_3(), risk=1e-5).horizontal_m
    ).all()
    assert np.isfinite(solve(seen, afternoon.navigation, risk=1e-4).horizontal_m).all()


@profile(max_examples=25)
@given(st.integers(0, 200), st.sampled_from([*"DLS", "all of them"]))
def test_an_observable_that_is_missing_makes_no_level_smaller(window, number, letter):
    known, navigation = window
    table = known.systems["CEG"[number % 3]]
    blank = [letter in ("all of them", code[0]) and code[0] != "C" for code in table.codes]
    values = table.values.copy()
    values[number % len(values), blank] = np.nan
    less = replace(known, systems={**known.systems, table.system: replace(table, values=values)})
    assert_no_smaller(levels(less, navigation), levels(known, navigation))


@profile(max_examples=25)
@given(st.integers(0, 200))
def test_an_accuracy_that_is_not_told_makes_no_level_smaller(window, number):
    seen, navigation = window
    accuracy_m = navigation.ephemerides.accuracy_m.copy()
    accuracy_m[number % len(accuracy_m) :] = np.nan
    told = replace(navigation.ephemerides, accuracy_m=accuracy_m)
    less = replace(navigation, ephemerides=told)
    assert_no_smaller(levels(seen, less), levels(seen, navigation))


@profile(max_examples=40)
@given(st.sets(st.sampled_from("CEG"), max_size=1), st.sets(st.integers(0, 12), max_size=4))
def test_satellites_that_are_missing_make_no_horizontal_level_smaller(window, systems, places):
    """The vertical one may lose a little with a satellite, whose own fault goes with it."""
    seen, navigation = window
    less = seen
    for system in seen.systems:
        table = seen.systems[system]
        gone = np.unique(table.prn)[[each for each in places if each < len(np.unique(table.prn))]]
        rows = ~np.isin(table.prn, gone) & (system not in systems)
        kept = (table.epoch, table.prn, table.values, table.lost_lock, table.strength)
        part = type(table)(table.system, table.codes, *(column[rows] for column in kept))
        less = replace(less, systems={**less.systems, system: part})
    known, unknown = levels(seen, navigation), levels(less, navigation)
    assert (unknown[0] >= known[0] - 1e-6).all()
    assert (unknown[1] >= 0.95 * known[1]).all()


def levels(seen, navigation):
    """Horizontal and vertical, m; without a position nothing is bounded."""
    solved = solve(seen, navigation, Settings.of_arrivals(), risk=1e-5)
    found = np.array([solved.horizontal_m, solved.vertical_m])
    return np.where(solved.solved & np.isfinite(found), found, np.inf)


def assert_no_smaller(unknown, known):
    assert (unknown >= known - 1e-6).all()


@pytest.fixture(scope="module")
def window():
    """Four epochs of a lorry at rest, three constellations."""
    navigation = sky(3)
    return honest_window(navigation, of_sky=3, number=1).seen.part(0, 4), navigation


@pytest.mark.parametrize(("tries", "exposure"), [(1, 1), (10, 1), (100, 1), (10, 1.5)])
def test_more_tries_and_a_longer_time_never_make_a_level_smaller(afternoon, tries, exposure):
    once = solve(afternoon.seen, afternoon.navigation, risk=1e-4)
    often = solve(afternoon.seen, afternoon.navigation, risk=1e-4, tries=tries, exposure=exposure)
    assert (often.horizontal_m >= once.horizontal_m - 1e-6).all()
