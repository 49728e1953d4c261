"""Differences between two receivers of what they saw of the same satellites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import troposphere_m
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.rtk.receivers import TrackedSignals
from zhidao.positioning.domain.rtk.rtk_settings import RtkSettings
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic


@dataclass(frozen=True, slots=True)
class Common:
    """Satellites of one system that both receivers saw at one epoch.

    code_m, phase_m (n, k): rover less base, without what is known of the base: its range, both
    satellite clocks, its air. wavelength_m (k,): NaN where ambiguities are no whole numbers.
    slipped (n, k): either receiver says that its phase may have begun anew.
    """

    system: str
    satellite: Ints
    wavelength_m: Floats
    rover_place_m: Floats
    rotation_radps: float
    code_m: Floats
    phase_m: Floats
    elevation: Floats
    slipped: Bools
    code_noise: float

    def computed(self, place_m: Floats) -> tuple[Floats, Floats]:
        """Range with air from a place of the rover, (n,), and unit vectors to the satellites."""
        ranges_m, toward = range_m(place_m, self.rover_place_m, self.rotation_radps)
        latitude, _, height_m = geodetic(place_m)
        air_m = troposphere_m(latitude=latitude, height_m=height_m, elevation=self.elevation)
        return ranges_m + air_m, toward

    @property
    def spread(self) -> Floats:
        """Variance of a difference, in units of the zenith variance of one range."""
        spread: Floats = 2 * (1 + 1 / np.sin(self.elevation) ** 2)
        return spread


def common_satellites(
    sights: Mapping[str, Mapping[str, TrackedSignals]],
    rover_epoch: int,
    base_epoch: int,
    origin_m: Floats,
    settings: RtkSettings,
) -> list[Common]:
    """One entry a system. sights: `rover` and `base` by system."""
    found = []
    for system, rover in sights["rover"].items():
        base = sights["base"].get(system)
        if base is None or base.signals != rover.signals:
            continue
        r, b = rover.rows(rover_epoch), base.rows(base_epoch)
        _, at_r, at_b = np.intersect1d(rover.satellite[r], base.satellite[b], return_indices=True)
        found.append(_paired(rover, r[at_r], base, b[at_b], origin_m, settings))
    return found


def _paired(
    rover: TrackedSignals,
    r: Ints,
    base: TrackedSignals,
    b: Ints,
    origin_m: Floats,
    settings: RtkSettings,
) -> Common:
    ranges_m, toward = range_m(origin_m, base.place_m[b], base.rotation_radps)
    latitude, longitude, height_m = geodetic(origin_m)
    elevation = np.arcsin(np.clip(toward @ enu_axes(latitude, longitude)[2], -1, 1))
    high = elevation > settings.mask_rad
    r, b, ranges_m, elevation = r[high], b[high], ranges_m[high], elevation[high]
    air_m = troposphere_m(latitude=latitude, height_m=height_m, elevation=elevation)
    base_m = (ranges_m - base.clock_m[b] + air_m)[:, None]
    clock_m = rover.clock_m[r][:, None]
    return Common(
        rover.system,
        rover.satellite[r],
        rover.wavelength_m,
        rover.place_m[r],
        rover.rotation_radps,
        rover.code_m[r] + clock_m - (base.code_m[b] - base_m),
        rover.phase_m[r] + clock_m - (base.phase_m[b] - base_m),
        elevation,
        rover.slipped[r] | base.slipped[b],
        settings.glonass if rover.system == "R" else 1.0,
    )


def range_m(place_m: Floats, satellites_m: Floats, rotation_radps: float) -> tuple[Floats, Floats]:
    """Ranges and unit vectors towards the satellites, with the Earth's turn on the way."""
    between = satellites_m - place_m
    straight = np.sqrt(np.einsum("ni,ni->n", between, between))
    cross = satellites_m[:, 0] * place_m[1] - satellites_m[:, 1] * place_m[0]
    return straight + rotation_radps / SPEED_OF_LIGHT_MPS * cross, between / straight[:, None]
