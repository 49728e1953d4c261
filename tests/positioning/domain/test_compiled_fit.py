"""The compiled fit and its numpy twin agree on ordinary, poor, faulty and absurd epochs."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from zhidao.positioning.domain.satellites.ephemeris import Klobuchar
from zhidao.positioning.domain.single_point.least_squares import compiled_fit, plain_fit
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, Settings
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

pytest.importorskip("numba")

GPS = Klobuchar((1.2e-8, 1.5e-8, -6e-8, -1.2e-7), (9e4, 6.5e4, -1.3e5, -4.6e5), bds=False)
LENGTHS = {"ecef_m", "clock_m", "height_m", "residual_m", "ionosphere_m", "rough_m"}


def _same(data, allowed, model, settings, *, epochs=slice(None)):
    one = plain_fit(data, allowed, model, settings)
    other = compiled_fit(data, allowed, model, settings)
    for column in fields(one):
        left = getattr(one, column.name)[epochs]
        right = getattr(other, column.name)[epochs]
        present = data.present[epochs]
        if left.shape[:2] == present.shape:
            left, right = left[present], right[present]
        tolerance = 1e-6 if column.name in LENGTHS else 1e-9
        assert np.allclose(left, right, rtol=1e-9, atol=tolerance, equal_nan=True), column.name
    return one


@pytest.mark.parametrize("model", ["bds", "gps", "none"])
def test_ordinary_epochs_agree(afternoon, model):
    settings = Settings()
    data = measure(afternoon.seen, afternoon.navigation, settings)
    chosen = {"bds": afternoon.navigation.klobuchar, "gps": GPS, "none": None}[model]
    assert _same(data, data.present, chosen, settings).converged.all()


def test_three_systems_agree_over_a_real_day(shared):
    folder = shared / "positioning" / "esbc_2020177"
    seen = read_observations((folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes())
    navigation = read_navigation((folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes())
    settings = Settings(signals=dict(B1I_L1_E1))
    data = measure(seen, navigation, settings).take(np.arange(0, 2880, 5))
    assert _same(data, data.present, navigation.klobuchar, settings).converged.all()


def test_epochs_with_too_few_ranges_or_none_agree(afternoon):
    settings = Settings()
    data = measure(afternoon.seen, afternoon.navigation, settings)
    allowed = data.present.copy()
    for epoch in range(len(allowed)):
        allowed[epoch, epoch % 7 :] = False
    found = _same(data, allowed, afternoon.navigation.klobuchar, settings, epochs=slice(0, 3))
    assert not found.converged[:3].any()
    for kind in (plain_fit, compiled_fit):
        result = kind(data, allowed, afternoon.navigation.klobuchar, settings)
        assert not result.converged[allowed.sum(1) < 4].any()


def test_faults_of_any_size_agree_on_what_is_near_the_earth(afternoon):
    settings = Settings()
    data = measure(afternoon.seen, afternoon.navigation, settings)
    range_m = data.range_m.copy()
    for epoch in range(len(range_m)):
        range_m[epoch, epoch % data.present.shape[1]] += 10.0 ** (epoch % 8)
    spoiled = replace(data, range_m=range_m)
    model = afternoon.navigation.klobuchar
    one = plain_fit(spoiled, data.present, model, settings)
    other = compiled_fit(spoiled, data.present, model, settings)
    assert np.array_equal(one.near_earth, other.near_earth)
    assert np.array_equal(one.converged, other.converged)
    good = one.converged
    assert np.abs(one.ecef_m[good] - other.ecef_m[good]).max() < 1e-5
    assert np.allclose(one.rough_m, other.rough_m, atol=1e-3, rtol=1e-6)
