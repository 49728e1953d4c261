"""What networks said of a device, from a JSON file: for a way that is judged without a node.

A list of objects, each with `network`, `at` and what was said: `circle`, `sector`,
`timing_advance`, `ring`, `roaming`, `presence`, `binding`, `why`. Of several areas the device was
in all. An unknown member is refused, so that a slip of the pen does not widen an area.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from zhidao.connectivity.domain.network_area import Area, Disc, Outline, Ring, Sector
from zhidao.connectivity.domain.subscriber_location import Presence
from zhidao.connectivity.domain.track_mark import Binding, Seen, windowed
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic
from zhidao.core.timescale import NS, Utc

SEEN_BYTES_MAX: Final = 16 * 1024 * 1024
SEEN_MAX: Final = 20_000
_TEXT_CHARACTERS: Final = 200
_REACH_S: Final = 600
_FIRST: Final = ("network", "at")
_SAID: Final = ("until", "presence", "binding", "why", "own_word", "simulated")
Choice = TypeVar("Choice", bound=StrEnum)


def read_seen(data: bytes) -> tuple[Seen, ...]:
    """What a file holds, each in its own window. Raises MalformedInput that names the element."""
    document = parse_strict(data, bytes_max=SEEN_BYTES_MAX)
    if not isinstance(document, list) or not document:
        raise MalformedInput(
            "no list of what networks said", remedy='write [{"network": "…", "at": "…", …}, …]'
        )
    if len(document) > SEEN_MAX:
        raise MalformedInput(f"{len(document)} answers; at most {SEEN_MAX} are read")
    said: dict[str, list[Seen]] = {}
    for number, each in enumerate(document, 1):
        try:
            one = _seen(_object(each, "an answer"))
        except MalformedInput as error:
            error.where = f"answer {number}"
            error.remedy = error.remedy or "mend the value, or take the answer out"
            raise
        said.setdefault(one.network, []).append(one)
    return tuple(each for some in said.values() for each in windowed(some))


def _seen(row: Mapping[str, Any]) -> Seen:
    _check_names(row, (*_FIRST, *_SAID, *_AREAS), "an answer")
    at = Utc.parse(_text(row, "at"))
    return Seen(
        network=_text(row, "network"),
        at=at,
        since=at.plus_ns(-_REACH_S * NS),
        until=Utc.parse(_text(row, "until")) if "until" in row else at.plus_ns(_REACH_S * NS),
        areas=tuple(read(_object(row[name], name)) for name, read in _AREAS.items() if name in row),
        presence=_choice(row, "presence", Presence, Presence.UNKNOWN),
        binding=_choice(row, "binding", Binding, Binding.UNKNOWN),
        why=_text(row, "why") if "why" in row else "",
        own_word=_flag(row, "own_word"),
        simulated=_flag(row, "simulated"),
    )


def _circle(row: Mapping[str, Any]) -> Area:
    _check_names(row, (*_PLACE, "radius_m"), "a circle")
    return Disc(Circle(_place(row), _length_m(row, "radius_m")))


def _sector(row: Mapping[str, Any]) -> Area:
    names = ("range_m", "azimuth_deg", "beamwidth_deg", "behind_m")
    _check_names(row, (*_PLACE, *names), "a sector")
    range_m, azimuth_deg, beam_deg, behind_m = (_number(row, name) for name in names)
    return Sector(_place(row), range_m, azimuth_deg, beam_deg, behind_m)


def _ring(row: Mapping[str, Any]) -> Area:
    _check_names(row, (*_PLACE, "inner_m", "outer_m"), "a ring")
    return Ring(_place(row), _number(row, "inner_m"), _number(row, "outer_m"))


def _advance(row: Mapping[str, Any]) -> Area:
    _check_names(row, (*_PLACE, "steps", "spacing_khz", "detour_m", "error_m"), "a timing advance")
    steps, spacing_khz = row.get("steps"), row.get("spacing_khz", 15)
    if type(steps) is not int or type(spacing_khz) is not int:
        raise MalformedInput("steps and spacing_khz of a timing advance are whole numbers")
    return Ring.of_advance(
        _place(row),
        steps,
        spacing_khz=spacing_khz,
        detour_m=_length_m(row, "detour_m"),
        error_m=_length_m(row, "error_m"),
    )


def _roaming(row: Mapping[str, Any]) -> Area:
    _check_names(row, ("country", "corners", "margin_m"), "roaming")
    corners = row.get("corners")
    if not isinstance(corners, list):
        raise MalformedInput("corners of a country are a list of [longitude, latitude]")
    return Outline(_text(row, "country"), tuple(map(_corner, corners)), _length_m(row, "margin_m"))


_PLACE: Final = ("latitude_deg", "longitude_deg")
_AREAS: Final[Mapping[str, Callable[[Mapping[str, Any]], Area]]] = {
    "circle": _circle,
    "sector": _sector,
    "timing_advance": _advance,
    "ring": _ring,
    "roaming": _roaming,
}


def _corner(pair: object) -> Geodetic:
    if not isinstance(pair, list) or len(pair) != 2:
        raise MalformedInput("a corner of a country is [longitude, latitude]")
    row = dict(zip(("longitude_deg", "latitude_deg"), pair, strict=True))
    return _place(row)


def _place(row: Mapping[str, Any]) -> Geodetic:
    return Geodetic(_number(row, "latitude_deg"), _number(row, "longitude_deg"))


def _length_m(row: Mapping[str, Any], name: str) -> float:
    value = _number(row, name)
    if value < 0:
        raise MalformedInput(f"{name} is {value:g}; it is 0 or more")
    return value


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MalformedInput(f"{name} is no number: {str(value)[:24]!r}")
    return float(value)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_CHARACTERS:
        raise MalformedInput(f"{name} is no text of 1 to {_TEXT_CHARACTERS} characters")
    if not value.isprintable():
        raise MalformedInput(f"{name} has characters to control")
    return value


def _flag(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise MalformedInput(f"{name} is true or false")
    return value


def _choice(row: Mapping[str, Any], name: str, kind: type[Choice], otherwise: Choice) -> Choice:
    value = row.get(name, otherwise.value)
    found = next((each for each in kind if each.value == value), None)
    if found is None:
        raise MalformedInput(
            f"no {name} {str(value)[:24]!r}", remedy=f"there are {', '.join(kind)}"
        )
    return found


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedInput(f"{what} is an object", remedy="write {…}")
    return value


def _check_names(row: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    unknown = next((name for name in row if name not in known), "")
    if unknown:
        raise MalformedInput(
            f"{what} has no {unknown[:40]!r}", remedy=f"there are {', '.join(known)}"
        )
