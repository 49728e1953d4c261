"""Baselines by a Kalman filter that carries float ambiguities from epoch to epoch.

State: the rover's place; for every signal a clock of the codes and one of the phases, new at each
epoch; for every satellite and signal the ambiguity between the receivers, in cycles, or in metres
where it is no whole number (GLONASS, whose channels have wavelengths and delays of their own).
Differences between satellites are formed only for the whole numbers, so that no satellite is
special and one that sets takes nothing with it. With `hold`, double differences that were fixed
for some epochs become observations of the filter. What the filter does not fix is tried from its
epoch alone: a past that misleads costs no fix that the epoch has by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints, Observations
from zhidao.positioning.domain.rtk.baselines import (
    Baselines,
    Row,
    RtkReason,
    RtkStatus,
    nothing,
    partners,
    table,
)
from zhidao.positioning.domain.rtk.differences import Common, common_satellites
from zhidao.positioning.domain.rtk.fixing import Fix, Judge
from zhidao.positioning.domain.rtk.instantaneous import alone
from zhidao.positioning.domain.rtk.receivers import TrackedSignals, tracked_signals
from zhidao.positioning.domain.rtk.rtk_settings import HOLD, RtkSettings
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.estimation import absorb, restart

_PLACE_M, _CLOCK_M, _AMBIGUITY_M = 1_000.0, 100.0, 30.0
_HOLD_CYCLES: Final = 0.01
# A step of the difference of two phases of one satellite, between receivers a short way apart.
_GEOMETRY_M: Final = 0.04
# A filter that began this far from the place begins again there, for ranges bend.
_BEND_M: Final = 10.0
_ROUNDS: Final = 6
_NEVER: Final = np.iinfo(np.int64).min // 2


def solve_continuous(
    rover: Observations,
    base: Observations,
    navigation: Navigation,
    base_ecef_m: Sequence[float],
    settings: RtkSettings,
) -> Baselines:
    """The rover's place at each of its epochs from all epochs until then."""
    sights = {
        "rover": tracked_signals(rover, navigation, settings.signals),
        "base": tracked_signals(base, navigation, settings.signals),
    }
    partner, age_s = partners(rover.gpst_ns, base.gpst_ns, settings.base_age_s_max)
    origin_m = np.asarray(base_ecef_m, np.float64)
    engine, judge = _Filter(sights["rover"], origin_m, settings), Judge(settings)
    failures = [np.cumsum(seen.power_failed, dtype=np.int64) for seen in (rover, base)]
    rows, known = [], (0, 0)
    for epoch, other in enumerate(partner.tolist()):
        now_ns = int(rover.gpst_ns[epoch])
        now = int(failures[0][epoch]), int(failures[1][other]) if other >= 0 else known[1]
        # A receiver that lost power counts its cycles from somewhere else: every ambiguity is new.
        if now != known:
            engine.forget()
        known = now
        if other < 0:
            engine.rest()
            rows.append(nothing(RtkStatus.NO_BASE_EPOCH, RtkReason.NO_BASE_EPOCH))
            continue
        common = common_satellites(sights, epoch, other, origin_m, settings)
        row = engine.step(common, now_ns, float(age_s[epoch]))
        if row.status != RtkStatus.FIXED:
            # The filter may carry a wrong ambiguity for minutes; an epoch by itself cannot.
            by_itself = alone(common, origin_m, judge, age_s=float(age_s[epoch]))
            row = by_itself if by_itself.status == RtkStatus.FIXED else row
        rows.append(row)
    return table(rover.gpst_ns, rows, age_s)


@dataclass(frozen=True, slots=True)
class _Rays:
    """All signals of one epoch, one row each: (m,), the phase NaN where it does not count.

    signal: index of the clocks; slot: index of the ambiguity; wave_m: its length, one metre where
    it is not whole.
    """

    signal: Ints
    slot: Ints
    code_m: Floats
    phase_m: Floats
    toward: Floats
    spread: Floats
    code_noise: Floats
    elevation: Floats
    wave_m: Floats
    whole: Bools
    slipped: Bools


