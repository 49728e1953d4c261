"""Bounded single points with the place of a baseline put in: centimetres, and no weaker bound.

The bound stays that of the single point: how often whole wavelengths are wrong, and what faults
do to them, has no evidence here that would carry a bound of centimetres. So a baseline may only
agree with a proven place, tell it more exactly, or take the proof away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from zhidao.positioning.domain.integrity.area_risk import Inside
from zhidao.positioning.domain.observables.observations import Bools, Floats
from zhidao.positioning.domain.rtk.baselines import Baselines
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Reason, Solution

# Deviations of a fixed place by its own model that have to lie inside too.
_DEVIATIONS: Final = 5.0


def bounded_by_baseline(solved: Solution, found: Baselines) -> Solution:
    """The solution with the fixed places of the same epochs.

    An epoch that is not fixed has no place (NOT_FIXED); one whose baseline lies beyond the single
    point's own bound contradicts it (FAULT_NOT_EXCLUDED).
    """
    latitude, longitude, height_m = geodetic(found.place_m)
    axes = enu_axes(np.nan_to_num(solved.latitude), np.nan_to_num(solved.longitude))
    apart_m = np.einsum("eij,ej->ei", axes, found.place_m - solved.ecef_m)
    fixed = found.fixed & np.isfinite(found.place_m).all(1)
    agrees = np.hypot(apart_m[:, 0], apart_m[:, 1]) <= solved.horizontal_m
    reason = solved.reason.copy()
    reason[solved.solved & ~fixed] = Reason.NOT_FIXED
    reason[solved.solved & fixed & ~agrees] = Reason.FAULT_NOT_EXCLUDED
    lost = reason != Reason.OK
    local_m2 = np.einsum("eij,ejk,elk->eil", axes, found.covariance_m2, axes)
    return replace(
        solved,
        reason=reason,
        ecef_m=_blank(found.place_m, lost),
        latitude=_blank(latitude, lost),
        longitude=_blank(longitude, lost),
        height_m=_blank(height_m, lost),
        covariance_m2=_blank(local_m2, lost),
        horizontal_m=_blank(solved.horizontal_m, lost),
        vertical_m=_blank(solved.vertical_m, lost),
    )


def proven_by_both(told: Inside, exact: Solution, spare_m: Floats, *, boundary_m: float) -> Inside:
    """What is proven of single points, where the exact places lie inside as well.

    exact: of `bounded_by_baseline`. spare_m (e,): how far inside the edge its places lie.
    """
    own_m = np.sqrt(np.maximum(exact.covariance_m2[:, 0, 0] + exact.covariance_m2[:, 1, 1], 0))
    clear = exact.solved & (spare_m >= boundary_m + _DEVIATIONS * np.nan_to_num(own_m))
    return Inside(np.where(exact.solved, told.outside, 1), told.proven & clear)


def _blank(values: Floats, lost: Bools) -> Floats:
    out = values.copy()
    out[lost] = np.nan
    return out
