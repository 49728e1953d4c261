"""What solving gives: one entry an epoch, with the reason where there is no position."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints
from zhidao.positioning.domain.single_point.measurements import Measurements


class Reason(IntEnum):
    """Why an epoch has no position; OK where it has one."""

    OK = 0
    NO_NAVIGATION = 1  # ranges were there, ephemerides for them were not
    TOO_FEW_SATELLITES = 2
    NOT_CONVERGED = 3
    WEAK_GEOMETRY = 4
    FAULT_NOT_EXCLUDED = 5
    IMPLAUSIBLE = 6  # not near the surface of the Earth
    NOT_FIXED = 7  # a baseline was asked for, and its whole wavelengths are not believed


@dataclass(frozen=True, slots=True, repr=False)
class Solution(Brief):
    """Positions of all epochs with what they stand on. NaN where `reason` is not OK.

    ecef_m (e, 3); latitude, longitude in radians, height_m (e,); covariance_m2 (e, 3, 3) east,
    north, up by the weights; clock_m (e, k), NaN for systems without satellites.
    dilution (e, 4): GDOP, PDOP, HDOP, VDOP. Per cell (e, s): elevation and azimuth in radians,
    residual_m, used, excluded (by fault detection). horizontal_m, vertical_m (e,): protection
    levels, infinite where no bound can be given. detectable_m (e, s): a bias of one range that the
    test finds but for a chance of 1e-6, infinite where there is no test. one_constellation (e,):
    the levels hold if that constellation is not wrong as a whole.
    """

    measurements: Measurements
    reason: Bytes
    ecef_m: Floats
    latitude: Floats
    longitude: Floats
    height_m: Floats
    clock_m: Floats
    covariance_m2: Floats
    dilution: Floats
    elevation: Floats
    azimuth: Floats
    residual_m: Floats
    used: Bools
    excluded: Bools
    horizontal_m: Floats
    vertical_m: Floats
    detectable_m: Floats
    one_constellation: Bools

    @property
    def gpst_ns(self) -> Ints:
        """Epochs, nanoseconds of GPST, shape (e,)."""
        return self.measurements.gpst_ns

    @property
    def solved(self) -> Bools:
        """Which epochs have a position."""
        solved: Bools = self.reason == Reason.OK
        return solved

    def to_pandas(self) -> Any:
        """The positions as a DataFrame by time; see `Positions.to_pandas`."""
        from zhidao.positioning.domain.positions import of_solution

        return of_solution(self, simulated=False).to_pandas()

    @property
    def satellites(self) -> Ints:
        """How many satellites each position stands on."""
        count: Ints = self.used.sum(1)
        return count
