"""The Stanford diagram as numbers: where errors lie against protection levels and alert limits.

Regions as in the Stanford University diagram of WAAS performance (not at hand; the words are usual
in the field): a position is available while its level lies within the alert limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Bools, Floats


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """Beyond which error somebody must be warned: horizontal and vertical metres."""

    horizontal_m: float
    vertical_m: float

    def __post_init__(self) -> None:
        if not (self.horizontal_m > 0 and self.vertical_m > 0):
            raise MalformedInput("alert limits lie above 0 m")

    def within(self, horizontal_m: Floats, vertical_m: Floats) -> Bools:
        """Which epochs are available, (e,) of bool: both levels within their limits."""
        good: Bools = (horizontal_m <= self.horizontal_m) & (vertical_m <= self.vertical_m)
        return good


@dataclass(frozen=True, slots=True)
class Regions:
    """How many positions lie where.

    normal: error <= level <= limit. misleading: level < error <= limit. hazardous: level <= limit <
    error. unavailable: limit < level, and error <= level. unavailable_misleading: limit < level <
    error. unbounded: no level at all.
    """

    normal: int
    misleading: int
    hazardous: int
    unavailable: int
    unavailable_misleading: int
    unbounded: int

    @property
    def available_share(self) -> float:
        """Share of positions whose level lies within the limit; 0 if there are none."""
        good = self.normal + self.misleading + self.hazardous
        every = good + self.unavailable + self.unavailable_misleading + self.unbounded
        return good / every if every else 0.0


def regions(error_m: Floats, level_m: Floats, limit_m: float) -> Regions:
    """Counts positions by region. error_m, level_m (n,) of one direction; NaN is no position."""
    known = np.isfinite(error_m) & ~np.isnan(level_m)
    error, level = np.abs(error_m[known]), level_m[known]
    bounded = np.isfinite(level)
    offered = bounded & (level <= limit_m)
    over = error > level
    far = error > limit_m
    found = (
        offered & ~over,
        offered & over & ~far,
        offered & over & far,
        bounded & ~offered & ~over,
        bounded & ~offered & over,
        ~bounded,
    )
    return Regions(*(int(np.count_nonzero(each)) for each in found))


def cells(
    error_m: Floats, level_m: Floats, *, top_m: float, step_m: float
) -> tuple[Floats, Floats]:
    """Counts on a grid of error (rows) and level (columns), and the edges of its steps (k + 1,).

    What lies beyond top_m counts in the last step.
    """
    if not 0 < step_m <= top_m:
        raise MalformedInput(f"a Stanford grid to {top_m} m by {step_m} m")
    edges = np.arange(0, top_m + step_m / 2, step_m)
    known = np.isfinite(error_m) & ~np.isnan(level_m)
    held = [np.minimum(np.abs(v[known]), top_m - step_m / 2) for v in (error_m, level_m)]
    counts, _, _ = np.histogram2d(held[0], held[1], bins=(edges, edges))
    return counts, edges
