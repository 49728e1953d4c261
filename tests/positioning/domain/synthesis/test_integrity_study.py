"""The study of bounds: few epochs here, a million in `./run bench positioning --long`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.inside_study import tightest
from zhidao.positioning.domain.synthesis.integrity_study import (
    biased,
    drawn_errors,
    examine,
    joined,
    judged,
    skies_of,
    standard_residuals,
    tilted,
)

NONE = np.zeros(0)


@pytest.fixture(scope="module")
def skies(afternoon):
    return skies_of(afternoon.seen, afternoon.navigation, Settings(), afternoon.ecef_m[0])


def test_the_study_runs_what_the_solver_runs(afternoon, skies):
    solved = solve(afternoon.seen, afternoon.navigation)
    found = examine(skies.model, skies.errors_m, Settings(), risk=1e-4)
    level = np.hypot(found.levels_m[:, 0], found.levels_m[:, 1])
    assert np.allclose(level, solved.horizontal_m, atol=1e-6)
    from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic

    latitude, longitude, _ = geodetic(afternoon.ecef_m[0])
    off = (solved.ecef_m - afternoon.ecef_m[0]) @ enu_axes(latitude, longitude).T
    assert np.abs(off - found.error_m).max() < 0.01


def test_bounds_hold_under_tails_heavier_than_assumed(skies):
    chance = np.random.default_rng(1)
    rows = chance.integers(0, len(skies), 1_000)
    errors = drawn_errors(skies, rows, standard_residuals(skies), chance)
    found = examine(skies.model.take(rows), errors, Settings(), risk=1e-2)
    assert found.offered.mean() > 0.9
    assert found.exceeded().max() <= 1e-2
    assert found.available(1e3, 1e3) >= found.available(20, 30)


def test_biases_of_the_detectable_size_are_seen(skies):
    chance = np.random.default_rng(2)
    rows = chance.integers(0, len(skies), 500)
    count, missed = biased(skies, rows, Settings(), risk=1e-4, chance=chance)
    assert count == 500
    assert missed == 0


def test_a_bound_that_is_too_tight_is_caught(skies):
    """The study must be able to fail: a tenth of the deviations drawn from is assumed here."""
    chance = np.random.default_rng(3)
    rows = chance.integers(0, len(skies), 500)
    errors = drawn_errors(skies, rows, NONE, chance)
    model = skies.model.take(rows)
    tight = replace(
        model,
        variance_m2=model.variance_m2 / 100,
        common_m=model.common_m / 10,
        bias_m=model.bias_m * 0,
        fault=model.fault * 0,
    )
    found = examine(tight, errors, Settings(), risk=1e-4)
    assert found.exceeded().max() > 0.05


@pytest.mark.parametrize("edges", [1, 6])
def test_who_is_proven_inside_is_inside(skies, edges: int):
    chance = np.random.default_rng(5)
    rows = chance.integers(0, len(skies), 300)
    errors = drawn_errors(skies, rows, standard_residuals(skies), chance)
    found = judged(skies.model.take(rows), errors, Settings(), risk=1e-2)
    told = tightest(found, Settings(), edges=edges, risk=1e-2, chance=chance)
    assert told.proven.mean() > 0.9
    assert told.outside.mean() <= 1e-2
    # The study must be able to fail: the antenna is further off than any range error brings it.
    away = replace(found, error_m=found.error_m + 3 * np.nanmax(told.size_m[told.proven]))
    again = tightest(away, Settings(), edges=edges, risk=1e-2, chance=chance)
    assert again.outside.mean() > 0.2


@pytest.mark.slow
def test_importance_sampling_gives_the_share_that_counting_gives(skies):
    """Where the risk is great enough for counting, too: normal errors, no faults."""
    chance = np.random.default_rng(4)
    rows = np.zeros(8_000, np.int64)
    calm, _ = tilted(skies, rows, Settings(), risk=0.2, chance=chance)
    model = skies.model.take(rows)
    errors = chance.normal(size=model.weight.shape) * np.sqrt(model.variance_m2)
    causes = chance.normal(size=(len(rows), 2))
    errors += np.einsum("ec,esc->es", causes, model.common_m)
    counted = examine(model, errors, Settings(), risk=0.2)
    assert counted.exceeded()[1] > 0.01
    assert abs(calm.exceeded()[1] / counted.exceeded()[1] - 1) < 0.2


def test_skies_of_several_places_stand_side_by_side(skies):
    both = joined([skies, skies])
    assert len(both) == 2 * len(skies)
    assert both.model.weight.shape[0] == len(both)
