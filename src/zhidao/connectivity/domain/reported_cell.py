"""Cells that terminals of this node tell of themselves, and the table that says where they serve.

A report is the word of the terminal's modem and comes over a line that nobody signs. It may
contradict a fix, as a cell two valleys away does; that it agrees proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.network_area import Area
from zhidao.connectivity.domain.served_cell import check_plmn
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Circle, Geodetic
from zhidao.core.timescale import Utc

# TS 23.003: location or tracking area code, 24 bits in NR; cell identity, 36 bits in NR.
AREA_MAX: Final = 2**24 - 1
IDENTITY_MAX: Final = 2**36 - 1
_CODE_MAX: Final = 999
# No degree of latitude is shorter, so what is farther apart needs no geodesic.
_DEGREE_M: Final = 110_000


@dataclass(frozen=True, slots=True, order=True)
class CellName:
    """A cell as terminals name it: codes of country and network, area (LAC or TAC), identity.

    Terminals tell the network's code as a number, so 01 and 001 are one here.
    """

    mcc: int
    mnc: int
    area: int
    identity: int

    def __post_init__(self) -> None:
        # No country is below 200 (ITU-T E.212), but for 001 of test networks.
        known = self.mcc == 1 or 200 <= self.mcc <= _CODE_MAX
        if not (known and 0 <= self.mnc <= _CODE_MAX):
            raise MalformedInput(f"no network has the codes {self.mcc} and {self.mnc}")
        # Modems write all ones where they know nothing, and zeros where a list is filled up.
        if not (0 < self.area <= AREA_MAX and 0 < self.identity <= IDENTITY_MAX):
            raise MalformedInput(f"no cell: area {self.area}, identity {self.identity}")
        if self.area in (0xFFFF, AREA_MAX) or self.identity in (0xFFFF, 0xFFFFFFF, 0xFFFFFFFF):
            raise MalformedInput("a modem without a cell")

    def is_of(self, plmn: str) -> bool:
        """Whether it is a cell of a network, by MCC and MNC of five or six digits."""
        check_plmn(plmn)
        return self.mcc == int(plmn[:3]) and self.mnc == int(plmn[3:])


@dataclass(frozen=True, slots=True)
class CellReport:
    """At a time a terminal was served by a cell, as it says itself."""

    terminal: str
    at: Utc
    cell: CellName


@dataclass(frozen=True, slots=True)
class SiteRow:
    """Where a cell serves, from a time on and until another. No time: ever since, or until now.

    areas: within the circle, in each of these.
    """

    cell: CellName
    circle: Circle
    since: tuple[Utc, ...] = ()
    until: tuple[Utc, ...] = ()
    areas: tuple[Area, ...] = ()

    def __post_init__(self) -> None:
        if self.since and self.until and self.until[0].since_ns(self.since[0]) <= 0:
            raise MalformedInput(
                f"until {self.until[0]} is not behind since {self.since[0]}",
                remedy="write the earlier time into since",
            )

    def holds(self, at: Utc) -> bool:
        """Whether it says where the cell served at a time; at its end it does no more."""
        begun = not self.since or at.since_ns(self.since[0]) >= 0
        return begun and (not self.until or at.since_ns(self.until[0]) < 0)

    def overlaps(self, other: SiteRow) -> bool:
        """Whether both say something of one time."""
        before = bool(self.until and other.since) and self.until[0].since_ns(other.since[0]) <= 0
        after = bool(other.until and self.since) and other.until[0].since_ns(self.since[0]) <= 0
        return not (before or after)


class Sites:
    """An operator's table of sites: of each cell the rows, which never overlap in time."""

    def __init__(self, rows: Iterable[SiteRow] = ()) -> None:
        self._rows: dict[CellName, list[SiteRow]] = {}
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: SiteRow) -> None:
        """Adds a row. Raises MalformedInput where another says something of the same time."""
        beside = self._rows.setdefault(row.cell, [])
        if any(row.overlaps(each) for each in beside):
            raise MalformedInput(
                "this cell stands in the table already for the same time",
                remedy="keep one of the rows, or end one with until before the other begins",
            )
        beside.append(row)

    def knows(self, cell: CellName) -> bool:
        """Whether the table has a cell, for whatever time."""
        return cell in self._rows

    def of(self, cell: CellName, at: Utc) -> tuple[SiteRow, ...]:
        """The row that says where the cell served at a time, or nothing."""
        return tuple(row for row in self._rows.get(cell, ()) if row.holds(at))

    def circles(self, at: Utc) -> tuple[Circle, ...]:
        """All circles in which cells serve at a time."""
        return tuple(row.circle for rows in self._rows.values() for row in rows if row.holds(at))

    def covers(self, place: Geodetic, radius_m: float, at: Utc) -> bool:
        """Whether a cell serves anything of a circle."""
        return any(
            abs(place.latitude_deg - each.centre.latitude_deg) * _DEGREE_M
            <= each.radius_m + radius_m
            and apart_m(place, each.centre) <= each.radius_m + radius_m
            for each in self.circles(at)
        )
