"""What was measured of each satellite, epoch by epoch: cells of a solution brought into columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SPEED_OF_LIGHT_MPS
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.single_point.rates import Beside, motion
from zhidao.positioning.domain.single_point.solution import Solution


@dataclass(frozen=True, slots=True)
class Series:
    """Shapes (e, n), NaN where a satellite is missing; satellite (n,) in rising order.

    code_m: raw range; phase_m; rate_mps by Doppler; strength_dbhz; slipped: lock was lost before;
    clock_m: what satellite clock and group delay add to the range; place_m (e, n, 3) when it sent,
    with velocity_mps and drift_mps of its clock; rotation_radps; sine of the elevation; used: by
    the position.
    """

    satellite: Ints
    code_m: Floats
    phase_m: Floats
    rate_mps: Floats
    strength_dbhz: Floats
    slipped: Floats
    clock_m: Floats
    place_m: Floats
    velocity_mps: Floats
    drift_mps: Floats
    rotation_radps: Floats
    sine: Floats
    used: Bools


def series_of(solved: Solution, near: Beside, navigation: Navigation) -> Series:
    """The cells of a solution, and what stands beside them, by satellite."""
    data, moving = solved.measurements, motion(solved.measurements, navigation)
    satellite = np.unique(data.satellite[data.present])
    epoch, cell = np.nonzero(data.present)
    column = np.searchsorted(satellite, data.satellite[epoch, cell])
    shape = (len(data.gpst_ns), len(satellite))

    def spread(values: Floats) -> Floats:
        out = np.full((*shape, *values.shape[2:]), np.nan)
        out[epoch, column] = values[epoch, cell]
        return out

    used = np.zeros(shape, bool)
    used[epoch, column] = solved.used[epoch, cell]
    return Series(
        satellite=satellite,
        code_m=spread(near.code_m),
        phase_m=spread(near.phase_m),
        rate_mps=spread(near.rate_mps),
        strength_dbhz=spread(near.strength_dbhz),
        slipped=spread(near.slipped),
        clock_m=spread(data.range_m - near.code_m),
        place_m=spread(data.place_m),
        velocity_mps=spread(moving.velocity_mps),
        drift_mps=spread(moving.drift * SPEED_OF_LIGHT_MPS),
        rotation_radps=spread(data.rotation_radps),
        sine=spread(np.sin(solved.elevation)),
        used=used,
    )
