"""Sites in facts: old circles stay as they were written, polygons are checked."""

from __future__ import annotations

import msgspec
import pytest

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic, destination
from zhidao.core.polygon import Polygon
from zhidao.positioning.events import ArrivalExpected, Corner, Site

OLD = (
    b'{"consignment":"C-1","not_after":"2026-05-01T12:00:00Z","not_before":"2026-05-01T09:00:00Z",'
    b'"risk_ppb":1000,"site":{"latitude_ndeg":44200000000,"longitude_ndeg":80400000000,'
    b'"name":"Khorgos gate","radius_mm":250000},"terminal":"T-1"}'
)
CENTRE = Geodetic(44.2, 80.4)
YARD = Polygon(
    tuple(
        destination(CENTRE, azimuth_deg=a, distance_m=r)
        for a, r in ((0, 300), (120, 200), (200, 90))
    )
)


def test_a_circle_of_version_0_1_is_read_and_written_as_it_was():
    expected = msgspec.convert(msgspec.json.decode(OLD), ArrivalExpected, strict=True)
    assert jcs(expected.payload()) == OLD
    assert expected.site.area() == Circle(CENTRE, 250.0)


def test_a_polygon_goes_through_a_fact_and_back():
    site = Site.of_polygon("yard", YARD)
    expected = msgspec.structs.replace(
        msgspec.convert(msgspec.json.decode(OLD), ArrivalExpected), site=site
    )
    told = msgspec.json.decode(jcs(expected.payload()))
    again = msgspec.convert(told, ArrivalExpected, strict=True)
    assert again == expected
    area = again.site.area()
    assert isinstance(area, Polygon)
    assert area.spare_m(again.site.middle) > 10


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"radius_mm": 1}, "a circle with a radius or a polygon"),
        ({"latitude_ndeg": 45_000_000_000}, "lies outside of it"),
        ({"corners": [Corner(latitude_ndeg=1, longitude_ndeg=1)]}, "1 corners"),
        ({"corners": [Corner(latitude_ndeg=10**12, longitude_ndeg=1)] * 3}, "no such place"),
        ({"corners": [], "radius_mm": 0}, "a circle of 0"),
    ],
)
def test_a_site_that_is_no_place_is_malformed(change, sentence):
    with pytest.raises(MalformedInput, match=sentence):
        msgspec.structs.replace(Site.of_polygon("yard", YARD), **change).area()
