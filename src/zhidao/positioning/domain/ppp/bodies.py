"""Sun and Moon in the Earth-fixed frame, and how their pull moves the solid Earth.

Sources: series of low precision of the Astronomical Almanac (Sun 0.01, Moon 0.3 degrees); tides by
the IERS Conventions 2010 section 7.1.1, equations 7.5 and 7.6 and the K1 term of the second step
(texts not at hand; the size was checked on a station-day). Ocean loading and the tide of the pole
are left out: up to a few centimetres at coasts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic

_J2000_UNIX_NS: Final = 946_728_000_000_000_000  # 2000-01-01T12:00:00
_CENTURY_NS: Final = 36_525 * 86_400_000_000_000
_UNIT_M: Final = 1.495978707e11
_EARTH_M: Final = 6_378_136.6
_SUN_OVER_EARTH, _MOON_OVER_EARTH = 332_946.0, 0.012_300_02


def _centuries(gpst_ns: Ints) -> Floats:
    """UTC centuries since J2000; leap seconds as of the first instant."""
    if not len(gpst_ns):
        return np.zeros(0)
    first_ns = int(gpst_ns[0])
    shift_ns = Gpst(first_ns).to_utc().unix_ns - first_ns
    since: Floats = (gpst_ns + (shift_ns - _J2000_UNIX_NS)) / float(_CENTURY_NS)
    return since


def _degrees(t: Floats, *terms: tuple[float, float, float]) -> Floats:
    """Sum of amplitude x sin(phase + rate t), all in degrees."""
    out = np.zeros_like(t)
    for amplitude, phase, rate in terms:
        out = out + amplitude * np.sin(np.deg2rad(phase + rate * t))
    return out


def _fixed(t: Floats, longitude: Floats, latitude: Floats, distance_m: Floats) -> Floats:
    """From ecliptic angles in degrees to the Earth-fixed frame, (e, 3)."""
    tilt = np.deg2rad(23.439291 - 0.0130042 * t)
    long, lat = np.deg2rad(longitude), np.deg2rad(latitude)
    x = np.cos(lat) * np.cos(long)
    y = np.cos(tilt) * np.cos(lat) * np.sin(long) - np.sin(tilt) * np.sin(lat)
    z = np.sin(tilt) * np.cos(lat) * np.sin(long) + np.cos(tilt) * np.sin(lat)
    turn = sidereal_angle(t)
    cosine, sine = np.cos(turn), np.sin(turn)
    turned: Floats = np.stack((x * cosine + y * sine, y * cosine - x * sine, z), -1)
    return distance_m[:, None] * turned


def sidereal_angle(t: Floats) -> Floats:
    """Greenwich mean sidereal time in radians; t: centuries since J2000. UT1 is taken as UTC."""
    return np.deg2rad((280.46061837 + 360.98564736629 * 36_525 * t) % 360)


def sun_m(gpst_ns: Ints) -> Floats:
    """The Sun, (e, 3) metres in the Earth-fixed frame."""
    t = _centuries(gpst_ns)
    mean = np.deg2rad(357.5277233 + 35_999.05034 * t)
    longitude = 280.460 + 36_000.770 * t
    longitude = longitude + 1.914666471 * np.sin(mean) + 0.019994643 * np.sin(2 * mean)
    distance = 1.000140612 - 0.016708617 * np.cos(mean) - 0.000139589 * np.cos(2 * mean)
    return _fixed(t, longitude, np.zeros_like(t), distance * _UNIT_M)


def moon_m(gpst_ns: Ints) -> Floats:
    """The Moon, (e, 3) metres in the Earth-fixed frame."""
    t = _centuries(gpst_ns)
    longitude = 218.32 + 481_267.883 * t
    longitude = longitude + _degrees(
        t,
        (6.29, 134.9, 477_198.85),
        (-1.27, 259.2, -413_335.38),
        (0.66, 235.7, 890_534.23),
        (0.21, 269.9, 954_397.70),
        (-0.19, 357.5, 35_999.05),
        (-0.11, 186.6, 966_404.05),
    )
    latitude = _degrees(
        t,
        (5.13, 93.3, 483_202.03),
        (0.28, 228.2, 960_400.87),
        (-0.28, 318.3, 6_003.18),
        (-0.17, 217.6, -407_332.20),
    )
    parallax = 0.9508 + _degrees(
        t,
        (0.0518, 134.9 + 90, 477_198.85),
        (0.0095, 259.2 + 90, -413_335.38),
        (0.0078, 235.7 + 90, 890_534.23),
        (0.0028, 269.9 + 90, 954_397.70),
    )
    return _fixed(t, longitude, latitude, _EARTH_M / np.sin(np.deg2rad(parallax)))


def solid_tide_m(place_m: Floats, gpst_ns: Ints) -> Floats:
    """How far the ground at place_m (3,) is moved at each instant, (e, 3) Earth-fixed metres.

    Without the part that never changes being taken away: coordinates are tide-free by convention.
    """
    latitude, longitude, _ = geodetic(place_m)
    up = enu_axes(latitude, longitude)[2]
    out = np.zeros((len(gpst_ns), 3))
    for body_m, mass in ((sun_m(gpst_ns), _SUN_OVER_EARTH), (moon_m(gpst_ns), _MOON_OVER_EARTH)):
        out += _pull_m(up, float(np.sin(latitude)), body_m, mass)
    turn = sidereal_angle(_centuries(gpst_ns))
    k1_m = -0.025 * np.sin(latitude) * np.cos(latitude) * np.sin(turn + longitude)
    moved: Floats = out + k1_m[:, None] * up
    return moved


def _pull_m(up: Floats, sine: float, body_m: Floats, mass: float) -> Floats:
    """Degrees two and three of one body; Love and Shida numbers of IERS 2010 table 7.2."""
    distance_m = np.linalg.norm(body_m, axis=1)
    toward = body_m / distance_m[:, None]
    c = (toward @ up)[:, None]
    shape = (3 * sine * sine - 1) / 2
    h2, l2, h3, l3 = 0.6078 - 0.0006 * shape, 0.0847 + 0.0002 * shape, 0.292, 0.015
    second_m = (mass * _EARTH_M**4 / distance_m**3)[:, None]
    third_m = (mass * _EARTH_M**5 / distance_m**4)[:, None]
    across = toward - c * up
    pulled: Floats = second_m * (h2 * (1.5 * c * c - 0.5) * up + 3 * l2 * c * across) + third_m * (
        h3 * (2.5 * c**3 - 1.5 * c) * up + l3 * (7.5 * c * c - 1.5) * across
    )
    return pulled
