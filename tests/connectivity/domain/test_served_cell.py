"""Every place that a cell serves lies in its circle, and the circle is no larger than it must be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.served_cell import (
    NCI_MAX,
    RANGE_M,
    CellId,
    ServedCell,
    check_plmn,
)
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, course, destination

CELL = CellId("99970", 1_638_401)
SITE = Geodetic(43.35, 77.04)


@given(
    range_m=st.floats(*RANGE_M),
    azimuth_deg=st.floats(0, 360),
    beam_deg=st.floats(1, 360),
    share=st.floats(0, 1),
    latitude_deg=st.floats(-80, 80),
    aside=st.floats(-1, 1),
    away=st.floats(0, 1),
)
def test_all_that_a_sector_serves_lies_in_its_circle(
    range_m, azimuth_deg, beam_deg, share, latitude_deg, aside, away
):
    site = Geodetic(latitude_deg, 77.04)
    behind_m = range_m * share
    circle = ServedCell(CELL, site, range_m, azimuth_deg, beam_deg, behind_m).circle
    inside = destination(
        site, azimuth_deg=azimuth_deg + aside * beam_deg / 2, distance_m=range_m * away
    )
    around = destination(site, azimuth_deg=azimuth_deg + aside * 180, distance_m=behind_m * away)
    for place in (inside, around):
        assert course(circle.centre, place).distance_m <= circle.radius_m + 0.01
    assert circle.radius_m <= range_m * 1.0006


@pytest.mark.parametrize(
    ("beam_deg", "behind_m", "radius_m"),
    [
        # Around the triangle of site and both ends: R / (2 cos 30 degrees).
        (60, 0, 5_000 / (2 * math.cos(math.radians(30)))),
        # The chord between both ends is the diameter.
        (120, 0, 5_000 * math.sin(math.radians(60))),
        (60, 1_000, 5_000 / (2 * math.cos(math.radians(30))) + 1_000),
        (60, 4_000, 5_000 / 1.0005),
        (180, 0, 5_000 / 1.0005),
        (math.nan, math.nan, 5_000 / 1.0005),
    ],
)
def test_the_circle_is_the_smallest(beam_deg, behind_m, radius_m):
    azimuth_deg = math.nan if math.isnan(beam_deg) else 90.0
    circle = ServedCell(CELL, SITE, 5_000, azimuth_deg, beam_deg, behind_m).circle
    assert circle.radius_m == pytest.approx(radius_m * 1.0005, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ((9.9,), "range_m"),
        ((100_001,), "range_m"),
        ((math.nan,), "range_m"),
        ((5_000, 90, 65), "behind_m"),
        ((5_000, math.nan, 65, 10), "azimuth_deg"),
        ((5_000, 361, 65, 10), "azimuth_deg"),
        ((5_000, 90, 0, 10), "beamwidth_deg"),
        ((5_000, 90, 65, 5_001), "behind_m"),
        ((5_000, 90, 65, -1), "behind_m"),
    ],
)
def test_what_no_cell_has_is_refused(values, what):
    with pytest.raises(MalformedInput, match=what):
        ServedCell(CELL, SITE, *values)


@pytest.mark.bound("connectivity.domain.served_cell.NCI_MAX")
def test_a_cell_has_36_bits_of_identity():
    assert CellId("99970", NCI_MAX).nci == 2**36 - 1
    for nci in (NCI_MAX + 1, -1):
        with pytest.raises(MalformedInput, match="nci"):
            CellId("99970", nci)


@pytest.mark.parametrize("text", ["", "9997", "9997012", "99970 ", "9997a", "９９９７０"])
def test_what_is_no_plmn_is_refused(text):
    with pytest.raises(MalformedInput, match="PLMN"):
        check_plmn(text)
    assert check_plmn("310410") == "310410"
