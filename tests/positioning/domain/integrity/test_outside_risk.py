"""The chance to lie beyond lines: the sum over hypotheses and lines of one-sided tails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.positioning.domain.integrity.skies import PAIRS_FROM, Epoch, random_skies, upper_tail

from zhidao.positioning.domain.integrity.fault_hypotheses import (
    ONE_EPOCH,
    Accounting,
    LinearModel,
)
from zhidao.positioning.domain.integrity.outside_risk import _upper_tail, outside_risk

ALARM = 1e-5
WHOLE = Accounting(whole=True, tries=24, exposure=1.4)


def _lines(epochs: int, away_m: float, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Lines around the position at slightly different distances."""
    angle = 0.3 + 2 * np.pi * np.arange(count) / count
    normals = np.stack((np.sin(angle), np.cos(angle)), 1)
    return np.tile(normals, (epochs, 1, 1)), np.tile(away_m + np.arange(count), (epochs, 1))


def _without_faults(model: LinearModel) -> LinearModel:
    nothing = np.zeros_like
    return replace(model, fault=nothing(model.fault), group_fault=nothing(model.group_fault))


def _defined(model, epoch, normals, distance_m, risk, accounting):
    """The sum by its definition, one tail after another."""
    defined = Epoch(model, epoch, ALARM, accounting)
    if defined.gain() is None:
        return 1.0
    pairs = defined.pairs_chance > PAIRS_FROM * risk
    total = defined.unmonitored(pairs=pairs)
    for each in defined.hypotheses(pairs=pairs):
        if not np.isfinite(each.threshold_m).all():
            total += each.chance
            continue
        tails = 0.0
        for normal, away_m in zip(normals, distance_m, strict=True):
            row = normal @ each.gain[:2]
            centre_m = np.abs(row) @ model.bias_m[epoch] + np.abs(normal) @ each.threshold_m[:2]
            tails += upper_tail((away_m - centre_m) / defined.deviation_m(row))
        total += min(each.chance, 1) * min(accounting.tries * tails, 1)
    return min(total, 1.0)


@pytest.mark.parametrize("accounting", [ONE_EPOCH, WHOLE])
@pytest.mark.parametrize(("cells", "groups"), [(9, 1), (12, 2)])
@pytest.mark.parametrize("away_m", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("risk", [1e-9, 1e-3])
def test_it_is_the_sum_over_hypotheses_and_lines(accounting, cells, groups, away_m, risk):
    model = random_skies(12, cells, groups, seed=7)
    normals, distance_m = _lines(12, away_m)
    told = outside_risk(model, normals, distance_m, risk=risk, alarm=ALARM, accounting=accounting)
    for epoch in range(12):
        defined = _defined(model, epoch, normals[epoch], distance_m[epoch], risk, accounting)
        # A satellite that moves the position and that no other one checks leaves no bound.
        if told[epoch] < 1 or defined >= 1:
            assert np.isclose(told[epoch], defined, rtol=1e-6, atol=1e-13)
    assert (told < 1).any()


def test_where_a_satellite_is_checked_by_no_other_one_it_is_one():
    model = _without_faults(random_skies(1, 4, 1, seed=2))
    model = replace(model, weight=np.ones((1, 4)))
    model = replace(model, inverse=np.linalg.inv(np.swapaxes(model.design, 1, 2) @ model.design))
    normals, distance_m = _lines(1, 1e6)
    assert outside_risk(model, normals, distance_m, risk=1e-4, alarm=ALARM).tolist() == [1.0]


def test_far_out_it_is_never_less_than_it_is_and_next_to_nothing():
    model = _without_faults(random_skies(20, 12, 1, seed=4))
    for tries in (1.0, 24.0):
        normals, distance_m = _lines(20, 1e7, count=3)
        chance = outside_risk(
            model,
            normals,
            distance_m,
            risk=1e-4,
            alarm=ALARM,
            accounting=Accounting(tries=tries),
        )
        bounded = chance < 1
        assert bounded.any()
        assert (chance[bounded] >= tries * 3 * upper_tail(8.0)).all()
        assert (chance[bounded] <= tries * 3 * 6.5e-16).all()


def test_it_is_exact_up_to_eight_deviations_and_falls_no_further():
    model = _without_faults(random_skies(20, 12, 1, seed=4))
    model = replace(model, bias_m=np.zeros_like(model.bias_m))
    for epoch in range(20):
        defined = Epoch(model, epoch, ALARM, ONE_EPOCH)
        if defined.gain() is None:
            continue
        normals = np.zeros((20, 1, 2))
        normals[:, 0, 0] = 1.0
        deviation_m = defined.deviation_m(defined.gain()[0])
        for deviations, expected in ((7.9, upper_tail(7.9)), (8.1, 6.3e-16), (0.0, 0.5)):
            away_m = np.full((20, 1), deviations * deviation_m)
            chance = outside_risk(model, normals, away_m, risk=1e-4, alarm=ALARM)[epoch]
            assert chance == 1 or np.isclose(chance, expected, rtol=1e-6, atol=0)


def test_from_eight_deviations_on_a_tail_is_one_value_and_no_smaller_than_it_is():
    told = _upper_tail(np.array([[-1.0, 7.999999], [8.0, 1e9]]))
    assert np.allclose(told[0], [upper_tail(-1.0), upper_tail(7.999999)], rtol=1e-9, atol=0)
    assert told[1].tolist() == [6.3e-16, 6.3e-16]
    assert upper_tail(8.0) < 6.3e-16
    assert _upper_tail(np.full((2, 1), 9.0)).tolist() == [[6.3e-16], [6.3e-16]]


def test_ranges_of_a_centimetre_bound_a_place_of_centimetres():
    model = _without_faults(random_skies(12, 12, 1, seed=4))
    precise = replace(
        model,
        variance_m2=np.full_like(model.variance_m2, 1e-4),
        common_m=np.zeros_like(model.common_m),
        bias_m=np.zeros_like(model.bias_m),
    )
    normals, distance_m = _lines(12, 0.0)
    distance_m[:] = 0.02
    told = outside_risk(precise, normals, distance_m, risk=1e-4, alarm=ALARM)
    compared = 0
    for epoch in np.flatnonzero(told < 1).tolist():
        defined = _defined(precise, epoch, normals[epoch], distance_m[epoch], 1e-4, ONE_EPOCH)
        assert np.isclose(told[epoch], defined, rtol=1e-6, atol=1e-13)
        compared += 1
    assert compared > 3


def test_no_hypothesis_counts_more_than_wholly():
    """A satellite of which a fault is likely, at an epoch at which others were put out."""
    model = _without_faults(random_skies(12, 12, 1, seed=4))
    model.fault[:, 0] = 1e-3
    model = replace(model, suspected=np.full(12, 3))
    normals, distance_m = _lines(12, 25.0)
    told = outside_risk(model, normals, distance_m, risk=1e-3, alarm=ALARM, accounting=WHOLE)
    compared = 0
    for epoch in np.flatnonzero(told < 1).tolist():
        assert Epoch(model, epoch, ALARM, WHOLE).ways > 1000
        defined = _defined(model, epoch, normals[epoch], distance_m[epoch], 1e-3, WHOLE)
        assert np.isclose(told[epoch], defined, rtol=1e-6, atol=1e-13)
        compared += 1
    assert compared > 3
