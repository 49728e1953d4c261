"""Areas by their corners: whether a point lies inside, and how far from the nearest edge.

Every question is answered in the azimuthal equidistant picture around the asked point: distances
and directions from that point are those of the geodesics, whatever the latitude, and neither the
date line nor a pole is anything special. Standard library only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, course, destination

CORNERS_MAX: Final = 256
# Beyond this a straight edge in the plane around the asked point is no good geodesic any more.
REACH_M: Final = 100_000.0
# Corners are written in nanodegrees (0.1 mm): whatever lies closer than this is meant to touch.
TOUCH_M: Final = 0.001
_Point = tuple[float, float]
_Edge = tuple[_Point, _Point]


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area by its corners in order, either way round, last joined to first; at most 100 km wide.

    Edges are straight in the picture around the asked point; for edges up to 10 km that is within
    1 mm of the geodesic. The outline neither crosses nor touches itself: what would be inside of
    such a figure is a matter of convention, and no payment hangs on a convention.
    """

    corners: tuple[Geodetic, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.corners) <= CORNERS_MAX:
            raise MalformedInput(
                f"a polygon of {len(self.corners)} corners", remedy=f"give 3 to {CORNERS_MAX}"
            )
        if any(_chord_m(self.corners[0], corner) > REACH_M for corner in self.corners):
            raise MalformedInput("a polygon wider than 100 km")
        _refuse_crossing(_picture(self.corners[0], self.corners))

    def contains(self, point: Geodetic, *, margin_m: float = 0.0) -> bool:
        """Whether everything within `margin_m` of the point lies inside."""
        return self.spare_m(point) >= margin_m

    def spare_m(self, point: Geodetic) -> float:
        """How far inside the nearest edge the point lies; negative outside, -inf far away."""
        if _chord_m(self.corners[0], point) > 2 * REACH_M:
            return -math.inf
        seen = _picture(point, self.corners)
        nearest_m = min(_distance_m((0.0, 0.0), edge) for edge in _edges(seen))
        return nearest_m if _surrounds_origin(seen) else -nearest_m

    def middle(self) -> Geodetic:
        """A point well inside: the centre of area, or of the widest cut where that lies outside."""
        origin = self.corners[0]
        seen = _picture(origin, self.corners)
        for east_m, north_m in (_centroid(seen), _widest_cut(seen)):
            found = destination(
                origin,
                azimuth_deg=math.degrees(math.atan2(east_m, north_m)) % 360,
                distance_m=math.hypot(east_m, north_m),
            )
            if self.spare_m(found) > 0:
                break
        return found

    def reach_m(self, point: Geodetic) -> float:
        """From a point to the farthest corner."""
        return max(course(point, corner).distance_m for corner in self.corners)


def _chord_m(one: Geodetic, other: Geodetic) -> float:
    """The straight line between two points on the ellipsoid; it has no trouble with antipodes."""
    ends = (replace(one, height_m=0.0), replace(other, height_m=0.0))
    return ends[0].to_ecef().distance_m(ends[1].to_ecef())


def _picture(origin: Geodetic, corners: Sequence[Geodetic]) -> list[_Point]:
    """Corners as metres east and north of the origin, along geodesics."""
    seen = []
    for corner in corners:
        line = course(origin, corner)
        azimuth = math.radians(line.azimuth_deg)
        seen.append((line.distance_m * math.sin(azimuth), line.distance_m * math.cos(azimuth)))
    return seen


def _edges(corners: Sequence[_Point]) -> Iterator[_Edge]:
    return zip(corners, (*corners[1:], corners[0]), strict=True)


