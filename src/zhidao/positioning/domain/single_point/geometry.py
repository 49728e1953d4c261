"""Array forms of the geometry that positioning needs in bulk, on the WGS 84 ellipsoid.

The scalar twin is `zhidao.core.geo`; a test holds both together. CGCS2000's ellipsoid differs by
0.1 mm in the semi-minor axis.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats

_SEMI_MAJOR_M: Final = 6_378_137.0
_FLATTENING: Final = 1 / 298.257223563
_E2: Final = _FLATTENING * (2 - _FLATTENING)


def geodetic(ecef_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Latitude and longitude in radians and ellipsoidal height in metres of points (…, 3)."""
    x, y, z = ecef_m[..., 0], ecef_m[..., 1], ecef_m[..., 2]
    across = np.hypot(x, y)
    minor_m = _SEMI_MAJOR_M * (1 - _FLATTENING)
    second_e2 = _E2 / (1 - _FLATTENING) ** 2
    reduced = np.arctan2(z, across * (1 - _FLATTENING))
    latitude = reduced
    for _ in range(3):
        latitude = np.arctan2(
            z + second_e2 * minor_m * np.sin(reduced) ** 3,
            across - _E2 * _SEMI_MAJOR_M * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2((1 - _FLATTENING) * np.sin(latitude), np.cos(latitude))
    sine = np.sin(latitude)
    height_m = across * np.cos(latitude) + z * sine - _SEMI_MAJOR_M * np.sqrt(1 - _E2 * sine * sine)
    return latitude, np.arctan2(y, x), height_m


def ecef(latitude: Floats, longitude: Floats, height_m: Floats) -> Floats:
    """Cartesian metres (…, 3) of latitude and longitude in radians and height in metres."""
    normal_m = _SEMI_MAJOR_M / np.sqrt(1 - _E2 * np.sin(latitude) ** 2)
    across = (normal_m + height_m) * np.cos(latitude)
    return np.stack(
        (
            across * np.cos(longitude),
            across * np.sin(longitude),
            (normal_m * (1 - _E2) + height_m) * np.sin(latitude),
        ),
        -1,
    )


def enu_axes(latitude: Floats, longitude: Floats) -> Floats:
    """Rows east, north and up in the Earth-fixed frame, shape (…, 3, 3)."""
    sin_p, cos_p, sin_l, cos_l = (
        np.sin(latitude),
        np.cos(latitude),
        np.sin(longitude),
        np.cos(longitude),
    )
    zero = np.zeros_like(sin_p)
    rows = (
        np.stack((-sin_l, cos_l, zero), -1),
        np.stack((-sin_p * cos_l, -sin_p * sin_l, cos_p), -1),
        np.stack((cos_p * cos_l, cos_p * sin_l, sin_p), -1),
    )
    return np.stack(rows, -2)
