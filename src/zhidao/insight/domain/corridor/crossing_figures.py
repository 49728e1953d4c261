"""Hours at crossings as figures that may be published: bound, interval, count, missing, or nothing.

A figure is told of a cell: one crossing and part of it, by mode, direction and quarter. A cell of
fewer than 5 consignments or 3 parties is withheld, and **left out of every total**: so a total is
of cells that are told, any two reports over whole quarters differ by such cells alone, and no
subtraction of one from another shows what was withheld. Two reports over two parts of one quarter
may differ by a single consignment; nothing here knows what was published before.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from zhidao.core.timescale import NS
from zhidao.insight.domain.corridor.cells import ALL, WHOLE, Case, Cell, in_order
from zhidao.insight.domain.corridor.composite import Composite, composite
from zhidao.insight.domain.corridor.outline import Floats
from zhidao.insight.domain.corridor.passages import Passage, Reason, Stay
from zhidao.insight.domain.corridor.published import Published, would_unmask
from zhidao.insight.domain.opened import LeafRef

CONSIGNMENTS_MIN: Final = 5
PARTIES_MIN: Final = 3
# Percentiles of a 90 % interval, and so many draws for it.
_LOW, _HIGH = 5.0, 95.0
_DRAWS: Final = 1000
_DRAWN_AT_ONCE: Final = 2_000_000
# Hours are told to a thousandth.
PLACES: Final = 3
_HOUR_NS: Final = 3600 * NS
_WORD: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a cell that may be told.

    mean_h: of the middles. bound_h: mean of the least and of the most that each may have been.
    interval_h: 90 % bootstrap interval of the mean, of other consignments like these. missing:
    consignments seen there by that mode in that quarter whose time is not known, and so mostly
    not their direction either; cases_h: the mean if they had all been as the shortest, and as the
    longest, of the others.
    """

    cell: Cell
    count: int
    parties: int
    missing: int
    mean_h: float
    median_h: float
    p90_h: float
    variation: float
    bound_h: tuple[float, float]
    interval_h: tuple[float, float]
    cases_h: tuple[float, float]
    leaves: tuple[LeafRef, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A cell of too few to be told; not even how few."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class Rank:
    """A crossing's place by mean hours, from 1, in nine of ten draws between two places."""

    crossing: str
    places: tuple[int, int]
    simulated: bool


@dataclass(frozen=True, slots=True)
class CorridorFigures:
    """cells: in order, each told or withheld. totals: of told cells alone.

    reasons: how many whole passages were declined, by reason; empty where there are fewer than
    five passages. composite: where weights were given.
    """

    cells: tuple[Hours | Withheld, ...]
    totals: tuple[Hours, ...]
    ranks: tuple[Rank, ...]
    reasons: dict[str, int]
    composite: Composite | None = None


def corridor_figures(
    passages: Sequence[Passage],
    *,
    seed: int,
    published: Sequence[Published] = (),
    weights: Mapping[str, float] | None = None,
) -> CorridorFigures:
    """The figures; the same passages and seed give the same, in whatever order they come.

    published: reports before this one. weights: of a composite, by indicator.
    """
    cases, missing = _by_cell(passages)
    made = {
        cell: _hours(cell, found, missing[_of_either_direction(cell)], seed)
        for cell, found in sorted(cases.items())
        if _is_enough(found)
    }
    told = {
        cell: in_order(cases[cell])
        for cell, hours in made.items()
        if not would_unmask(cell, cases[cell], figures_of(hours), published, _is_enough)
    }
    together, lacking = _totals(told, missing)
    return CorridorFigures(
        tuple(made[cell] if cell in told else Withheld(cell) for cell in sorted(cases)),
        tuple(_hours(each, together[each], lacking[each], seed) for each in sorted(together)),
        (
            *_ranks(together, seed, simulated=False),
            *_ranks(together, seed, simulated=True),
        ),
        _reasons(passages),
        composite(together, lacking, weights, seed) if weights else None,
    )


def _by_cell(passages: Iterable[Passage]) -> tuple[dict[Cell, list[Case]], Counter[Cell]]:
    """The cases of each cell, and how many are missing of either direction."""
    cases: dict[Cell, list[Case]] = defaultdict(list)
    missing: Counter[Cell] = Counter()
    for each in passages:
        for cell, case in _cases(each):
            if case is None:
                missing[_of_either_direction(cell)] += 1
            else:
                cases[cell].append(case)
    return cases, missing


def _totals(
    told: Mapping[Cell, Sequence[Case]], missing: Mapping[Cell, int]
) -> tuple[dict[Cell, list[Case]], Counter[Cell]]:
    """Cases and missing ones of the cells that are told, all modes, directions and quarters."""
    together: dict[Cell, list[Case]] = defaultdict(list)
    for cell, found in told.items():
        together[_total(cell)] += found
    lacking: Counter[Cell] = Counter()
    for group in {_of_either_direction(cell) for cell in told}:
        lacking[_total(group)] += missing[group]
    return together, lacking


def figures_of(hours: Hours) -> tuple[float, ...]:
    """What is told of a cell and follows from its consignments alone, to a thousandth."""
    told = (hours.count, hours.parties, hours.mean_h, hours.median_h, hours.p90_h)
    return tuple(round(float(each), PLACES) for each in (*told, *hours.bound_h))


def _of_either_direction(cell: Cell) -> Cell:
    return replace(cell, direction="")


def _total(cell: Cell) -> Cell:
    return Cell(cell.crossing, cell.part, ALL, ALL, ALL, cell.simulated)


def _reasons(passages: Iterable[Passage]) -> dict[str, int]:
    passages = list(passages)
    if len(passages) < CONSIGNMENTS_MIN:
        return {}
    counts = {str(reason): 0 for reason in Reason}
    for each in passages:
        if isinstance(each.whole, Reason):
            counts[str(each.whole)] += 1
    return counts


def _cases(each: Passage) -> Iterator[tuple[Cell, Case | None]]:
    """Both sides and the whole, each with its cell; None where the time is not known."""
    direction = " > ".join(each.direction)
    for part, stay in (*each.sides, (WHOLE, each.whole)):
        at_ns = stay.entered_ns[1] if isinstance(stay, Stay) else each.seen_ns
        quarter = _quarter(at_ns)
        cell = Cell(each.crossing, part, each.mode, direction, quarter, each.simulated)
        if isinstance(stay, Stay):
            yield cell, Case(each.consignment, each.party, _in_hours(stay), each.leaves)
        else:
            yield cell, None


def _in_hours(stay: Stay) -> tuple[float, float, float]:
    ns = (stay.shortest_ns, stay.longest_ns, stay.middle_ns)
    least, most, middle = (each / _HOUR_NS for each in ns)
    return (least, most, middle)


def _quarter(at_ns: int) -> str:
    at = datetime.fromtimestamp(at_ns // NS, UTC)
    return f"{at.year}-Q{(at.month + 2) // 3}"


def _is_enough(found: Sequence[Case]) -> bool:
    consignments = {case.consignment for case in found}
    parties = {case.party for case in found}
    return len(consignments) >= CONSIGNMENTS_MIN and len(parties) >= PARTIES_MIN


def _hours(cell: Cell, found: Sequence[Case], missing: int, seed: int) -> Hours:
    found = in_order(found)
    least, most, middle = np.array([case.hours for case in found]).T
    count, total = len(middle), float(middle.sum())
    means = _drawn_means(middle, seed)
    return Hours(
        cell=cell,
        count=count,
        parties=len({case.party for case in found}),
        missing=missing,
        mean_h=total / count,
        median_h=float(np.median(middle)),
        p90_h=float(np.percentile(middle, 90)),
        variation=float(middle.std(ddof=1)) / (total / count) if total else 0.0,
        bound_h=(float(least.mean()), float(most.mean())),
        interval_h=(float(np.percentile(means, _LOW)), float(np.percentile(means, _HIGH))),
        cases_h=(
            (total + missing * float(least.min())) / (count + missing),
            (total + missing * float(most.max())) / (count + missing),
        ),
        leaves=tuple(sorted({leaf for case in found for leaf in case.leaves})),
    )


def _drawn_means(middle: Floats, seed: int, stream: int = 0) -> Floats:
    """Means of as many drawn again, with replacement; shape (1000,). seed: below 2**64."""
    # Of numpy's sources of chance this one alone is promised to stay as it is for ever.
    chance = np.random.RandomState([seed & _WORD, seed >> 32, stream])
    at_once = max(1, _DRAWN_AT_ONCE // len(middle))
    means = [
        middle[chance.randint(0, len(middle), (min(at_once, _DRAWS - done), len(middle)))].mean(1)
        for done in range(0, _DRAWS, at_once)
    ]
    return np.concatenate(means)


def _ranks(
    totals: Mapping[Cell, Sequence[Case]], seed: int, *, simulated: bool
) -> tuple[Rank, ...]:
    """Places of crossings by their drawn means; nothing where there are not two to compare."""
    cells = sorted(c for c in totals if c.part == WHOLE and c.simulated is simulated)
    if len(cells) < 2:
        return ()
    drawn = np.stack(
        [
            _drawn_means(np.array([case.hours[2] for case in in_order(totals[cell])]), seed, number)
            for number, cell in enumerate(cells, 1)
        ]
    )
    places = drawn.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    found = [
        Rank(
            cell.crossing,
            (math.floor(np.percentile(row, _LOW)), math.ceil(np.percentile(row, _HIGH))),
            simulated,
        )
        for cell, row in zip(cells, places, strict=True)
    ]
    return tuple(sorted(found, key=lambda rank: (rank.places, rank.crossing)))
