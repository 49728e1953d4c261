"""Columnar tables of raw observations: one table a system, one row a satellite and epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.brief import Brief

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ObservationHeader:
    """What a RINEX header says that later steps need.

    `approximate_ecef_m` is the receiver's own guess, never a reference: its frame is unknown.
    `simulated`: the file says of itself that no satellite was received. `scales`: system, code and
    factor of what the file held in other units; tables never do.
    """

    version: str = "3.05"
    marker: str = "UNKNOWN"
    receiver: str = ""
    antenna: str = ""
    approximate_ecef_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    interval_s: float = 0.0
    time_system: str = "GPS"
    comments: tuple[str, ...] = ()
    simulated: bool = False
    scales: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class SystemObservations(Brief):
    """One satellite system's rows, in file order.

    epoch: index into `Observations.gpst_ns`, shape (n,). prn: (n,). values: (n, k), NaN where
    nothing was observed; C in metres, L in cycles, D in hertz, S in dB-Hz. lost_lock and strength:
    RINEX digits, (n, k), 0 where blank.
    """

    system: str
    codes: tuple[str, ...]
    epoch: Ints
    prn: Ints
    values: Floats
    lost_lock: Bytes
    strength: Bytes

    def column(self, code: str) -> Floats | None:
        """Values of one observation code, shape (n,), or None if the file has no such column."""
        return self.values[:, self.codes.index(code)] if code in self.codes else None


@dataclass(frozen=True, slots=True, repr=False)
class Observations(Brief):
    """Raw observations of one receiver. Epochs are nanoseconds of GPST, shape (e,), rising.

    `power_failed` marks epochs before which the receiver lost power (RINEX flag 1).
    """

    header: ObservationHeader
    gpst_ns: Ints
    power_failed: Bools
    systems: Mapping[str, SystemObservations] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether the file says of itself that it is simulated."""
        return self.header.simulated

    @property
    def rows(self) -> int:
        """How many satellite rows there are in all."""
        return sum(len(table.prn) for table in self.systems.values())

    def part(self, first: int, last: int) -> Observations:
        """The epochs from `first` up to and without `last`, as if nothing else had been heard."""
        systems = {}
        for system, table in self.systems.items():
            rows = (table.epoch >= first) & (table.epoch < last)
            systems[system] = SystemObservations(
                table.system,
                table.codes,
                table.epoch[rows] - first,
                table.prn[rows],
                table.values[rows],
                table.lost_lock[rows],
                table.strength[rows],
            )
        return Observations(
            self.header, self.gpst_ns[first:last], self.power_failed[first:last], systems
        )

    def to_pandas(self) -> Any:
        """A DataFrame by time (GPST) and satellite, one column an observation code, NaN for none.

        Raises Refused where pandas is not installed.
        """
        from zhidao.positioning.domain.observables.data_frames import data_frame, gpst

        tables = [table for _, table in sorted(self.systems.items())]
        codes = dict.fromkeys(code for table in tables for code in table.codes)
        epoch = np.concatenate([np.zeros(0, np.int64), *(table.epoch for table in tables)])
        nothing = {id(table): np.full(len(table.prn), np.nan) for table in tables}
        columns = {}
        for code in codes:
            found = ((table, table.column(code)) for table in tables)
            columns[code] = np.concatenate(
                [nothing[id(table)] if column is None else column for table, column in found]
            )
        names = [f"{table.system}{prn:02d}" for table in tables for prn in table.prn.tolist()]
        index = {"gpst": gpst(self.gpst_ns[epoch]), "satellite": names}
        return data_frame(columns, index).sort_index()

    def utc(self, epoch: int) -> Utc:
        """The instant of an epoch by its index."""
        return Gpst(int(self.gpst_ns[epoch])).to_utc()
