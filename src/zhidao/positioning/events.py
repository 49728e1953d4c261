"""What the positioning room tells the others."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zhidao.core.events import Fact


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place to arrive at: a circle (nanodegrees WGS 84, millimetres) with a name."""

    name: str
    latitude_ndeg: int
    longitude_ndeg: int
    radius_mm: int


class Marks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The independent marks of an arrival; a condition names just those that it needs.

    `inside_risk_ppb`: probability in parts per billion that the place is outside although proven
    inside; 0 means this mark is absent. `disagreed_by`: who contradicted; it always blocks.
    """

    signed_by_terminal: bool
    bound_to_goods: bool
    recomputed: bool
    corroborated_by: list[str]
    disagreed_by: list[str]
    inside_risk_ppb: int


class NavigationAdded(Fact, frozen=True, kw_only=True):
    """Broadcast ephemerides were added by the operator. Aggregate `navigation/<digest>`."""

    TYPE: ClassVar[str] = "positioning.NavigationAdded.v1"
    digest: str
    systems: str
    ephemerides: int
    first_at: str
    last_at: str


class ArrivalExpected(Fact, frozen=True, kw_only=True):
    """Somebody waits for a consignment at a site. Aggregate `arrival/<consignment>`."""

    TYPE: ClassVar[str] = "positioning.ArrivalExpected.v1"
    consignment: str
    terminal: str
    site: Site
    not_before: str
    not_after: str
    risk_ppb: int


class TerminalWatched(Fact, frozen=True, kw_only=True):
    """Windows of a terminal concern a consignment. Aggregate `watch/<terminal>/<consignment>`.

    Written just before `ArrivalExpected`, so that a window finds its consignments by its terminal.
    """

    TYPE: ClassVar[str] = "positioning.TerminalWatched.v1"
    terminal: str
    consignment: str


class ArrivalProven(Fact, frozen=True, kw_only=True):
    """The fix plus its protection level lay inside the site. Aggregate `arrival/<consignment>`.

    `observed_at` is GNSS time of the deciding epoch; `protection_mm` the horizontal protection
    level at `marks.inside_risk_ppb`; `evidence` the digest of the replayable evidence.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalProven.v1"
    consignment: str
    terminal: str
    site: Site
    observed_at: str
    latitude_ndeg: int
    longitude_ndeg: int
    height_mm: int
    protection_mm: int
    satellites: int
    epochs: int
    marks: Marks
    window: str
    navigation: str
    evidence: str
    simulated: bool


class ArrivalNotProven(Fact, frozen=True, kw_only=True):
    """A window was examined and proves no arrival. Aggregate `arrival/<consignment>`.

    `reason`: outside, bound_too_wide, too_few_satellites, fault_not_excluded, no_navigation,
    too_early, too_late, terminal_not_bound, not_signed, network_disagrees, unreadable.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalNotProven.v1"
    consignment: str
    terminal: str
    reason: str
    sentence: str
    observed_at: str
    latitude_ndeg: int
    longitude_ndeg: int
    protection_mm: int
    marks: Marks
    window: str
    evidence: str
    simulated: bool
