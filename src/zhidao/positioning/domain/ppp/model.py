"""What is known before anything is estimated: ranges less all that models say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.atmosphere.global_mapping import mapping
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import hydrostatic_zenith_m
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS, SYSTEMS
from zhidao.positioning.domain.ppp.attitude import satellite_axes, winding_cycles
from zhidao.positioning.domain.ppp.bodies import solid_tide_m, sun_m
from zhidao.positioning.domain.ppp.ppp_settings import PppSettings
from zhidao.positioning.domain.ppp.products import Products
from zhidao.positioning.domain.ppp.rays import Rays
from zhidao.positioning.domain.satellites.orbits import rotation_radps
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.least_squares import fit
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

_MU_M3PS2: Final = 3.986004418e14


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rays in the form that an estimate takes; shapes (n,), by epoch.

    code_off_m, phase_off_m: observed less computed at start_m (e, 3), without receiver clock, wet
    air and ambiguity. toward (n, 3) to the satellite, wet: growth of the wet delay. spread:
    variance over that of one range at the zenith.
    """

    rays: Rays
    start_m: Floats
    code_off_m: Floats
    phase_off_m: Floats
    toward: Floats
    wet: Floats
    elevation: Floats
    spread: Floats


def prepare(
    rays: Rays, products: Products, gpst_ns: Ints, settings: PppSettings
) -> Prepared | None:
    """None if no epoch has a rough position."""
    rays, place_m, clock_m = _sent(rays, products, gpst_ns)
    if not len(rays.epoch):
        return None
    start_m = _rough_places_m(rays, place_m, clock_m, gpst_ns, settings)
    if start_m is None:
        return None
    at_ns = gpst_ns[rays.epoch]
    centre_m = np.median(start_m, axis=0)
    tide_m = solid_tide_m(centre_m, gpst_ns)
    here_m = (start_m + tide_m)[rays.epoch]
    range_m, toward = _range_m(here_m, place_m, rotation_radps(rays.satellite))
    latitude, longitude, height_m = geodetic(centre_m if not settings.moving else here_m)
    up = enu_axes(latitude, longitude)[..., 2, :]
    elevation = np.arcsin(np.clip((toward * up).sum(-1), -1, 1))
    dry, wet = mapping(
        gpst_ns=at_ns.astype(np.float64),
        latitude=latitude,
        longitude=longitude,
        height_m=height_m,
        elevation=np.maximum(elevation, np.deg2rad(3.0)),
    )
    air_m = dry * hydrostatic_zenith_m(latitude=latitude, height_m=height_m)
    known_m = range_m - clock_m + air_m + _shapiro_m(here_m, place_m, range_m)
    axes = satellite_axes(place_m, sun_m(gpst_ns)[rays.epoch])
    turns = _unwound(rays, winding_cycles(axes, toward, centre_m))
    spread = rays.noise**2 * (1 + 1 / np.sin(elevation) ** 2) / 2
    high = elevation > settings.mask_rad
    return Prepared(
        rays.take(high),
        start_m,
        (rays.code_m - known_m)[high],
        (rays.phase_m - known_m - rays.narrow_m * turns)[high],
        toward[high],
        wet[high],
        elevation[high],
        spread[high],
    )


def _sent(rays: Rays, products: Products, gpst_ns: Ints) -> tuple[Rays, Floats, Floats]:
    """Rays of known satellites, with their places and clocks (as length) at the time of sending."""
    at_ns = gpst_ns[rays.epoch]
    early_s = -rays.code_hint_m / SPEED_OF_LIGHT_MPS
    rough = products.states(rays.satellite, at_ns, early_s)
    late_s = early_s - np.nan_to_num(rough.clock_s)
    states = products.states(rays.satellite, at_ns, late_s)
    known = np.isfinite(states.clock_s) & np.isfinite(states.ecef_m).all(1)
    clock_m = states.clock_s[known] * SPEED_OF_LIGHT_MPS
    return rays.take(known), states.ecef_m[known], clock_m


