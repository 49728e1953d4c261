"""Broadcast ephemerides as columns, and the choice of the right one for each observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.observables.system_records import SystemRecords
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides

_NS: Final = 1_000_000_000
UNKNOWN: Final = -1
_KINDS: Final = {
    "satellite": "i8", "toc_ns": "i8", "toe_ns": "i8", "issue": "i8", "healthy": "?",
    "message": "i8",
}  # fmt: skip
# The order fixes the numbers that tables hold; the empty name is any legacy message.
MESSAGES: Final = ("", "LNAV", "INAV", "FNAV", "D1", "D2", "CNV1", "CNV2", "CNV3", "CNAV")
_ABSENT: Final = {"message": 0, "axis_rate_mps": 0.0, "mean_motion_rate": 0.0, "delay3_s": 0.0}


@dataclass(frozen=True, slots=True, repr=False)
class Ephemerides(Brief):
    """Keplerian broadcast ephemerides of BDS, GPS, Galileo and QZSS.

    One row a message, sorted by satellite and reference time; every column has shape (n,).
    `satellite` = 100 x index in SYSTEMS + prn. Times are nanoseconds of GPST, also for BDS; angles
    in radians, lengths in metres, seconds else. `toe_of_week_s` is the reference time as the
    system's own second of week, which the rotation of the node needs. `delay1_s`, `delay2_s`:
    BDS TGD1 (B1I) and TGD2 (B2I), GPS TGD, Galileo BGD E5a/E1 and E5b/E1; NaN where unknown.
    `message` tells which message a row came from, an index into MESSAGES. B-CNAV-1 and 2:
    delay1_s, delay2_s are TGD of B1C pilot and B2a pilot, delay3_s the ISC of the data component
    of B1C (CNAV-1) or B2a (CNAV-2); B-CNAV-3: delay1_s is TGD of B2b I. GPS and QZSS CNAV:
    delay1_s, delay2_s, delay3_s are TGD minus the ISC of L1 C/A, L2C and L5Q. Only messages of
    these kinds change axis and mean motion in time (axis_rate_mps, mean_motion_rate in rad/s^2).
    `accuracy_m` is the broadcast user range accuracy. `healthy`: fit for use by its own word.
    """

    satellite: Ints
    toc_ns: Ints
    toe_ns: Ints
    toe_of_week_s: Floats
    clock_bias_s: Floats
    clock_drift: Floats
    clock_drift_rate: Floats
    root_a: Floats
    eccentricity: Floats
    mean_anomaly: Floats
    mean_motion_difference: Floats
    perigee: Floats
    inclination: Floats
    inclination_rate: Floats
    node: Floats
    node_rate: Floats
    cuc: Floats
    cus: Floats
    crc: Floats
    crs: Floats
    cic: Floats
    cis: Floats
    delay1_s: Floats
    delay2_s: Floats
    accuracy_m: Floats
    healthy: Bools
    issue: Ints
    message: Ints
    axis_rate_mps: Floats
    mean_motion_rate: Floats
    delay3_s: Floats

    def __len__(self) -> int:
        return len(self.satellite)

    def take(self, rows: Ints | Bools) -> Ephemerides:
        """The given rows, in the given order."""
        return Ephemerides(
            **{column.name: getattr(self, column.name)[rows] for column in fields(self)}
        )


def table_of(rows: Iterable[Mapping[str, Any]]) -> Ephemerides:
    """Rows as columns, sorted; of messages for one satellite and reference time the last counts."""
    last = {(row["satellite"], row["toe_ns"]): row for row in rows}
    ordered = [last[key] for key in sorted(last)]
    return Ephemerides(
        **{
            column.name: np.array(
                [row.get(column.name, _ABSENT.get(column.name)) for row in ordered],
                _KINDS.get(column.name, "f8"),
            )
            for column in fields(Ephemerides)
        }
    )


@dataclass(frozen=True, slots=True)
class Klobuchar:
    """Eight broadcast coefficients of the Klobuchar model; `bds` tells the BDS form from GPS's."""

    alpha: tuple[float, float, float, float]
    beta: tuple[float, float, float, float]
    bds: bool


@dataclass(frozen=True, slots=True)
class Bdgim:
    """The nine broadcast coefficients of the BeiDou global ionospheric model, in TECU."""

    terms: tuple[float, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Navigation(Brief):
    """What a navigation file gives: ephemerides, ionosphere coefficients and `records`.

    `klobuchar` is the BDS set where the file has one, else the GPS set, else None.
    """

    ephemerides: Ephemerides
    klobuchar: Klobuchar | None = None
    simulated: bool = False
    comments: tuple[str, ...] = field(default=())
    bdgim: Bdgim | None = None
    glonass: GlonassEphemerides | None = None
    records: SystemRecords = field(default_factory=SystemRecords)

    @property
    def systems(self) -> str:
        """Letters of the systems that have ephemerides."""
        found = {SYSTEMS[index] for index in np.unique(self.ephemerides.satellite // 100)}
        if self.glonass is not None and len(self.glonass):
            found.add("R")
        return "".join(sorted(found, key=SYSTEMS.index))


def satellite_number(system: str, prn: Ints | int) -> Ints:
    """The number under which tables hold a satellite."""
    return np.asarray(100 * SYSTEMS.index(system) + np.asarray(prn), np.int64)


# How old an ephemeris may be, before and after its reference time. BDS renews hourly, GPS every
# two hours, Galileo every ten minutes or more; a receiver may miss a renewal or two. Beyond this
# the orbit error grows without anything in the message saying so.
AGE_S_MAX: Final = {"G": 7_200, "E": 7_200, "C": 7_200, "J": 7_200}


def choose(store: Ephemerides, satellite: Ints, gpst_ns: Ints) -> Ints:
    """Row of the healthy ephemeris nearest in reference time, or UNKNOWN; shape (n,).

    satellite, gpst_ns: shape (n,). A satellite whose nearest message says "unhealthy" gets none,
    even if an older message called it healthy. A message for a reference time ahead of the
    observation counts too: files hold messages by reference time, not by when they were sent.
    """
    out = np.full(len(satellite), UNKNOWN, np.int64)
    for number in np.unique(satellite):
        first, last = np.searchsorted(store.satellite, (number, number + 1))
        if first == last:
            continue
        rows = np.flatnonzero(satellite == number)
        toe, at = store.toe_ns[first:last], gpst_ns[rows]
        after = np.clip(np.searchsorted(toe, at), 0, len(toe) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(toe[before] - at) <= np.abs(toe[after] - at), before, after)
        age_ns = AGE_S_MAX.get(SYSTEMS[number // 100], 0) * _NS
        good = (np.abs(toe[nearest] - at) <= age_ns) & store.healthy[first + nearest]
        out[rows[good]] = first + nearest[good]
    return out


def no_ephemerides() -> Ephemerides:
    """An empty table."""
    return table_of(())
