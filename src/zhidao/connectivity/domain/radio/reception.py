"""The chance that a terminal is served at each place, as a span: the models end somewhere.

A chance is that shadow fading, normal in decibels, leaves enough of the link budget. Inside the
ranges of TR 38.901 both ends of the span are one value. Beyond its far end nothing is claimed to
serve, and at best the loss grows from there as in free space, to the horizon of a smooth Earth;
nearer than its near end a link is at least as good as there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from zhidao.connectivity.domain.radio.link_budget import (
    INSIDE_GHZ,
    Cell,
    Inside,
    Terminal,
    aside_db,
    carried_db,
)
from zhidao.connectivity.domain.radio.path_loss import (
    VALIDITY,
    Floats,
    Links,
    Model,
    Surroundings,
    blocked_loss_db,
    check_ends,
    clear_chance,
    clear_loss_db,
)
from zhidao.connectivity.domain.radio.route_line import ecef_m
from zhidao.core.errors import MalformedInput

Numbers = npt.NDArray[np.int64]
_Pairs = tuple[Numbers, Numbers, Floats, Floats]
CELLS_MAX: Final = 10_000
# Four thirds of the mean radius: the usual bend of radio over a smooth Earth. Not of the TR.
_BENT_RADIUS_M: Final = 4 / 3 * 6_371_000.0
_BLOCK_PAIRS: Final = 2_000_000
# Some minutes of work.
LINKS_MAX: Final = 50_000_000
# Antennas so near to each other hang on one mast or one roof, and share what shadows them.
SITE_M: Final = 100.0
_NO_CELL: Final = -1


class Sight(StrEnum):
    """How a line of sight is counted: by its chance (table 7.4.2-1), or never."""

    EXPECTED = "expected"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class Radio:
    """Everything that is assumed of terminals and of what surrounds them.

    extrapolate: where the models end, their formulas go on to the horizon, and that is told.
    """

    terminal: Terminal = field(default_factory=Terminal)
    around: Surroundings = field(default_factory=Surroundings)
    sight: Sight = Sight.EXPECTED
    extrapolate: bool = False


@dataclass(frozen=True, slots=True)
class Chances:
    """At each place: the span of the chance of service, and the cell that gives most of it.

    Arrays of shape (n,). beyond: the chance if the formulas went on where the models end, within
    the span. cell: index into the cells, -1 where none is in reach.
    """

    low: Floats
    beyond: Floats
    high: Floats
    cell: Numbers


def check_cell(cell: Cell, radio: Radio) -> None:
    """Raises MalformedInput where a model is not for the cell, its terminals, or a vehicle."""
    frequency_ghz = cell.frequency_mhz / 1e3
    check_ends(
        cell.model,
        base_height_m=cell.height_m,
        frequency_ghz=frequency_ghz,
        around=radio.around,
    )
    inside = radio.terminal.inside
    if inside is not Inside.NOTHING and not INSIDE_GHZ[0] <= frequency_ghz <= INSIDE_GHZ[1]:
        raise MalformedInput(
            f"a frequency {frequency_ghz:g} GHz: TR 38.901 clause 7.4.3.2 gives the loss through"
            f" a vehicle for {INSIDE_GHZ[0]:g} to {INSIDE_GHZ[1]:g} GHz",
            code="outside_model",
            remedy="leave out --inside, and give its loss by --loss",
        )


def horizon_m(base_height_m: float, terminal_height_m: float) -> float:
    """How far two antennas over a smooth Earth may be apart and still see each other."""
    return sum(math.sqrt(2 * _BENT_RADIUS_M * each) for each in (base_height_m, terminal_height_m))


def chances(
    latitude_deg: Floats,
    longitude_deg: Floats,
    cells: Sequence[Cell],
    radio: Radio,
    say: Callable[[str], None] = lambda _: None,
) -> Chances:
    """The chance of service at places of shape (n,), by all cells.

    Sites fail independently of each other, cells of one site together: of those the best counts
    (TR 38.901 clause 7.5, step 4: links of co-sited sectors share their shadow fading).
    Raises MalformedInput for a cell that its model is not for, and for more than LINKS_MAX links.
    """
    for cell in cells:
        check_cell(cell, radio)
    table = _Table(cells, radio)
    count = len(latitude_deg)
    block = max(1, _BLOCK_PAIRS // max(1, len(cells)))
    parts, links = [], 0
    for start in range(0, count, block):
        say(f"{start} of {count} places")
        part = slice(start, start + block)
        pairs = _pairs(latitude_deg[part], longitude_deg[part], table)
        links += len(pairs[0])
        if links > LINKS_MAX:
            raise MalformedInput(
                f"more than {LINKS_MAX} links between samples and cells within their horizon",
                remedy="make --step longer, or judge the route in parts",
            )
        parts.append(_judged(pairs, len(latitude_deg[part]), table, radio))
    return Chances(
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("low", "beyond", "high", "cell"))
    )


class _Table:
    """The cells as columns of shape (cells,)."""

    def __init__(self, cells: Sequence[Cell], radio: Radio) -> None:
        def column(of: Callable[[Cell], float]) -> Floats:
            return np.array([of(cell) for cell in cells], dtype=np.float64)

        self.latitude_deg = column(lambda c: c.place.latitude_deg)
        self.longitude_deg = column(lambda c: c.place.longitude_deg)
        self.height_m = column(lambda c: c.height_m)
        self.frequency_ghz = column(lambda c: c.frequency_mhz / 1e3)
        self.carried_db = column(lambda c: carried_db(c, radio.terminal))
        self.azimuth_deg = column(lambda c: c.azimuth_deg)
        self.beam_deg = column(lambda c: c.beam_deg)
        self.horizon_m = column(lambda c: horizon_m(c.height_m, radio.around.terminal_height_m))
        self.x_m = ecef_m(self.latitude_deg, self.longitude_deg)
        self.models = [(m, np.array([c.model is m for c in cells], dtype=bool)) for m in Model]
        self.site = _sites(self.x_m)


def _sites(x_m: Floats) -> Numbers:
    """The number of each cell's site: those within SITE_M of a site's first cell are of it."""
    firsts: dict[tuple[int, ...], list[int]] = {}
    sites: list[int] = []
    for number, place_m in enumerate(x_m.tolist()):
        box = tuple(math.floor(part / SITE_M) for part in place_m)
        around = (
            first
            for step in itertools.product((-1, 0, 1), repeat=3)
            for first in firsts.get(tuple(map(sum, zip(box, step, strict=True))), ())
            if math.dist(x_m[first], place_m) <= SITE_M
        )
        first = next(around, number)
        if first == number:
            firsts.setdefault(box, []).append(number)
        sites.append(first)
    return np.array(sites, dtype=np.int64)


def _judged(pairs: _Pairs, count: int, table: _Table, radio: Radio) -> Chances:
    """Chances at some places."""
    place, cell, distance_m, towards_deg = pairs
    found = np.zeros((3, len(place)))
    spare_db = table.carried_db[cell]
    spare_db = spare_db - aside_db(table.azimuth_deg[cell], table.beam_deg[cell], towards_deg)
    for model, members in table.models:
        chosen = np.flatnonzero(members[cell])
        if len(chosen):
            which = cell[chosen]
            links = Links(
                distance_m[chosen], table.height_m[which], table.frequency_ghz[which], radio.around
            )
            found[:, chosen] = _spans(model, links, spare_db[chosen], radio)
    best = np.full(count, _NO_CELL, dtype=np.int64)
    order = np.lexsort((found[1], place))
    # The last of each place is its best.
    best[place[order]] = cell[order]
    site = table.site[cell]
    low, beyond, high = (_any(place, site, each, count) for each in found)
    return Chances(low, beyond, high, best)


def _pairs(latitude_deg: Floats, longitude_deg: Floats, table: _Table) -> _Pairs:
    """Places and cells within the horizon: their indices, distance, bearing seen from the cell."""
    x_m = ecef_m(latitude_deg, longitude_deg)
    squared = (x_m**2).sum(axis=1)[:, None] + (table.x_m**2).sum(axis=1)[None, :]
    squared -= 2 * (x_m @ table.x_m.T)
    # The product has lost some metres by cancellation at most.
    place, cell = np.nonzero(squared <= (table.horizon_m[None, :] + 10) ** 2)
    step_m = x_m[place] - table.x_m[cell]
    distance_m = np.linalg.norm(step_m, axis=1)
    latitude = np.radians(table.latitude_deg)[cell]
    longitude = np.radians(table.longitude_deg)[cell]
    east_m = step_m[:, 1] * np.cos(longitude) - step_m[:, 0] * np.sin(longitude)
    outward_m = step_m[:, 0] * np.cos(longitude) + step_m[:, 1] * np.sin(longitude)
    north_m = step_m[:, 2] * np.cos(latitude) - outward_m * np.sin(latitude)
    inside = distance_m <= table.horizon_m[cell]
    towards_deg = np.degrees(np.arctan2(east_m, north_m))
    return place[inside], cell[inside], distance_m[inside], towards_deg[inside]


def _spans(model: Model, links: Links, spare_db: Floats, radio: Radio) -> Floats:
    """The span of each link's chance: rows low, beyond, high."""
    blocked = _span(model, links, spare_db, radio, clear=False)
    if radio.sight is Sight.WORST:
        return blocked
    clear = _span(model, links, spare_db, radio, clear=True)
    share = clear_chance(model, links.distance_m, radio.around.terminal_height_m)
    return share * clear + (1 - share) * blocked


