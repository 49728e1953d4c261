"""What an operator's CAMARA APIs answer is a location of the asked device, or none at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.subscriber_location import Presence
from zhidao.connectivity.wire import camara_answers
from zhidao.connectivity.wire.camara_answers import POINTS_MAX, location, presence
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic

PHONE = "+77010000001"
CIRCLE = {"areaType": "CIRCLE", "center": {"latitude": 43.35, "longitude": 77.04}, "radius": 800}
TOLD = {"lastLocationTime": "2026-11-30T20:00:00.000+05:00", "area": CIRCLE}


def polygon(*corners: tuple[float, float]) -> dict[str, object]:
    points = [{"latitude": north, "longitude": east} for north, east in corners]
    return {"areaType": "POLYGON", "boundary": points}


def read(document):
    return location(document, phone=PHONE, network="operator")


def test_a_circle_is_taken_as_it_is():
    seen = read(TOLD | {"device": {"phoneNumber": PHONE}})
    assert (seen.centre, seen.radius_m, seen.network) == (Geodetic(43.35, 77.04), 800, "operator")
    assert (str(seen.at), seen.simulated) == ("2026-11-30T15:00:00Z", False)


def test_around_a_polygon_goes_a_circle_with_all_corners():
    seen = read(TOLD | {"area": polygon((43.0, 77.0), (43.2, 77.0), (43.1, 77.4))})
    assert seen.centre.latitude_deg == pytest.approx(43.1)
    assert seen.radius_m == pytest.approx(19_700, rel=0.01)
    assert read(TOLD | {"area": polygon(*[(43.0, 77.0)] * 3)}).radius_m == 1.0


@pytest.mark.bound("connectivity.wire.camara_answers.POINTS_MAX")
def test_a_boundary_has_as_many_points_as_the_schema_says():
    corners = [(43.0 + number / 100, 77.0) for number in range(POINTS_MAX + 1)]
    assert read(TOLD | {"area": polygon(*corners[:POINTS_MAX])}).radius_m > 1
    with pytest.raises(MalformedInput, match="boundary"):
        read(TOLD | {"area": polygon(*corners)})


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        TOLD | {"area": None},
        TOLD | {"area": CIRCLE | {"radius": 0}},
        TOLD | {"area": CIRCLE | {"radius": float("nan")}},
        TOLD | {"area": CIRCLE | {"radius": float("inf")}},
        TOLD | {"area": CIRCLE | {"radius": 200_001}},
        TOLD | {"area": CIRCLE | {"radius": "800"}},
        TOLD | {"area": CIRCLE | {"radius": True}},
        TOLD | {"area": CIRCLE | {"center": {"latitude": 91, "longitude": 0}}},
        TOLD | {"area": CIRCLE | {"center": {"latitude": 43.0}}},
        TOLD | {"area": CIRCLE | {"areaType": "POINT"}},
        TOLD | {"area": polygon((43.0, 77.0), (43.2, 77.0))},
        TOLD | {"area": polygon((43.0, -170.0), (43.2, 20.0), (44.0, 0.0))},
        TOLD | {"lastLocationTime": "yesterday"},
        TOLD | {"lastLocationTime": 1_700_000_000},
        {"area": CIRCLE},
        TOLD | {"device": {"phoneNumber": "+77010000002"}},
        TOLD | {"device": PHONE},
    ],
)
def test_what_is_no_location_of_the_device_is_refused(document):
    with pytest.raises(MalformedInput):
        read(document)


def test_presence_is_told_or_refused():
    assert presence({"reachable": True, "connectivity": ["SMS"]}, phone=PHONE) is (
        Presence.REACHABLE
    )
    assert presence({"reachable": False}, phone=PHONE) is Presence.UNREACHABLE
    for document in (
        {"reachable": 1},
        {},
        [],
        {"reachable": True, "device": {"phoneNumber": "+1"}},
    ):
        with pytest.raises(MalformedInput):
            presence(document, phone=PHONE)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"code": "LOCATION_RETRIEVAL.UNABLE_TO_LOCATE"}, "LOCATION_RETRIEVAL.UNABLE_TO_LOCATE"),
        ({"code": "<script>"}, ""),
        ({"code": "A" * 65}, ""),
        ({"code": 7}, ""),
        ([], ""),
    ],
)
def test_a_code_is_one_of_camaras_form_or_none(document, code):
    assert camara_answers.refusal_code(document) == code


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_POINTS = st.fixed_dictionaries({"latitude": _JSON, "longitude": st.floats(-200, 200)})
_AREAS = st.fixed_dictionaries(
    {
        "areaType": st.sampled_from(("CIRCLE", "POLYGON", "POINT")),
        "center": _POINTS,
        "radius": _JSON,
        "boundary": st.lists(_POINTS, max_size=5) | _JSON,
    }
)


@given(_AREAS | _JSON, st.text(max_size=30) | st.just(TOLD["lastLocationTime"]), _JSON)
def test_any_document_is_read_or_refused(area, when, other):
    for document in ({"lastLocationTime": when, "area": area}, TOLD | {"device": other}, other):
        camara_answers.refusal_code(document)
        for reader in (read, lambda given: presence(given, phone=PHONE)):
            try:
                reader(document)
            except MalformedInput:
                continue