def _range_m(here_m: Floats, place_m: Floats, rotation: Floats) -> tuple[Floats, Floats]:
    """Ranges and unit vectors towards the satellites, with the Earth's turn on the way."""
    between = place_m - here_m
    straight = np.linalg.norm(between, axis=1)
    cross = place_m[:, 0] * here_m[:, 1] - place_m[:, 1] * here_m[:, 0]
    return straight + rotation / SPEED_OF_LIGHT_MPS * cross, between / straight[:, None]


def _shapiro_m(here_m: Floats, place_m: Floats, range_m: Floats) -> Floats:
    """The Earth's gravity bends time on the way: IERS Conventions 2010 equation 11.17."""
    both = np.linalg.norm(here_m, axis=1) + np.linalg.norm(place_m, axis=1)
    slow: Floats = np.log((both + range_m) / (both - range_m))
    return 2 * _MU_M3PS2 / SPEED_OF_LIGHT_MPS**2 * slow


def _unwound(rays: Rays, cycles: Floats) -> Floats:
    """Turns without steps of whole ones, satellite by satellite."""
    out = cycles.copy()
    order = np.lexsort((rays.epoch, rays.satellite))
    edges = np.flatnonzero(np.diff(rays.satellite[order])) + 1
    for rows in np.split(order, edges):
        out[rows] = np.unwrap(cycles[rows], period=1.0)
    return out


def _rough_places_m(
    rays: Rays, place_m: Floats, clock_m: Floats, gpst_ns: Ints, settings: PppSettings
) -> Floats | None:
    """Places (e, 3) by codes alone; of a receiver at rest the median for all epochs."""
    data = _measurements(rays, place_m, clock_m, gpst_ns)
    found = fit(data, data.present, None, Settings())
    good = found.converged & found.near_earth
    if not good.any():
        return None
    middle_m = np.median(found.ecef_m[good], axis=0)
    if not settings.moving:
        return np.tile(middle_m, (len(gpst_ns), 1))
    return _filled(found.ecef_m, good, middle_m)


def _filled(places_m: Floats, good: Bools, middle_m: Floats) -> Floats:
    """Epochs without a place of their own take the last one before them."""
    last = np.maximum.accumulate(np.where(good, np.arange(len(good)), -1))
    return np.where((last >= 0)[:, None], places_m[np.maximum(last, 0)], middle_m)


def _measurements(rays: Rays, place_m: Floats, clock_m: Floats, gpst_ns: Ints) -> Measurements:
    """The same rows in the padded form of single points."""
    epochs = len(gpst_ns)
    count = np.bincount(rays.epoch, minlength=epochs)
    slot = np.arange(len(rays.epoch)) - np.repeat(np.cumsum(count) - count, count)
    shape = (epochs, int(count.max(initial=0)))
    systems = sorted(set((rays.satellite // 100).tolist()))

    def padded(column: Floats, fill: float = 0.0) -> Floats:
        out = np.full((*shape, *column.shape[1:]), fill)
        out[rays.epoch, slot] = column
        return out

    present = np.zeros(shape, bool)
    present[rays.epoch, slot] = True
    return Measurements(
        gpst_ns=gpst_ns,
        observed=count,
        present=present,
        satellite=padded(rays.satellite.astype(float)).astype(np.int64),
        system=padded(np.searchsorted(systems, rays.satellite // 100).astype(float)).astype(
            np.int64
        ),
        systems="".join(SYSTEMS[index] for index in systems),
        range_m=padded(rays.code_m + clock_m),
        place_m=padded(place_m),
        rotation_radps=padded(rotation_radps(rays.satellite)),
        carrier_hz=np.full(shape, np.inf),
        accuracy_m=padded(np.zeros(len(rays.epoch))),
        noise=padded(rays.noise, 1.0),
    )
