"""Settings of the first release still solve and bound as they did, and are written as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity.fault_detection import judge
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.satellites.ephemeris import Bdgim
from zhidao.positioning.domain.single_point.least_squares import fit
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import SINCE_VERSION_2, Settings
from zhidao.positioning.wire.position_evidence import plain_settings, settings_of


def test_settings_of_the_first_version_are_written_as_its_release_wrote_them():
    plain = plain_settings(Settings.of_version_1())
    assert not SINCE_VERSION_2 & set(plain)
    assert len(plain) == 19
    assert settings_of(plain) == Settings.of_version_1()
    assert settings_of(plain).usual
    assert settings_of(plain_settings(Settings())) == Settings()
    assert settings_of(plain_settings(Settings.of_version_2())).usual


def test_unknown_versions_models_and_classes_are_refused():
    for wrong in ({"version": 5}, {"version": 0}, {"environment": "moon"}, {"ionosphere": "guess"}):
        with pytest.raises(MalformedInput):
            Settings(**wrong)
    with pytest.raises(MalformedInput):
        settings_of(plain_settings(Settings()) | {"version": 1})


def test_the_first_version_bounds_by_its_own_rule(afternoon):
    settings = Settings.of_version_1()
    data = measure(afternoon.seen, afternoon.navigation, settings)
    found = fit(data, data.present, afternoon.navigation.klobuchar, settings)
    solved = solve(afternoon.seen, afternoon.navigation, settings, risk=1e-4)
    told = judge(data, found, settings, risk=1e-4)
    assert np.allclose(solved.horizontal_m, told.horizontal_m)
    assert np.isinf(solved.detectable_m).all()


def test_the_ionosphere_model_is_a_choice(afternoon):
    terms = (13.8, -1.8, 5.2, 3.1, -4.6, 0.3, -0.1, 1.2, 0.4)
    navigation = replace(afternoon.navigation, bdgim=Bdgim(terms))
    heights = {
        name: solve(afternoon.seen, navigation, Settings(ionosphere=name)).height_m.mean()
        for name in ("klobuchar", "bdgim", "none")
    }
    # Without a model the delays lift or sink the place; with one they do so less.
    assert abs(heights["none"] - heights["bdgim"]) > 1
    none = solve(afternoon.seen, navigation, Settings(ionosphere="none"))
    lost = solve(afternoon.seen, afternoon.navigation, Settings(ionosphere="bdgim"))
    assert np.allclose(none.ecef_m, lost.ecef_m)
