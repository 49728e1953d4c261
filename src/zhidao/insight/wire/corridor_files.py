"""A corridor as GeoJSON and tracks of its consignments as CSV, read strictly.

GeoJSON (RFC 7946): a FeatureCollection of Polygons without holes, two for each crossing, with the
properties `crossing` and `side`. CSV (RFC 4180): a head line, then one report a line.
"""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.polygon import Polygon
from zhidao.insight.domain.corridor.outline import Outline
from zhidao.insight.domain.corridor.passages import Crossing, Track

CORRIDOR_BYTES_MAX: Final = 4 * 1024 * 1024
CROSSINGS_MAX: Final = 100
REPORTS_MAX: Final = 10_000_000
NAME_LETTERS_MAX: Final = 64
# One report stands in a line of less; what is longer is no table of reports.
LINE_BYTES_MAX: Final = 1000
COLUMNS: Final = ("consignment", "party", "mode", "at", "latitude_deg", "longitude_deg", "bound_m")
# What follows is held to its form by whoever reads it; this much another form could pass for.
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def decode_corridor(data: bytes) -> tuple[Crossing, ...]:
    """The crossings, in the order of their names. Raises MalformedInput that names the feature."""
    plain = parse_strict(data, bytes_max=CORRIDOR_BYTES_MAX)
    features = plain.get("features") if isinstance(plain, dict) else None
    if not isinstance(features, list) or not 2 <= len(features) <= 2 * CROSSINGS_MAX:
        raise MalformedInput(
            f"no corridor: a FeatureCollection has 2 to {2 * CROSSINGS_MAX} features",
            remedy="draw two polygons for each crossing, one for each country's post",
        )
    sides: dict[str, dict[str, Outline]] = {}
    for number, feature in enumerate(features):
        where = f"features[{number}]"
        crossing, side = _named(feature, where)
        of_crossing = sides.setdefault(crossing, {})
        if side in of_crossing:
            raise MalformedInput(f"{crossing} has two sides {side}", where=where)
        of_crossing[side] = _outline(feature, where)
    for crossing, found in sides.items():
        if len(found) != 2:
            raise MalformedInput(f"crossing {crossing} has {len(found)} sides, not 2")
    return tuple(Crossing(name, _two(found)) for name, found in sorted(sides.items()))


def _two(found: dict[str, Outline]) -> tuple[tuple[str, Outline], tuple[str, Outline]]:
    one, other = found.items()
    return one, other


def _named(feature: Any, where: str) -> tuple[str, str]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    told = properties if isinstance(properties, dict) else {}
    names = [told.get("crossing"), told.get("side")]
    if not all(isinstance(name, str) and _is_name(name) for name in names):
        raise MalformedInput("a feature has the properties crossing and side", where=where)
    if names[1] == "whole":
        raise MalformedInput("no side is called whole: both together are", where=where)
    return str(names[0]), str(names[1])


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_LETTERS_MAX and text.isprintable() and text == text.strip()


def _outline(feature: dict[str, Any], where: str) -> Outline:
    geometry = feature.get("geometry")
    told = geometry if isinstance(geometry, dict) else {}
    rings = told.get("coordinates")
    if told.get("type") != "Polygon" or not isinstance(rings, list) or len(rings) != 1:
        raise MalformedInput("a side is a Polygon without holes", where=where)
    ring = rings[0]
    if not isinstance(ring, list) or len(ring) < 4 or ring[0] != ring[-1]:
        raise MalformedInput("a ring has 4 or more positions, the last as the first", where=where)
    try:
        return Outline.of(Polygon(tuple(_corner(position) for position in ring[:-1])))
    except MalformedInput as error:
        error.where = where
        raise


def _corner(position: Any) -> Geodetic:
    if not isinstance(position, list) or not 2 <= len(position) <= 3:
        raise MalformedInput("a position is [longitude, latitude]")
    if not all(type(number) in (int, float) for number in position):
        raise MalformedInput("a position is of numbers")
    return Geodetic(float(position[1]), float(position[0]))


