"""A route from a file: a GeoJSON line (RFC 7946), or CSV with columns of latitude and longitude.

What else a CSV file has, times or speeds, is left alone: a track that was driven is a route.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from zhidao.connectivity.domain.radio.route_line import RouteLine, route_line
from zhidao.connectivity.wire.csv_rows import not_csv, text
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput

ROUTE_BYTES_MAX: Final = 16 * 1024 * 1024
ROUTE_POINTS_MAX: Final = 200_000
# RFC 7946 section 4: longitude, latitude and perhaps a height, which a route has no use for.
_NUMBERS: Final = (2, 3)
_NAMES: Final = (
    ("latitude_deg", "longitude_deg"),
    ("latitude", "longitude"),
    ("lat", "lon"),
    ("lat", "lng"),
)


def read_route(data: bytes) -> RouteLine:
    """The route of a file. Raises MalformedInput with the place, also for one without length."""
    if len(data) > ROUTE_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of a route; at most {ROUTE_BYTES_MAX} are read")
    is_json = data.lstrip()[:1] in (b"{", b"[")
    places = list(_bounded(_of_geojson(data) if is_json else _of_csv(data)))
    if len(places) < 2:
        raise MalformedInput(
            "fewer than two places", remedy="give a line, or rows from start to end"
        )
    array = np.array(places, dtype=np.float64)
    return route_line(array[:, 0], array[:, 1])


def _bounded(places: Iterator[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for number, place in enumerate(places):
        if number == ROUTE_POINTS_MAX:
            raise MalformedInput(
                f"more than {ROUTE_POINTS_MAX} places", remedy="give fewer, such as every tenth"
            )
        yield place


def _of_geojson(data: bytes) -> Iterator[tuple[float, float]]:
    geometry = _line(parse_strict(data, bytes_max=ROUTE_BYTES_MAX))
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise MalformedInput(
            "a line without coordinates", where="coordinates", remedy="write [[77.04, 43.35], …]"
        )
    for number, position in enumerate(coordinates, 1):
        where = f"position {number}"
        fit = isinstance(position, list) and len(position) in _NUMBERS
        if not fit or not all(type(part) in (int, float) for part in position):
            raise MalformedInput(
                "a position is longitude and latitude", where=where, remedy="write [77.04, 43.35]"
            )
        yield _place(position[1], position[0], where, "GeoJSON gives longitude first")


def _line(document: object) -> dict[str, Any]:
    """The one LineString of a document."""
    members = document if isinstance(document, dict) else {}
    if "crs" in members:
        raise MalformedInput("the file names a coordinate system", remedy="convert to WGS 84")
    if members.get("type") == "FeatureCollection":
        features = members.get("features")
        if not isinstance(features, list) or len(features) != 1:
            raise MalformedInput(
                "a route is a collection of exactly one feature", remedy="give each route apart"
            )
        return _line(features[0])
    if members.get("type") == "Feature":
        return _line(members.get("geometry"))
    if members.get("type") != "LineString":
        kind = members.get("type", type(document).__name__)
        raise MalformedInput(
            f"a route is one LineString, not {str(kind)[:40]!r}",
            remedy="give a GeoJSON LineString, or CSV with latitude_deg and longitude_deg",
        )
    return members


def _of_csv(data: bytes) -> Iterator[tuple[float, float]]:
    reader = csv.reader(io.StringIO(text(data), newline=""), strict=True)
    columns: tuple[int, int] | None = None
    try:
        for row in reader:
            where = f"line {reader.line_num}"
            if not any(field.strip() for field in row):
                continue
            if columns is None:
                columns = _columns(row, where)
                continue
            if len(row) <= max(columns):
                raise MalformedInput(
                    f"{len(row)} fields", where=where, remedy="write a field for each column"
                )
            latitude, longitude = (_number(row[at], where) for at in columns)
            yield _place(latitude, longitude, where, "give degrees within 90 and 180")
    except csv.Error as error:
        raise not_csv(error, reader.line_num) from error


def _columns(row: list[str], where: str) -> tuple[int, int]:
    header = [field.strip().lower() for field in row]
    for latitude, longitude in _NAMES:
        if header.count(latitude) == header.count(longitude) == 1:
            return header.index(latitude), header.index(longitude)
    raise MalformedInput(
        "no columns of a route",
        where=where,
        remedy="the first line names latitude_deg and longitude_deg",
    )


def _number(field: str, where: str) -> float:
    try:
        return float(field) if field.isascii() and "_" not in field else math.nan
    except ValueError as error:
        raise MalformedInput(
            f"no number: {field[:40]!r}", where=where, remedy="write degrees, such as 43.35"
        ) from error


def _place(latitude: float, longitude: float, where: str, remedy: str) -> tuple[float, float]:
    # Not a number is none of these either.
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise MalformedInput(
            f"no such place: latitude {latitude}, longitude {longitude}",
            where=where,
            remedy=remedy,
        )
    return float(latitude), float(longitude)
