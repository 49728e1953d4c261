"""Positioning: whether bounds hold over a great many epochs of drawn errors; a part of positioning.

Errors are simulated, with heavier tails than the bound assumes, and partly real residuals; skies
are those of a real day and of a simulated BDS constellation from 60 S to 70 N.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import numpy as np

from benchmarks.inner.positions.positioning_runs import DATA
from benchmarks.measuring import claim
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.inside_study import tightest
from zhidao.positioning.domain.synthesis.integrity_study import (
    Skies,
    Tally,
    biased,
    drawn_errors,
    examine,
    joined,
    judged,
    skies_of,
    standard_residuals,
    tilted,
)
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

FOLDER = DATA / "esbc_2020177"
PLACE_M = np.array((3582104.918, 532590.191, 5232755.315))
PLACES = (
    *((-60, 20), (-35, 149), (-15, -60), (0, 0), (0, 110), (22, 114), (44, 80), (56, 8)),
    (70, -150),
)
RISK = 1e-4
BATCH = 20_000
LIMITS_M = (40.0, 50.0)


_TOGETHER: Final = 4_000
"""Epochs whose areas are proven at once: every possible fault of each is in memory then."""


def bounds(*, long: bool) -> Iterator[dict[str, Any]]:
    """All claims of this part: 1.2 million epochs when long, 120,000 else."""
    chance = np.random.default_rng(20261124)
    three = Settings(signals=dict(B1I_L1_E1))
    real_bds, real_three = _real(Settings()), _real(three)
    pool = standard_residuals(real_three)
    cases = (
        ("bds_anywhere", _anywhere(), Settings(), 10),
        ("bds_esbc", real_bds, Settings(), 10),
        ("gec_esbc", real_three, three, 10),
    )
    for name, skies, settings, parts in cases:
        batches = 2 * parts if long else max(parts // 5, 1)
        found = _drawn(skies, settings, pool, batches, chance)
        yield from _held(name, found)
        count, missed = _biases(skies, settings, batches, chance)
        yield claim(f"bound_{name}_biases_injected", [count], "")
        yield claim(f"bound_{name}_biases_missed", [missed], "", target=0, at_most=True)
        yield from _small_risks(name, skies, settings, chance)
        yield from _inside(name, skies, settings, pool, batches, chance)


def _inside(
    name: str,
    skies: Skies,
    settings: Settings,
    pool: Any,
    batches: int,
    chance: np.random.Generator,
) -> Iterator[dict[str, Any]]:
    """How often the antenna was not in an area that was proven, each the tightest one."""
    for shape, edges in (("fence", 1), ("yard", 6)):
        epochs = proven = outside = 0
        sizes = []
        for _ in range(max(batches // 2, 1) * BATCH // _TOGETHER):
            rows = chance.integers(0, len(skies), _TOGETHER)
            errors = drawn_errors(skies, rows, pool, chance)
            found = judged(skies.model.take(rows), errors, settings, risk=RISK)
            told = tightest(found, settings, edges=edges, risk=RISK, chance=chance)
            epochs += len(rows)
            proven += int(told.proven.sum())
            outside += int(told.outside.sum())
            sizes.append(float(np.median(told.size_m[told.proven])))
        head = f"bound_{name}_inside_{shape}"
        yield claim(f"{head}_epochs", [epochs], "")
        yield claim(f"{head}_proven", [proven / epochs * 100], "%")
        yield claim(f"{head}_median_m", [float(np.median(sizes))], "m")
        yield claim(
            f"{head}_but_outside_ppm",
            [outside / epochs * 1e6],
            "ppm",
            target=RISK * 1e6,
            at_most=True,
        )


def _real(settings: Settings) -> Skies:
    packed = (FOLDER / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes()
    navigation = (FOLDER / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes()
    return skies_of(
        read_observations(packed, systems=settings.systems),
        read_navigation(navigation),
        settings,
        PLACE_M,
    )


def _anywhere() -> Skies:
    """A simulated day of BDS at nine places, both hemispheres, with GEO satellites and without."""
    start = Utc.parse("2026-11-21T00:00:00Z")
    navigation = constellation(start, start.plus_ns(24 * 3600 * 10**9), seed=3)
    at = Gpst.from_utc(start).ns + np.arange(120) * 720 * 10**9
    parts = []
    for latitude, longitude in PLACES:
        place = Geodetic(latitude, longitude, 100.0).to_ecef()
        way = np.tile((place.x_m, place.y_m, place.z_m), (len(at), 1))
        seen = synthesize(Receiver(at, way), navigation, seed=4)
        parts.append(skies_of(seen, navigation, Settings()))
    return joined(parts)


def _drawn(
    skies: Skies, settings: Settings, pool: Any, batches: int, chance: np.random.Generator
) -> Tally:
    found = []
    for _ in range(batches):
        rows = chance.integers(0, len(skies), BATCH)
        errors = drawn_errors(skies, rows, pool, chance)
        found.append(examine(skies.model.take(rows), errors, settings, risk=RISK))
    return Tally(
        *(np.concatenate([getattr(part, c.name) for part in found]) for c in fields(Tally))
    )


def _held(name: str, found: Tally) -> Iterator[dict[str, Any]]:
    horizontal, vertical = found.exceeded().tolist()
    level = np.hypot(found.levels_m[:, 0], found.levels_m[:, 1])
    yield claim(f"bound_{name}_epochs", [len(found.flagged)], "")
    yield claim(
        f"bound_{name}_hpl_exceeded_ppm", [horizontal * 1e6], "ppm", target=RISK * 1e6, at_most=True
    )
    yield claim(
        f"bound_{name}_vpl_exceeded_ppm", [vertical * 1e6], "ppm", target=RISK * 1e6, at_most=True
    )
    yield claim(f"bound_{name}_hpl_median_m", [float(np.median(level))], "m")
    yield claim(f"bound_{name}_flagged", [float(found.flagged.mean() * 100)], "%")
    yield claim(f"bound_{name}_something_excluded", [float(found.hit.mean() * 100)], "%")
    low, high = LIMITS_M
    yield claim(
        f"bound_{name}_available_hal{low:.0f}_val{high:.0f}",
        [found.available(low, high) * 100],
        "%",
    )


def _biases(
    skies: Skies, settings: Settings, batches: int, chance: np.random.Generator
) -> tuple[int, int]:
    count = missed = 0
    for _ in range(max(batches // 2, 1)):
        rows = chance.integers(0, len(skies), BATCH)
        more = biased(skies, rows, settings, risk=RISK, chance=chance)
        count, missed = count + more[0], missed + more[1]
    return count, missed


def _small_risks(
    name: str, skies: Skies, settings: Settings, chance: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """By importance sampling, and only under the normal errors that the bound assumes."""
    for risk in (1e-6, 1e-7):
        rows = chance.integers(0, len(skies), BATCH)
        parts = tilted(skies, rows, settings, risk=risk, chance=chance)
        total = sum(part.exceeded() for part in parts)
        yield claim(
            f"bound_{name}_importance_sampled_{risk:.0e}_over_risk",
            [float(np.max(total)) / risk],
            "",
            target=1,
            at_most=True,
        )
        offered = float(parts[0].offered.mean() * 100)
        yield claim(f"bound_{name}_bounded_at_{risk:.0e}", [offered], "%")
