"""Single point positioning: weighted least squares on ranges, all epochs at once.

Gauss-Newton from the centre of the Earth; no earlier position and no header is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zhidao.core.compiling import ready
from zhidao.positioning.domain.atmosphere.bdgim import bdgim_m
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import ionosphere_m, troposphere_m
from zhidao.positioning.domain.observables.observations import Bools, Floats
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Klobuchar, Navigation
from zhidao.positioning.domain.satellites.orbits import is_geostationary
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

# Rounds without atmosphere and mask, from the Earth's centre; then rounds with both.
_ROUGH_ROUNDS: Final = 7
_FINE_ROUNDS: Final = 8
_STEP_M: Final = 1e-4
# From this many ranges on, the import of numba costs less than it saves.
_LOADING_PAYS: Final = 200_000
_DAY_NS: Final = 86_400_000_000_000
_HEIGHT_M: Final = (-2_000.0, 60_000.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """Least squares at its end, in east-north-up axes; padded shapes (e, s), parameters p = 3 + k.

    design (e, s, p); weight (e, s), zero where not used; inverse (e, p, p) = (A' W A)^-1, NaN where
    there is none. `near_earth`: whether the rough place was one; `rough_m` (e, s): residuals there.
    """

    ecef_m: Floats
    clock_m: Floats
    latitude: Floats
    longitude: Floats
    height_m: Floats
    elevation: Floats
    azimuth: Floats
    ionosphere_m: Floats
    residual_m: Floats
    design: Floats
    weight: Floats
    inverse: Floats
    converged: Bools
    near_earth: Bools
    rough_m: Floats


def fit(data: Measurements, allowed: Bools, model: Klobuchar | None, settings: Settings) -> Fit:
    """Positions from the allowed ranges; allowed (e, s) leaves out those found faulty.

    Epochs with too few ranges come back not converged. Compiled where that is at hand.
    """
    if allowed.size and ready(pays=int(np.count_nonzero(allowed)) >= _LOADING_PAYS):
        return compiled_fit(data, allowed, model, settings)
    return plain_fit(data, allowed, model, settings)


def fit_with_model(
    data: Measurements, allowed: Bools, navigation: Navigation, settings: Settings
) -> Fit:
    """Positions with the ionosphere model that the settings name.

    BDGIM is asked from the place that no model gives (within 100 m, where its delay is the same to
    a millimetre) and taken off the ranges of a second fit; without its coefficients in the
    navigation there is no model.
    """
    if settings.ionosphere == "none":
        return fit(data, allowed, None, settings)
    if settings.ionosphere == "klobuchar":
        return fit(data, allowed, navigation.klobuchar, settings)
    first = fit(data, allowed, None, settings)
    if navigation.bdgim is None or not len(data.gpst_ns):
        return first
    with np.errstate(all="ignore"):
        charge_m = bdgim_m(
            navigation.bdgim,
            latitude=first.latitude[:, None],
            longitude=first.longitude[:, None],
            elevation=np.maximum(first.elevation, np.deg2rad(settings.mask_mdeg / 1000)),
            azimuth=first.azimuth,
            gpst_ns=data.gpst_ns[:, None],
            carrier_hz=data.carrier_hz,
        )
    charge_m = np.where(data.present & np.isfinite(charge_m), charge_m, 0)
    second = fit(replace(data, range_m=data.range_m - charge_m), allowed, None, settings)
    return replace(second, ionosphere_m=charge_m)


def compiled_fit(
    data: Measurements, allowed: Bools, model: Klobuchar | None, settings: Settings
) -> Fit:
    """The same by `kernels.single_point`."""
    from zhidao.positioning.domain.kernels.single_point import fit_epochs

    (epochs, cells), size = allowed.shape, 3 + len(data.systems)
    state, where = np.empty((epochs, size)), np.empty((epochs, 3))
    sky, design = np.empty((epochs, cells, 6)), np.empty((epochs, cells, size))
    inverse, good = np.empty((epochs, size, size)), np.empty((epochs, 2), bool)
    form = 0 if model is None else 1 if model.bds else 2
    terms = np.array((*model.alpha, *model.beta) if model else (0.0,) * 8)
    columns = (
        data.range_m,
        data.rotation_radps,
        data.carrier_hz,
        data.noise,
        _geostationary_m2(data, settings),
    )
    numbers = np.array(
        (
            np.deg2rad(settings.mask_mdeg / 1000),
            settings.range_zenith_mm / 1000,
            settings.range_slant_mm / 1000,
        )
    )
    fit_epochs(
        np.ascontiguousarray(allowed),
        data.present,
        data.system,
        np.stack(columns, -1),
        data.place_m,
        np.asarray(data.gpst_ns % _DAY_NS * 1e-9, np.float64),
        form,
        terms,
        numbers,
        state,
        where,
        sky,
        design,
        inverse,
        good,
    )
    return Fit(
        ecef_m=state[:, :3],
        clock_m=state[:, 3:],
        latitude=where[:, 0],
        longitude=where[:, 1],
        height_m=where[:, 2],
        elevation=sky[..., 0],
        azimuth=sky[..., 1],
        ionosphere_m=sky[..., 2],
        residual_m=np.where(sky[..., 4] > 0, sky[..., 3], np.nan),
        design=design,
        weight=sky[..., 4],
        inverse=inverse,
        converged=good[:, 1],
        near_earth=good[:, 0],
        rough_m=sky[..., 5],
    )


def _geostationary_m2(data: Measurements, settings: Settings) -> Floats:
    deviation_m = settings.geostationary_mm / 1000
    return np.where(is_geostationary(data.satellite), deviation_m**2, 0.0)


def plain_fit(
    data: Measurements, allowed: Bools, model: Klobuchar | None, settings: Settings
) -> Fit:
    """The same in numpy, all epochs at once."""
    state, rough_m = _rough(data, allowed)
    plausible = _near_earth(state[:, :3])
    # Far from the Earth the models mean nothing; such epochs run along on a place that exists.
    state[~plausible] = np.array([6.4e6, *np.zeros(state.shape[1] - 1)])
    moved = np.full(len(state), np.inf)
    for _ in range(_FINE_ROUNDS):
        seen = _look(data, allowed, state, model, settings)
        inverse, step = _solve(seen.design, seen.weight, seen.residual_m)
        turned = np.einsum("eij,ei->ej", seen.axes, step[:, :3])
        state += np.concatenate((turned, step[:, 3:]), 1)
        state[~_near_earth(state[:, :3]), :3] = (6.4e6, 0, 0)
        moved = np.linalg.norm(step[:, :3], axis=1)
        if not (moved[plausible] > _STEP_M).any():
            break
    seen = _look(data, allowed, state, model, settings)
    inverse, _ = _solve(seen.design, seen.weight, seen.residual_m)
    latitude, longitude, height_m = geodetic(state[:, :3])
    return Fit(
        ecef_m=state[:, :3],
        clock_m=state[:, 3:],
        latitude=latitude,
        longitude=longitude,
        height_m=height_m,
        elevation=seen.elevation,
        azimuth=seen.azimuth,
        ionosphere_m=seen.ionosphere_m,
        residual_m=np.where(seen.weight > 0, seen.residual_m, np.nan),
        design=seen.design,
        weight=seen.weight,
        inverse=inverse,
        converged=plausible & (moved <= 10 * _STEP_M) & np.isfinite(inverse).all((1, 2)),
        near_earth=plausible,
        rough_m=rough_m,
    )


def _rough(data: Measurements, allowed: Bools) -> tuple[Floats, Floats]:
    """Place and clocks (e, 3 + k) without atmosphere, from the Earth's centre; residuals (e, s)."""
    epochs, clocks = len(data.gpst_ns), len(data.systems)
    state = np.zeros((epochs, 3 + clocks))
    weight = allowed.astype(float)
    residual = np.zeros(allowed.shape)
    for _ in range(_ROUGH_ROUNDS):
        toward, range_m = _lines_of_sight(data, state[:, :3])
        residual = np.where(allowed, data.range_m - range_m - _clock(data, state), 0)
        design = np.concatenate((-toward, _clock_columns(data)), 2)
        _, step = _solve(design, weight, residual)
        state += np.clip(step, -1e8, 1e8)
    return state, residual


def _near_earth(place_m: Floats) -> Bools:
    near: Bools = np.abs(np.linalg.norm(place_m, axis=1) - 6_367_000.0) < 100_000
    return near


def _lines_of_sight(data: Measurements, place_m: Floats) -> tuple[Floats, Floats]:
    """Unit vectors to the satellites (e, s, 3) and ranges with the Earth's turn on the way (e, s).

    The turn is the first-order Sagnac term; what it leaves out is below 1 mm.
    """
    between = data.place_m - place_m[:, None, :]
    straight_m = np.sqrt(np.einsum("esi,esi->es", between, between))
    toward = between / np.maximum(straight_m, 1.0)[..., None]
    cross = data.place_m[..., 0] * place_m[:, None, 1] - data.place_m[..., 1] * place_m[:, None, 0]
    return toward, straight_m + data.rotation_radps / SPEED_OF_LIGHT_MPS * cross


def _clock_columns(data: Measurements) -> Floats:
    columns = data.system[..., None] == np.arange(len(data.systems))
    return np.asarray(columns & data.present[..., None]).astype(np.float64)


def _clock(data: Measurements, state: Floats) -> Floats:
    return np.take_along_axis(state[:, 3:], data.system, 1)


def _solve(design: Floats, weight: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """Inverse normal matrices and steps; NaN inverse and zero step where the system is singular.

    A clock whose system has no range is held at its value by a weight of its own.
    """
    weighted = design * weight[..., None]
    normal = np.swapaxes(weighted, 1, 2) @ design
    places = np.arange(3, design.shape[2])
    idle = normal[:, places, places] == 0
    normal[:, places, places] += idle
    scale = np.sqrt(np.einsum("eii->ei", normal))
    scaled = normal / np.maximum(scale[:, :, None] * scale[:, None, :], 1e-300)
    used = np.count_nonzero(weight > 0, axis=1)
    enough = used + idle.sum(1) >= design.shape[2]
    enough &= np.linalg.slogdet(scaled)[1] > np.log(1e-13)
    scaled[~enough] = np.eye(design.shape[2])
    inverse = np.linalg.inv(scaled) / (
        scale[:, :, None] * scale[:, None, :] + (~enough)[:, None, None]
    )
    inverse[~enough] = np.nan
    right = np.einsum("esp,es->ep", weighted, residual)
    step = np.einsum("epq,eq->ep", np.where(enough[:, None, None], inverse, 0), right)
    return inverse, step


@dataclass(frozen=True, slots=True)
class _View:
    """The sky as seen from the present state."""

    elevation: Floats
    azimuth: Floats
    ionosphere_m: Floats
    residual_m: Floats
    design: Floats
    weight: Floats
    axes: Floats


def _look(
    data: Measurements,
    allowed: Bools,
    state: Floats,
    model: Klobuchar | None,
    settings: Settings,
) -> _View:
    latitude, longitude, height_m = geodetic(state[:, :3])
    axes = enu_axes(latitude, longitude)
    toward, range_m = _lines_of_sight(data, state[:, :3])
    local = np.einsum("eij,esj->esi", axes, toward)
    elevation = np.arcsin(np.clip(local[..., 2], -1, 1))
    azimuth = np.arctan2(local[..., 0], local[..., 1])
    mask = np.deg2rad(settings.mask_mdeg / 1000)
    use = allowed & (elevation >= mask)
    # Below the mask nothing counts, but the models must not be asked about the ground.
    held = np.maximum(elevation, mask)
    air_m = troposphere_m(latitude=latitude[:, None], height_m=height_m[:, None], elevation=held)
    if model is None:
        charge_m = np.zeros_like(air_m)
    else:
        charge_m = ionosphere_m(
            model,
            latitude=latitude[:, None],
            longitude=longitude[:, None],
            elevation=held,
            azimuth=azimuth,
            second_of_day=np.asarray(data.gpst_ns % _DAY_NS * 1e-9, np.float64)[:, None],
            carrier_hz=data.carrier_hz,
        )
    residual = data.range_m - range_m - _clock(data, state) - air_m - charge_m
    sine = np.sin(held)
    variance = (settings.range_zenith_mm / 1000) ** 2 + (settings.range_slant_mm / 1000 / sine) ** 2
    variance *= data.noise**2
    variance += _geostationary_m2(data, settings)
    return _View(
        elevation=elevation,
        azimuth=azimuth,
        ionosphere_m=charge_m,
        residual_m=np.where(use, residual, 0),
        design=np.concatenate((-local, _clock_columns(data)), 2),
        weight=use / variance,
        axes=axes,
    )
