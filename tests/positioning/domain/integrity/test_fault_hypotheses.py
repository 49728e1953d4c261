"""Hypotheses of faults against their definition: without what is faulty, solved anew."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from tests.positioning.domain.integrity.skies import PAIRS_FROM, Epoch, random_skies, upper_tail

from zhidao.positioning.domain.integrity.fault_hypotheses import (
    ONE_EPOCH,
    Accounting,
    Case,
    LinearModel,
    case_of,
    covariance_m2,
    each_suspected,
    exposed,
    inverse_of,
    upper_quantile,
    ways_of,
)

ALARM = 1e-5
NORMAL = NormalDist()
WHOLE = Accounting(whole=True, tries=24, exposure=1.4)
SKIES = [(7, 1), (11, 1), (11, 2), (16, 3)]


def _case(model: LinearModel, accounting: Accounting, risk: float) -> Case:
    return case_of(model, risk=risk, alarm=ALARM, accounting=accounting)


def _same(told: object, defined: object) -> bool:
    return np.allclose(told, defined, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("cells", "groups"), SKIES)
@pytest.mark.parametrize("accounting", [ONE_EPOCH, Accounting(exposure=1.4), WHOLE])
@pytest.mark.parametrize("risk", [1e-6, 1e-3])
def test_each_hypothesis_is_the_solution_without_what_it_names(cells, groups, accounting, risk):
    model = random_skies(12, cells, groups)
    model = replace(model, suspected=np.arange(12) % 3)
    assert _agreeing(model, accounting, risk) > 5


def _agreeing(model: LinearModel, accounting: Accounting, risk: float) -> int:
    """How many epochs have hypotheses, all of which are as defined."""
    case = _case(model, accounting, risk)
    asked = 0
    for epoch in range(len(model.weight)):
        defined = Epoch(model, epoch, ALARM, accounting)
        pairs = defined.pairs_chance > PAIRS_FROM * risk
        if defined.gain() is None:
            assert case.unbounded[epoch]
            continue
        told = [each for each in case.hypotheses if each.chance[epoch] > 0]
        expected = defined.hypotheses(pairs=pairs)
        assert len(told) == len(expected)
        for one, other in zip(told, expected, strict=True):
            assert _same(one.chance[epoch], other.chance)
            assert _same(one.threshold_m[epoch], other.threshold_m)
            if other.gain is not None:
                assert _same(one.gain[epoch], other.gain)
        assert _same(case.unmonitored[epoch], defined.unmonitored(pairs=pairs))
        assert case.single_group[epoch] == (len(defined.groups) <= 1)
        asked += 1
    return asked


@pytest.mark.parametrize(("cells", "groups"), SKIES)
def test_each_residual_is_held_against_its_threshold(cells, groups):
    model = random_skies(12, cells, groups, seed=3)
    case = _case(model, ONE_EPOCH, 1e-4)
    missed = -NORMAL.inv_cdf(1e-6)
    seen = 0
    for epoch in range(12):
        defined = Epoch(model, epoch, ALARM, ONE_EPOCH)
        if defined.gain() is None:
            assert (case.strain[epoch] == 0).all()
            continue
        rest = defined.residuals()
        threshold_m = defined.quantile * defined.deviation_m(rest, usual=True)
        for cell in range(cells):
            if cell not in defined.used or rest[cell, cell] < 1e-6:
                assert case.strain[epoch, cell] == 0
                assert np.isinf(case.detectable_m[epoch, cell])
                continue
            seen += 1
            residual_m = abs(model.residual_m[epoch, cell])
            assert _same(case.strain[epoch, cell], residual_m / threshold_m[cell])
            bias_m = threshold_m[cell] + missed * defined.deviation_m(rest[cell])
            assert _same(case.detectable_m[epoch, cell], bias_m / rest[cell, cell])
    assert seen > 20


@pytest.mark.parametrize(("cells", "groups"), [(11, 2), (16, 3)])
@pytest.mark.parametrize("error_m", [1.0, 0.01])
def test_a_constellation_is_held_against_the_others_by_how_far_it_moves_the_position(
    cells, groups, error_m
):
    model = random_skies(12, cells, groups, seed=5)
    model = replace(model, usual_m2=model.usual_m2 * error_m**2, common_m=model.common_m * error_m)
    case = _case(model, ONE_EPOCH, 1e-4)
    strains = []
    for epoch in range(12):
        defined = Epoch(model, epoch, ALARM, ONE_EPOCH)
        for group in range(groups):
            gain = None
            if defined.gain() is not None and group in defined.groups and len(defined.groups) > 1:
                gain = defined.gain(defined.members(group))
            if gain is None:
                assert case.group_strain[epoch, group] == 0
                continue
            apart = gain - defined.gain()
            moved_m = np.abs(apart @ model.residual_m[epoch])
            threshold_m = defined.quantile * defined.deviation_m(apart, usual=True)
            strains.append(case.group_strain[epoch, group])
            assert _same(strains[-1], (moved_m / threshold_m).max())
    assert len(strains) > 8


@pytest.mark.parametrize(("cells", "groups"), SKIES)
def test_spare_ranges_are_those_beyond_place_and_clocks(cells, groups):
    model = random_skies(12, cells, groups)
    for epoch, spare in enumerate(model.spare.tolist()):
        used = model.weight[epoch] > 0
        clocks = len(set(model.group[epoch][used].tolist()))
        assert spare == used.sum() - 3 - clocks


def test_chosen_epochs_are_those_epochs_alone():
    model = random_skies(5, 9, 3)
    some = model.take(np.array([3, 1]))
    assert np.array_equal(some.design, model.design[[3, 1]])
    assert np.array_equal(some.suspected, model.suspected[[3, 1]])
    assert some.group_fault is model.group_fault
    assert some.usual == model.usual


def test_the_plain_accounting_is_of_one_epoch_and_one_try():
    assert Accounting() == ONE_EPOCH
    assert (ONE_EPOCH.whole, ONE_EPOCH.tries, ONE_EPOCH.exposure) == (False, 1.0, 1.0)


def test_a_covariance_holds_what_is_common_to_all_ranges():
    model = random_skies(3, 9, 1)
    gain = np.random.default_rng(1).normal(size=(3, 2, 9))
    told = covariance_m2(model, gain)
    for epoch in range(3):
        of_errors = np.diag(model.variance_m2[epoch])
        for cause in range(2):
            column = model.common_m[epoch, :, cause]
            of_errors = of_errors + np.outer(column, column)
        assert _same(told[epoch], gain[epoch] @ of_errors @ gain[epoch].T)


def test_a_chance_that_grows_with_time_never_passes_one():
    model = random_skies(2, 9, 2)
    longer = exposed(model, Accounting(exposure=1e5))
    assert (longer.fault == 1).all()
    assert longer.group_fault.tolist() == [1.0, 1.0]
    assert exposed(model, ONE_EPOCH) is model
    assert exposed(model, Accounting(exposure=2)).fault[0, 0] == 2 * model.fault[0, 0]


def test_before_version_4_a_seen_fault_counts_thirty_times_and_since_then_by_its_ways():
    model = replace(random_skies(3, 9, 1), suspected=np.array([0, 1, 2]))
    used = (model.weight > 0).sum(1)
    assert each_suspected(model, ONE_EPOCH).tolist() == [1, 30, 30]
    assert each_suspected(model, WHOLE).tolist() == [1, 1, 1]
    assert ways_of(model, ONE_EPOCH).tolist() == [1, 1, 1]
    assert ways_of(model, WHOLE).tolist() == [1, used[1] + 2, (used[2] + 3) ** 2]


def test_a_position_that_hangs_on_an_unchecked_satellite_has_no_bound():
    sky = random_skies(1, 5, 1, seed=2)
    weight = np.ones((1, 5))
    for count, unbounded in ((4, True), (5, False)):
        weight[0, count:] = 0
        model = replace(sky, weight=weight.copy(), inverse=inverse_of(sky.design, weight))
        assert np.isfinite(model.inverse).all()
        assert _case(model, ONE_EPOCH, 1e-4).unbounded.tolist() == [unbounded]
        weight[:] = 1


def test_an_inverse_needs_as_many_ranges_as_unknowns_and_a_sky_that_tells_them_apart():
    sky = random_skies(6, 9, 2, seed=9)
    told = inverse_of(sky.design, sky.weight)
    for epoch in range(6):
        normal = sky.design[epoch].T @ (sky.design[epoch] * sky.weight[epoch][:, None])
        assert _same(told[epoch], np.linalg.inv(normal))
    # How good the ranges are all together is nothing to whether there is a solution.
    assert _same(inverse_of(sky.design, sky.weight * 1e-8) * 1e-8, told)
    one = random_skies(1, 9, 1, seed=9)
    few = np.zeros((1, 9))
    few[0, :4] = 1
    assert np.isfinite(inverse_of(one.design, few)).all()
    few[0, 3] = 0
    assert np.isnan(inverse_of(one.design, few)).all()
    # All in one direction: as many as needed, and nothing told.
    same = np.repeat(one.design[:, :1], 9, 1)
    assert np.isnan(inverse_of(same, np.ones((1, 9)))).all()


def test_an_idle_constellations_clock_is_held():
    sky = random_skies(1, 16, 2, seed=9)
    weight = np.where(sky.group == 0, sky.weight, 0)
    inverse = inverse_of(sky.design, weight)[0]
    design = sky.design[0, :, :4]
    alone = np.linalg.inv(design.T @ (design * weight[0][:, None]))
    assert _same(inverse[:4, :4], alone)
    assert inverse[4, 4] == 1
    assert (inverse[4, :4] == 0).all()


def test_quantiles_are_those_of_the_upper_tail_down_to_nothing():
    asked = np.array([[0.5, 0.025], [1e-12, 0.0], [0.9, 1.0]])
    told = upper_quantile(asked)
    assert told.shape == asked.shape
    assert _same(told[0], [0, 1.959963985])
    assert upper_tail(told[1, 0]) == pytest.approx(1e-12, rel=1e-6)
    assert told[1, 1] == np.inf
    assert told[2].tolist() == [0, 0]


def test_an_inverse_that_is_not_wholly_known_is_none():
    model = random_skies(4, 9, 1)
    assert not _case(model, ONE_EPOCH, 1e-4).unbounded.all()
    inverse = model.inverse.copy()
    inverse[:, 0, 0] = np.nan
    assert _case(replace(model, inverse=inverse), ONE_EPOCH, 1e-4).unbounded.all()


def _solved(model: LinearModel, weight: np.ndarray) -> LinearModel:
    return replace(model, weight=weight, inverse=inverse_of(model.design, weight))


def test_a_constellation_that_is_not_there_has_no_part_in_anything():
    model = random_skies(8, 16, 3, seed=9)
    for absent in range(3):
        for epochs in (slice(None), slice(1, None, 2)):
            gone = np.zeros(model.weight.shape, bool)
            gone[epochs] = model.group[epochs] == absent
            poorer = _solved(model, np.where(gone, 0, model.weight))
            for accounting in (ONE_EPOCH, WHOLE):
                assert _agreeing(poorer, accounting, 1e-3) > 3
                assert _agreeing(poorer, accounting, 1e-6) > 3
                assert (_case(poorer, accounting, 1e-3).group_strain[epochs, absent] == 0).all()


@pytest.mark.parametrize("alone", [0, 1])
def test_the_only_satellite_of_its_constellation_sets_its_clock_and_takes_no_bound_away(alone):
    sky = random_skies(1, 8, 2, seed=9)
    group = np.full((1, 8), 1 - alone)
    group[0, 0] = alone
    design = sky.design.copy()
    design[..., 3:] = group[..., None] == np.arange(2)
    model = _solved(replace(sky, group=group, design=design), np.ones((1, 8)))
    case = _case(model, ONE_EPOCH, 1e-3)
    assert case.unbounded.tolist() == [False]
    assert np.isinf(case.detectable_m[0, 0])
    assert case.strain[0, 0] == 0


def test_four_satellites_all_around_move_the_position_by_less_than_their_error_and_have_no_bound():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    sky = random_skies(1, 4, 1)
    design = np.concatenate((-corners, np.ones((4, 1))), 1)[None]
    model = _solved(replace(sky, design=design), np.ones((1, 4)))
    assert np.abs(np.linalg.inv(design[0])[:3]).max() < 1
    assert _case(model, ONE_EPOCH, 1e-3).unbounded.tolist() == [True]


def test_pairs_that_another_epoch_asks_for_bound_nothing_here():
    """Of five satellites each pair hides behind the others; here pairs are not tested for."""
    sky = random_skies(1, 5, 1, seed=2)
    both = replace(sky.take(np.array([0, 0])), suspected=np.array([0, 1]))
    model = _solved(both, np.ones((2, 5)))
    pairs = _case(model, ONE_EPOCH, 1e-4).hypotheses[6:]
    assert len(pairs) == 10
    for each in pairs:
        assert each.chance[0] == 0
        assert np.isfinite(each.threshold_m[0]).all()
        assert each.chance[1] > 0
        assert np.isinf(each.threshold_m[1]).all()
