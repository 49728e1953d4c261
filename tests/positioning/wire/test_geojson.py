from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.geojson import GEOJSON_BYTES_MAX, read_site

RING = [[77.01, 43.35], [77.02, 43.35], [77.02, 43.36], [77.01, 43.35]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
FEATURE = {"type": "Feature", "properties": {"name": "Gate 4"}, "geometry": POLYGON}


def read(document):
    return read_site(json.dumps(document).encode(), name="unnamed")


def test_a_polygon_a_feature_and_a_collection_of_one_are_the_same_site():
    bare, feature = read(POLYGON), read(FEATURE)
    assert bare.name == "unnamed"
    assert feature.name == "Gate 4"
    assert read({"type": "FeatureCollection", "features": [FEATURE]}) == feature
    assert [(c.longitude_ndeg, c.latitude_ndeg) for c in feature.corners] == [
        (round(lon * 1e9), round(lat * 1e9)) for lon, lat in RING[:-1]
    ]
    assert feature.radius_mm == 0
    assert feature.area().contains(feature.middle)


def test_the_antimeridian_is_crossed_by_one_ring():
    ring = [
        [179.999, -16],
        [-179.999, -16],
        [-179.999, -15.999],
        [179.999, -15.999],
        [179.999, -16],
    ]
    site = read({"type": "Polygon", "coordinates": [ring]})
    assert abs(site.middle.longitude_deg) > 179.9


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "no GeoJSON object"),
        ({"type": "Point", "coordinates": [1, 2]}, "one Polygon, not a Point"),
        ({**FEATURE, "geometry": None}, "geometry is no"),
        ({**FEATURE, "properties": {"name": ""}}, "1 to 120"),
        ({**FEATURE, "properties": {"name": 5}}, "1 to 120"),
        ({**FEATURE, "properties": {"name": "a\u001b[2J"}}, "characters to control"),
        ({"type": "FeatureCollection", "features": [FEATURE, FEATURE]}, "exactly one"),
        ({**POLYGON, "crs": {"type": "name"}}, "coordinate system"),
        ({"type": "Polygon", "coordinates": [RING, RING]}, "without holes"),
        ({"type": "Polygon", "coordinates": []}, "without holes"),
        ({"type": "Polygon", "coordinates": [RING[:3]]}, "a ring of 3"),
        ({"type": "Polygon", "coordinates": [[[k / 1000, 1] for k in range(300)]]}, "at most 257"),
        ({"type": "Polygon", "coordinates": [[*RING[:3], [77, 43]]]}, "where it begins"),
        ({"type": "Polygon", "coordinates": [[[True, 1], *RING]]}, "longitude and latitude"),
        ({"type": "Polygon", "coordinates": [[[1], *RING]]}, "longitude and latitude"),
        ({"type": "Polygon", "coordinates": [[[43, 177], *RING]]}, "longitude first"),
        (
            {
                "type": "Polygon",
                "coordinates": [[[0, 0], [1e-3, 1e-3], [1e-3, 0], [0, 1e-3], [0, 0]]],
            },
            "cross or touch",
        ),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 0]]]}, "100 km"),
    ],
)
def test_what_is_no_site_is_refused(document, sentence):
    with pytest.raises(MalformedInput, match=sentence):
        read(document)


def test_a_large_file_is_not_read():
    with pytest.raises(MalformedInput, match="at most"):
        read_site(b" " * (GEOJSON_BYTES_MAX + 1), name="unnamed")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "properties"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(_json, st.sampled_from(["Polygon", "Feature", "FeatureCollection"]))
def test_any_document_is_a_site_or_malformed(inner, kind):
    document = {"type": kind, "coordinates": inner, "geometry": inner, "features": [inner]}
    for data in (json.dumps(document).encode(), json.dumps(inner).encode()):
        try:
            read_site(data, name="unnamed")
        except MalformedInput:
            continue
