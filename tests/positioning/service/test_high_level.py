"""The short calls for those who use positioning as a library."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhidao import positioning
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.signal_codes import matched
from zhidao.positioning.domain.rtk.rtk_settings import (
    ALL_SIGNALS,
    CONTINUOUS,
    HOLD,
    INSTANTANEOUS,
    RtkSettings,
)
from zhidao.positioning.wire.precise.b2b_log import B2bFrame


@pytest.fixture(scope="module")
def pair(shared):
    folder = shared / "positioning" / "rtk_static_pair"
    rover = positioning.read_observations((folder / "rover.obs.gz").read_bytes())
    base = positioning.read_observations((folder / "base.obs.gz").read_bytes())
    navigation = positioning.read_navigation((folder / "base.nav.gz").read_bytes())
    return rover.part(0, 3), base, navigation


def test_rtk_without_settings_fixes_all_that_there_is(pair):
    rover, base, navigation = pair
    found = positioning.rtk(rover, base, navigation, base.header.approximate_ecef_m)
    assert found.fixed.all()
    assert found.ambiguities.min() > 40


def test_rtk_without_settings_fixes_no_less_than_any_mode(pair):
    rover, base, navigation = pair
    seen = matched(rover, base, {"C": ALL_SIGNALS["C"]})
    rng = np.random.default_rng(3)
    table = rover.systems["C"]
    rough = replace(table, values=table.values + rng.normal(0, 0.07, table.values.shape))
    rover = replace(rover, systems={"C": rough})
    place_m = base.header.approximate_ecef_m
    usual = positioning.rtk(rover, base, navigation, place_m).fixed
    for mode in (INSTANTANEOUS, CONTINUOUS, HOLD):
        settings = RtkSettings(signals=seen.signals, mode=mode)
        found = positioning.rtk(rover, seen.base, navigation, place_m, settings)
        assert found.fixed.sum() <= usual.sum()


def test_a_base_without_three_numbers_is_refused(pair):
    rover, base, navigation = pair
    with pytest.raises(MalformedInput, match="x, y and z"):
        positioning.rtk(rover, base, navigation, (1.0, 2.0))


def test_ppp_without_products_for_the_day_says_so(pair):
    rover, _, navigation = pair
    sp3 = (
        "#cP2020  6 25  0  0  0.00000000       1 TRACK IGb14 FIT GRGS\n"
        "*  2020  6 25  0  0  0.00000000\n"
        "PG01 -11562.163582  14053.114306  23345.128269   -884.707516\nEOF\n"
    )
    orbits = positioning.read_sp3(sp3.encode())
    found = positioning.ppp(rover, orbits=orbits, navigation=navigation)
    assert (found.reason != positioning.PppReason.OK).all()
    assert np.isnan(found.ecef_m).all()


def test_frames_of_two_satellites_are_not_mixed(pair):
    rover, _, navigation = pair
    frames = [B2bFrame(0, 59, bytes(58)), B2bFrame(0, 60, bytes(58))]
    with pytest.raises(MalformedInput, match="several satellites"):
        positioning.ppp_b2b(rover, navigation, frames)
    found = positioning.ppp_b2b(rover, navigation, frames[:1])
    assert (found.reason != positioning.PppReason.OK).all()
