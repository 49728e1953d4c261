"""Where satellites' antennas are and what their clocks show, by products better than broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from zhidao.positioning.domain.observables.observations import Floats, Ints
from zhidao.positioning.domain.ppp.attitude import antenna_offsets_m, satellite_axes
from zhidao.positioning.domain.ppp.bodies import sun_m
from zhidao.positioning.domain.satellites.orbits import SatelliteStates
from zhidao.positioning.domain.satellites.precise import PreciseTable, precise_states


class Products(Protocol):
    """A source of satellite states; NaN where it knows nothing."""

    @property
    def code_bias_m(self) -> Mapping[tuple[int, str], float]:
        """What is taken off a code in metres, by satellite number and signal such as 1P."""

    def states(self, satellite: Ints, gpst_ns: Ints, fraction_s: Floats) -> SatelliteStates:
        """Antenna places and clocks at gpst_ns + fraction_s, shapes (n,)."""


@dataclass(frozen=True, slots=True)
class PreciseProducts:
    """Orbits (SP3) and clocks (CLK) of an analysis centre.

    offset_m: antenna offsets by satellite number in satellite axes, in place of the built-in ones.
    """

    orbits: PreciseTable
    clocks: PreciseTable
    offset_m: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)
    code_bias_m: Mapping[tuple[int, str], float] = field(default_factory=dict)

    def states(self, satellite: Ints, gpst_ns: Ints, fraction_s: Floats) -> SatelliteStates:
        """Antenna places and clocks. See `Products`."""
        found = precise_states(self.orbits, self.clocks, satellite, gpst_ns, fraction_s)
        if not len(satellite):
            return found
        offset_m = antenna_offsets_m(satellite, int(gpst_ns[0]))
        for number, own_m in self.offset_m.items():
            offset_m[satellite == number] = own_m
        instants, which = np.unique(gpst_ns, return_inverse=True)
        axes = satellite_axes(found.ecef_m, sun_m(instants)[which])
        moved_m = np.einsum("nij,ni->nj", axes, offset_m)
        return SatelliteStates(found.ecef_m + moved_m, found.clock_s)
