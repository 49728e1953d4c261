"""What an operator's CAMARA APIs answer: a location, whether a device can be reached, a refusal.

Source: CAMARA DeviceLocation r3.2, location-retrieval 0.5.0; DeviceReachabilityStatus r1.2,
device-reachability-status 1.1.0; Commonalities 0.6, schema ErrorInfo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.subscriber_location import Presence, SubscriberLocation
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc

# Schema PointList.
POINTS_MAX: Final = 15
_POINTS_LEAST: Final = 3
_HALF_ROUND_DEG: Final = 180
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_.]{0,63}\Z", re.ASCII)


def location(document: object, *, phone: str, network: str) -> SubscriberLocation:
    """Where a device is. Raises MalformedInput, also for the location of another device."""
    root = _object(document, "the answer")
    _check_device(root, phone)
    when, area = root.get("lastLocationTime"), _object(root.get("area"), "area")
    if not isinstance(when, str):
        raise MalformedInput("no lastLocationTime")
    centre, radius_m = _circle(area)
    return SubscriberLocation(centre, radius_m, Utc.parse(when), network, simulated=False)


def presence(document: object, *, phone: str) -> Presence:
    """Whether a device can be reached. Raises MalformedInput."""
    root = _object(document, "the answer")
    _check_device(root, phone)
    reachable = root.get("reachable")
    if not isinstance(reachable, bool):
        raise MalformedInput("reachable is neither true nor false")
    return Presence.REACHABLE if reachable else Presence.UNREACHABLE


def refusal_code(document: object) -> str:
    """The code of a refusal in CAMARA's form, or empty where it has another."""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and _CODE.match(code) else ""


def _circle(area: Mapping[str, Any]) -> tuple[Geodetic, float]:
    """The area's own circle, or one around a polygon."""
    kind = area.get("areaType")
    if kind == "CIRCLE":
        radius_m = area.get("radius")
        if type(radius_m) not in (int, float):
            raise MalformedInput("radius is no number")
        return _point(area.get("center")), float(radius_m)  # type: ignore[arg-type]
    if kind != "POLYGON":
        raise MalformedInput(f"no areaType {str(kind)[:40]!r}")
    return _around(area.get("boundary"))


def _around(boundary: object) -> tuple[Geodetic, float]:
    """The middle of a polygon, and how far its farthest corner is."""
    if not isinstance(boundary, list) or not _POINTS_LEAST <= len(boundary) <= POINTS_MAX:
        raise MalformedInput(f"a boundary has {_POINTS_LEAST} to {POINTS_MAX} points")
    corners = [_point(each) for each in boundary]
    east = [each.longitude_deg for each in corners]
    if max(east) - min(east) >= _HALF_ROUND_DEG:
        raise MalformedInput("a boundary that goes half round the Earth")
    north = [each.latitude_deg for each in corners]
    middle = Geodetic((max(north) + min(north)) / 2, (max(east) + min(east)) / 2)
    return middle, max(1.0, *(apart_m(middle, each) for each in corners))


def _point(value: object) -> Geodetic:
    point = _object(value, "a point")
    latitude, longitude = point.get("latitude"), point.get("longitude")
    if type(latitude) not in (int, float) or type(longitude) not in (int, float):
        raise MalformedInput("a point without latitude and longitude")
    return Geodetic(float(latitude), float(longitude))  # type: ignore[arg-type]


def _check_device(root: Mapping[str, Any], phone: str) -> None:
    told = root.get("device")
    if told is not None and _object(told, "device").get("phoneNumber", phone) != phone:
        raise MalformedInput("the answer is about another device")


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedInput(f"{what} is no object")
    return value
