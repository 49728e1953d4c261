"""A site from a GeoJSON file (RFC 7946): one polygon without holes, WGS 84, longitude first."""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.polygon import CORNERS_MAX, Polygon
from zhidao.positioning.events import Site

GEOJSON_BYTES_MAX: Final = 256 * 1024
_NAME_CHARACTERS_MAX: Final = 120
# RFC 7946 section 4: longitude, latitude and perhaps a height, which a site has no use for.
_NUMBERS: Final = (2, 3)


def read_site(data: bytes, *, name: str) -> Site:
    """The site of a Polygon, of a Feature with one, or of a collection of one such Feature.

    name: for a file that gives none (`properties.name`). The right-hand rule is not asked for
    (RFC 7946 section 3.1.6). A polygon across the antimeridian is one ring, not cut in two.
    Raises MalformedInput for everything else.
    """
    document = parse_strict(data, bytes_max=GEOJSON_BYTES_MAX)
    feature = _one_feature(_object(document, "the document"))
    geometry = feature
    if feature.get("type") == "Feature":
        geometry = _object(feature.get("geometry"), "the feature's geometry")
        name = _name(feature.get("properties"), name)
    if geometry.get("type") != "Polygon":
        raise MalformedInput(
            f"a site is one Polygon, not a {str(geometry.get('type'))[:40]}", where="GeoJSON"
        )
    return Site.of_polygon(name, Polygon(_corners(geometry.get("coordinates"))))


def _one_feature(document: dict[str, Any]) -> dict[str, Any]:
    if "crs" in document:
        # The older GeoJSON of 2008 had it; coordinates would mean something else, unseen.
        raise MalformedInput("the file names a coordinate system", remedy="convert to WGS 84")
    if document.get("type") != "FeatureCollection":
        return document
    features = document.get("features")
    if not isinstance(features, list) or len(features) != 1:
        raise MalformedInput("a site is a collection of exactly one feature", where="GeoJSON")
    return _object(features[0], "the feature")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedInput(f"{what} is no GeoJSON object", where="GeoJSON")
    return value


def _name(properties: object, otherwise: str) -> str:
    name = properties.get("name") if isinstance(properties, dict) else None
    if name is None:
        return otherwise
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_CHARACTERS_MAX:
        raise MalformedInput("the site's name has 1 to 120 characters", where="properties.name")
    if not name.isprintable():
        raise MalformedInput("the site's name has characters to control", where="properties.name")
    return name


def _corners(rings: object) -> tuple[Geodetic, ...]:
    if not isinstance(rings, list) or len(rings) != 1 or not isinstance(rings[0], list):
        raise MalformedInput("a site is a polygon of one ring, without holes", where="coordinates")
    ring = rings[0]
    if not 4 <= len(ring) <= CORNERS_MAX + 1:
        raise MalformedInput(
            f"a ring of {len(ring)} positions, the first and last being one; at most "
            f"{CORNERS_MAX + 1}",
            where="coordinates",
        )
    places = [_place(position, number) for number, position in enumerate(ring)]
    if places[0] != places[-1]:
        raise MalformedInput("the ring does not end where it begins", where="coordinates")
    return tuple(places[:-1])


def _place(position: object, number: int) -> Geodetic:
    where = f"position {number + 1}"
    numbers = isinstance(position, list) and all(type(part) in (int, float) for part in position)
    if not numbers or not isinstance(position, list) or len(position) not in _NUMBERS:
        raise MalformedInput("a position is longitude and latitude", where=where)
    longitude, latitude = float(position[0]), float(position[1])
    try:
        place = Geodetic(latitude, longitude)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]), where=where, remedy="GeoJSON gives longitude first"
        ) from error
    # What is decided is what is written down: whole nanodegrees.
    return Geodetic.from_ndeg(
        latitude_ndeg=place.latitude_ndeg, longitude_ndeg=place.longitude_ndeg
    )