def _span(model: Model, links: Links, spare_db: Floats, radio: Radio, *, clear: bool) -> Floats:
    valid = VALIDITY[model]
    farthest_m = valid.farthest_clear_m if clear else valid.farthest_blocked_m
    at = Links(
        np.clip(links.distance_m, valid.nearest_m, farthest_m),
        links.base_height_m,
        links.frequency_ghz,
        links.around,
    )
    loss_of = clear_loss_db if clear else blocked_loss_db
    loss_db, deviation_db = loss_of(model, at)
    total_db = np.hypot(deviation_db, radio.terminal.inside.deviation_db)
    inner = _below((spare_db - loss_db) / total_db)
    near, far = links.distance_m < valid.nearest_m, np.flatnonzero(links.distance_m > farthest_m)
    low, beyond, high = inner.copy(), inner, np.where(near, 1.0, inner)
    if len(far):
        spreading_db = 20 * np.log10(links.slant_m[far] / at.slant_m[far])
        gone = Links(
            links.distance_m[far], links.base_height_m[far], links.frequency_ghz[far], links.around
        )
        gone_db, _ = loss_of(model, gone, extrapolate=True)
        low[far] = 0.0
        high[far] = _below((spare_db[far] - loss_db[far] - spreading_db) / total_db[far])
        beyond[far] = _below((spare_db[far] - gone_db) / total_db[far])
    return np.stack((low, beyond, high))


def _below(ratio: Floats) -> Floats:
    """The chance that a standard normal value is below each ratio."""
    scaled = (-ratio / math.sqrt(2)).tolist()
    return 0.5 * np.fromiter(map(math.erfc, scaled), dtype=np.float64, count=len(scaled))


def _any(place: Numbers, site: Numbers, chance: Floats, count: int) -> Floats:
    """The chance that any site serves: of one site's cells the best counts."""
    order = np.lexsort((site, place))
    place, site, chance = place[order], site[order], chance[order]
    if not len(place):
        return np.zeros(count)
    starts = np.flatnonzero(np.r_[True, (np.diff(place) != 0) | (np.diff(site) != 0)])
    best = np.maximum.reduceat(chance, starts)
    with np.errstate(divide="ignore"):
        missed = np.bincount(place[starts], weights=np.log1p(-best), minlength=count)
    return -np.expm1(missed)


def models_of(cells: Sequence[Cell]) -> Iterator[tuple[Model, int]]:
    """How many cells each model has, for those that have any."""
    for model in Model:
        if count := sum(cell.model is model for cell in cells):
            yield model, count
