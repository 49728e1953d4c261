"""One number for each crossing out of several, with the places that chance and taste give it.

Each figure is taken as the best crossing's over this one's, from 0 to 1, and weighed. Whether the
order means anything is asked a thousand times: other consignments like these, other weights (each
between half and one and a half of what was asked), and the missing ones somewhere between the
shortest and the longest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.insight.domain.corridor.cells import WHOLE, Case, Cell, in_order
from zhidao.insight.domain.corridor.outline import Floats

# Hours: mean, nine of ten, deviation over mean; and the share that is missing. Less is better.
INDICATORS: Final = ("mean", "p90", "variation", "missing")
DISTURBANCES: Final = 1000
_LOW, _HIGH = 5.0, 95.0
_LESS, _MORE = 0.5, 1.5
_DRAWN_AT_ONCE: Final = 2_000_000
_WORD: Final = 0xFFFF_FFFF
# Numbers of chance that no bootstrap of a crossing uses.
_STREAM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A crossing's number as asked, from 0 to 1, and its places in nine of ten disturbances."""

    crossing: str
    score: float
    places: tuple[int, int]
    simulated: bool


@dataclass(frozen=True, slots=True)
class Composite:
    """weights: by indicator, together 1."""

    weights: Mapping[str, float]
    standings: tuple[Standing, ...]


def composite(
    totals: Mapping[Cell, Sequence[Case]],
    missing: Mapping[Cell, int],
    weights: Mapping[str, float],
    seed: int,
) -> Composite:
    """Crossings by their number, the played ones apart; nothing where there are not two to compare.

    totals: whole passages of what may be told. weights: positive, of INDICATORS. seed: below 2**64.
    """
    whole = sum(weights.values())
    shares = {name: weights.get(name, 0.0) / whole for name in INDICATORS}
    found: list[Standing] = []
    for simulated in (False, True):
        cells = _comparable(totals, simulated=simulated)
        cases = [in_order(totals[cell]) for cell in cells]
        found += _standings(cells, cases, [missing[cell] for cell in cells], shares, seed)
    return Composite({name: share for name, share in shares.items() if share}, tuple(found))


def _comparable(totals: Iterable[Cell], *, simulated: bool) -> list[Cell]:
    """Both sides together of each crossing, in order; none where there are not two."""
    cells = sorted(c for c in totals if c.part == WHOLE and c.simulated is simulated)
    return cells if len(cells) > 1 else []


def _standings(
    cells: Sequence[Cell],
    cases: Sequence[Sequence[Case]],
    missing: Sequence[int],
    shares: Mapping[str, float],
    seed: int,
) -> list[Standing]:
    if not cells:
        return []
    chance = np.random.RandomState([seed & _WORD, seed >> 32, _STREAM])
    plain = np.stack([_told(each, lost) for each, lost in zip(cases, missing, strict=True)])
    score = _score(plain[:, :, None], np.array(list(shares.values()))[:, None])[:, 0]
    weights = np.array(list(shares.values()))[:, None] * chance.uniform(
        _LESS, _MORE, (len(INDICATORS), DISTURBANCES)
    )
    drawn = np.stack(
        [_disturbed(each, lost, chance) for each, lost in zip(cases, missing, strict=True)]
    )
    scores = _score(drawn, weights / weights.sum(axis=0))
    places = (-scores).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    found = [
        Standing(
            cell.crossing,
            float(number),
            (math.floor(np.percentile(row, _LOW)), math.ceil(np.percentile(row, _HIGH))),
            cell.simulated,
        )
        for cell, number, row in zip(cells, score, places, strict=True)
    ]
    return sorted(found, key=lambda each: (each.places, -each.score, each.crossing))


def _score(values: Floats, weights: Floats) -> Floats:
    """values: shape (crossings, indicators, draws); weights: (indicators, draws)."""
    best = values.min(axis=0)
    # Where the best is 0, whoever has 0 too is as good, and nobody else is anything.
    ratio = np.divide(best, values, out=np.ones_like(values), where=values > 0)
    found: Floats = (ratio * weights).sum(axis=1)
    return found


def _told(cases: Sequence[Case], missing: int) -> Floats:
    """The indicators as they are; shape (4,)."""
    middle = np.array([case.hours[2] for case in cases])
    mean = float(middle.mean())
    variation = float(middle.std(ddof=1)) / mean if mean else 0.0
    lacking = missing / (len(cases) + missing)
    return np.array([mean, float(np.percentile(middle, 90)), variation, lacking])


def _disturbed(cases: Sequence[Case], missing: int, chance: np.random.RandomState) -> Floats:
    """The indicators of other consignments like these; shape (4, 1000)."""
    least, most, middle = np.array([case.hours for case in cases]).T
    count, at_once = len(middle), max(1, _DRAWN_AT_ONCE // len(middle))
    rows = []
    for done in range(0, DISTURBANCES, at_once):
        draws = min(at_once, DISTURBANCES - done)
        drawn = middle[chance.randint(0, count, (draws, count))]
        mean = drawn.mean(axis=1)
        spread = drawn.std(axis=1, ddof=1)
        variation = np.divide(spread, mean, out=np.zeros_like(mean), where=mean > 0)
        rows.append((mean, np.percentile(drawn, 90, axis=1), variation))
    mean, p90, variation = (np.concatenate(each) for each in zip(*rows, strict=True))
    of_missing = chance.uniform(float(least.min()), float(most.max()), DISTURBANCES)
    mean = (mean * count + missing * of_missing) / (count + missing)
    lacking = np.full(DISTURBANCES, missing / (count + missing))
    return np.stack([mean, p90, variation, lacking])
