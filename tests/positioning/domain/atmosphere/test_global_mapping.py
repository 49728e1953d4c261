from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.atmosphere.global_mapping import mapping
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import troposphere_mapping

_DAY_NS = 86_400 * 10**9


def _at(**changed):
    told = {
        "gpst_ns": (55_055 - 44_244) * _DAY_NS,
        "latitude": 0.6708665767,
        "longitude": -1.393397187,
        "height_m": 844.715,
        "elevation": np.pi / 2 - 1.278564131,
    }
    return mapping(**(told | changed))


def test_the_test_case_of_the_iers_routine_comes_out_to_its_last_digit():
    dry, wet = _at()
    assert dry == pytest.approx(3.425245519339138678, abs=1e-12)
    assert wet == pytest.approx(3.449589116182419257, abs=1e-12)


def test_the_zenith_is_one_and_both_grow_towards_the_horizon_like_the_plain_mapping():
    elevation = np.deg2rad(np.array([90.0, 60.0, 30.0, 15.0, 7.0]))
    dry, wet = _at(elevation=elevation)
    assert dry[0] == pytest.approx(1)
    assert wet[0] == pytest.approx(1)
    assert (np.diff(dry) > 0).all()
    assert dry == pytest.approx(troposphere_mapping(elevation), rel=0.012)


def test_seasons_are_half_a_year_apart_in_the_two_hemispheres():
    year = np.arange(0, 366, 5) * _DAY_NS + (55_055 - 44_244) * _DAY_NS
    north, _ = _at(gpst_ns=year, elevation=np.deg2rad(7.0))
    south, _ = _at(gpst_ns=year, latitude=-0.6708665767, elevation=np.deg2rad(7.0))
    assert np.ptp(north) > 0.001
    assert np.corrcoef(north, south)[0, 1] < -0.5
