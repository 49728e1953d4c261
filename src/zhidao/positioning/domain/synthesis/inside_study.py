"""Whether "proven inside" holds: the tightest areas that are proven, over a great many epochs.

Everything is simulated, as in `integrity_study`: an area is drawn around each position and shrunk
to the least of some sizes that `outside_risk` still proves, so that every epoch is as
near to its limit as it can be; then it counts where the antenna really was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.error_models import accounting
from zhidao.positioning.domain.integrity.outside_risk import outside_risk
from zhidao.positioning.domain.observables.observations import Bools, Floats
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.integrity_study import Judged

_PPB: Final = 1e-9
# Sizes that are tried, by the greater horizontal level of the epoch.
_SIZES: Final = (0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.35, 1.7)
# How much further off the other edges of an area may be than its nearest.
_LONGEST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Proven:
    """Epochs with a proven area. outside (n,): the antenna was not in it; size_m: nearest edge."""

    proven: Bools
    outside: Bools
    size_m: Floats


def tightest(
    found: Judged, settings: Settings, *, edges: int, risk: float, chance: np.random.Generator
) -> Proven:
    """Areas of so many straight edges, each epoch's of its own shape and direction.

    An area of one edge is the half-plane behind a fence: all its risk lies on one side.
    """
    count = len(found.error_m)
    angle = chance.uniform(0, 2 * np.pi, (count, 1)) + 2 * np.pi * np.arange(edges) / edges
    normals = np.stack((np.sin(angle), np.cos(angle)), 2)
    ratio = chance.uniform(1, _LONGEST, (count, edges))
    ratio[np.arange(count), chance.integers(0, edges, count)] = 1
    level = found.bounds.levels_m[:, :2].max(1)
    open_ = np.flatnonzero(~found.flagged & np.isfinite(level))
    size = np.full(count, np.inf)
    for each in _SIZES:
        distance = each * level[open_, None] * ratio[open_]
        outside = outside_risk(
            found.model.take(open_),
            normals[open_],
            distance,
            risk=risk,
            alarm=settings.alarm_ppb * _PPB,
            accounting=accounting(settings),
        )
        good = open_[outside <= risk]
        size[good] = each * level[good]
        open_ = np.setdiff1d(open_, good, assume_unique=True)
    proven: Bools = np.asarray(np.isfinite(size), bool)
    # An error of the position is where it lies from the antenna, so the antenna lies opposite.
    across = -np.einsum("edq,eq->ed", normals, found.error_m[:, :2])
    limit = np.where(proven, size, 0)[:, None] * ratio
    beyond: Bools = np.asarray((across > limit).any(1), bool)
    return Proven(proven, proven & beyond, size)
