"""Delays of the ionosphere and the troposphere along lines of sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats
from zhidao.positioning.domain.observables.signals import B1I_HZ, L1_HZ, SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Klobuchar

_DAY_S: Final = 86_400.0
_NIGHT_S: Final = 5e-9
_PEAK_S: Final = 50_400.0  # 14:00 local time
# BDS-SIS-ICD-B1I 3.0 section 5.2.4.7: mean Earth radius 6378 km, shell at 375 km.
_SHELL_RATIO: Final = 6378.0 / (6378.0 + 375.0)
# Humidity of the standard atmosphere, as usual with Saastamoinen's model.
_HUMIDITY: Final = 0.7


def ionosphere_m(
    model: Klobuchar,
    *,
    latitude: Floats,
    longitude: Floats,
    elevation: Floats,
    azimuth: Floats,
    second_of_day: Floats,
    carrier_hz: Floats,
) -> Floats:
    """Delay in metres on each carrier, by the form of the model that the coefficients belong to.

    Angles in radians, elevations above the horizon; all shapes broadcast. The two forms differ in
    the pole, the mapping and the carrier that the coefficients are for (B1I and L1).
    """
    sky = _Sky(latitude, longitude, elevation, azimuth, second_of_day)
    if model.bds:
        return SPEED_OF_LIGHT_MPS * _bds_delay_s(model, sky) * (B1I_HZ / carrier_hz) ** 2
    return SPEED_OF_LIGHT_MPS * _gps_delay_s(model, sky) * (L1_HZ / carrier_hz) ** 2


@dataclass(frozen=True, slots=True)
class _Sky:
    """Where the receiver is, where it looks, and when; all broadcast together."""

    latitude: Floats
    longitude: Floats
    elevation: Floats
    azimuth: Floats
    second_of_day: Floats


def _bds_delay_s(model: Klobuchar, sky: _Sky) -> Floats:
    """Source: BDS-SIS-ICD-B1I 3.0 section 5.2.4.7 (from memory of the text; not at hand)."""
    bent = _SHELL_RATIO * np.cos(sky.elevation)
    angle = np.pi / 2 - sky.elevation - np.arcsin(bent)
    sine = np.sin(sky.latitude) * np.cos(angle) + np.cos(sky.latitude) * np.sin(angle) * np.cos(
        sky.azimuth
    )
    pierced = np.arcsin(np.clip(sine, -1, 1))
    east = np.sin(angle) * np.sin(sky.azimuth) / np.maximum(np.cos(pierced), 1e-9)
    local_s = sky.second_of_day + (sky.longitude + np.arcsin(np.clip(east, -1, 1))) * _DAY_S / (
        2 * np.pi
    )
    from_equator = np.abs(pierced) / np.pi
    amplitude = np.maximum(_polynomial(model.alpha, from_equator), 0)
    period = np.clip(_polynomial(model.beta, from_equator), 72_000, 172_800)
    since = (local_s - _PEAK_S + _DAY_S / 2) % _DAY_S - _DAY_S / 2
    day = np.where(np.abs(since) < period / 4, amplitude * np.cos(2 * np.pi * since / period), 0)
    return (_NIGHT_S + day) / np.sqrt(1 - bent * bent)


def _gps_delay_s(model: Klobuchar, sky: _Sky) -> Floats:
    """Source: IS-GPS-200 section 20.3.3.5.2.5, angles in semicircles (document not at hand)."""
    up = sky.elevation / np.pi
    angle = 0.0137 / (up + 0.11) - 0.022
    pierced = np.clip(sky.latitude / np.pi + angle * np.cos(sky.azimuth), -0.416, 0.416)
    east = sky.longitude / np.pi + angle * np.sin(sky.azimuth) / np.cos(pierced * np.pi)
    magnetic = pierced + 0.064 * np.cos((east - 1.617) * np.pi)
    local_s = sky.second_of_day + east * _DAY_S / 2
    amplitude = np.maximum(_polynomial(model.alpha, magnetic), 0)
    period = np.maximum(_polynomial(model.beta, magnetic), 72_000)
    since = (local_s - _PEAK_S + _DAY_S / 2) % _DAY_S - _DAY_S / 2
    x = 2 * np.pi * since / period
    day = np.where(np.abs(x) < 1.57, amplitude * (1 - x**2 / 2 + x**4 / 24), 0)
    return ionosphere_obliquity(sky.elevation) * (_NIGHT_S + day)


def ionosphere_obliquity(elevation: Floats) -> Floats:
    """Slant over zenith delay. Source: IS-GPS-200 section 20.3.3.5.2.5 (document not at hand)."""
    obliquity: Floats = 1 + 16 * (0.53 - elevation / np.pi) ** 3
    return obliquity


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    a, b, c, d = coefficients
    return a + x * (b + x * (c + x * d))


def troposphere_mapping(elevation: Floats) -> Floats:
    """Slant over zenith delay. Source: RTCA DO-229 appendix A.4.2.4, good down to 5 degrees."""
    return 1.001 / np.sqrt(0.002001 + np.sin(elevation) ** 2)


def hydrostatic_zenith_m(*, latitude: Floats, height_m: Floats) -> Floats:
    """Delay of dry air at the zenith in metres: Saastamoinen 1972 over the standard atmosphere.

    Heights are held within -500 and 20,000 m, where the standard atmosphere means something.
    """
    height = np.clip(height_m, -500, 20_000)
    pressure_hpa = 1013.25 * (1 - 2.2557e-5 * height) ** 5.2568
    gravity = 1 - 0.00266 * np.cos(2 * latitude) - 0.00028 * height / 1000
    return np.asarray(0.0022768 * pressure_hpa / gravity, np.float64)


def troposphere_m(*, latitude: Floats, height_m: Floats, elevation: Floats) -> Floats:
    """Delay in metres: Saastamoinen 1972 over the standard atmosphere, mapped as in DO-229.

    Heights are held within -500 and 20,000 m, where the standard atmosphere means something.
    """
    height = np.clip(height_m, -500, 20_000)
    kelvin = 288.16 - 6.5e-3 * np.minimum(height, 11_000)
    vapour_hpa = 6.108 * _HUMIDITY * np.exp((17.15 * kelvin - 4684.0) / (kelvin - 38.45))
    dry_m = hydrostatic_zenith_m(latitude=latitude, height_m=height_m)
    wet_m = 0.002277 * (1255 / kelvin + 0.05) * vapour_hpa
    return (dry_m + wet_m) * troposphere_mapping(elevation)
