"""Tests and levels: the compiled twin, the equation that levels solve, and what they promise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.protection import (
    MISSED,
    LinearModel,
    compiled_bound,
    plain_bound,
    upper_quantile,
)
from zhidao.positioning.domain.settings import B1I_L1_E1, Settings
from zhidao.positioning.domain.solving import solve
from zhidao.positioning.domain.support import Support

RISKS = (1e-2, 1e-4, 1e-6)


def _models(epochs: int, cells: int, groups: int, seed: int = 1) -> LinearModel:
    """Skies at random, some of them too poor for a position or a test."""
    chance = np.random.default_rng(seed)
    up = np.arcsin(chance.uniform(np.sin(0.17), 1, (epochs, cells)))
    azimuth = chance.uniform(0, 2 * np.pi, (epochs, cells))
    group = chance.integers(0, groups, (epochs, cells))
    toward = np.stack((np.cos(up) * np.sin(azimuth), np.cos(up) * np.cos(azimuth), np.sin(up)), -1)
    clocks = (group[..., None] == np.arange(groups)).astype(float)
    design = np.concatenate((-toward, clocks), 2)
    weight = 1 / (0.3**2 + (0.3 / np.sin(up)) ** 2)
    weight[chance.random(weight.shape) < 0.15] = 0
    normal = np.swapaxes(design * weight[..., None], 1, 2) @ design
    places = np.arange(3, 3 + groups)
    normal[:, places, places] += normal[:, places, places] == 0
    inverse = np.full_like(normal, np.nan)
    good = np.linalg.cond(normal) < 1e6
    inverse[good] = np.linalg.inv(normal[good])
    errors = chance.normal(size=weight.shape) * 2
    right = np.einsum("esp,es->ep", design * weight[..., None], errors)
    shift = np.einsum("epq,eq->ep", np.nan_to_num(inverse), right)
    variance = 4 + (0.5 / np.sin(up)) ** 2
    return LinearModel(
        design=design,
        weight=weight,
        inverse=inverse,
        residual_m=errors - np.einsum("esp,ep->es", design, shift),
        variance_m2=variance,
        usual_m2=0.4 * variance,
        common_m=np.stack((2 / np.sin(up), 0.12 / np.sin(up)), -1),
        bias_m=np.full(weight.shape, 0.3),
        fault=np.full(weight.shape, 8e-5),
        group=group,
        group_fault=np.array([6e-5, 2e-4, 1e-8])[:groups],
        suspected=chance.random(epochs) < 0.1,
        usual=0.6,
    )


@pytest.mark.parametrize(("cells", "groups"), [(6, 1), (11, 1), (11, 2), (22, 3)])
@pytest.mark.parametrize("risk", RISKS)
def test_the_compiled_twin_agrees(cells, groups, risk):
    pytest.importorskip("numba")
    model = _models(25, cells, groups)
    one = plain_bound(model, risk=risk, alarm=1e-5)
    other = compiled_bound(model, risk=risk, alarm=1e-5)
    for name in ("strain", "group_strain", "levels_m", "unmonitored", "detectable_m"):
        left, right = getattr(one, name), getattr(other, name)
        assert np.allclose(left, right, rtol=1e-8, atol=1e-6), name
    assert np.array_equal(one.assumed, other.assumed)


def test_without_faults_the_level_is_the_plain_quantile():
    model = _models(20, 12, 1)
    model = replace(
        model,
        fault=np.zeros_like(model.fault),
        bias_m=np.zeros_like(model.bias_m),
        common_m=np.zeros_like(model.common_m),
        group_fault=np.zeros(1),
    )
    found = plain_bound(model, risk=2e-3, alarm=1e-5)
    gain = model.inverse @ np.swapaxes(model.design * model.weight[..., None], 1, 2)
    deviation = np.sqrt(np.einsum("eqs,es->eq", gain[:, :3] ** 2, model.variance_m2))
    quantile = upper_quantile(np.array([5e-4]))[0]
    bounded = np.isfinite(found.levels_m).all(1)
    assert bounded.any()
    assert np.allclose(found.levels_m[bounded], quantile * deviation[bounded], rtol=1e-9)


def test_an_error_in_common_to_all_ranges_widens_the_vertical_level_most():
    model = _models(40, 12, 1)
    apart = replace(model, common_m=np.zeros_like(model.common_m))
    with_it = plain_bound(model, risk=1e-4, alarm=1e-5).levels_m
    without = plain_bound(apart, risk=1e-4, alarm=1e-5).levels_m
    good = np.isfinite(with_it).all(1) & np.isfinite(without).all(1)
    wider = with_it[good] - without[good]
    assert (wider >= 0).all()
    assert np.median(wider[:, 2]) > 2 * np.median(wider[:, 0])


def test_smaller_risk_more_faults_or_a_seen_fault_widen_levels():
    model = _models(40, 12, 2)

    def middle(asked, risk):
        return float(np.median(plain_bound(asked, risk=risk, alarm=1e-5).horizontal_m))

    calm = replace(model, suspected=np.zeros(40, bool), group_fault=np.zeros(2))
    assert middle(calm, 1e-2) < middle(calm, 1e-4) < middle(calm, 1e-6) < middle(calm, 1e-8)
    assert middle(calm, 1e-4) < middle(replace(calm, fault=calm.fault * 10), 1e-4)
    assert middle(calm, 1e-4) < middle(replace(calm, suspected=np.ones(40, bool)), 1e-4)


def test_a_constellation_without_which_nothing_is_solved_uses_up_the_risk():
    model = _models(30, 6, 2)
    found = plain_bound(model, risk=5e-5, alarm=1e-5)
    assert np.isinf(found.levels_m[~found.assumed]).all()
    alone = plain_bound(_models(30, 10, 1), risk=1e-4, alarm=1e-5, alone=False)
    assert np.isinf(alone.levels_m).all()


def test_a_bias_of_the_detectable_size_is_missed_as_seldom_as_said():
    """The test statistic at that bias lies above the threshold by the quantile of MISSED."""
    model = _models(30, 10, 1)
    found = plain_bound(model, risk=1e-4, alarm=1e-5)
    quantile = upper_quantile(np.array([MISSED]))[0]
    gain = model.inverse @ np.swapaxes(model.design * model.weight[..., None], 1, 2)
    for epoch, cell in zip(*np.nonzero(np.isfinite(found.detectable_m)), strict=True):
        used = model.weight[epoch] > 0
        row = (np.eye(10) - model.design[epoch] @ gain[epoch])[cell] * used
        variance = (row**2 * model.variance_m2[epoch]).sum()
        variance += ((row @ model.common_m[epoch]) ** 2).sum()
        threshold = abs(model.residual_m[epoch, cell]) / found.strain[epoch, cell]
        shown = found.detectable_m[epoch, cell] * row[cell]
        assert math.isclose(shown, threshold + quantile * math.sqrt(variance), rel_tol=1e-6)


def test_a_class_of_surroundings_without_evidence_gets_no_bound(afternoon):
    seen = solve(afternoon.seen, afternoon.navigation, Settings.for_environment("vehicle"))
    assert seen.solved.all()
    assert np.isinf(seen.horizontal_m).all()
    phone = solve(afternoon.seen, afternoon.navigation, Settings.for_environment("phone"))
    usual = solve(afternoon.seen, afternoon.navigation)
    assert (phone.horizontal_m > usual.horizontal_m).all()
    assert usual.one_constellation.all()


def test_support_data_widen_the_bound(afternoon):
    poor = dict(Settings().support) | {"C": Support(8_000, 4_000, 2_000, 1_000_000, 1_000_000)}
    wide = solve(afternoon.seen, afternoon.navigation, Settings(support=poor))
    usual = solve(afternoon.seen, afternoon.navigation)
    assert (wide.horizontal_m > 1.5 * usual.horizontal_m).all()
    with pytest.raises(MalformedInput):
        Support(0, 1, 0, 0, 0)


@pytest.mark.slow
def test_three_real_systems_bound_their_errors_with_constellation_faults(shared):
    from zhidao.positioning.wire.rinex_nav import read_navigation
    from zhidao.positioning.wire.rinex_obs import read_observations

    folder = shared / "positioning" / "rtk_static_pair"
    seen = read_observations((folder / "base.obs.gz").read_bytes(), systems="CEG")
    navigation = read_navigation((folder / "base.nav.gz").read_bytes())
    solved = solve(seen, navigation, Settings(signals=dict(B1I_L1_E1)))
    assert solved.solved.all()
    assert not solved.one_constellation.any()
    assert solved.horizontal_m.max() < 20
