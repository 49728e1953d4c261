"""Classes of surroundings that an antenna may stand in, with the errors that they bring.

A bound is offered only where something was measured: `evidence` names it, and a class without
evidence gets positions but no bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Environment:
    """Error models of a class of surroundings, and the reason for them.

    Deviations in millimetres: weight of ranges (range_*) and, for the bound, code noise and
    reflections (multipath_*), both zenith^2 + (slant / sin elevation)^2. strength_mdbhz: C/N0 below
    which noise grows, 0 where strengths do not count.
    """

    range_zenith_mm: int
    range_slant_mm: int
    multipath_zenith_mm: int
    multipath_slant_mm: int
    evidence: str
    strength_mdbhz: int = 0

    def numbers(self) -> dict[str, int]:
        """The error models as settings."""
        return {
            "range_zenith_mm": self.range_zenith_mm,
            "range_slant_mm": self.range_slant_mm,
            "multipath_zenith_mm": self.multipath_zenith_mm,
            "multipath_slant_mm": self.multipath_slant_mm,
            "strength_mdbhz": self.strength_mdbhz,
        }


ENVIRONMENTS: Final[Mapping[str, Environment]] = {
    "open_sky": Environment(
        300,
        300,
        300,
        500,
        "a geodetic station-day (Esbjerg, 2020) and a pair of receivers on a roof (Nagoya, 2024): "
        "no error over its bound in 2,880 and 301 epochs",
    ),
    # Reflections off neighbouring vehicles and buildings: the numbers are a guess, and so there is
    # no bound until somebody brings recordings with a reference.
    "vehicle": Environment(500, 800, 800, 1_500, ""),
    "phone": Environment(
        2_000,
        2_000,
        2_000,
        3_500,
        "ten minutes of one phone at rest (2024) whose place is known to some 10 m only: residuals "
        "of its first half (GPS 4.5 m between 30 and 50 degrees, 2.3 m above) gave the numbers, "
        "and no error of its second half lies over its bound; below 35 dB-Hz, chosen on the first "
        "half too, signals count less (spread of GPS points in the second half: 3.8 to 3.3 m)",
        35_000,
    ),
}


def is_measured(name: str) -> bool:
    """Whether recordings with a reference show the errors of a class."""
    return name in ENVIRONMENTS and bool(ENVIRONMENTS[name].evidence)
