"""Velocity and clock drift of the receiver from Doppler, all epochs at once.

    -wave * D = u (v_sat - v) + turn + drift - c * drift_sat

u from receiver to satellite; turn is the rate of the Sagnac term. Left out: the change of the time
of travel while the signal travels, below 3 mm/s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.fault_hypotheses import inverse_of
from zhidao.positioning.domain.observables.observations import Bools, Floats, Observations
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.geometry import enu_axes
from zhidao.positioning.domain.single_point.rates import beside, motion
from zhidao.positioning.domain.single_point.solution import Solution
from zhidao.positioning.domain.solver_settings import Settings

# Deviation of a range rate at the zenith; a geodetic receiver has a tenth of it, a phone more.
RATE_MPS: Final = 0.05
_OUTLIER: Final = 5.0
_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Velocities:
    """East, north, up (e, 3) in m/s, drift_mps (e,) of the clock, NaN where there is none.

    covariance_m2ps2 (e, 4, 4): of both, scaled by the residuals where they are greater than
    assumed. residual_mps, used (e, s).
    """

    enu_mps: Floats
    drift_mps: Floats
    covariance_m2ps2: Floats
    residual_mps: Floats
    used: Bools


def velocities(
    seen: Observations, navigation: Navigation, solved: Solution, settings: Settings
) -> Velocities:
    """Velocities at all epochs that have a position and Doppler of four satellites."""
    data = solved.measurements
    rate = beside(seen, data, settings, navigation).rate_mps
    moving = motion(data, navigation)
    place_m = np.nan_to_num(solved.ecef_m)
    between = data.place_m - place_m[:, None]
    toward = between / np.maximum(np.linalg.norm(between, axis=2), 1.0)[..., None]
    speed = moving.velocity_mps
    turn = speed[..., 0] * place_m[:, None, 1] - speed[..., 1] * place_m[:, None, 0]
    known = np.einsum("esi,esi->es", toward, speed)
    known += turn * data.rotation_radps / SPEED_OF_LIGHT_MPS
    known -= SPEED_OF_LIGHT_MPS * moving.drift
    observed = rate - known
    axes = enu_axes(np.nan_to_num(solved.latitude), np.nan_to_num(solved.longitude))
    local = np.einsum("eij,esj->esi", axes, toward)
    design = np.concatenate((-local, np.ones((*rate.shape, 1))), 2)
    used = solved.used & np.isfinite(observed)
    return fitted(design, np.where(used, observed, 0), used, local[..., 2], deviation=RATE_MPS)


def fitted(
    design: Floats, observed: Floats, used: Bools, sine: Floats, *, deviation: float | Floats
) -> Velocities:
    """Least squares; in each round the worst rate beyond five deviations is left out.

    design (e, s, 4): east, north, up, clock. deviation: of a value at the zenith.
    """
    if not used.size:
        none = np.full((len(used), 4, 4), np.nan)
        return Velocities(none[:, 0, :3], none[:, 0, 3], none, sine, used)
    plain = np.maximum(sine, 0.1) ** 2 / np.asarray(deviation) ** 2
    for _ in range(_ROUNDS):
        weight = np.where(used, plain, 0)
        inverse = inverse_of(design, weight)
        good = np.asarray(np.isfinite(inverse).all((1, 2)), bool)
        right = np.einsum("esp,es->ep", design * weight[..., None], observed)
        state = np.einsum("epq,eq->ep", np.nan_to_num(inverse), right)
        residual = np.where(used, observed - np.einsum("esp,ep->es", design, state), 0)
        spare = used.sum(1) - 4
        scale = np.maximum((residual**2 * weight).sum(1) / np.maximum(spare, 1), 1)
        size = np.abs(residual) * np.sqrt(weight)
        # The median is not led by the outlier that it is to find.
        usual = np.maximum(np.median(np.where(used, size, 0), axis=1), 1)
        bad = (size > _OUTLIER * usual[:, None]) & (spare > 1)[:, None]
        bad &= size == size.max(1, keepdims=True)
        if not bad.any():
            break
        used = used & ~bad
    state[~good] = np.nan
    covariance = inverse * np.where(spare > 0, scale, 1)[:, None, None]
    return Velocities(state[:, :3], state[:, 3], covariance, np.where(used, residual, np.nan), used)
