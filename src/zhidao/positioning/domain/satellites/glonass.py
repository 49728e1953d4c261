"""GLONASS broadcast messages as columns, and the choice of the right one.

Source: GLONASS ICD 5.1 section 4.4 (not at hand; checked against precise orbits).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from zhidao.positioning.domain.observables.brief import Brief
from zhidao.positioning.domain.observables.observations import Bools, Floats, Ints

_AGE_NS_MAX: Final = 1_800 * 1_000_000_000
_KINDS: Final = {"satellite": "i8", "toe_ns": "i8", "channel": "i8", "healthy": "?"}


@dataclass(frozen=True, slots=True, repr=False)
class GlonassEphemerides(Brief):
    """One row a message, sorted by satellite and reference time; shapes (n,) and (n, 3).

    Times are nanoseconds of GPST. clock_s: what the satellite's clock shows ahead (minus tau);
    clock_rate: gamma. place_m, velocity_mps, acceleration_mps2 (of Sun and Moon): Earth-fixed,
    PZ-90. delay_s: of L2 against L1, NaN where unknown. channel: -7 to 6.
    """

    satellite: Ints
    toe_ns: Ints
    clock_s: Floats
    clock_rate: Floats
    place_m: Floats
    velocity_mps: Floats
    acceleration_mps2: Floats
    delay_s: Floats
    channel: Ints
    healthy: Bools

    def __len__(self) -> int:
        return len(self.satellite)

    def take(self, rows: Ints | Bools) -> GlonassEphemerides:
        """The given rows, in the given order."""
        return GlonassEphemerides(**{c.name: getattr(self, c.name)[rows] for c in fields(self)})


def glonass_table(rows: Iterable[Mapping[str, Any]]) -> GlonassEphemerides:
    """Rows as columns, sorted; of messages for one satellite and time the last counts."""
    last = {(row["satellite"], row["toe_ns"]): row for row in rows}
    ordered = [last[key] for key in sorted(last)]
    wide = {"place_m", "velocity_mps", "acceleration_mps2"}
    return GlonassEphemerides(
        **{
            c.name: np.array([row[c.name] for row in ordered], _KINDS.get(c.name, "f8")).reshape(
                (len(ordered), 3) if c.name in wide else (len(ordered),)
            )
            for c in fields(GlonassEphemerides)
        }
    )


def choose_glonass(store: GlonassEphemerides, satellite: Ints, gpst_ns: Ints) -> Ints:
    """Row of the healthy message nearest in time within half an hour, or -1; shape (n,)."""
    out = np.full(len(satellite), -1, np.int64)
    for number in np.unique(satellite):
        first, last = np.searchsorted(store.satellite, (number, number + 1))
        if first == last:
            continue
        rows = np.flatnonzero(satellite == number)
        gap = np.abs(store.toe_ns[None, first:last] - gpst_ns[rows][:, None])
        best = gap.argmin(1)
        good = (gap[np.arange(len(rows)), best] <= _AGE_NS_MAX) & store.healthy[first + best]
        out[rows[good]] = first + best[good]
    return out
