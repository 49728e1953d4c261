"""The BeiDou global ionospheric delay correction model (BDGIM) of the B-CNAV messages.

Nine broadcast coefficients of spherical harmonics up to degree 2, and a fixed part of degree 3 to 5
that follows twelve periods, in a frame of the geomagnetic pole and the Sun.
Source: BDS-SIS-ICD-B1C 1.0 section 7.8 (not at hand). The numbers were taken from the public
demonstrator of the model's authors; its mapping function mixes kilometres and metres, so ours
follows the thin shell that the ICD describes, 400 km above a sphere of 6378 km.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.satellites.ephemeris import Bdgim

_POLE_LATITUDE: Final = math.radians(80.27)
_POLE_LONGITUDE: Final = math.radians(-72.58)
_SHELL_RATIO: Final = 6378.0 / (6378.0 + 400.0)
_METRES_HZ2_A_TECU: Final = 40.3e16
_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _NS
_GPST_EPOCH_MJD: Final = 44_244
# The fixed part is held for two hours at its value in their middle.
_STEP_NS: Final = 2 * 3_600 * _NS
_PERIODS_DAY: Final = np.array(
    (1.0, 0.5, 0.33, 14.6, 27.0, 121.6, 182.51, 365.25, 4028.71, 2014.35, 1342.90, 1007.18)
)
# Degree and order, negative for sines: broadcast, then fixed.
_BROADCAST: Final = ((0, 0), (1, 0), (1, 1), (1, -1), (2, 0), (2, 1), (2, -1), (2, 2), (2, -2))
_FIXED: Final = (
    *((3, 0), (3, 1), (3, -1), (3, 2), (3, -2), (3, 3), (3, -3), (4, 0), (4, 1), (4, -1), (4, 2)),
    *((4, -2), (5, 0), (5, 1), (5, -1), (5, 2), (5, -2)),
)
# Hundredths of TECU: a constant, then a cosine and a sine for each period; a row a harmonic.
_TERMS_CENTI: Final = np.array(
    [
        (
            -61,
            -51,
            23,
            -6,
            2,
            1,
            0,
            -1,
            0,
            0,
            1,
            -19,
            -9,
            -18,
            15,
            109,
            50,
            -34,
            0,
            -13,
            5,
            -6,
            3,
            -3,
            4,
        ),
        (
            -131,
            -43,
            -20,
            -5,
            -8,
            -3,
            -2,
            0,
            -2,
            0,
            0,
            -2,
            7,
            6,
            -31,
            -14,
            -8,
            -9,
            -11,
            7,
            3,
            13,
            -2,
            8,
            -2,
        ),
        (
            -200,
            34,
            -31,
            6,
            -6,
            1,
            -3,
            1,
            1,
            3,
            0,
            12,
            3,
            -55,
            13,
            -21,
            -38,
            -122,
            -22,
            -37,
            7,
            -7,
            4,
            -1,
            -4,
        ),
        (-3, -1, 16, 17, -11, -1, -5, 0, 0, 1, 1, -10, 6, -2, 5, 52, 36, 5, 1, 5, 2, 3, -1, 4, 0),
        (15, 17, -3, 15, 15, 5, -1, 1, -1, 2, 0, 6, 9, 9, -9, 27, 14, 15, 2, 6, -1, 2, -3, 1, -1),
        (-48, 2, 2, 0, -14, -3, -7, 0, 1, 1, 0, 0, 1, -8, -3, 0, 4, -29, -3, -11, 3, -5, 2, -2, 0),
        (-40, -6, 4, 11, 1, 5, -3, -1, 0, 0, 0, -2, 2, 0, 6, 11, 0, -17, -1, -7, 2, -5, 1, -2, 1),
        (
            228,
            30,
            18,
            -5,
            1,
            -3,
            -1,
            -1,
            -2,
            -2,
            0,
            -8,
            0,
            86,
            -36,
            17,
            25,
            158,
            49,
            46,
            -4,
            1,
            4,
            -4,
            7,
        ),
        (-16, 44, 34, -16, 4, -1, 2, 0, 0, 0, 0, -2, -4, -18, 8, 23, 17, -6, -3, 0, -1, 0, 0, 0, 0),
        (
            -21,
            -28,
            45,
            2,
            -14,
            0,
            -1,
            0,
            0,
            0,
            0,
            -7,
            -2,
            -5,
            5,
            35,
            27,
            -15,
            -2,
            -4,
            -1,
            0,
            0,
            0,
            0,
        ),
        (-10, -31, 19, 11, -5, -8, 3, 0, 0, 0, 0, 1, -1, -7, 6, -5, -3, 0, 1, 1, 2, 0, 0, 0, 0),
        (-13, -17, -25, 4, 8, -4, -10, 0, 0, 0, 0, 3, 1, 4, -2, 2, -3, 13, 2, 7, 3, 0, 0, 0, 0),
        (21, 4, -12, 12, 8, 0, 1, 0, 0, 0, 0, 15, -10, 14, -5, -60, -32, 28, 4, 9, 2, 0, 0, 0, 0),
        (68, 39, 18, 7, -1, -2, 5, 0, 0, 0, 0, 6, 0, -3, 6, 2, -10, -8, -4, -5, -4, 0, 0, 0, 0),
        (
            106,
            -12,
            40,
            2,
            1,
            -3,
            -1,
            0,
            0,
            0,
            0,
            -5,
            -1,
            37,
            -20,
            1,
            20,
            62,
            16,
            15,
            -4,
            0,
            0,
            0,
            0,
        ),
        (0, 12, -9, -14, 11, 0, 4, 0, 0, 0, 0, -3, 2, -11, 4, 27, 10, -1, -2, -1, -1, 0, 0, 0, 0),
        (-12, 0, 21, -14, -12, -3, 0, 0, 0, 0, 0, -10, 5, -12, 7, 32, 30, -4, -1, 1, 0, 0, 0, 0, 0),
    ],
    np.float64,
)
# The least vertical content is the first coefficient divided by this, by its own size.
_FLOOR: Final = ((35.0, 10.0), (20.0, 8.0), (12.0, 6.0), (-math.inf, 4.0))


def bdgim_m(
    model: Bdgim,
    *,
    latitude: Floats,
    longitude: Floats,
    elevation: Floats,
    azimuth: Floats,
    gpst_ns: Ints,
    carrier_hz: Floats,
) -> Floats:
    """Delay in metres on each carrier along lines of sight.

    Angles in radians, elevations above the horizon; all shapes broadcast.
    """
    bent = _SHELL_RATIO * np.cos(elevation)
    angle = np.pi / 2 - elevation - np.arcsin(bent)
    sine = np.sin(latitude) * np.cos(angle) + np.cos(latitude) * np.sin(angle) * np.cos(azimuth)
    pierced = np.arcsin(np.clip(sine, -1, 1))
    east = longitude + np.arctan2(
        np.sin(angle) * np.sin(azimuth) * np.cos(latitude),
        np.cos(angle) - np.sin(latitude) * np.sin(pierced),
    )
    content = vertical_tecu(model, latitude=pierced, longitude=east, gpst_ns=gpst_ns)
    return _METRES_HZ2_A_TECU / carrier_hz**2 * content / np.sqrt(1 - bent * bent)


def vertical_tecu(model: Bdgim, *, latitude: Floats, longitude: Floats, gpst_ns: Ints) -> Floats:
    """Vertical electron content above points (geographic, radians) in TECU."""
    up, along = _sun_fixed(latitude, longitude, gpst_ns)
    total = np.zeros(np.broadcast_shapes(up.shape, along.shape))
    for term, harmonic in zip(model.terms, _BROADCAST, strict=True):
        total = total + term * _harmonic(*harmonic, up, along)
    fixed = _fixed_terms(gpst_ns)
    for row, harmonic in enumerate(_FIXED):
        total = total + fixed[..., row] * _harmonic(*harmonic, up, along)
    first = model.terms[0]
    divisor = next(divisor for above, divisor in _FLOOR if first > above)
    return np.maximum(total, first / divisor)


def _sun_fixed(latitude: Floats, longitude: Floats, gpst_ns: Ints) -> tuple[Floats, Floats]:
    """Sine of geomagnetic latitude, and geomagnetic longitude from that of the mean Sun."""
    sin_pole, cos_pole = math.sin(_POLE_LATITUDE), math.cos(_POLE_LATITUDE)
    off = longitude - _POLE_LONGITUDE
    up = sin_pole * np.sin(latitude) + cos_pole * np.cos(latitude) * np.cos(off)
    along = np.arctan2(np.cos(latitude) * np.sin(off) * cos_pole, sin_pole * up - np.sin(latitude))
    sun = np.pi * (1 - 2 * (gpst_ns % _DAY_NS / _DAY_NS)) - _POLE_LONGITUDE
    return np.asarray(up), along - np.arctan2(np.sin(sun), sin_pole * np.cos(sun))


def _fixed_terms(gpst_ns: Ints) -> Floats:
    """Coefficients of the fixed harmonics at instants, shape (…, 17)."""
    middle_ns = gpst_ns // _STEP_NS * _STEP_NS + _STEP_NS // 2
    days = _GPST_EPOCH_MJD + np.asarray(middle_ns, np.float64)[..., None] / _DAY_NS
    angle = 2 * np.pi * days / _PERIODS_DAY
    waves = np.stack((np.cos(angle), np.sin(angle)), -1).reshape(*angle.shape[:-1], -1)
    whole = np.concatenate((np.ones((*waves.shape[:-1], 1)), waves), -1)
    out: Floats = whole @ (_TERMS_CENTI.T / 100)
    return out


def _harmonic(degree: int, order: int, sine: Floats, longitude: Floats) -> Floats:
    """Normalized spherical harmonic; a sine of longitude for a negative order."""
    many = abs(order)
    legendre = _legendre(degree, many, sine)
    ratio = math.factorial(degree - many) / math.factorial(degree + many)
    scale = math.sqrt((2 * degree + 1) * ratio * (2 if many else 1))
    wave = np.sin(many * longitude) if order < 0 else np.cos(many * longitude)
    return scale * legendre * wave


def _legendre(degree: int, order: int, sine: Floats) -> Floats:
    """Associated Legendre function without the sign of Condon and Shortley."""
    below = np.prod(np.arange(1, 2 * order, 2)) * (1 - sine * sine) ** (order / 2)
    if degree == order:
        return below
    here = sine * (2 * order + 1) * below
    for step in range(order + 2, degree + 1):
        below, here = (
            here,
            (sine * (2 * step - 1) * here - (step + order - 1) * below) / (step - order),
        )
    return here
