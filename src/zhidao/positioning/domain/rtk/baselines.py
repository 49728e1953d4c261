"""What a baseline solver gives: one entry an epoch of the rover, with the reason for no fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints


class RtkStatus(IntEnum):
    """What an epoch gave."""

    FIXED = 0
    FLOAT = 1  # ambiguities not believed; the place is good to decimetres at best
    TOO_FEW_SATELLITES = 2
    NO_BASE_EPOCH = 3
    NOT_CONSISTENT = 4  # residuals stayed too great after all exclusions


class RtkReason(IntEnum):
    """Why an epoch is not fixed; OK where it is."""

    OK = 0
    NO_BASE_EPOCH = 1
    TOO_FEW_SATELLITES = 2
    NOT_CONSISTENT = 3
    TOO_FEW_AMBIGUITIES = 4  # for whole numbers; GLONASS has none
    SUCCESS_TOO_LOW = 5  # the geometry does not promise right whole numbers
    RATIO_TOO_LOW = 6  # the second best is nearly as good
    FIT_TOO_POOR = 7  # the best is too far away for the model to hold
    SEARCH_NOT_ENDED = 8


@dataclass(frozen=True, slots=True, repr=False)
class Baselines(Brief):
    """One entry an epoch of the rover. place_m (e, 3): NaN where there is none.

    covariance_m2 (e, 3, 3) in Earth-fixed axes. ratio, success, ambiguities (e,): what the fix
    stands on; ambiguities counts those that were fixed. base_age_s: how much older the base's epoch
    was, NaN where there is none.
    """

    gpst_ns: Ints
    status: Bytes
    place_m: Floats
    float_place_m: Floats
    covariance_m2: Floats
    ratio: Floats
    success: Floats
    ambiguities: Ints
    satellites: Ints
    reason: Bytes
    base_age_s: Floats

    @property
    def fixed(self) -> Bools:
        """Which epochs are fixed."""
        fixed: Bools = self.status == RtkStatus.FIXED
        return fixed


@dataclass(frozen=True, slots=True)
class Row:
    """One epoch of `Baselines`."""

    status: RtkStatus
    reason: RtkReason
    place_m: Floats
    float_place_m: Floats
    covariance_m2: Floats
    ratio: float = 0.0
    success: float = 0.0
    ambiguities: int = 0
    satellites: int = 0


def nothing(status: RtkStatus, reason: RtkReason, satellites: int = 0) -> Row:
    """An epoch without a place."""
    none = np.full(3, np.nan)
    return Row(status, reason, none, none, np.full((3, 3), np.nan), satellites=satellites)


def table(gpst_ns: Ints, rows: list[Row], base_age_s: Floats) -> Baselines:
    """Rows as columns."""
    count = len(rows)
    return Baselines(
        gpst_ns,
        np.array([row.status for row in rows], np.uint8),
        np.array([row.place_m for row in rows], np.float64).reshape(count, 3),
        np.array([row.float_place_m for row in rows], np.float64).reshape(count, 3),
        np.array([row.covariance_m2 for row in rows], np.float64).reshape(count, 3, 3),
        np.array([row.ratio for row in rows], np.float64),
        np.array([row.success for row in rows], np.float64),
        np.array([row.ambiguities for row in rows], np.int64),
        np.array([row.satellites for row in rows], np.int64),
        np.array([row.reason for row in rows], np.uint8),
        base_age_s,
    )


def partners(rover_ns: Ints, base_ns: Ints, age_s_max: float) -> tuple[Ints, Floats]:
    """Epoch of the base for each of the rover's, or -1, and its age in seconds (NaN).

    Within 5 ms both count as one instant; else the latest that is not older than age_s_max.
    """
    if not len(base_ns):
        return np.full(len(rover_ns), -1), np.full(len(rover_ns), np.nan)
    latest = np.searchsorted(base_ns, rover_ns + 5_000_000, side="right") - 1
    age_s = (rover_ns - base_ns[np.maximum(latest, 0)]) * 1e-9
    good = (latest >= 0) & (age_s <= max(age_s_max, 0.005))
    return np.where(good, latest, -1), np.where(good, np.maximum(age_s, 0.0), np.nan)