class _Reports:
    """Reports of one consignment as they come."""

    def __init__(self, party: str, mode: str) -> None:
        self.party, self.mode = party, mode
        self.at_us = array("q")
        self.numbers = array("d")


def decode_tracks(lines: Iterable[bytes]) -> tuple[Track, ...]:
    """Tracks by consignment, each in order of time; reports may come in any order.

    Raises MalformedInput with the line for what is no report, for two reports of a consignment at
    one instant in two places, and for a consignment of two parties or modes.
    """
    found: dict[str, _Reports] = {}
    number = 0
    try:
        for number, row in enumerate(csv.reader(_texts(lines), strict=True), 1):
            if number == 1:
                _check_head(row)
            else:
                _take(found, row)
            _check_count(number - 1)
    except csv.Error as error:
        raise MalformedInput(f"no CSV: {error}", where=f"line {number + 1}") from error
    except MalformedInput as error:
        error.where = error.where or f"line {number}"
        raise
    if not number:
        _check_head([])
    return tuple(_track(name, reports) for name, reports in sorted(found.items()))


def _check_head(row: list[str]) -> None:
    if tuple(row) != COLUMNS:
        raise MalformedInput(f"the head line is {','.join(COLUMNS)}", where="line 1")


def _check_count(reports: int) -> None:
    if reports > REPORTS_MAX:
        raise MalformedInput(
            f"more than {REPORTS_MAX} reports", remedy="give them quarter by quarter"
        )


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedInput("a line is no UTF-8") from error


def _take(found: dict[str, _Reports], row: list[str]) -> None:
    if len(row) != len(COLUMNS):
        raise MalformedInput(f"a line has {len(COLUMNS)} fields, not {len(row)}")
    name, party, mode, at, *numbers = row
    reports = found.get(name)
    if reports is None:
        if not (_is_name(name) and _is_name(party) and _is_name(mode)):
            raise MalformedInput("consignment, party and mode are names of 1 to 64 letters")
        reports = found[name] = _Reports(party, mode)
    if (reports.party, reports.mode) != (party, mode):
        raise MalformedInput(f"{name} is of another party or mode in a line before")
    reports.at_us.append(_microseconds(at))
    reports.numbers.extend(_numbers(numbers))


def _microseconds(text: str) -> int:
    """Since 1970-01-01 UTC, of an RFC 3339 date-time with an offset."""
    try:
        if _INSTANT.match(text):
            return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise MalformedInput(f"no such instant: {text[:40]!r}") from error
    raise MalformedInput(f"no instant: {text[:40]!r}", remedy="write 2026-05-01T08:00:00Z")


def _numbers(texts: list[str]) -> tuple[float, float, float]:
    try:
        latitude, longitude, bound = map(float, texts)
    except ValueError as error:
        raise MalformedInput("latitude, longitude and bound are numbers") from error
    # What is no number at all fails each comparison.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 <= bound < math.inf):
        raise MalformedInput("no such place or bound: degrees, then metres of 0 or more")
    return latitude, longitude, bound


def _track(name: str, reports: _Reports) -> Track:
    at_us = np.frombuffer(reports.at_us, dtype=np.int64)
    numbers = np.frombuffer(reports.numbers, dtype=np.float64).reshape(-1, 3)
    order = np.argsort(at_us, kind="stable")
    at_us, numbers = at_us[order], numbers[order]
    again = np.flatnonzero(np.diff(at_us) == 0)
    if again.size:
        if not np.array_equal(numbers[again], numbers[again + 1]):
            at = _EPOCH + int(at_us[again[0]]) * _MICROSECOND
            raise MalformedInput(f"{name} is in two places at {at:%Y-%m-%dT%H:%M:%SZ}")
        # The same report sent twice is one.
        at_us, numbers = np.delete(at_us, again), np.delete(numbers, again, axis=0)
    return Track(name, reports.party, reports.mode, at_us * 1000, *numbers.T)
