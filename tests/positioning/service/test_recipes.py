"""The short calls for those who use positioning as a library."""

from __future__ import annotations

import numpy as np
import pytest

from zhidao import positioning
from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.b2b_log import B2bFrame


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