def _surrounds_origin(corners: Sequence[_Point]) -> bool:
    """The even-odd rule on a ray to the east; an end of an edge counts for its upper side only."""
    inside = False
    for (x1, y1), (x2, y2) in _edges(corners):
        if (y1 > 0) != (y2 > 0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0:
            inside = not inside
    return inside


def _distance_m(point: _Point, edge: _Edge) -> float:
    (x1, y1), (x2, y2) = edge
    x1, y1, x2, y2 = x1 - point[0], y1 - point[1], x2 - point[0], y2 - point[1]
    dx, dy = x2 - x1, y2 - y1
    length2 = dx * dx + dy * dy
    along = min(1.0, max(0.0, -(x1 * dx + y1 * dy) / length2)) if length2 else 0.0
    return math.hypot(x1 + along * dx, y1 + along * dy)


def _refuse_crossing(corners: Sequence[_Point]) -> None:
    edges = list(_edges(corners))
    count = len(edges)
    for number, edge in enumerate(edges):
        if math.dist(*edge) < TOUCH_M:
            raise MalformedInput(
                f"corner {number + 1} of the polygon stands twice",
                remedy="give each corner once; the last is joined to the first",
            )
        # The next edge shares a corner; it must not run back over this one.
        following = edges[(number + 1) % count]
        if _distance_m(following[1], edge) < TOUCH_M or _distance_m(edge[0], following) < TOUCH_M:
            raise _crosses(number, (number + 1) % count)
    # In order of their western ends, so that edges far apart never meet here.
    order = sorted(range(count), key=lambda n: min(edges[n][0][0], edges[n][1][0]))
    for place, one in enumerate(order):
        east_m = max(edges[one][0][0], edges[one][1][0]) + TOUCH_M
        for other in order[place + 1 :]:
            if min(edges[other][0][0], edges[other][1][0]) > east_m:
                break
            if abs(one - other) not in (1, count - 1) and _meet(edges[one], edges[other]):
                raise _crosses(*sorted((one, other)))


def _crosses(one: int, other: int) -> MalformedInput:
    return MalformedInput(
        f"edges {one + 1} and {other + 1} of the polygon cross or touch",
        code="polygon_crosses_itself",
        remedy="give the corners in order along the outline, without holes",
    )


def _meet(one: _Edge, other: _Edge) -> bool:
    (_, y1), (_, y2) = one
    (_, y3), (_, y4) = other
    if min(y1, y2) > max(y3, y4) + TOUCH_M or min(y3, y4) > max(y1, y2) + TOUCH_M:
        return False
    parts = (_side(one, other[0]) > 0) != (_side(one, other[1]) > 0)
    if parts and (_side(other, one[0]) > 0) != (_side(other, one[1]) > 0):
        return True
    ends = [*(_distance_m(end, one) for end in other), *(_distance_m(end, other) for end in one)]
    return min(ends) < TOUCH_M


def _side(edge: _Edge, point: _Point) -> float:
    (x1, y1), (x2, y2) = edge
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def _centroid(corners: Sequence[_Point]) -> _Point:
    twice = east = north = 0.0
    for (x1, y1), (x2, y2) in _edges(corners):
        cross = x1 * y2 - x2 * y1
        twice += cross
        east += (x1 + x2) * cross
        north += (y1 + y2) * cross
    # A thread of an outline has hardly any area; its first corner is then as good as any.
    return (east / (3 * twice), north / (3 * twice)) if twice else corners[0]


def _widest_cut(corners: Sequence[_Point]) -> _Point:
    """The middle of the longest west-east cut through the area, between neighbouring corners."""
    heights = sorted({y for _, y in corners})
    best, widest = corners[0], -1.0
    for low, high in itertools.pairwise(heights):
        y = (low + high) / 2
        cuts = sorted(
            x1 + (y - y1) * (x2 - x1) / (y2 - y1)
            for (x1, y1), (x2, y2) in _edges(corners)
            if (y1 > y) != (y2 > y)
        )
        for west, east in zip(cuts[::2], cuts[1::2], strict=True):
            room = min(east - west, high - low)
            if room > widest:
                best, widest = ((west + east) / 2, y), room
    return best
