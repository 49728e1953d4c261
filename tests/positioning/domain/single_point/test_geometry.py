from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.core.east_north_up import enu

from zhidao.core.geo import Geodetic
from zhidao.positioning.domain.single_point.geometry import ecef, enu_axes, geodetic


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-1000, 20_000))
def test_the_array_forms_agree_with_the_scalar_ones(latitude, longitude, height):
    point = Geodetic(latitude, longitude, height)
    exact = point.to_ecef()
    place = np.array([[exact.x_m, exact.y_m, exact.z_m]])
    phi, lam, up = geodetic(place)
    assert abs(math.degrees(phi[0]) - latitude) < 1e-10
    assert abs(math.degrees(lam[0]) - longitude) < 1e-10
    assert abs(up[0] - height) < 1e-6
    assert np.abs(ecef(phi, lam, up) - place).max() < 1e-6
    other = Geodetic(latitude, longitude, height + 100).to_ecef()
    step = enu_axes(phi, lam)[0] @ (np.array([other.x_m, other.y_m, other.z_m]) - place[0])
    seen = enu(other, origin=point)
    assert np.abs(step - [seen.east_m, seen.north_m, seen.up_m]).max() < 1e-6
