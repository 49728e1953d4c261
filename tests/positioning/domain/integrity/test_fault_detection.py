"""The first release's bounds against their definition: a solution anew without each satellite."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from tests.positioning.domain.integrity.skies import Epoch, random_skies

from zhidao.positioning.domain.integrity.fault_detection import Verdict, judge, range_variance
from zhidao.positioning.domain.integrity.fault_hypotheses import ONE_EPOCH, LinearModel
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.single_point.least_squares import Fit
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

SETTINGS = Settings.of_version_1()
Q = NormalDist()
BDS = SYSTEMS.index("C")


def tail(probability: float) -> float:
    """Where the upper tail of the normal distribution has that probability."""
    return -Q.inv_cdf(min(probability, 0.5)) if probability > 0 else math.inf


def sky(
    epochs: int, cells: int, groups: int, seed: int = 1
) -> tuple[LinearModel, Measurements, Fit]:
    """Ranges at random with a fit that used them."""
    model = random_skies(epochs, cells, groups, seed)
    chance = np.random.default_rng(seed + 100)
    shape = model.weight.shape
    data = Measurements(
        gpst_ns=np.arange(epochs) * 10**9,
        observed=np.full(epochs, cells),
        present=model.weight > 0,
        satellite=BDS * 100 + chance.integers(1, 64, shape),
        system=model.group,
        systems="C" * groups,
        range_m=np.zeros(shape),
        place_m=np.zeros((*shape, 3)),
        rotation_radps=np.zeros(shape),
        carrier_hz=np.full(shape, 1.561098e9),
        accuracy_m=chance.uniform(0, 4, shape),
        noise=chance.uniform(1, 3, shape),
    )
    nothing = np.zeros(epochs)
    found = Fit(
        ecef_m=np.zeros((epochs, 3)),
        clock_m=np.zeros((epochs, groups)),
        latitude=nothing,
        longitude=nothing,
        height_m=nothing,
        elevation=np.arcsin(-model.design[..., 2]),
        azimuth=np.zeros(shape),
        ionosphere_m=chance.uniform(0, 9, shape),
        residual_m=model.residual_m,
        design=model.design,
        weight=model.weight,
        inverse=model.inverse,
        converged=np.isfinite(model.inverse).all((1, 2)),
        near_earth=np.ones(epochs, bool),
        rough_m=np.zeros(shape),
    )
    return model, data, found


def test_a_ranges_variance_is_the_sum_of_its_parts() -> None:
    _, data, found = sky(6, 9, 1)
    # Below the mask the mask's own elevation counts.
    found = replace(found, elevation=found.elevation - 0.15)
    settings = replace(SETTINGS, troposphere_mm=150, multipath_zenith_mm=400, orbit_mm_min=1_700)
    told = range_variance(data, found, settings)
    low = geostationary = 0
    for place in np.ndindex(told.shape):
        prn = int(data.satellite[place]) % 100
        up = max(float(found.elevation[place]), math.radians(10))
        low += float(found.elevation[place]) < math.radians(10)
        geostationary += prn <= 5 or prn >= 59
        total = max(float(data.accuracy_m[place]), 1.7) ** 2
        total += 1.5**2 if prn <= 5 or prn >= 59 else 0
        total += (0.5 * float(found.ionosphere_m[place])) ** 2
        total += (0.15 * 1.001 / math.sqrt(0.002001 + math.sin(up) ** 2)) ** 2
        total += (0.4 * float(data.noise[place])) ** 2
        total += (0.5 * float(data.noise[place]) / math.sin(up)) ** 2
        assert math.isclose(told[place], total, rel_tol=1e-12)
    assert low
    assert geostationary


def by_definition(
    model: LinearModel, variance: Any, epoch: int, settings: Settings, risk: float
) -> tuple[Any, Any]:
    """Strain of each range and the levels of one epoch."""
    defined = Epoch(model, epoch, 1e-5, ONE_EPOCH)
    used, whole = defined.used.tolist(), defined.gain()
    count, prior = len(used), settings.fault_ppb * 1e-9
    share = max(risk - count * (count - 1) / 2 * prior**2, 0) / 2
    alarm = tail(settings.alarm_ppb * 1e-9 / (2 * count)) * settings.alarm_percent / 100
    faulty = tail(share / (4 * count * prior))

    def deviation(rows: Any) -> Any:
        return np.sqrt((rows**2 * variance).sum(-1))

    strain, levels = np.zeros(len(variance)), tail(share / 4) * deviation(whole)
    rest = defined.residuals()
    for cell in used:
        without = defined.gain({cell})
        if rest[cell, cell] < 1e-6:
            if np.abs(whole[:, cell]).max() > 1e-9:
                return strain, np.full(3, np.inf)
            continue
        strain[cell] = abs(model.residual_m[epoch, cell]) / (alarm * deviation(rest[cell]))
        each = alarm * deviation(without - whole) + faulty * deviation(without)
        levels = np.maximum(levels, each)
    return strain, levels


@pytest.mark.parametrize(("cells", "groups"), [(5, 1), (6, 2), (9, 1), (14, 2)])
@pytest.mark.parametrize("risk", [1e-3, 1e-5, 1e-7])
def test_strain_and_levels_are_those_of_solutions_without_each_satellite(
    cells, groups, risk
) -> None:
    model, data, found = sky(25, cells, groups, seed=cells)
    settings = replace(SETTINGS, alarm_ppb=20_000, alarm_percent=70, fault_ppb=30_000)
    told = judge(data, found, settings, risk=risk)
    variance = np.where(model.weight > 0, range_variance(data, found, settings), 0)
    bounded = 0
    for epoch in np.flatnonzero(found.converged):
        strain, levels = by_definition(model, variance[epoch], int(epoch), settings, risk)
        finite = np.isfinite(levels).all()
        assert np.isfinite(told.levels[epoch]).all() == finite
        if finite:
            assert np.allclose(told.levels[epoch], levels, rtol=1e-6)
            assert np.allclose(told.strain[epoch], strain, rtol=1e-6)
            bounded += 1
    assert bounded > 3
    assert np.isinf(told.levels[~found.converged]).all()
    assert (told.strain[model.weight == 0] == 0).all()


def test_as_many_ranges_as_unknowns_show_no_fault_and_give_no_bound() -> None:
    model, data, found = sky(20, 4, 1, seed=2)
    told = judge(data, found, SETTINGS, risk=1e-3)
    whole = (model.weight > 0).all(1) & found.converged
    assert whole.any()
    assert np.isinf(told.levels[whole]).all()
    assert (told.strain[whole] == 0).all()


def test_the_only_satellite_of_its_system_moves_nothing_and_spoils_nothing() -> None:
    model, data, found = sky(8, 9, 2, seed=3)
    alone = np.zeros((8, 9), int)
    alone[:, 0] = 1
    clocks = (alone[..., None] == np.arange(2)).astype(float)
    design = np.concatenate((model.design[..., :3], clocks), 2)
    weight = np.ones((8, 9))
    inverse = np.linalg.inv(np.swapaxes(design * weight[..., None], 1, 2) @ design)
    found = replace(
        found, design=design, weight=weight, inverse=inverse, converged=np.ones(8, bool)
    )
    told = judge(data, found, SETTINGS, risk=1e-3)
    assert np.isfinite(told.levels).all()
    assert (told.strain[:, 0] == 0).all()
    assert (told.strain[:, 1:] > 0).all()


def test_two_faults_at_once_use_up_the_risk() -> None:
    _, data, found = sky(10, 12, 1, seed=4)
    count = int((found.weight[0] > 0).sum())
    both = count * (count - 1) / 2 * (SETTINGS.fault_ppb * 1e-9) ** 2
    of = found.weight > 0
    epochs = found.converged & (of.sum(1) == count)
    assert epochs.any()
    assert np.isinf(judge(data, found, SETTINGS, risk=both * 0.999).levels[epochs]).all()
    assert np.isfinite(judge(data, found, SETTINGS, risk=both * 1.1).levels[epochs]).all()


def test_an_epoch_without_ranges_has_no_strain_and_no_level() -> None:
    _, data, found = sky(3, 8, 1)
    found = replace(
        found,
        weight=np.zeros_like(found.weight),
        inverse=np.full_like(found.inverse, np.nan),
        residual_m=np.full_like(found.residual_m, np.nan),
        converged=np.zeros(3, bool),
    )
    told = judge(data, found, SETTINGS, risk=1e-3)
    assert np.isinf(told.levels).all()
    assert (told.strain == 0).all()


def test_levels_are_told_for_the_plane_and_the_height() -> None:
    verdict = Verdict(np.zeros((1, 0)), np.array([[3.0, 4.0, 7.0]]))
    assert verdict.horizontal_m.tolist() == [5.0]
    assert verdict.vertical_m.tolist() == [7.0]
