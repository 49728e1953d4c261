"""Skies at random, and hypotheses of faults by their definition: a solution anew for each of them.

One epoch at a time, by plain sums and inverses, where the code takes all epochs at once and gets
the solutions without a satellite out of the one with all.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from zhidao.positioning.domain.integrity.fault_hypotheses import Accounting, LinearModel

Q = NormalDist()
BLIND = 1e-6
# Pairs are tested for once their chance is above this share of the risk.
PAIRS_FROM = 0.1


def random_skies(epochs: int, cells: int, groups: int, seed: int = 1) -> LinearModel:
    """Skies at random, some of them too poor for a position or a test."""
    chance = np.random.default_rng(seed)
    up = np.arcsin(chance.uniform(np.sin(0.17), 1, (epochs, cells)))
    azimuth = chance.uniform(0, 2 * np.pi, (epochs, cells))
    group = chance.integers(0, groups, (epochs, cells))
    toward = np.stack((np.cos(up) * np.sin(azimuth), np.cos(up) * np.cos(azimuth), np.sin(up)), -1)
    clocks = (group[..., None] == np.arange(groups)).astype(float)
    design = np.concatenate((-toward, clocks), 2)
    weight = 1 / (0.3**2 + (0.3 / np.sin(up)) ** 2)
    weight[chance.random(weight.shape) < 0.15] = 0
    normal = np.swapaxes(design * weight[..., None], 1, 2) @ design
    places = np.arange(3, 3 + groups)
    normal[:, places, places] += normal[:, places, places] == 0
    inverse = np.full_like(normal, np.nan)
    good = np.linalg.cond(normal) < 1e6
    inverse[good] = np.linalg.inv(normal[good])
    errors = chance.normal(size=weight.shape) * 2
    right = np.einsum("esp,es->ep", design * weight[..., None], errors)
    shift = np.einsum("epq,eq->ep", np.nan_to_num(inverse), right)
    variance = 4 + (0.5 / np.sin(up)) ** 2
    return LinearModel(
        design=design,
        weight=weight,
        inverse=inverse,
        residual_m=errors - np.einsum("esp,ep->es", design, shift),
        variance_m2=variance,
        usual_m2=0.4 * variance,
        common_m=np.stack((2 / np.sin(up), 0.12 / np.sin(up)), -1),
        bias_m=np.full(weight.shape, 0.3),
        fault=np.full(weight.shape, 8e-5),
        group=group,
        group_fault=np.array([6e-5, 2e-4, 1e-8])[:groups],
        suspected=chance.random(epochs) < 0.1,
        usual=0.6,
    )


@dataclass
class Defined:
    """A hypothesis of one epoch: gain (3, s), chance, threshold of the separation (3,)."""

    gain: Any
    chance: float
    threshold_m: Any


class Epoch:
    """One epoch of a model, by definition."""

    def __init__(
        self, model: LinearModel, epoch: int, alarm: float, accounting: Accounting
    ) -> None:
        self.model, self.epoch, self.accounting = model, epoch, accounting
        self.used = np.flatnonzero(model.weight[epoch] > 0)
        count = len(self.used)
        self.quantile = -Q.inv_cdf(min(alarm / (2 * max(count, 1)), 0.5))
        suspected = float(model.suspected[epoch])
        self.ways = (count + 1 + suspected) ** suspected if accounting.whole else 1.0
        often = 30.0 if suspected and not accounting.whole else 1.0
        self.fault = {
            int(c): min(model.fault[epoch, c] * accounting.exposure, 1) * often for c in self.used
        }
        self.groups = sorted({int(model.group[epoch, c]) for c in self.used})
        self.group_fault = {
            g: min(model.group_fault[g] * accounting.exposure, 1) for g in self.groups
        }

    def gain(self, without: set[int] = frozenset()) -> Any:
        """From range errors to the position, solved without some ranges; None if it cannot be."""
        kept = [c for c in self.used if c not in without]
        design = self.model.design[self.epoch][kept]
        there = [
            *range(3),
            *(3 + g for g in sorted({int(self.model.group[self.epoch, c]) for c in kept})),
        ]
        design = design[:, there]
        weight = self.model.weight[self.epoch][kept]
        normal = design.T @ (design * weight[:, None])
        if len(kept) < len(there) or np.linalg.cond(normal) > 1e9:
            return None
        gain = np.zeros((3, self.model.weight.shape[1]))
        gain[:, kept] = (np.linalg.inv(normal) @ (design * weight[:, None]).T)[:3]
        return gain

    def residuals(self) -> Any:
        """From range errors to residuals, (s, s)."""
        design = self.model.design[self.epoch]
        whole = (
            np.nan_to_num(self.model.inverse[self.epoch])
            @ (design * self.model.weight[self.epoch][:, None]).T
        )
        out = np.zeros((design.shape[0],) * 2)
        rest = np.eye(len(out)) - design @ whole
        out[np.ix_(self.used, self.used)] = rest[np.ix_(self.used, self.used)]
        return out

    def deviation_m(self, rows: Any, *, usual: bool = False) -> Any:
        """Of sums of range errors (…, s)."""
        variance = (self.model.usual_m2 if usual else self.model.variance_m2)[self.epoch]
        share = self.model.usual if usual else 1.0
        total = (rows**2 * variance).sum(-1)
        for cause in range(self.model.common_m.shape[2]):
            total = total + (rows @ (self.model.common_m[self.epoch, :, cause] * share)) ** 2
        return np.sqrt(total)

    def hypotheses(self, *, pairs: bool) -> list[Defined]:
        """That of no fault, each satellite's, each constellation's, and each pair's if asked."""
        whole, rest = self.gain(), self.residuals()
        found = [Defined(whole, 1.0, np.zeros(3))]
        for cell in self.used.tolist():
            gain = self.gain({cell})
            # The only satellite of its constellation goes into that one's clock, and shows nothing.
            if gain is not None and rest[cell, cell] > BLIND:
                found.append(
                    Defined(gain, self.fault[cell] * self.ways, self._apart_m(gain - whole))
                )
        for group in self.groups if len(self.groups) > 1 else ():
            gain = self.gain(self.members(group))
            if gain is not None:
                chance = self.group_fault[group] * self.ways
                found.append(Defined(gain, chance, self._apart_m(gain - whole)))
        if pairs:
            found += self._pairs(whole)
        return found

    def members(self, group: int) -> set[int]:
        return {int(c) for c in self.used if self.model.group[self.epoch, c] == group}

    def _apart_m(self, rows: Any) -> Any:
        return self.quantile * self.deviation_m(rows, usual=True)

    def _pairs(self, whole: Any) -> list[Defined]:
        rest = self.residuals()
        limit_m = self.quantile * self.deviation_m(rest, usual=True)
        found = []
        for one, other in itertools.combinations(self.used.tolist(), 2):
            gain = self.gain({one, other})
            chance = self.fault[one] * self.fault[other] * self.ways
            block = rest[np.ix_([one, other], [one, other])]
            if gain is None or np.linalg.det(block) < BLIND:
                found.append(Defined(None, chance, np.full(3, np.inf)))
                continue
            # The solution moves by a sum of both residuals, each of which passed its own test.
            pulls = np.linalg.lstsq(rest[[one, other]].T, (gain - whole).T, rcond=None)[0]
            threshold = np.abs(pulls[0]) * limit_m[one] + np.abs(pulls[1]) * limit_m[other]
            found.append(Defined(gain, chance, threshold))
        return found

    @property
    def pairs_chance(self) -> float:
        """That any two satellites are faulty."""
        return self.ways * sum(a * b for a, b in itertools.combinations(self.fault.values(), 2))

    def unmonitored(self, *, pairs: bool) -> float:
        """The chance of everything that is not tested for."""
        total, out = sum(self.fault.values()), 0.0
        whole, groups = self.accounting.whole, self.group_fault
        if len(self.groups) > 1:
            for group, chance in groups.items():
                own = sum(self.fault[c] for c in self.members(group)) if whole else 0.0
                out += chance * (total - own)
                # Any two constellations; before version 4 also one of them twice.
                others = sum(groups.values()) - (chance if whole else 0.0)
                out += chance * others / 2
                if self.gain(self.members(group)) is None:
                    out += chance
        elif whole:
            out += sum(groups.values())
        out += total**3 / 6
        return out * self.ways + (0.0 if pairs else self.pairs_chance)


def upper_tail(deviations: float) -> float:
    """Q, exact far out."""
    return 0.5 * math.erfc(deviations / math.sqrt(2))
