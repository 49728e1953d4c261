"""Positioning: velocities, smoothed codes and a phone's log; a part of positioning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.inner.positions.positioning_runs import DATA, rms
from benchmarks.measuring import claim
from zhidao.positioning.domain.integrity.authenticity import Suspicion, findings
from zhidao.positioning.domain.integrity.solving import solve
from zhidao.positioning.domain.integrity.velocity import velocities
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.smoothing import smoothed
from zhidao.positioning.domain.solver_settings import B1I_L1_E1, B1I_ONLY, Settings
from zhidao.positioning.wire.rinex.navigation import WITH_GLONASS, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations

ESBC = DATA / "esbc_2020177"
PHONE = DATA / "phone_2024092"
PLACE_M = np.array((3582104.918, 532590.191, 5232755.315))
PAIRS = {"C": ("C2I", "C6I"), "G": ("C1C", "C2W"), "E": ("C1C", "C5Q")}


def motion() -> Iterator[dict[str, Any]]:
    """All claims of this part."""
    seen = read_observations((ESBC / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz").read_bytes())
    navigation = read_navigation(
        (ESBC / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").read_bytes(), messages=WITH_GLONASS
    )
    axes = enu_axes(*geodetic(PLACE_M)[:2])
    quiet = smoothed(seen, PAIRS).seen
    cases = (("bds", dict(B1I_ONLY)), ("gec", dict(B1I_L1_E1)))
    for name, signals in (*cases, ("grec", {**B1I_L1_E1, "R": "C1C"})):
        settings = Settings(signals=signals)
        solved = solve(seen, navigation, settings)
        found = velocities(seen, navigation, solved, settings)
        moving = np.isfinite(found.drift_mps)
        yield claim(f"esbc_{name}_velocity_epochs", [int(moving.sum())], "", target=2880)
        across = np.hypot(found.enu_mps[:, 0], found.enu_mps[:, 1])[moving]
        yield claim(
            f"esbc_{name}_velocity_at_rest_horizontal_rms_mmps", [rms(across) * 1e3], "mm/s"
        )
        up = rms(found.enu_mps[moving, 2]) * 1e3
        yield claim(f"esbc_{name}_velocity_at_rest_vertical_rms_mmps", [up], "mm/s")
    for name, signals in cases:
        solved = solve(quiet, navigation, Settings(signals=signals))
        off = (solved.ecef_m - PLACE_M) @ axes.T
        across = np.hypot(off[:, 0], off[:, 1])
        yield claim(f"esbc_{name}_smoothed_horizontal_rms_m", [rms(across)], "m")
        yield claim(f"esbc_{name}_smoothed_vertical_rms_m", [rms(off[:, 2])], "m")
    yield from _phone()


def _phone() -> Iterator[dict[str, Any]]:
    """Its place is the one in its header, good to some 10 m."""
    seen = read_observations((PHONE / "GEOP092I.24o.gz").read_bytes())
    navigation = read_navigation((PHONE / "CORD00ARG_R_20240920000_01D_MN.rnx.gz").read_bytes())
    place_m = np.array(seen.header.approximate_ecef_m)
    axes = enu_axes(*geodetic(place_m)[:2])
    cases = (("bds", dict(B1I_ONLY)), ("ge", {"G": "C1C", "E": "C1C"}), ("gec", dict(B1I_L1_E1)))
    for name, signals in cases:
        settings = Settings.for_environment("phone", signals=signals)
        solved = solve(seen, navigation, settings)
        off = (solved.ecef_m - place_m) @ axes.T
        across = np.hypot(off[:, 0], off[:, 1])
        good = solved.solved & np.isfinite(solved.horizontal_m)
        over = int((across[good] > solved.horizontal_m[good]).sum())
        yield claim(f"phone_{name}_epochs_solved", [int(solved.solved.sum())], "")
        yield claim(f"phone_{name}_epochs_bounded", [int(good.sum())], "")
        yield claim(f"phone_{name}_errors_over_level", [over], "", target=0, at_most=True)
        if good.any():
            yield claim(f"phone_{name}_horizontal_rms_m", [rms(across[good])], "m")
    found = findings(seen, navigation, solved, settings)
    named = [each for each in found if each.reason is Suspicion.RANGE_AGAINST_DOPPLER]
    count = len(named[0].satellites) if named else 0
    yield claim("phone_beidou_satellites_named_by_doppler", [count], "", target=4)
