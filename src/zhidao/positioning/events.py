"""What the positioning room tells the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.core.events import Fact
from zhidao.core.geo import Circle, Geodetic
from zhidao.core.polygon import Polygon


class Corner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A corner of a site, nanodegrees WGS 84."""

    latitude_ndeg: int
    longitude_ndeg: int


class Site(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A place to arrive at, with a name: a polygon, or a circle (nanodegrees WGS 84, millimetres).

    A polygon has `corners` in order along its outline, a `radius_mm` of 0, and a point inside of
    it as latitude and longitude. A circle has no corners, and is written as it was before there
    were any: readers of version 0.1 read circles still, and refuse what they cannot understand.
    """

    name: str
    latitude_ndeg: int
    longitude_ndeg: int
    radius_mm: int
    corners: list[Corner] = []

    @classmethod
    def of_polygon(cls, name: str, polygon: Polygon) -> Self:
        """A polygon under a name."""
        middle = polygon.middle()
        return cls(
            name=name,
            latitude_ndeg=middle.latitude_ndeg,
            longitude_ndeg=middle.longitude_ndeg,
            radius_mm=0,
            corners=[
                Corner(latitude_ndeg=c.latitude_ndeg, longitude_ndeg=c.longitude_ndeg)
                for c in polygon.corners
            ],
        )

    @property
    def middle(self) -> Geodetic:
        """The circle's centre, or a point inside of the polygon. Raises MalformedInput."""
        return Geodetic.from_ndeg(
            latitude_ndeg=self.latitude_ndeg, longitude_ndeg=self.longitude_ndeg
        )

    def area(self) -> Circle | Polygon:
        """The place as a shape.

        Raises MalformedInput for coordinates, sizes and outlines that are none.
        """
        if not self.corners:
            return Circle(self.middle, self.radius_mm / 1000)
        if self.radius_mm:
            raise MalformedInput("a site is a circle with a radius or a polygon with corners")
        polygon = Polygon(
            tuple(
                Geodetic.from_ndeg(latitude_ndeg=c.latitude_ndeg, longitude_ndeg=c.longitude_ndeg)
                for c in self.corners
            )
        )
        if polygon.spare_m(self.middle) <= 0:
            raise MalformedInput(
                "the point that stands for the polygon lies outside of it",
                remedy="give a latitude and longitude inside",
            )
        return polygon


class Marks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The independent marks of an arrival; a condition names just those that it needs.

    `inside_risk_ppb`: probability in parts per billion that the place is outside although proven
    inside; 0 means this mark is absent. `inside_open_sky_model_ppb`: the same by the error models
    of an open sky, where nobody measured the errors in the terminal's class of surroundings; it is
    the weaker mark, and only one of the two is given. `disagreed_by`: who contradicted; it always
    blocks.
    """

    signed_by_terminal: bool
    bound_to_goods: bool
    recomputed: bool
    corroborated_by: list[str]
    disagreed_by: list[str]
    inside_risk_ppb: int
    inside_open_sky_model_ppb: int = 0

    @property
    def inside_by_any_model_ppb(self) -> int:
        """The risk of the stronger mark, or else of the weaker one; 0 if neither is given."""
        return self.inside_risk_ppb or self.inside_open_sky_model_ppb


class NavigationAdded(Fact, frozen=True, kw_only=True):
    """Broadcast ephemerides were added by the operator. Aggregate `navigation/<digest>`."""

    TYPE: ClassVar[str] = "positioning.NavigationAdded.v1"
    digest: str
    systems: str
    ephemerides: int
    first_at: str
    last_at: str


class BaseAdded(Fact, frozen=True, kw_only=True):
    """A base station's recording was added by the operator. Aggregate `base/<digest>`.

    `ecef_mm`: the surveyed place of its antenna, which the recording's header holds.
    """

    TYPE: ClassVar[str] = "positioning.BaseAdded.v1"
    digest: str
    marker: str
    ecef_mm: list[int]
    first_at: str
    last_at: str


class Carried(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several containers, and the terminal that rides with it and with no other."""

    container: str
    terminal: str


class ArrivalExpected(Fact, frozen=True, kw_only=True):
    """Somebody waits for a consignment at a site. Aggregate `arrival/<consignment>`.

    Version 2 is of one `container` among several: there is one such fact for each, written at once.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalExpected.v1"
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "positioning.ArrivalExpected.v2": {"container": ""}
    }
    consignment: str
    terminal: str
    site: Site
    not_before: str
    not_after: str
    risk_ppb: int
    container: str = ""


class ArrivalWithdrawn(Fact, frozen=True, kw_only=True):
    """What was awaited so far is awaited no more. Aggregate `arrival/<consignment>`.

    Asserted by whoever awaited it, before anything of it was proven. Where it is changed, what is
    awaited instead is written at once after it; else nobody waits until somebody asks again.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalWithdrawn.v1"
    consignment: str
    reason: str


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
    level at the asked risk; `evidence` the digest of the replayable evidence.
    Since version 2: `before` is the digest of the terminal's window before, empty if there is none;
    `surroundings` the class that the terminal is registered with; `open_questions`: codes of what
    remains possible although nothing was found. Version 3: `container` is which of several arrived.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalProven.v2"
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "positioning.ArrivalProven.v1": {"before": "", "surroundings": "", "open_questions": []}
    }
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "positioning.ArrivalProven.v3": {"container": ""}
    }
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
    before: str = ""
    surroundings: str = ""
    open_questions: list[str] = msgspec.field(default_factory=list)
    container: str = ""


class ArrivalNotProven(Fact, frozen=True, kw_only=True):
    """A window was examined and proves no arrival. Aggregate `arrival/<consignment>`.

    `reason`: outside, bound_too_wide, too_few_satellites, fault_not_excluded, not_fixed,
    no_navigation, too_early, too_late, signals_suspect, terminal_not_bound, not_signed,
    network_disagrees, unreadable, stretch_broken, unchecked_code, unchecked_phase,
    unchecked_doppler, unchecked_strength. The last five came with version 2, and with them `before`
    as in `ArrivalProven`. Version 3: `container` is which of several did not.
    """

    TYPE: ClassVar[str] = "positioning.ArrivalNotProven.v2"
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "positioning.ArrivalNotProven.v1": {"before": ""}
    }
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "positioning.ArrivalNotProven.v3": {"container": ""}
    }
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
    before: str = ""
    container: str = ""


def risk_in_words(risk_ppb: int) -> str:
    """A probability in parts per billion as people say it: `1 in 100,000` for 10,000."""
    if risk_ppb > 0 and 10**9 % risk_ppb == 0:
        return f"1 in {10**9 // risk_ppb:,}"
    return f"{risk_ppb:,} in a billion"
