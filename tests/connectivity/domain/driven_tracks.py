"""Ways that were driven past cells of real sizes, and what was claimed of them: one seed, one way.

Distances between sites are those of TR 38.901 (tables 7.2-1 and 7.2-3: 200, 500, 1732 and 5000 m)
and 10 and 20 km, as along a road through a steppe; the antenna is that of table 7.3-1 in azimuth.
Who serves is drawn by path loss, antenna and shadowing that lasts, with a margin for handover. The
signal takes a way longer than the straight one; a report comes late, of the cell before, or not.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.network_area import STEP_M, Disc, Ring, Sector
from zhidao.connectivity.domain.track_mark import Fix, Seen, windowed
from zhidao.core.geo import Circle, Geodetic, course, destination
from zhidao.core.timescale import NS, Utc

START = Utc.parse("2026-11-30T06:00:00Z")
SPACINGS_M = (200.0, 500.0, 1_732.0, 5_000.0, 10_000.0, 20_000.0)
# The operator's table comes from so many drives, with so much to spare beyond what they found.
DRIVES = 4
SPARE_SHARE, SPARE_M, SPARE_DEG = 0.3, 250.0, 25.0
BEHIND_SHARE = 0.35
# No table takes a cell that is served farther away.
RANGE_MOST_M = 100_000.0
DETOUR_M, ERROR_M = 700.0, 120.0
EVERY_S = 30
SPOOF_M = 2_000.0
SPOOFS = ("shifted", "dragged", "delayed", "parked", "turned off")


@dataclass(frozen=True, slots=True)
class Site:
    """Three sectors on a mast; number: of the fix of the way near which it stands."""

    number: int
    place: Geodetic
    spacing_m: float
    turn_deg: float


# A sector of a site, by where its antenna looks.
Cell = tuple[Site, float]


@dataclass(frozen=True, slots=True)
class Way:
    """Where the vehicle was every thirty seconds, and what a network saw of it."""

    places: tuple[Geodetic, ...]
    sites: tuple[Site, ...]
    seed: int

    def place_at(self, second: float) -> Geodetic:
        """Where it was at a time of the way, which begins and ends at a halt."""
        steps = min(max(second / EVERY_S, 0.0), len(self.places) - 1.0)
        whole = min(int(steps), len(self.places) - 2)
        one, other = self.places[whole], self.places[whole + 1]
        share = steps - whole
        return Geodetic(
            one.latitude_deg + share * (other.latitude_deg - one.latitude_deg),
            one.longitude_deg + share * (other.longitude_deg - one.longitude_deg),
        )

    def at(self, second: float) -> Utc:
        """A time of the way."""
        return START.plus_ns(round(second * NS))


def way(seed: int) -> Way:
    """A vehicle on a road that bends, past sites beside it, for thirty minutes to two hours."""
    draw = random.Random(seed)
    place = Geodetic(draw.uniform(36, 52), draw.uniform(50, 115))
    heading_deg, speed_mps = draw.uniform(0, 360), draw.uniform(8, 28)
    spacing_m = draw.choice(SPACINGS_M)
    places, sites, since_m = [place], [], math.inf
    for _ in range(draw.randint(60, 240)):
        heading_deg += draw.gauss(0, 6)
        speed_mps = min(33.0, max(3.0, speed_mps + draw.gauss(0, 1.5)))
        if draw.random() < 0.01:
            spacing_m = draw.choice(SPACINGS_M)
        step_m = speed_mps * EVERY_S
        since_m += step_m
        while since_m >= spacing_m:
            since_m = 0.0 if math.isinf(since_m) else since_m - spacing_m
            away_m = abs(draw.gauss(0, 0.3)) * spacing_m + 20
            aside_deg = heading_deg + draw.choice((90, -90)) + draw.uniform(-30, 30)
            sites.append(
                Site(
                    len(places) - 1,
                    destination(place, azimuth_deg=aside_deg % 360, distance_m=away_m),
                    *(spacing_m, draw.uniform(0, 120)),
                )
            )
        place = destination(place, azimuth_deg=heading_deg % 360, distance_m=step_m)
        places.append(place)
    return Way(tuple(places), tuple(sites), seed)


@dataclass(frozen=True, slots=True)
class Row:
    """Of a cell in the operator's table; a beam of 360 degrees is none."""

    range_m: float
    beam_deg: float

    @property
    def behind_m(self) -> float:
        return BEHIND_SHARE * self.range_m


