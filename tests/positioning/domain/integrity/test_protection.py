"""Tests and levels: the compiled twin, the equation that levels solve, and what they promise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.positioning.domain.integrity.skies import PAIRS_FROM, Epoch, random_skies, upper_tail

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity import protection
from zhidao.positioning.domain.integrity.fault_hypotheses import (
    MISSED,
    ONE_EPOCH,
    Accounting,
    upper_quantile,
)
from zhidao.positioning.domain.integrity.protection import bound, compiled_bound, plain_bound
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, Settings
from zhidao.positioning.domain.support import Support

RISKS = (1e-2, 1e-4, 1e-6)


@pytest.mark.parametrize(("cells", "groups"), [(6, 1), (11, 1), (11, 2), (22, 3)])
@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("accounting", [ONE_EPOCH, Accounting(True, tries=24, exposure=1.4)])
def test_the_compiled_twin_agrees(cells, groups, risk, accounting):
    pytest.importorskip("numba")
    model = random_skies(25, cells, groups)
    one = plain_bound(model, risk=risk, alarm=1e-5, accounting=accounting)
    other = compiled_bound(model, risk=risk, alarm=1e-5, accounting=accounting)
    for name in ("strain", "group_strain", "levels_m", "unmonitored", "detectable_m"):
        left, right = getattr(one, name), getattr(other, name)
        assert np.allclose(left, right, rtol=1e-8, atol=1e-6), name
    assert np.array_equal(one.assumed, other.assumed)


def test_without_faults_the_level_is_the_plain_quantile():
    model = random_skies(20, 12, 1)
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
    model = random_skies(40, 12, 1)
    apart = replace(model, common_m=np.zeros_like(model.common_m))
    with_it = plain_bound(model, risk=1e-4, alarm=1e-5).levels_m
    without = plain_bound(apart, risk=1e-4, alarm=1e-5).levels_m
    good = np.isfinite(with_it).all(1) & np.isfinite(without).all(1)
    wider = with_it[good] - without[good]
    assert (wider >= 0).all()
    assert np.median(wider[:, 2]) > 2 * np.median(wider[:, 0])


def test_smaller_risk_more_faults_or_a_seen_fault_widen_levels():
    model = random_skies(40, 12, 2)

    def middle(asked, risk):
        return float(np.median(plain_bound(asked, risk=risk, alarm=1e-5).horizontal_m))

    calm = replace(model, suspected=np.zeros(40, bool), group_fault=np.zeros(2))
    assert middle(calm, 1e-2) < middle(calm, 1e-4) < middle(calm, 1e-6) < middle(calm, 1e-8)
    assert middle(calm, 1e-4) < middle(replace(calm, fault=calm.fault * 10), 1e-4)
    assert middle(calm, 1e-4) < middle(replace(calm, suspected=np.ones(40, bool)), 1e-4)


def test_a_constellation_without_which_nothing_is_solved_uses_up_the_risk():
    model = random_skies(30, 6, 2)
    found = plain_bound(model, risk=5e-5, alarm=1e-5)
    assert np.isinf(found.levels_m[~found.assumed]).all()


def test_a_bias_of_the_detectable_size_is_missed_as_seldom_as_said():
    """The test statistic at that bias lies above the threshold by the quantile of MISSED."""
    model = random_skies(30, 10, 1)
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
    from zhidao.positioning.wire.rinex.navigation import read_navigation
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    folder = shared / "positioning" / "rtk_static_pair"
    seen = read_observations((folder / "base.obs.gz").read_bytes(), systems="CEG")
    navigation = read_navigation((folder / "base.nav.gz").read_bytes())
    solved = solve(seen, navigation, Settings(signals=dict(B1I_L1_E1)))
    assert solved.solved.all()
    assert not solved.one_constellation.any()
    assert solved.horizontal_m.max() < 20


@pytest.mark.parametrize(("cells", "groups"), [(9, 1), (12, 2)])
@pytest.mark.parametrize("accounting", [ONE_EPOCH, Accounting(True, tries=24, exposure=1.4)])
@pytest.mark.parametrize("risk", [1e-6, 1e-3])
def test_a_level_is_where_the_tails_of_all_hypotheses_make_up_the_risk(
    cells, groups, accounting, risk
):
    model = random_skies(12, cells, groups, seed=11)
    found = plain_bound(model, risk=risk, alarm=1e-5, accounting=accounting)
    bounded = 0
    for epoch in range(12):
        if not np.isfinite(found.levels_m[epoch]).all():
            continue
        defined = Epoch(model, epoch, 1e-5, accounting)
        pairs = defined.pairs_chance > PAIRS_FROM * risk
        share = (risk - defined.unmonitored(pairs=pairs)) / 2
        for axis, level_m in enumerate(found.levels_m[epoch]):
            total = 0.0
            for each in defined.hypotheses(pairs=pairs):
                row = each.gain[axis]
                centre_m = np.abs(row) @ model.bias_m[epoch] + each.threshold_m[axis]
                both = 2 * upper_tail((level_m - centre_m) / defined.deviation_m(row))
                total += min(each.chance, 1) * min(accounting.tries * both, 1)
            assert math.isclose(total, share, rel_tol=1e-8)
        bounded += 1
    # One constellation alone cannot show that it is wrong as a whole, which uses up a small risk.
    alone = accounting.whole and groups == 1 and risk < 1e-4
    assert bounded == 0 if alone else bounded > 3


def test_with_all_errors_a_thousandth_levels_are_a_thousandth():
    model = random_skies(12, 9, 1, seed=11)
    fine = replace(
        model,
        variance_m2=model.variance_m2 * 1e-6,
        usual_m2=model.usual_m2 * 1e-6,
        common_m=model.common_m * 1e-3,
        bias_m=model.bias_m * 1e-3,
    )
    told = plain_bound(fine, risk=1e-4, alarm=1e-5).levels_m
    usual = plain_bound(model, risk=1e-4, alarm=1e-5).levels_m
    finite = np.isfinite(usual)
    assert np.array_equal(np.isfinite(told), finite)
    assert np.allclose(told[finite] * 1e3, usual[finite], rtol=1e-9)


def test_a_fault_is_never_held_for_more_than_certain():
    """Thirty times a chance of 1 in 25, after an exclusion, is still no more than 1.

    That three of them are there at once, 1.2^3 / 6, is not tested for.
    """
    model = random_skies(12, 9, 1, seed=11)
    fault = np.zeros_like(model.fault)
    fault[:, 0] = 0.04
    model = replace(model, fault=fault, group_fault=np.zeros(1), suspected=np.ones(12, bool))
    found = plain_bound(model, risk=0.6, alarm=1e-5)
    bounded = 0
    for epoch in np.flatnonzero((model.weight[:, 0] > 0) & np.isfinite(found.levels_m).all(1)):
        free, faulty = Epoch(model, int(epoch), 1e-5, ONE_EPOCH).hypotheses(pairs=False)[:2]
        for axis, level_m in enumerate(found.levels_m[epoch]):
            total = 0.0
            for each in (free, faulty):
                row = each.gain[axis]
                centre_m = np.abs(row) @ model.bias_m[epoch] + each.threshold_m[axis]
                deviation_m = Epoch(model, int(epoch), 1e-5, ONE_EPOCH).deviation_m(row)
                total += min(2 * upper_tail((level_m - centre_m) / deviation_m), 1)
            assert math.isclose(total, (0.6 - 1.2**3 / 6) / 2, rel_tol=1e-8)
        bounded += 1
    assert bounded > 3


def test_there_is_no_level_where_what_is_not_tested_for_uses_up_the_risk():
    model = random_skies(12, 9, 1, seed=11)
    whole = Accounting(whole=True)

    def asked(risk: float):
        return plain_bound(model, risk=risk, alarm=1e-5, accounting=whole)

    usual = asked(1e-3)
    epoch = int(np.flatnonzero(np.isfinite(usual.levels_m).all(1))[0])
    unmonitored = float(usual.unmonitored[epoch])
    at_the_limit = asked(unmonitored)
    assert at_the_limit.unmonitored[epoch] == unmonitored
    assert np.isinf(at_the_limit.levels_m[epoch]).all()
    assert np.isfinite(asked(unmonitored * 1.01).levels_m[epoch]).all()


def test_levels_are_found_to_a_nanometre_whatever_else_is_asked_with_them():
    model = random_skies(12, 9, 1, seed=11)
    together = plain_bound(model, risk=1e-4, alarm=1e-5).levels_m
    for epoch in range(12):
        alone = plain_bound(model.take(np.array([epoch])), risk=1e-4, alarm=1e-5).levels_m[0]
        assert np.array_equal(np.isinf(alone), np.isinf(together[epoch]))
        finite = np.isfinite(alone)
        assert np.allclose(alone[finite], together[epoch][finite], rtol=0, atol=1e-9)


def test_the_horizontal_level_is_that_of_both_axes_and_the_vertical_one_the_third():
    model = random_skies(12, 9, 1, seed=11)
    found = plain_bound(model, risk=1e-4, alarm=1e-5)
    east_m, north_m, up_m = found.levels_m.T
    assert np.array_equal(found.horizontal_m, np.hypot(east_m, north_m))
    assert np.array_equal(found.vertical_m, up_m)


def test_by_whatever_way_it_is_asked_the_bound_is_the_same(monkeypatch):
    """Nothing, a few epochs and many: the plain twin until loading the compiled one pays."""
    asked = []
    monkeypatch.setattr(protection, "ready", lambda *, pays: asked.append(pays))
    monkeypatch.setattr(protection, "plain_bound", lambda model, **_: len(model.weight))
    model = random_skies(2, 9, 1)
    for epochs in (0, 1, 1_023, 1_024):
        many = model.take(np.zeros(epochs, int))
        assert protection.bound(many, risk=1e-4, alarm=1e-5) == epochs
    assert asked == [False, False, True]


def test_for_no_epochs_there_are_no_bounds():
    nothing = random_skies(3, 9, 2).take(np.zeros(0, int))
    assert bound(nothing, risk=1e-4, alarm=1e-5).levels_m.shape == (0, 3)
