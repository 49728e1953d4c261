from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.geo import Geodetic, course
from zhidao.devices.domain.cell import NOWHERE, cell_of, cells_of

LATITUDES = st.integers(-90_000_000, 90_000_000)
LONGITUDES = st.integers(-180_000_000, 180_000_000)


@given(LATITUDES, LONGITUDES)
def test_every_place_has_a_cell_that_a_bigint_holds(latitude, longitude):
    assert 0 < cell_of(latitude, longitude) < 1 << 63


@given(st.integers(-85_000_000, 85_000_000), LONGITUDES, st.integers(0, 20_000))
def test_two_places_of_one_cell_are_near(latitude, longitude, step):
    here = cell_of(latitude, longitude)
    there = (latitude + step, min(longitude + step, 180_000_000))
    if cell_of(*there) == here:
        ends = [Geodetic(a / 1e6, b / 1e6) for a, b in ((latitude, longitude), there)]
        assert course(*ends).distance_m < 3_400


@given(st.lists(st.tuples(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31))))
def test_many_places_have_the_cells_of_each(places):
    latitudes, longitudes = (np.array([p[at] for p in places], dtype="i8") for at in (0, 1))
    assert cells_of(latitudes, longitudes).tolist() == [cell_of(*place) for place in places]


@given(LATITUDES, LONGITUDES)
def test_a_place_on_earth_has_one_cell_by_either_way(latitude, longitude):
    many = cells_of(np.array([latitude], dtype="i8"), np.array([longitude], dtype="i8"))
    assert many.tolist() == [cell_of(latitude, longitude)]


def test_cells_of_one_row_follow_each_other_and_go_round():
    row = [cell_of(43_200_000, each) for each in range(-180_000_000, 180_000_000, 5_000)]
    found = sorted(set(row))
    assert found == list(range(found[0], found[0] + len(found)))
    assert len(found) == 13_119
    assert cell_of(43_200_000, 180_000_000) == found[0]


def test_the_edges_of_the_earth_are_cells_and_what_is_beyond_is_none():
    assert cell_of(90_000_000, 0) == cell_of(89_999_999, 0)
    assert cell_of(-90_000_000, 0) == cell_of(-89_999_999, 0)
    assert {cell_of(90_000_001, 0), cell_of(0, 180_000_001), cell_of(0, -180_000_001)} == {NOWHERE}