def table(driven: Way) -> dict[Cell, Row]:
    """Where the cells serve, as drives on the same road found; a cell that they missed is in none."""
    served: dict[Cell, list[tuple[float, float]]] = {}
    for drive in range(DRIVES):
        draw = random.Random(driven.seed + 4_000_003 + drive)
        serving, shadows = None, {}
        for number in range(len(driven.places)):
            place = driven.place_at(number * EVERY_S + draw.uniform(-15, 15))
            serving = _serving(driven, number, place, shadows, serving, draw)
            site, azimuth_deg = serving
            seen_from = course(site.place, place)
            off_deg = abs((seen_from.azimuth_deg - azimuth_deg + 180) % 360 - 180)
            served.setdefault(serving, []).append((seen_from.distance_m, off_deg))
    rows = {}
    for cell, found in served.items():
        range_m = max(away_m for away_m, _ in found) * (1 + SPARE_SHARE) + SPARE_M
        if range_m > RANGE_MOST_M:
            continue
        aside = [off_deg for away_m, off_deg in found if away_m > BEHIND_SHARE * range_m]
        rows[cell] = Row(range_m, min(360.0, 2 * (max([60.0, *aside]) + SPARE_DEG)))
    return rows


def seen(driven: Way, *, advance: bool = True, sector: bool = True) -> tuple[Seen, ...]:
    """What the network says of it. advance, sector: whether it tells them beside the cell."""
    draw = random.Random(driven.seed + 1_000_003)
    rows, found = table(driven), []
    serving: Cell | None = None
    shadows: dict[tuple[int, int], float] = {}
    for number in range(len(driven.places)):
        told_s = number * EVERY_S + draw.uniform(-10, 10)
        was_s = told_s - (draw.uniform(2, 8) if draw.random() < 0.05 else 0.0)
        place = driven.place_at(was_s)
        serving = _serving(driven, number, place, shadows, serving, draw)
        if draw.random() < 0.1:
            continue
        site, azimuth_deg = serving
        at = driven.at(told_s)
        window = (at.plus_ns(-600 * NS), at.plus_ns(600 * NS))
        row = rows.get(serving)
        if row is None:
            found.append(Seen("corridor", at, *window, why="a cell of no table"))
            continue
        areas: list[Disc | Sector | Ring] = [Disc(Circle(site.place, row.range_m))]
        if sector and row.beam_deg < 360:
            areas.append(Sector(site.place, row.range_m, azimuth_deg, row.beam_deg, row.behind_m))
        if advance:
            detour_m = draw.expovariate(1 / (250 if draw.random() < 0.1 else 40))
            path_m = apart_m(site.place, place) + detour_m
            steps = max(0, round(path_m / STEP_M + draw.gauss(0, 0.4)))
            areas.append(Ring.of_advance(site.place, steps, detour_m=DETOUR_M, error_m=ERROR_M))
        found.append(Seen("corridor", at, *window, tuple(areas)))
    return windowed(found)


def honest(driven: Way) -> list[Fix]:
    """What an honest receiver tells: within its bound."""
    draw = random.Random(driven.seed + 2_000_003)
    return [_fix(driven, number, place, draw) for number, place in enumerate(driven.places)]


def spoofed(driven: Way, kind: str, away_m: float) -> list[Fix]:
    """What is claimed instead of where the vehicle is."""
    draw = random.Random(driven.seed + 3_000_003)
    claimed = _CLAIMS[kind](driven, away_m, draw)
    return [_fix(driven, number, place, draw) for number, place in enumerate(claimed)]


def planted(first: int, *, farthest_m: float = 30_000.0) -> Iterator[tuple[Way, str, list[Fix]]]:
    """Ways with a claim that is two kilometres off or more for a quarter of them at least."""
    seed = first
    while True:
        driven, draw = way(seed), random.Random(seed + 5_000_003)
        kind = SPOOFS[seed % len(SPOOFS)]
        away_m = SPOOF_M * (farthest_m / SPOOF_M) ** draw.random()
        claimed = spoofed(driven, kind, away_m)
        if displaced_share(driven, claimed) >= 0.25:
            yield driven, kind, claimed
        seed += 1


