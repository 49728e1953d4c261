"""Fault detection, and how far off a position may be at a stated risk.

Form: multiple-hypothesis solution separation (Blanch et al., "Baseline advanced RAIM user
algorithm", IEEE Trans. AES 51(1), 2015; the paper was not at hand), with the risk shared out evenly
among the hypotheses, which gives a closed form that is never smaller than the exact solution.

Hypotheses: none faulty; satellite i faulty, with prior P each. For direction q (east, north, up)

    PL_q = max( K0 s_q,  max_i ( T_iq + Ki s_iq ) )
    s_q   deviation of the position error;  s_iq the same without satellite i
    T_iq  = Kfa d_iq, d_iq deviation of the separation of both positions (scaled by the setting
            `alarm_percent`, since nominal errors are smaller than assumed); detection threshold
    K0 = Q^-1(r_q / 4),  Ki = Q^-1(r_q / (4 n P)),  Kfa = Q^-1(alarm / (2 n))

with r_q half of the risk for each horizontal direction, HPL = sqrt(PL_east^2 + PL_north^2). Then
P(missed and |error_q| > PL_q) <= 2 Q(K0) + sum_i P 2 Q(Ki) = r_q: the missed detection needs no
allocation of its own, since under hypothesis i an undetected separation is at most T_iq.
For single faults the test |separation_iq| <= T_iq is the same for every q: with weights W,
residual r_i and its deviation v_i, it reads |r_i| <= Kfa v_i.

Not covered: two satellites faulty at once (their chance, n(n-1)/2 P^2, is taken off the risk), a
whole constellation wrong, and a receiver that is fed false signals (spoofing). The bound is as good
as the assumed deviations: see `range_variance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import troposphere_mapping
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.satellites.orbits import is_geostationary
from zhidao.positioning.domain.single_point.least_squares import Fit
from zhidao.positioning.domain.single_point.measurements import Measurements
from zhidao.positioning.domain.solver_settings import Settings

_PPB: Final = 1e-9
# A residual whose deviation is this small against its range's cannot show a fault.
_BLIND: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Verdict:
    """Test and bounds of each epoch.

    strain (e, s): |residual| over its threshold, above 1 = alarm; 0 where unused. levels (e, 3):
    protection levels east, north, up, infinite where none can be given.
    """

    strain: Floats
    levels: Floats

    @property
    def horizontal_m(self) -> Floats:
        """Horizontal protection level."""
        return np.hypot(self.levels[:, 0], self.levels[:, 1])

    @property
    def vertical_m(self) -> Floats:
        """Vertical protection level."""
        return self.levels[:, 2]


def range_variance(data: Measurements, found: Fit, settings: Settings) -> Floats:
    """Variance in m^2 of each range that the bound assumes, (e, s).

    Sum of: satellite orbit and clock (broadcast accuracy, at least `orbit_mm_min`, more for GEO);
    half of the modelled ionosphere, the model being said to remove about half of it (Klobuchar,
    IEEE Trans. AES 23(3), 1987); troposphere 0.12 m at the zenith (DO-229 A.4.2.5); code noise and
    multipath of an open-sky or vehicle antenna.
    """
    elevation = np.maximum(found.elevation, np.deg2rad(settings.mask_mdeg / 1000))
    variance: Floats = np.maximum(data.accuracy_m, settings.orbit_mm_min / 1000) ** 2
    variance = variance + is_geostationary(data.satellite) * (settings.geostationary_mm / 1000) ** 2
    variance = variance + (found.ionosphere_m * settings.ionosphere_percent / 100) ** 2
    variance += (settings.troposphere_mm / 1000 * troposphere_mapping(elevation)) ** 2
    variance += (data.noise * settings.multipath_zenith_mm / 1000) ** 2
    variance += (data.noise * settings.multipath_slant_mm / 1000 / np.sin(elevation)) ** 2
    return variance


def judge(data: Measurements, found: Fit, settings: Settings, *, risk: float) -> Verdict:
    """Tests each used range and bounds each position at the risk."""
    used = found.weight > 0
    variance = np.where(used, range_variance(data, found, settings), 0)
    weighted = found.design * found.weight[..., None]
    # gain (e, p, s): parameters from residuals. spread (e, s, s): residuals from range errors.
    gain = np.nan_to_num(found.inverse) @ np.swapaxes(weighted, 1, 2)
    spread = np.eye(used.shape[1]) - found.design @ gain
    seen = np.einsum("eij,ej->ei", spread**2, variance)
    cross = np.einsum("eqj,eij,ej->eqi", gain[:, :3], spread, variance)
    whole = np.einsum("eqj,ej->eq", gain[:, :3] ** 2, variance)
    count = used.sum(1)
    alarm = _quantile(settings.alarm_ppb * _PPB / (2 * np.maximum(count, 1)))
    threshold = (alarm * settings.alarm_percent / 100)[:, None] * np.sqrt(seen)
    spare = np.einsum("eii->ei", spread)
    blind = used & (spare < _BLIND)
    strain = np.where(
        used & ~blind, np.abs(np.nan_to_num(found.residual_m)) / np.maximum(threshold, 1e-9), 0
    )
    # Leaving satellite i out moves the position by pull * residual.
    pull = gain[:, :3] / np.where(blind | ~used, 1, spare)[:, None, :]
    without = whole[..., None] - 2 * pull * cross + pull**2 * seen[:, None, :]
    share, prior = _shares(count, settings, risk)
    free = _quantile(share / 4)[:, None] * np.sqrt(whole)
    faulty = _quantile(share / (4 * np.maximum(count, 1) * prior))[:, None, None]
    each = np.abs(pull) * threshold[:, None, :] + faulty * np.sqrt(np.maximum(without, 0))
    levels = np.maximum(free, np.where(used[:, None, :], each, 0).max(2, initial=0))
    # A fault that no residual shows is harmless only if it does not move the position either.
    moves = np.abs(gain[:, :3]).max(1) > 1e-9
    levels[(blind & moves).any(1) | ~found.converged] = np.inf
    return Verdict(strain, levels)


def _shares(count: Ints, settings: Settings, risk: float) -> tuple[Floats, float]:
    """Risk that each horizontal direction may use (e,), and the prior of a satellite's fault.

    The share is 0 where two faults at once are as likely as the whole risk: no bound then.
    """
    prior = settings.fault_ppb * _PPB
    share: Floats = np.maximum(risk - count * (count - 1) / 2 * prior**2, 0) / 2
    return share, prior


def _quantile(probability: Floats) -> Floats:
    """Q^-1: where the upper tail of the normal distribution has that probability, (e,).

    Infinite for 0; 0 for one half and above.
    """
    values, places = np.unique(probability, return_inverse=True)
    # The lower tail is asked, since 1 - p would lose a small p.
    normal = NormalDist()
    table = [-normal.inv_cdf(min(float(p), 0.5)) if p > 0 else np.inf for p in values]
    return np.array(table)[places]
