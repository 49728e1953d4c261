"""Weaker signals count less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.single_point.measurements import measure
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.wire.position_evidence import plain_settings, settings_of


def _told(seen, change):
    table = seen.systems["C"]
    values = table.values.copy()
    column = table.codes.index("S2I")
    values[:, column] = change(table.prn, values[:, column])
    return replace(seen, systems={"C": replace(table, values=values)})


def test_twenty_decibels_less_are_ten_times_the_noise(afternoon):
    seen = _told(afternoon.seen, lambda prn, _: np.where(prn == prn[0], 25.0, 50.0))
    noise = measure(seen, afternoon.navigation, Settings(strength_mdbhz=45_000)).noise
    first = seen.systems["C"].prn[0]
    data = measure(seen, afternoon.navigation, Settings())
    weak = data.present & (data.satellite % 100 == first)
    assert noise[weak] == pytest.approx(10.0)
    assert noise[data.present & ~weak] == pytest.approx(1.0)
    assert data.noise[data.present] == pytest.approx(1.0)


def test_a_receiver_without_strengths_is_solved_as_before(afternoon):
    seen = _told(afternoon.seen, lambda _, s: np.full_like(s, np.nan))
    plain = solve(seen, afternoon.navigation, Settings())
    weighed = solve(seen, afternoon.navigation, Settings(strength_mdbhz=45_000))
    assert np.array_equal(plain.ecef_m, weighed.ecef_m)


def test_a_weak_false_range_moves_the_place_less_and_the_bound_is_wider(afternoon):
    table = afternoon.seen.systems["C"]
    name = int(np.bincount(table.prn).argmax())
    values = table.values.copy()
    values[table.prn == name, table.codes.index("C2I")] += 6.0
    wrong = replace(afternoon.seen, systems={"C": replace(table, values=values)})
    seen = _told(wrong, lambda prn, _: np.where(prn == name, 30.0, 45.0))
    settings = Settings(strength_mdbhz=45_000)
    plain = solve(seen, afternoon.navigation, Settings())
    weighed = solve(seen, afternoon.navigation, settings)
    off = [np.linalg.norm(s.ecef_m - afternoon.ecef_m, axis=1).mean() for s in (plain, weighed)]
    assert off[1] < off[0]
    assert (weighed.horizontal_m > plain.horizontal_m).mean() > 0.9


def test_strengths_stand_in_the_evidence_since_version_3():
    assert plain_settings(Settings(strength_mdbhz=35_000))["strength_mdbhz"] == 35_000
    assert "strength_mdbhz" not in plain_settings(Settings.of_version_2())
    assert settings_of(plain_settings(Settings.of_version_2())) == Settings.of_version_2()
    with pytest.raises(MalformedInput):
        settings_of(plain_settings(Settings.of_version_2()) | {"strength_mdbhz": 1})
    with pytest.raises(MalformedInput):
        Settings.of_version_2(strength_mdbhz=35_000)


def test_the_phone_class_weighs_by_strength():
    assert Settings.for_environment("phone").strength_mdbhz == 35_000
    assert Settings.for_environment("open_sky") == Settings()
