"""Stretches of a route by what a terminal meets there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from zhidao.connectivity.domain.bearer_policy import Need
from zhidao.connectivity.domain.radio.path_loss import Floats
from zhidao.connectivity.domain.radio.reception import Chances, Numbers
from zhidao.core.errors import MalformedInput

_CELLS_NAMED: Final = 3


class Service(StrEnum):
    """What a terminal meets. UNJUDGED: the models do not reach far enough to say."""

    SERVED = "served"
    BORDERLINE = "borderline"
    SILENT = "silent"
    UNJUDGED = "unjudged"


_NEEDS: Final = {
    Service.SERVED: Need.NO,
    Service.BORDERLINE: Need.MAY,
    Service.SILENT: Need.MUST,
    Service.UNJUDGED: Need.MAY,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """From which chance on a place is served, below which it is silent; the speed of a terminal.

    report_s: between two reports of a terminal; service that lasts less ends no silence.
    Raises MalformedInput.
    """

    served: float = 0.9
    silent: float = 0.1
    speed_kmh: float = 60.0
    report_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.silent < self.served < 1:
            raise MalformedInput(
                f"served from {self.served:g} and silent below {self.silent:g}",
                remedy="give chances between 0 and 1, --silent below --served",
            )
        if not 1 <= self.speed_kmh <= 400:
            raise MalformedInput(f"a speed of {self.speed_kmh:g} km/h; it is 1 to 400")
        if not 1 <= self.report_s <= 86_400:
            raise MalformedInput(f"a report each {self.report_s:g} s; it is 1 to 86400")

    @property
    def speed_mps(self) -> float:
        """In metres a second."""
        return self.speed_kmh / 3.6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a route of one service. Distances from the start of the route.

    low, high: the mean span of the chance of service. silent_s: how long a terminal is silent in
    it on average, at least and at most. expected_silence_s: whole seconds that it may be silent
    while it passes the gap in which the stretch lies; 0 outside of gaps. cells: the indices of
    those that give most, first the most frequent. first, last: its samples. extrapolated: the
    service is that of formulas beyond the range that they were made for.
    """

    service: Service
    from_m: float
    to_m: float
    first: int
    last: int
    low: float
    high: float
    silent_s: tuple[float, float]
    cells: tuple[int, ...]
    extrapolated: bool
    expected_silence_s: int = 0

    @property
    def length_m(self) -> float:
        """From its start to its end."""
        return self.to_m - self.from_m

    @property
    def short_message(self) -> Need:
        """Whether short message must carry."""
        return _NEEDS[self.service]


def stretches(
    at_m: Floats, found: Chances, terms: Terms, *, extrapolate: bool = False
) -> tuple[Stretch, ...]:
    """The stretches of a route; at_m: where its samples lie, shape (n,)."""
    kind, beyond = _kinds(found, terms, extrapolate=extrapolate)
    starts = np.flatnonzero(np.r_[True, (np.diff(kind) != 0) | (np.diff(beyond) != 0)])
    ends = np.r_[starts[1:] - 1, len(kind) - 1]
    middle_m = (at_m[1:] + at_m[:-1]) / 2
    edge_m = np.r_[at_m[0], middle_m, at_m[-1]]
    lasts_s = np.diff(edge_m) / terms.speed_mps
    least_s, most_s = (1 - found.high) * lasts_s, (1 - found.low) * lasts_s
    return tuple(
        Stretch(
            service=tuple(Service)[kind[start]],
            from_m=float(edge_m[start]),
            to_m=float(edge_m[end + 1]),
            first=int(start),
            last=int(end),
            low=float(found.low[start : end + 1].mean()),
            high=float(found.high[start : end + 1].mean()),
            silent_s=(
                float(least_s[start : end + 1].sum()),
                float(most_s[start : end + 1].sum()),
            ),
            cells=_frequent(found.cell[start : end + 1]),
            extrapolated=bool(beyond[start]),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def _kinds(found: Chances, terms: Terms, *, extrapolate: bool) -> tuple[Numbers, Numbers]:
    """The index of each sample's service in Service, and 1 where it is extrapolated."""
    at_worst, at_best = _kind(found.low, terms), _kind(found.high, terms)
    sure = at_worst == at_best
    if extrapolate:
        return np.where(sure, at_best, _kind(found.beyond, terms)), (~sure).astype(np.int64)
    return np.where(sure, at_best, list(Service).index(Service.UNJUDGED)), np.zeros_like(at_best)


def _kind(chance: Floats, terms: Terms) -> Numbers:
    served, borderline, silent = 0, 1, 2
    return np.where(
        chance >= terms.served, served, np.where(chance < terms.silent, silent, borderline)
    )


def _frequent(cell: Numbers) -> tuple[int, ...]:
    numbers, counts = np.unique(cell[cell >= 0], return_counts=True)
    order = np.lexsort((numbers, -counts))
    return tuple(int(n) for n in numbers[order][:_CELLS_NAMED])
