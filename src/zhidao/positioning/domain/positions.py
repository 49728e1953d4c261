"""Positions of any solver in one table, for files and plots: an epoch a row, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, Final

import numpy as np

from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.integrity.velocity import Velocities
from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.ppp.solving import PppReason, PppSolution
from zhidao.positioning.domain.rtk.baselines import Baselines, RtkReason
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.solution import Reason, Solution


class Quality(IntEnum):
    """What a position is, by the digits of RTKLIB's position files; 0 where there is none."""

    NONE = 0
    FIX = 1
    FLOAT = 2
    SINGLE = 5
    PPP = 6


@dataclass(frozen=True, slots=True, repr=False)
class Positions(Brief):
    """One row an epoch; NaN where there is no position, and `reason` says why.

    ecef_m (e, 3) and covariance_m2 (e, 3, 3; east, north, up). latitude, longitude in radians.
    horizontal_m, vertical_m: protection levels, NaN where the solver offers none. ratio: of the
    ambiguity test. excluded: satellites put out by fault detection. frame: of the coordinates.
    velocity_mps (e, 3): east, north, up; no rows where nobody asked for it.
    """

    gpst_ns: Ints
    quality: Ints
    reason: tuple[str, ...]
    ecef_m: Floats
    latitude: Floats
    longitude: Floats
    height_m: Floats
    covariance_m2: Floats
    satellites: Ints
    excluded: Ints
    horizontal_m: Floats
    vertical_m: Floats
    ratio: Floats
    frame: str
    simulated: bool
    velocity_mps: Floats = field(default_factory=lambda: np.zeros((0, 3)))

    def __len__(self) -> int:
        return len(self.gpst_ns)

    @property
    def solved(self) -> Ints:
        """Rows that have a position."""
        return np.flatnonzero(self.quality > 0)

    @property
    def until(self) -> str:
        """UTC of the last row; empty without rows."""
        return str(Gpst(int(self.gpst_ns[-1])).to_utc()) if len(self) else ""

    def to_pandas(self) -> Any:
        """A DataFrame by time (GPST): degrees and metres, NaN where there is no position.

        Raises Refused where pandas is not installed.
        """
        from zhidao.positioning.domain.observables.data_frames import data_frame, gpst

        columns: dict[str, Any] = {
            "quality": [Quality(int(each)).name.lower() for each in self.quality],
            "reason": list(self.reason),
            "latitude_deg": np.rad2deg(self.latitude),
            "longitude_deg": np.rad2deg(self.longitude),
            "height_m": self.height_m,
        }
        columns |= {f"{axis}_m": self.ecef_m[:, index] for index, axis in enumerate("xyz")}
        for name in ("satellites", "excluded", "ratio"):
            columns[name] = getattr(self, name)
        columns["horizontal_protection_m"] = self.horizontal_m
        columns["vertical_protection_m"] = self.vertical_m
        if len(self.velocity_mps):
            for index, axis in enumerate(("east", "north", "up")):
                columns[f"{axis}_mps"] = self.velocity_mps[:, index]
        return data_frame(columns, {"gpst": gpst(self.gpst_ns)})

    def part(self, first: int, last: int) -> Positions:
        """The rows from `first` up to and without `last`."""
        columns = {
            column.name: getattr(self, column.name)[first:last]
            for column in fields(self)
            if column.name not in _OF_ALL
        }
        return replace(self, **columns)


_OF_ALL: Final = ("frame", "simulated")


def join_positions(parts: Sequence[Positions]) -> Positions:
    """The rows of all parts one after another; one simulated part makes the whole simulated."""
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, Any] = {
        column.name: np.concatenate([getattr(part, column.name) for part in parts])
        for column in fields(Positions)
        if column.name not in (*_OF_ALL, "reason")
    }
    reason = tuple(reason for part in parts for reason in part.reason)
    simulated = any(part.simulated for part in parts)
    return Positions(**columns, reason=reason, frame=parts[0].frame, simulated=simulated)


def of_solution(
    solved: Solution, *, simulated: bool, velocity: Velocities | None = None
) -> Positions:
    """The rows of single points, with velocities where they were computed."""
    return Positions(
        gpst_ns=solved.gpst_ns,
        quality=np.where(solved.solved, Quality.SINGLE, Quality.NONE).astype(np.int64),
        reason=tuple(Reason(int(reason)).name.lower() for reason in solved.reason),
        ecef_m=solved.ecef_m,
        latitude=solved.latitude,
        longitude=solved.longitude,
        height_m=solved.height_m,
        covariance_m2=solved.covariance_m2,
        satellites=solved.satellites,
        excluded=solved.excluded.sum(1),
        horizontal_m=solved.horizontal_m,
        vertical_m=solved.vertical_m,
        ratio=np.full(len(solved.gpst_ns), np.nan),
        frame="of the broadcast orbits (WGS 84, within decimetres of ITRF)",
        simulated=simulated,
        velocity_mps=np.zeros((0, 3)) if velocity is None else velocity.enu_mps,
    )


def of_precise(found: PppSolution, *, simulated: bool) -> Positions:
    """The rows of precise points."""
    latitude, longitude, height_m = geodetic(found.ecef_m)
    axes = enu_axes(latitude, longitude)
    nothing = np.full(len(found.gpst_ns), np.nan)
    return Positions(
        gpst_ns=found.gpst_ns,
        quality=np.where(found.solved, Quality.PPP, Quality.NONE).astype(np.int64),
        reason=tuple(PppReason(int(reason)).name.lower() for reason in found.reason),
        ecef_m=found.ecef_m,
        latitude=latitude,
        longitude=longitude,
        height_m=height_m,
        covariance_m2=np.einsum("eij,ejk,elk->eil", axes, found.covariance_m2, axes),
        satellites=found.satellites.astype(np.int64),
        excluded=np.zeros(len(found.gpst_ns), np.int64),
        horizontal_m=nothing,
        vertical_m=nothing,
        ratio=nothing,
        frame="of the precise products, solid tides taken off",
        simulated=simulated,
    )


def of_baselines(found: Baselines, *, simulated: bool) -> Positions:
    """The rows of baselines: fixed where fixed, else the float place."""
    place_m = np.where(found.fixed[:, None], found.place_m, found.float_place_m)
    known = np.isfinite(place_m).all(1)
    quality = np.where(found.fixed, Quality.FIX, Quality.FLOAT)
    latitude, longitude, height_m = geodetic(place_m)
    axes = enu_axes(latitude, longitude)
    nothing = np.full(len(found.gpst_ns), np.nan)
    return Positions(
        gpst_ns=found.gpst_ns,
        quality=np.where(known, quality, Quality.NONE).astype(np.int64),
        # What keeps an epoch from being fixed; a float place has such a reason too.
        reason=tuple(RtkReason(int(reason)).name.lower() for reason in found.reason),
        ecef_m=place_m,
        latitude=latitude,
        longitude=longitude,
        height_m=height_m,
        covariance_m2=np.einsum("eij,ejk,elk->eil", axes, found.covariance_m2, axes),
        satellites=found.satellites.astype(np.int64),
        excluded=np.zeros(len(found.gpst_ns), np.int64),
        horizontal_m=nothing,
        vertical_m=nothing,
        ratio=found.ratio,
        frame="of the base's coordinates",
        simulated=simulated,
    )
