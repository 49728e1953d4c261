"""Where a satellite is and what its clock shows, from its broadcast ephemeris.

All rows at once. Constants and algorithm: BDS-SIS-ICD-B1I 3.0 section 5.2.4.12 (user position,
with the GEO branch), IS-GPS-200 section 20.3.3.4.3, Galileo OS SIS ICD section 5.1.1. The documents
were not at hand; constants and formulas were checked against real observations (tests on ESBC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS, SYSTEMS
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides

_BDS: Final = SYSTEMS.index("C")
_MU_CGCS_M3PS2: Final = 3.986004418e14  # CGCS2000 and GTRF
_MU_WGS_M3PS2: Final = 3.986005e14  # IS-GPS-200
_ROTATION_BDS_RADPS: Final = 7.2921150e-5  # CGCS2000
_ROTATION_RADPS: Final = 7.2921151467e-5  # IS-GPS-200, Galileo OS SIS ICD
_GEO_TILT_RAD: Final = np.deg2rad(-5.0)  # BDS-SIS-ICD-B1I: GEO elements stand in a tilted frame
_KEPLER_ROUNDS: Final = 12


@dataclass(frozen=True, slots=True)
class SatelliteStates:
    """Positions in the Earth-fixed frame of the instant of sending (n, 3), and clock offsets (n,).

    `clock_s` includes the relativistic term and excludes group delays.
    """

    ecef_m: Floats
    clock_s: Floats


def is_geostationary(satellite: Ints) -> Bools:
    """Whether a BDS satellite's elements stand in the tilted GEO frame: PRN 1 to 5 and from 59."""
    prn = satellite % 100
    tilted: Bools = (satellite // 100 == _BDS) & ((prn <= 5) | (prn >= 59))
    return tilted


def rotation_radps(satellite: Ints) -> Floats:
    """The Earth's rotation rate by each satellite's own system."""
    return np.where(satellite // 100 == _BDS, _ROTATION_BDS_RADPS, _ROTATION_RADPS)


def clock_polynomial_s(eph: Ephemerides, sent_ns: Ints, sent_fraction_s: Floats) -> Floats:
    """Clock offset by the broadcast polynomial alone, without relativity."""
    t = (sent_ns - eph.toc_ns) * 1e-9 + sent_fraction_s
    return eph.clock_bias_s + t * (eph.clock_drift + t * eph.clock_drift_rate)


def satellite_states(eph: Ephemerides, sent_ns: Ints, sent_fraction_s: Floats) -> SatelliteStates:
    """States at the instants of sending, one a row of `eph`.

    sent_ns + sent_fraction_s: GPST, split so that a double keeps the picosecond. Shapes (n,).
    """
    mu = np.where(eph.satellite // 100 == SYSTEMS.index("G"), _MU_WGS_M3PS2, _MU_CGCS_M3PS2)
    rotation = rotation_radps(eph.satellite)
    t = (sent_ns - eph.toe_ns) * 1e-9 + sent_fraction_s
    axis_m = eph.root_a**2
    motion = np.sqrt(mu / axis_m**3) + eph.mean_motion_difference
    # B-CNAV: BDS-SIS-ICD-B1C 1.0 section 7.7. The others have zeros here.
    motion = motion + 0.5 * eph.mean_motion_rate * t
    axis_m = axis_m + eph.axis_rate_mps * t
    anomaly = _eccentric_anomaly(eph.mean_anomaly + motion * t, eph.eccentricity)
    sin_e, cos_e = np.sin(anomaly), np.cos(anomaly)
    true = np.arctan2(np.sqrt(1 - eph.eccentricity**2) * sin_e, cos_e - eph.eccentricity)
    latitude = true + eph.perigee
    sin2, cos2 = np.sin(2 * latitude), np.cos(2 * latitude)
    u = latitude + eph.cus * sin2 + eph.cuc * cos2
    radius_m = axis_m * (1 - eph.eccentricity * cos_e) + eph.crs * sin2 + eph.crc * cos2
    tilt = eph.inclination + eph.inclination_rate * t + eph.cis * sin2 + eph.cic * cos2
    geo = is_geostationary(eph.satellite)
    # A GEO satellite's node is counted in a frame that does not turn; the turn comes at the end.
    turn = np.where(geo, eph.node_rate, eph.node_rate - rotation)
    node = eph.node + turn * t - rotation * eph.toe_of_week_s
    along, across = radius_m * np.cos(u), radius_m * np.sin(u)
    x = along * np.cos(node) - across * np.cos(tilt) * np.sin(node)
    y = along * np.sin(node) + across * np.cos(tilt) * np.cos(node)
    z = across * np.sin(tilt)
    ecef_m = np.stack((x, y, z), -1)
    if geo.any():
        ecef_m[geo] = _from_geo_frame(ecef_m[geo], rotation[geo] * t[geo])
    relativity_s = -2 * np.sqrt(mu) / SPEED_OF_LIGHT_MPS**2 * eph.eccentricity * eph.root_a * sin_e
    clock_s = clock_polynomial_s(eph, sent_ns, sent_fraction_s) + relativity_s
    return SatelliteStates(ecef_m, clock_s)


def _eccentric_anomaly(mean: Floats, eccentricity: Floats) -> Floats:
    """Kepler's equation by Newton's method; twelve rounds suffice below an eccentricity of 0.5."""
    anomaly = mean + eccentricity * np.sin(mean)
    for _ in range(_KEPLER_ROUNDS):
        step = (anomaly - eccentricity * np.sin(anomaly) - mean) / (
            1 - eccentricity * np.cos(anomaly)
        )
        anomaly = anomaly - step
        if not len(step) or np.abs(step).max() < 1e-14:
            break
    return anomaly


def _from_geo_frame(position_m: Floats, angle_rad: Floats) -> Floats:
    """Turned about x by the tilt of -5 degrees, then about z with the Earth since toe."""
    x, y, z = position_m.T
    cos_tilt, sin_tilt = np.cos(_GEO_TILT_RAD), np.sin(_GEO_TILT_RAD)
    y, z = y * cos_tilt + z * sin_tilt, -y * sin_tilt + z * cos_tilt
    cos_turn, sin_turn = np.cos(angle_rad), np.sin(angle_rad)
    return np.stack((x * cos_turn + y * sin_turn, -x * sin_turn + y * cos_turn, z), -1)
