"""Precise points: a Kalman filter over epochs with float ambiguities, and how it converged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    Observations,
)
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.ppp.model import Prepared, prepare
from zhidao.positioning.domain.ppp.ppp_settings import PppSettings
from zhidao.positioning.domain.ppp.products import Products
from zhidao.positioning.domain.ppp.rays import rays
from zhidao.positioning.domain.single_point.estimation import absorb, restart

_PLACE_M, _CLOCK_M, _AMBIGUITY_M = 100.0, 100.0, 30.0
_MOVING_PLACE_M: Final = 50.0
_ROUNDS: Final = 6
_CODES_OFF_M: Final = 100.0


class PppReason(IntEnum):
    """Why an epoch has no precise point; OK where it has one."""

    OK = 0
    NO_OBSERVATIONS = 1  # none in both bands of any wanted system
    NO_PRODUCTS = 2  # no orbit, clock or correction for them
    TOO_FEW_SATELLITES = 3
    NOT_CONSISTENT = 4  # residuals stayed too great after all exclusions


@dataclass(frozen=True, slots=True, repr=False)
class PppSolution(Brief):
    """One entry an epoch; NaN where `reason` is not OK.

    ecef_m (e, 3): antenna phase centre in the frame of the products, solid tides taken off.
    covariance_m2 (e, 3, 3) in Earth-fixed axes, by the weights: agreement, not accuracy.
    wet_m: zenith wet delay. phase_rms_m: of the residuals. satellites, slips: counts.
    """

    gpst_ns: Ints
    reason: Bytes
    ecef_m: Floats
    covariance_m2: Floats
    wet_m: Floats
    phase_rms_m: Floats
    satellites: Ints
    slips: Ints

    @property
    def solved(self) -> Bools:
        """Which epochs have a point."""
        solved: Bools = self.reason == PppReason.OK
        return solved

    @property
    def last_m(self) -> Floats:
        """The last point: of a receiver at rest the one that stands on all epochs; NaN if none."""
        rows = np.flatnonzero(self.solved)
        return self.ecef_m[rows[-1]] if len(rows) else np.full(3, np.nan)

    def converged_s(self, place_m: Floats | None = None, *, within_m: float = 0.1) -> float:
        """Seconds from the first epoch until points stay within so much of place_m (or the last).

        Infinite if they never do.
        """
        rows = np.flatnonzero(self.solved)
        if not len(rows):
            return float("inf")
        goal_m = self.last_m if place_m is None else place_m
        far = np.flatnonzero(np.linalg.norm(self.ecef_m[rows] - goal_m, axis=1) > within_m)
        first = 0 if not len(far) else int(far[-1]) + 1
        if first >= len(rows):
            return float("inf")
        return float(self.gpst_ns[rows[first]] - self.gpst_ns[0]) * 1e-9


def solve_precise(
    seen: Observations,
    products: Products,
    settings: PppSettings | None = None,
    *,
    glonass_channels: dict[int, int] | None = None,
) -> PppSolution:
    """Points of all epochs, each from all that was seen until then.

    glonass_channels: by satellite number; GLONASS satellites without one are left out.
    """
    chosen = settings or PppSettings()
    seen_rays = rays(
        seen,
        chosen,
        glonass_channels=glonass_channels or {},
        code_bias_m=dict(products.code_bias_m),
    )
    epochs = len(seen.gpst_ns)
    reason = np.full(epochs, PppReason.NO_OBSERVATIONS, np.uint8)
    reason[np.unique(seen_rays.epoch)] = PppReason.NO_PRODUCTS
    prepared = prepare(seen_rays, products, seen.gpst_ns, chosen)
    solution = PppSolution(
        seen.gpst_ns,
        reason,
        np.full((epochs, 3), np.nan),
        np.full((epochs, 3, 3), np.nan),
        np.full(epochs, np.nan),
        np.full(epochs, np.nan),
        np.zeros(epochs, np.int64),
        np.zeros(epochs, np.int64),
    )
    if prepared is not None:
        _Filter(prepared, solution, chosen).run()
    return solution


class _Filter:
    """State: place (3), receiver clock, clocks of further systems against it, wet delay, phases."""

    def __init__(self, data: Prepared, out: PppSolution, settings: PppSettings) -> None:
        self._data, self._out, self._settings = data, out, settings
        satellites, self._slot = np.unique(data.rays.satellite, return_inverse=True)
        systems, self._system = np.unique(data.rays.satellite // 100, return_inverse=True)
        self._wet = 3 + len(systems)
        size = self._wet + 1 + len(satellites)
        self._state, self._covariance = np.zeros(size), np.zeros((size, size))
        self._begun = np.zeros(len(systems), bool)
        self._last_ns = np.full(len(satellites), np.iinfo(np.int64).min // 2)
        self._spread = data.spread.copy()
        glonass = data.rays.satellite // 100 == SYSTEMS.index("R")
        self._code_m = settings.code_m * np.where(glonass, settings.glonass, 1.0)
        for index in range(3):
            restart(self._covariance, index, _PLACE_M**2)
        restart(self._covariance, self._wet, settings.wet_m**2)

    def run(self) -> None:
        """All epochs in order; fills the solution."""
        bounds = np.searchsorted(self._data.rays.epoch, np.arange(len(self._out.gpst_ns) + 1))
        before_ns = int(self._out.gpst_ns[0])
        for epoch, (first, last) in enumerate(pairwise(bounds.tolist())):
            now_ns = int(self._out.gpst_ns[epoch])
            self._move((now_ns - before_ns) * 1e-9)
            before_ns = now_ns
            if last > first:
                self._epoch(epoch, np.arange(first, last), now_ns)

    def _move(self, step_s: float) -> None:
        """What may have changed since the last epoch."""
        # From the second system on: the first one's clock (index 3) begins anew at every epoch.
        diagonal = np.arange(4, self._wet)
        self._covariance[diagonal, diagonal] += self._settings.clock_m_per_sqrt_s**2 * step_s
        self._covariance[self._wet, self._wet] += self._settings.wet_m_per_sqrt_s**2 * step_s
        if self._settings.moving:
            self._state[:3] = 0
            for index in range(3):
                restart(self._covariance, index, _MOVING_PLACE_M**2)

    def _epoch(self, epoch: int, rows: Ints, now_ns: int) -> None:
        system = self._system[rows]
        # Each further system brings one more unknown, its clock against the first.
        needed = self._settings.satellites_min + len(np.unique(system)) - 1
        if len(rows) < needed:
            self._out.reason[epoch] = PppReason.TOO_FEW_SATELLITES
            return
        self._begin(rows, now_ns)
        kept = self._state.copy(), self._covariance.copy()
        slipped = np.zeros(len(rows), bool)
        left_out = np.abs(self._code_off(rows)) > _CODES_OFF_M
        # More satellites, more that may be spoiled at once; a third of them and the epoch is given
        # up.
        for _ in range(_ROUNDS + len(rows) // 3):
            strain = self._update(rows, slipped, left_out)
            worst = int(np.nanargmax(strain))
            if strain.flat[worst] <= self._settings.strain_max:
                self._last_ns[self._slot[rows]] = now_ns
                self._keep(epoch, rows, int(slipped.sum()))
                return
            # The worst residual is one fault; the others may only follow from it.
            kind, row = divmod(worst, len(rows))
            (left_out if kind == 0 else slipped)[row] = True
            # Tried again from before the update: taking one observation back out of a filter loses
            # digits.
            self._state[:], self._covariance[:] = kept
        self._out.reason[epoch] = PppReason.NOT_CONSISTENT
        self._last_ns[self._slot[rows]] = np.iinfo(np.int64).min // 2

    def _code_off(self, rows: Ints) -> Floats:
        """Codes of an epoch less place-free clocks: great only for a spoiled one."""
        off_m = self._data.code_off_m[rows]
        clock_m = self._state[3] + np.where(
            self._system[rows] > 0, self._state[3 + self._system[rows]], 0.0
        )
        rest_m: Floats = off_m - clock_m
        return rest_m

    def _begin(self, rows: Ints, now_ns: int) -> None:
        """Clocks of this epoch, and all that begins anew, at rough values of their own."""
        off_m, system = self._data.code_off_m[rows], self._system[rows]
        shift_m = np.where(system > 0, self._state[3 + system], 0.0)
        known = self._begun[system]
        reference = known if known.any() else system == system[0]
        # The median, since the mean would follow one spoiled code by a share of its error.
        self._state[3] = np.median((off_m - shift_m)[reference])
        restart(self._covariance, 3, _CLOCK_M**2)
        for index in np.unique(system[~known]).tolist():
            self._begun[index] = True
            if index:
                self._state[3 + index] = np.median(off_m[system == index]) - self._state[3]
                restart(self._covariance, 3 + index, _CLOCK_M**2)
        gap_ns = int(self._settings.gap_s_max * 1e9)
        slots = self._slot[rows]
        anew = self._data.rays.slipped[rows] | (now_ns - self._last_ns[slots] > gap_ns)
        for row in np.flatnonzero(anew).tolist():
            self._restart_phase(int(rows[row]))
        self._last_ns[slots] = now_ns

    def _restart_phase(self, row: int) -> None:
        place = self._wet + 1 + int(self._slot[row])
        # The code knows the ambiguity to a metre or so; begun at zero, the first phases would look
        # wrong by kilometres and be left out.
        self._state[place] = self._data.phase_off_m[row] - self._data.code_off_m[row]
        restart(self._covariance, place, _AMBIGUITY_M**2)

    def _update(self, rows: Ints, slipped: Bools, left_out: Bools) -> Floats:
        """One attempt; residuals over their deviations, (2, m): codes, then phases."""
        for row in np.flatnonzero(slipped).tolist():
            self._restart_phase(int(rows[row]))
        data, count = self._data, len(rows)
        system, slot = self._system[rows], self._wet + 1 + self._slot[rows]
        shift = np.where(system > 0, 3 + system, -1)
        fixed = np.broadcast_to(np.array((0, 1, 2, 3)), (count, 4))
        wet = np.full(count, self._wet)
        code_columns = np.column_stack((fixed, shift, wet, np.full(count, -1)))
        phase_columns = np.column_stack((fixed, shift, wet, slot))
        ones = np.ones(count)
        factors = np.column_stack((-data.toward[rows], ones, ones, data.wet[rows], ones))
        columns = np.concatenate((code_columns, phase_columns))
        factors = np.concatenate((factors, factors))
        values = np.concatenate((data.code_off_m[rows], data.phase_off_m[rows]))
        spread = self._spread[rows]
        code = spread * self._code_m[rows] ** 2
        phase = spread * self._settings.phase_m**2
        variances = np.concatenate((np.where(left_out, np.inf, code), phase))
        gap_ns = int(self._settings.gap_s_max * 1e9)
        heard = np.flatnonzero(self._last_ns.max() - self._last_ns <= gap_ns)
        alive = np.concatenate((np.arange(self._wet + 1), self._wet + 1 + heard))
        absorb(
            self._state,
            self._covariance,
            alive,
            columns=columns,
            factors=factors,
            values=values,
            variances=variances,
        )
        told = np.where(columns >= 0, factors * self._state[np.maximum(columns, 0)], 0.0).sum(1)
        self._residual_m = values - told
        strain: Floats = np.abs(self._residual_m) / np.sqrt(np.concatenate((code, phase)))
        strain[:count][left_out] = 0.0
        return strain.reshape(2, count)

    def _keep(self, epoch: int, rows: Ints, slips: int) -> None:
        out, count = self._out, len(rows)
        out.reason[epoch] = PppReason.OK
        out.ecef_m[epoch] = self._data.start_m[epoch] + self._state[:3]
        out.covariance_m2[epoch] = self._covariance[:3, :3]
        out.wet_m[epoch] = self._state[self._wet]
        out.phase_rms_m[epoch] = float(np.sqrt(np.mean(self._residual_m[count:] ** 2)))
        out.satellites[epoch] = count
        out.slips[epoch] = slips + int(self._data.rays.slipped[rows].sum())