class _Filter:
    def __init__(
        self, sights: dict[str, TrackedSignals], origin_m: Floats, settings: RtkSettings
    ) -> None:
        self._settings, self._judge = settings, Judge(settings)
        self._first_signal: dict[str, int] = {}
        self._satellites: dict[str, Ints] = {}
        self._first_slot: dict[str, int] = {}
        signals = slots = 0
        for system, seen in sights.items():
            self._first_signal[system], self._first_slot[system] = signals, slots
            self._satellites[system] = np.unique(seen.satellite)
            signals += len(seen.signals)
            slots += len(seen.signals) * len(self._satellites[system])
        self._phases = 3 + signals
        self._slots = 3 + 2 * signals
        size = self._slots + slots
        self._state, self._covariance = np.zeros(size), np.zeros((size, size))
        self._place_m = origin_m.copy()
        self._last_ns = np.full(slots, _NEVER)
        self._before: dict[tuple[int, int], float] = {}
        self._in_a_row = 0
        self._repeats = np.zeros(0)
        self._begin_place()

    def forget(self) -> None:
        """Nothing carries over, as after a loss of power."""
        self._last_ns[:] = _NEVER
        self._before.clear()
        self.rest()
        self._begin_place()

    def rest(self) -> None:
        """An epoch that gave nothing."""
        self._in_a_row = 0

    def step(self, common: list[Common], now_ns: int, age_s: float) -> Row:
        """One epoch."""
        satellites = sum(len(part.elevation) for part in common)
        if self._settings.moving:
            self._begin_place()
        slips = self._slips(common)
        # Each round linearises at another place: it has to start from the same state, or the epoch
        # would be counted once a round.
        kept = self._state.copy(), self._covariance.copy(), self._last_ns.copy()
        rays = self._rays(common, slips)
        if len(rays.slot) < 4 + len(np.unique(rays.signal)):
            self.rest()
            few = RtkReason.TOO_FEW_SATELLITES
            return nothing(RtkStatus.TOO_FEW_SATELLITES, few, satellites)
        for _ in range(_ROUNDS):
            good = self._observe(rays, now_ns, age_s)
            moved_m = self._state[:3].copy()
            if np.linalg.norm(moved_m) < _BEND_M or not good:
                break
            self._place_m = self._place_m + moved_m
            self._state[:], self._covariance[:], self._last_ns[:] = kept
            rays = self._rays(common, slips)
        if not good:
            # What does not fit together says nothing of which part is wrong, so that none is
            # carried on.
            self._last_ns[:] = _NEVER
            self.rest()
            odd = RtkReason.NOT_CONSISTENT
            return nothing(RtkStatus.NOT_CONSISTENT, odd, satellites)
        self._place_m = self._place_m + self._state[:3]
        self._state[:3] = 0
        return self._decide(rays, satellites)

    def _begin_place(self) -> None:
        self._state[:3] = 0
        for index in range(3):
            restart(self._covariance, index, _PLACE_M**2)

    def _slips(self, common: list[Common]) -> list[Bools]:
        """Where phases of one satellite did not go on together, or a receiver lost lock."""
        out, now = [], {}
        for part in common:
            jumps = part.slipped.copy()
            for row, satellite in enumerate(part.satellite.tolist()):
                for column in range(1, part.phase_m.shape[1]):
                    # Between two frequencies place and clocks cancel; what is left moves slowly
                    # with the ionosphere and jumps only by a cycle slip.
                    apart_m = float(part.phase_m[row, column] - part.phase_m[row, 0])
                    before_m = self._before.get((satellite, column), np.nan)
                    now[satellite, column] = apart_m
                    if abs(apart_m - before_m) > _GEOMETRY_M:
                        jumps[row] = True
            out.append(jumps)
        self._before = now
        return out

    def _rays(self, common: list[Common], slips: list[Bools]) -> _Rays:
        parts = []
        for part, jumps in zip(common, slips, strict=True):
            computed_m, toward = part.computed(self._place_m)
            names = self._satellites[part.system]
            at = np.searchsorted(names, part.satellite)
            for index in range(len(part.wavelength_m)):
                use = np.flatnonzero(np.isfinite(part.code_m[:, index]))
                count = len(use)
                whole = bool(np.isfinite(part.wavelength_m[index]))
                wave_m = float(part.wavelength_m[index]) if whole else 1.0
                parts.append(
                    (
                        np.full(count, self._first_signal[part.system] + index),
                        self._first_slot[part.system] + index * len(names) + at[use],
                        (part.code_m[:, index] - computed_m)[use],
                        (part.phase_m[:, index] - computed_m)[use],
                        toward[use],
                        part.spread[use],
                        np.full(count, part.code_noise),
                        part.elevation[use],
                        np.full(count, wave_m),
                        np.full(count, whole),
                        jumps[use, index],
                    )
                )
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else []
        if not columns:
            none, zero = np.zeros(0, np.int64), np.zeros(0)
            no = np.zeros(0, bool)
            return _Rays(none, none, zero, zero, np.zeros((0, 3)), zero, zero, zero, zero, no, no)
        return _Rays(*columns)

    def _observe(self, rays: _Rays, now_ns: int, age_s: float) -> bool:
        """Takes all rays; a residual too great is a slip or a bad code, one after another."""
        self._begin(rays, now_ns)
        kept = self._state.copy(), self._covariance.copy()
        count = len(rays.slot)
        slipped, left_out = np.zeros(count, bool), np.zeros(count, bool)
        for _ in range(_ROUNDS + count // 3):
            strain = self._update(rays, slipped, left_out, age_s)
            worst = int(np.argmax(strain))
            if strain[worst] <= self._settings.strain_max:
                return True
            (left_out if worst < count else slipped)[worst % count] = True
            self._state[:], self._covariance[:] = kept
        return False

    def _begin(self, rays: _Rays, now_ns: int) -> None:
        signals = self._phases - 3
        for index in range(signals):
            here = rays.signal == index
            clock_m = float(np.median(rays.code_m[here])) if here.any() else 0.0
            self._state[[3 + index, self._phases + index]] = clock_m
            restart(self._covariance, 3 + index, _CLOCK_M**2)
            restart(self._covariance, self._phases + index, _CLOCK_M**2)
        heard = np.isfinite(rays.phase_m)
        quiet_ns = now_ns - self._last_ns[rays.slot]
        anew = heard & (rays.slipped | (quiet_ns > int(self._settings.gap_s_max * 1e9)))
        self._last_ns[rays.slot[rays.slipped & ~heard]] = _NEVER
        self._wander(rays, heard & ~anew, quiet_ns * 1e-9)
        self._restart_phases(rays, anew)
        # The first code of an ambiguity tells its own noise; those after it repeat the reflection.
        step_s = np.maximum(np.minimum(quiet_ns * 1e-9, self._settings.gap_s_max), 1e-3)
        self._repeats = np.where(anew, 1.0, 1 + 2 * self._settings.memory_s / step_s)
        self._last_ns[rays.slot[heard]] = now_ns

    def _wander(self, rays: _Rays, rows: Bools, step_s: Floats) -> None:
        """Phases are reflected too: without this their mean over minutes would pass for exact."""
        wander_m2 = 2 * self._settings.phase_m**2 * rays.spread * step_s / self._settings.memory_s
        slots = self._slots + rays.slot[rows]
        self._covariance[slots, slots] += (wander_m2 / rays.wave_m**2)[rows]

    def _restart_phases(self, rays: _Rays, rows: Bools) -> None:
        for row in np.flatnonzero(rows).tolist():
            place = self._slots + int(rays.slot[row])
            self._state[place] = (rays.phase_m[row] - rays.code_m[row]) / rays.wave_m[row]
            restart(self._covariance, place, (_AMBIGUITY_M / rays.wave_m[row]) ** 2)

    def _update(self, rays: _Rays, slipped: Bools, left_out: Bools, age_s: float) -> Floats:
        """One attempt; residuals over their deviations, codes before phases."""
        self._restart_phases(rays, slipped)
        count, ones = len(rays.slot), np.ones(len(rays.slot))
        place = np.broadcast_to(np.arange(3), (count, 3))
        none = np.full(count, -1)
        columns = np.concatenate(
            (
                np.column_stack((place, 3 + rays.signal, none)),
                np.column_stack((place, self._phases + rays.signal, self._slots + rays.slot)),
            )
        )
        factors = np.column_stack((-rays.toward, ones, rays.wave_m))
        factors = np.concatenate((factors, factors))
        code = rays.spread * (self._settings.code_m * rays.code_noise) ** 2 * self._repeats
        phase = rays.spread * (self._settings.phase_m + self._settings.age_mps * age_s) ** 2
        heard = np.isfinite(rays.phase_m)
        values = np.concatenate((rays.code_m, np.where(heard, rays.phase_m, 0.0)))
        skip = np.concatenate((left_out, ~heard))
        deviations = np.sqrt(np.concatenate((code, phase)))
        absorb(
            self._state,
            self._covariance,
            self._alive(),
            columns=columns,
            factors=factors,
            values=values,
            variances=np.where(skip, np.inf, deviations**2),
        )
        told = np.where(columns >= 0, factors * self._state[np.maximum(columns, 0)], 0.0).sum(1)
        strain: Floats = np.where(skip, 0.0, np.abs(values - told) / deviations)
        return strain

    def _alive(self) -> Ints:
        heard = np.flatnonzero(
            self._last_ns.max() - self._last_ns <= int(self._settings.gap_s_max * 1e9)
        )
        return np.concatenate((np.arange(self._slots), self._slots + heard))

    def _decide(self, rays: _Rays, satellites: int) -> Row:
        """Whole numbers from double differences against the highest satellite of each signal."""
        pairs, elevation = self._pairs(rays)
        q_place = self._covariance[:3, :3].copy()
        place_m = self._place_m.copy()
        if not len(pairs):
            self.rest()
            few = RtkReason.TOO_FEW_AMBIGUITIES
            return Row(RtkStatus.FLOAT, few, place_m, place_m, q_place, satellites=satellites)
        cycles = self._state[pairs[:, 0]] - self._state[pairs[:, 1]]
        estimate = np.concatenate((np.zeros(3), cycles))
        states = np.concatenate((np.arange(3), pairs[:, 0]))
        across = self._covariance[states]
        across[3:] -= self._covariance[pairs[:, 1]]
        covariance = across[:, states]
        covariance[:, 3:] -= across[:, pairs[:, 1]]
        fix, reason = self._judge.fix(estimate, covariance, elevation)
        if fix is None:
            self.rest()
            return Row(RtkStatus.FLOAT, reason, place_m, place_m, q_place, satellites=satellites)
        self._in_a_row += 1
        if self._settings.mode == HOLD and self._in_a_row >= self._settings.hold_after:
            self._hold(pairs, fix)
        return Row(
            RtkStatus.FIXED,
            reason,
            place_m + fix.shift_m,
            place_m,
            fix.covariance_m2,
            fix.found.ratio,
            fix.found.success,
            int(fix.kept.sum()),
            satellites,
        )

    def _pairs(self, rays: _Rays) -> tuple[Ints, Floats]:
        """States of both ambiguities of each double difference, (n, 2), and lower elevations."""
        pairs, elevations = [], []
        good = rays.whole & np.isfinite(rays.phase_m)
        for index in np.unique(rays.signal[good]).tolist():
            rows = np.flatnonzero(good & (rays.signal == index))
            top = rows[np.argmax(rays.elevation[rows])]
            rest = rows[rows != top]
            both = np.stack((rays.slot[rest], np.full(len(rest), rays.slot[top])), 1)
            pairs.append(self._slots + both)
            elevations.append(rays.elevation[rest])
        if not pairs:
            return np.zeros((0, 2), np.int64), np.zeros(0)
        return np.concatenate(pairs), np.concatenate(elevations)

    def _hold(self, pairs: Ints, fix: Fix) -> None:
        """Fixed double differences as observations; the place moves with them."""
        kept = pairs[fix.kept]
        absorb(
            self._state,
            self._covariance,
            self._alive(),
            columns=kept,
            factors=np.tile((1.0, -1.0), (len(kept), 1)),
            values=fix.found.integers,
            variances=np.full(len(kept), _HOLD_CYCLES**2),
        )
        self._place_m = self._place_m + self._state[:3]
        self._state[:3] = 0
