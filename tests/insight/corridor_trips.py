"""Seeded trips over a border whose true times are known: queues, gaps, ferries, turn-backs, noise."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhidao.core.geo import Geodetic, destination
from zhidao.insight.domain.corridor.passages import Track

START_S = 1_772_323_200  # 2026-03-01T00:00:00Z
WEST, EAST = "west", "east"
# Along the road, in kilometres: where each post begins and ends.
POSTS = {WEST: (100.0, 101.2), EAST: (102.0, 103.5)}
BORDER = Geodetic(44.2, 80.2)
ROAD_KM = 203.0
WIDTH_M = 400.0


def corridor(name: str = "Border", origin: Geodetic = BORDER) -> bytes:
    """The crossing as GeoJSON: two oblongs along a road to the east."""
    features: list[Any] = []
    for side, (begin, end) in POSTS.items():
        corners = [
            on_road(km, origin, off_m)
            for km, off_m in ((begin, -WIDTH_M), (end, -WIDTH_M), (end, WIDTH_M), (begin, WIDTH_M))
        ]
        ring = [[point.longitude_deg, point.latitude_deg] for point in (*corners, corners[0])]
        features.append(
            {
                "type": "Feature",
                "properties": {"crossing": name, "side": side},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def on_road(km: float, origin: Geodetic = BORDER, off_m: float = 0.0) -> Geodetic:
    """A place on the road, or so far to the south of it."""
    point = destination(origin, azimuth_deg=90.0, distance_m=1000 * km)
    if not off_m:
        return point
    return destination(point, azimuth_deg=180.0 if off_m > 0 else 0.0, distance_m=abs(off_m))


@dataclass
class Trip:
    """A trip as it truly went: (second, kilometre) points of a line, and true times at each side."""

    line: list[tuple[float, float]] = field(default_factory=list)
    entered: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)

    def hours(self, side: str) -> float:
        """At one side, or `whole`."""
        sides = (WEST, EAST) if side == "whole" else (side,)
        entered = min(self.entered[each] for each in sides)
        return (max(self.left[each] for each in sides) - entered) / 3600


def drive(draw: random.Random) -> Trip:
    """To the east, or the west: queues, stays, and now and then a way back to the queue."""
    trip = Trip()
    at_s, km = START_S + draw.random() * 80 * 86_400, 0.0
    forth = draw.random() < 0.5
    posts = [(WEST, *POSTS[WEST]), (EAST, *POSTS[EAST])]
    if not forth:
        posts = [(side, ROAD_KM - end, ROAD_KM - begin) for side, begin, end in reversed(posts)]

    def go(to_km: float, km_h: float) -> None:
        nonlocal at_s, km
        at_s += abs(to_km - km) / km_h * 3600
        km = to_km
        trip.line.append((at_s, km))

    def wait(hours: float) -> None:
        nonlocal at_s
        at_s += hours * 3600
        trip.line.append((at_s, km))

    trip.line.append((at_s, km))
    for side, begin, end in posts:
        queue_km = begin - draw.uniform(0.05, 0.6)
        go(queue_km, draw.uniform(45, 75))
        wait(draw.expovariate(1 / 2))
        go(begin, 10)
        trip.entered[side] = at_s
        if draw.random() < 0.06:
            go(begin + 0.5, 10)
            wait(draw.uniform(0.5, 2))
            # Not as far as the post before.
            go(begin - draw.uniform(0.1, 0.7), 20)
            wait(draw.uniform(0.5, 5))
            go(begin, 20)
        go((begin + end) / 2, 10)
        wait(draw.expovariate(1 / 3) + 0.3)
        go(end, 10)
        trip.left[side] = at_s
    go(ROAD_KM, draw.uniform(45, 75))
    wait(12)
    if not forth:
        trip.line = [(when, ROAD_KM - place) for when, place in trip.line]
    return trip


def reported(trip: Trip, draw: random.Random, name: str, party: str) -> Track:
    """Reports of a trip: every 1 to 30 minutes, with gaps up to 8 hours and a ferry's silence."""
    every_s = draw.choice((60, 120, 300, 600, 900, 1800))
    times = [trip.line[0][0] + draw.random() * every_s]
    while times[-1] < trip.line[-1][0]:
        step = every_s * draw.uniform(0.9, 1.1)
        if draw.random() < every_s / 3600 * 0.005:
            step += draw.uniform(0.2, 8) * 3600
        times.append(times[-1] + step)
    times = times[:-1]
    if draw.random() < 0.05:
        # A ferry or tunnel between the posts: nobody hears it.
        low, high = sorted((trip.left[WEST], trip.entered[EAST]))
        times = [when for when in times if not low - 600 < when < high + 600]
    when, where = np.array(trip.line).T
    km = np.interp(times, when, where)
    error_m = (
        np.array([draw.gauss(0, 5) for _ in times]),
        np.array([draw.gauss(0, 5) for _ in times]),
    )
    # Small differences of place: metres to degrees around the border.
    lat_m, lon_m = 111_100.0, 111_320.0 * math.cos(math.radians(BORDER.latitude_deg))
    line = [on_road(each) for each in km]
    return Track(
        consignment=name,
        party=party,
        mode="road",
        at_ns=np.array([int(each * 1_000_000) * 1000 for each in times], dtype=np.int64),
        latitude_deg=np.array([p.latitude_deg for p in line]) + error_m[0] / lat_m,
        longitude_deg=np.array([p.longitude_deg for p in line]) + error_m[1] / lon_m,
        bound_m=np.full(len(times), 30.0),
    )


def as_csv(tracks: list[Track]) -> list[bytes]:
    """The lines of the table of tracks."""
    lines = [b"consignment,party,mode,at,latitude_deg,longitude_deg,bound_m\n"]
    for track in tracks:
        for row in zip(
            track.at_ns, track.latitude_deg, track.longitude_deg, track.bound_m, strict=True
        ):
            at = np.datetime64(int(row[0]) // 1000, "us")
            place = ",".join(repr(float(number)) for number in row[1:])
            lines.append(f"{track.consignment},{track.party},{track.mode},{at}Z,{place}\n".encode())
    return lines
