"""A cell of a mobile network by its NR cell global identity, and the circle that holds its users.

The operator of the network says how far from the site a terminal may be that the cell serves;
nothing here is worked out from powers or models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic, destination

# NR cell identity: 36 bits (TS 38.413 section 9.3.1.7).
NCI_MAX: Final = 2**36 - 1
RANGE_M: Final = (10.0, 100_000.0)
_PLANE_SHARE: Final = 0.0005


@dataclass(frozen=True, slots=True, order=True)
class CellId:
    """NR-CGI: the network's PLMN (MCC and MNC, 5 or 6 digits) and the cell's identity in it."""

    plmn: str
    nci: int

    def __post_init__(self) -> None:
        check_plmn(self.plmn)
        if not 0 <= self.nci <= NCI_MAX:
            raise MalformedInput(
                f"nci is {self.nci}", remedy=f"an NR cell identity is 0 to {NCI_MAX}"
            )


@dataclass(frozen=True, slots=True)
class ServedCell:
    """A cell and where its users are: within range_m of the site.

    azimuth_deg, beam_deg: within this angle only, but for those within behind_m of the site, whom
    its antenna reaches on its other sides; nan for a cell that serves all around alike.
    Raises MalformedInput.
    """

    cell: CellId
    site: Geodetic
    range_m: float
    azimuth_deg: float = math.nan
    beam_deg: float = math.nan
    behind_m: float = math.nan
    name: str = ""

    def __post_init__(self) -> None:
        _within("range_m", self.range_m, RANGE_M)
        sector = (self.azimuth_deg, self.beam_deg, self.behind_m)
        if any(map(math.isnan, sector)):
            if not all(map(math.isnan, sector)):
                raise MalformedInput(
                    "a sector needs azimuth_deg, beamwidth_deg and behind_m",
                    remedy="give all three, or none for a cell that serves all around",
                )
            return
        _within("azimuth_deg", self.azimuth_deg, (0, 360))
        _within("beamwidth_deg", self.beam_deg, (1, 360))
        _within("behind_m", self.behind_m, (0, self.range_m))

    @property
    def circle(self) -> Circle:
        """A circle with every place in it where the cell serves.

        Of a sector it is the smallest that holds it, and then as much larger as `behind_m` asks.
        """
        half = math.radians(self.beam_deg) / 2
        if math.isnan(half) or half >= math.pi / 2:
            return Circle(self.site, self.range_m)
        if half <= math.pi / 4:
            away_m = radius_m = self.range_m / (2 * math.cos(half))
        else:
            away_m, radius_m = self.range_m * math.cos(half), self.range_m * math.sin(half)
        if away_m + self.behind_m >= self.range_m:
            return Circle(self.site, self.range_m)
        centre = destination(self.site, azimuth_deg=self.azimuth_deg, distance_m=away_m)
        # The plane of the formulas and the ellipsoid are 24 m apart at 100 km.
        wide_m = max(radius_m, away_m + self.behind_m) * (1 + _PLANE_SHARE)
        return Circle(centre, min(wide_m, RANGE_M[1]))


def check_plmn(text: str) -> str:
    """Returns MCC and MNC as 5 or 6 digits. Raises MalformedInput for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) in (5, 6)):
        raise MalformedInput(
            f"not a PLMN: {text[:24]!r}", remedy="write country and network code, such as 99970"
        )
    return text


def _within(what: str, value: float, ends: tuple[float, float]) -> None:
    if not ends[0] <= value <= ends[1]:
        raise MalformedInput(f"{what} is {value:g}; it is {ends[0]:g} to {ends[1]:g}")