def displaced_share(driven: Way, fixes: list[Fix]) -> float:
    """For which share of the fixes the vehicle was two kilometres or more elsewhere."""
    far = [
        apart_m(fix.place, place) >= SPOOF_M - 50
        for fix, place in zip(fixes, driven.places, strict=True)
    ]
    return sum(far) / len(far)


def _fix(driven: Way, number: int, place: Geodetic, draw: random.Random) -> Fix:
    bound_m = draw.uniform(10, 40)
    off_m = min(bound_m, abs(draw.gauss(0, bound_m / 4)))
    told = destination(place, azimuth_deg=draw.uniform(0, 360), distance_m=off_m)
    return Fix(driven.at(number * EVERY_S), told, bound_m)


def _shifted(driven: Way, away_m: float, draw: random.Random) -> list[Geodetic]:
    towards_deg = draw.uniform(0, 360)
    return [
        destination(place, azimuth_deg=towards_deg, distance_m=away_m) for place in driven.places
    ]


def _dragged(driven: Way, away_m: float, draw: random.Random) -> list[Geodetic]:
    towards_deg, until = draw.uniform(0, 360), len(driven.places) * draw.uniform(0.2, 0.7)
    return [
        destination(place, azimuth_deg=towards_deg, distance_m=max(0.1, away_m * min(1, n / until)))
        for n, place in enumerate(driven.places)
    ]


def _delayed(driven: Way, away_m: float, draw: random.Random) -> list[Geodetic]:
    """It lags behind: waits until the vehicle is away, then goes the same way."""
    begun = draw.randrange(len(driven.places) // 3)
    lag = next(
        (
            n
            for n in range(1, len(driven.places) - begun)
            if apart_m(driven.places[begun], driven.places[begun + n]) >= away_m
        ),
        len(driven.places) - begun,
    )
    return [
        driven.places[n if n < begun else max(begun, n - lag)] for n in range(len(driven.places))
    ]


def _parked(driven: Way, _: float, draw: random.Random) -> list[Geodetic]:
    halt = draw.randrange(len(driven.places) // 2)
    return [driven.places[min(n, halt)] for n in range(len(driven.places))]


def _turned_off(driven: Way, _: float, draw: random.Random) -> list[Geodetic]:
    """From a junction on it claims another road, which goes away at an angle."""
    fork = driven.places[draw.randrange(len(driven.places) // 3)]
    turn_deg = draw.choice((1, -1)) * draw.uniform(25, 150)
    begun = driven.places.index(fork)
    claimed = []
    for number, place in enumerate(driven.places):
        if number <= begun:
            claimed.append(place)
            continue
        gone = course(fork, place)
        claimed.append(
            destination(
                fork,
                azimuth_deg=(gone.azimuth_deg + turn_deg) % 360,
                distance_m=max(0.1, gone.distance_m),
            )
        )
    return claimed


_CLAIMS: dict[str, Callable[[Way, float, random.Random], list[Geodetic]]] = {
    "shifted": _shifted,
    "dragged": _dragged,
    "delayed": _delayed,
    "parked": _parked,
    "turned off": _turned_off,
}


def _serving(
    driven: Way,
    number: int,
    place: Geodetic,
    shadows: dict[tuple[int, int], float],
    before: Cell | None,
    draw: random.Random,
) -> Cell:
    """The strongest sector near a fix, or the one before while it is within 3 dB of it."""
    best, kept = (-math.inf, (driven.sites[0], 0.0)), -math.inf
    middle = bisect_left(driven.sites, number, key=lambda each: each.number)
    for index in range(max(0, middle - 5), min(len(driven.sites), middle + 5)):
        site = driven.sites[index]
        at_site = course(site.place, place)
        loss_db = 35 * math.log10(max(35.0, at_site.distance_m) / site.spacing_m)
        for sector in range(3):
            # Shadowing stays alike from one report to the next.
            old = shadows.get((index, sector))
            new = draw.gauss(0, 6)
            shadow = new if old is None else 0.8 * old + 0.6 * new
            shadows[index, sector] = shadow
            azimuth_deg = (site.turn_deg + 120 * sector) % 360
            off_deg = abs((at_site.azimuth_deg - azimuth_deg + 180) % 360 - 180)
            level_db = shadow - loss_db - min(12 * (off_deg / 65) ** 2, 30)
            if before == (site, azimuth_deg):
                kept = level_db
            best = max(best, (level_db, (site, azimuth_deg)), key=lambda each: each[0])
    return before if before is not None and kept >= best[0] - 3 else best[1]
