"""What errors the bound assumes of each range, from settings, broadcast accuracy and geometry.

Sum of: satellite orbit and clock (the broadcast accuracy, at least that of the support data, more
for GEO satellites); of the modelled ionosphere a share that all satellites have in common and one
of each its own, the model being said to remove about half (Klobuchar, IEEE Trans. AES 23(3), 1987,
not at hand); troposphere 0.12 m at the zenith (DO-229 A.4.2.5, not at hand), in common too; code
noise and reflections of the environment class.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np

from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import (
    ionosphere_obliquity,
    troposphere_mapping,
)
from zhidao.positioning.domain.integrity.fault_hypotheses import Accounting, LinearModel
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import L1_HZ
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.satellites.orbits import is_geostationary
from zhidao.positioning.domain.single_point.least_squares import Fit, fit_with_model
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.support import Support

_PPB: Final = 1e-9
# A constellation that the settings say nothing of is trusted as little as the least known one.
_UNKNOWN: Final = Support(10_000, 5_000, 1_000, 1_000_000, 1_000_000)


def accounting(settings: Settings, *, tries: float = 1.0, exposure: float = 1.0) -> Accounting:
    """How chances are summed up by the version of some settings."""
    return Accounting(settings.version > 3, tries, exposure)


def linear_model(
    data: Measurements, found: Fit, settings: Settings, suspected: Ints
) -> LinearModel:
    """Epochs as `protection` takes them. suspected (e,): how many ranges were put out."""
    letters = sorted(set(data.systems))
    group = np.array([letters.index(letter) for letter in data.systems])[data.system]
    supports = [settings.support.get(letter, _UNKNOWN) for letter in letters]
    usual = settings.alarm_percent / 100
    elevation = np.maximum(found.elevation, np.deg2rad(settings.mask_mdeg / 1000))
    charge_m = _uncertain_ionosphere_m(data, found, settings, elevation)
    local_m2 = _local_m2(data, charge_m, settings, elevation)
    geostationary_m2 = is_geostationary(data.satellite) * (settings.geostationary_mm / 1000) ** 2
    ura_m = _column([max(s.ura_mm, settings.orbit_mm_min) / 1000 for s in supports], group)
    ure_m = _column([s.ure_mm / 1000 for s in supports], group)
    # A poor accuracy told by the satellite itself is poor in thresholds too.
    broadcast_m = np.maximum(data.accuracy_m, ura_m)
    fault = [max(s.satellite_ppb, settings.fault_ppb) * _PPB for s in supports]
    return LinearModel(
        design=found.design,
        weight=found.weight,
        inverse=found.inverse,
        residual_m=found.residual_m,
        variance_m2=broadcast_m**2 + geostationary_m2 + local_m2,
        usual_m2=(ure_m * broadcast_m / ura_m) ** 2 + geostationary_m2 + local_m2 * usual**2,
        common_m=_common_m(charge_m, settings, elevation),
        bias_m=_column([s.bias_mm / 1000 for s in supports], group) + np.zeros(group.shape),
        fault=_column(fault, group),
        group=group,
        group_fault=np.array([s.constellation_ppb * _PPB for s in supports]),
        suspected=suspected,
        usual=usual,
    )


def _column(values: list[float], group: np.ndarray) -> Floats:
    out: Floats = np.array(values)[group]
    return out


def _uncertain_ionosphere_m(
    data: Measurements, found: Fit, settings: Settings, elevation: Floats
) -> Floats:
    """The delay of which a share is its deviation, (e, s).

    Since version 4 a range without a modelled delay counts with the greatest one: who knows less
    is less sure. The greatest one bounds a modelled delay too.
    """
    if settings.version < 4:
        return found.ionosphere_m
    most_m = settings.ionosphere_unknown_mm / 1000 * ionosphere_obliquity(elevation)
    most_m = np.where(found.weight > 0, most_m * (L1_HZ / data.carrier_hz) ** 2, 0)
    return np.where(found.ionosphere_m > 0, np.minimum(found.ionosphere_m, most_m), most_m)


def _local_m2(
    data: Measurements, charge_m: Floats, settings: Settings, elevation: Floats
) -> Floats:
    """Variance of what is the range's own near the receiver."""
    slant_m = settings.multipath_slant_mm / 1000 / np.sin(elevation)
    own_m2 = data.noise**2 * ((settings.multipath_zenith_mm / 1000) ** 2 + slant_m**2)
    return own_m2 + (charge_m * settings.ionosphere_each_percent / 100) ** 2


def _common_m(charge_m: Floats, settings: Settings, elevation: Floats) -> Floats:
    """One deviation of ionosphere and troposphere, (e, s, 2)."""
    return np.stack(
        (
            charge_m * settings.ionosphere_percent / 100,
            settings.troposphere_mm / 1000 * troposphere_mapping(elevation),
        ),
        -1,
    )


def usual_variance(model: LinearModel) -> Floats:
    """Variance in m^2 that residuals mostly have, (e, s)."""
    variance: Floats = model.usual_m2 + ((model.common_m * model.usual) ** 2).sum(2)
    return variance


def total_strain(
    used: Bools, residual_m: Floats, variance_m2: Floats, spare: Ints, *, alarm: float
) -> Floats:
    """The squares of all residuals over their limit (e,): above 1 there is more than one fault.

    The limit is the chi-square quantile by Wilson and Hilferty's approximation (1931).
    """
    total = np.where(used, np.nan_to_num(residual_m) ** 2 / variance_m2, 0).sum(1)
    freedom = np.maximum(spare, 1)
    tail = -NormalDist().inv_cdf(alarm)
    limit = freedom * (1 - 2 / (9 * freedom) + tail * np.sqrt(2 / (9 * freedom))) ** 3
    return np.where(spare > 0, total / limit, 0)


def position_covariance(solved: Solution, navigation: Navigation, settings: Settings) -> Floats:
    """Covariance that positions and clocks mostly have, (e, p, p) in m^2: east, north, up, clocks.

    NaN where there is no position.
    """
    data = solved.measurements
    found = fit_with_model(data, solved.used, navigation, settings)
    model = linear_model(data, found, settings, np.zeros(len(data.gpst_ns), np.int64))
    weighted = model.design * model.weight[..., None]
    gain = model.inverse @ np.swapaxes(weighted, 1, 2)
    shared = gain @ (model.common_m * model.usual)
    covariance: Floats = (gain * model.usual_m2[:, None]) @ np.swapaxes(gain, 1, 2)
    return covariance + shared @ np.swapaxes(shared, 1, 2)
