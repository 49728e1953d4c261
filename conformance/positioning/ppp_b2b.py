"""PPP-B2b from the sky: where ephemerides change, corrected orbits and clocks go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report: each satellite whose ephemeris changed within the hour is two cases."""
    return with_data("ppp-b2b-hour", shared, "positioning/ppp_b2b", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from itertools import pairwise

    import numpy as np

    from zhidao.positioning.domain.ppp.corrected import broadcast_motion, choose_issue
    from zhidao.positioning.domain.satellites.corrections import orbit_axes, without
    from zhidao.positioning.domain.satellites.ephemeris import UNKNOWN
    from zhidao.positioning.wire.precise.b2b_log import corrections_at, read_b2b_log
    from zhidao.positioning.wire.rinex.navigation import read_navigation

    frames = read_b2b_log((folder / "233h_bdsb2b.txt.gz").read_bytes())
    messages = {"G": ("LNAV",), "C": ("CNV1",)}
    store = read_navigation(
        (folder / "233h_rnx.nav.gz").read_bytes(), messages=messages
    ).ephemerides
    for prn in sorted({frame.prn for frame in frames}):
        own = [frame for frame in frames if frame.prn == prn]
        series = corrections_at(own, own[0].gpst_ns + np.arange(0, 3600, 2) * 10**9)
        for column, satellite in enumerate(series.satellite.tolist()):
            issue = series.iodn[:, column]
            known = np.flatnonzero(issue >= 0)
            for before, after in pairwise(known.tolist()):
                if issue[before] == issue[after]:
                    continue
                rows = np.array((before, after))
                pair = np.array((satellite, satellite))
                named = choose_issue(store, pair, series.gpst_ns[rows], issue[rows])
                if (named == UNKNOWN).any():
                    continue
                when = np.repeat(series.gpst_ns[after], 2)
                states, velocity = broadcast_motion(store.take(named), when, np.zeros(2))
                found = without(
                    states,
                    velocity,
                    orbit_m=series.orbit_m[rows, column],
                    clock_m=series.clock_m[rows, column],
                )
                step_m = orbit_axes(found.ecef_m, velocity)[0] @ np.diff(found.ecef_m, axis=0)[0]
                clock_m = float(np.diff(found.clock_s)[0]) * 299_792_458
                name = f"by C{prn}: {satellite}, {issue[before]} to {issue[after]}"
                yield f"{name}, radial within 1 cm", abs(step_m[0]) < 0.01
                yield f"{name}, across within 10 cm", bool((np.abs(step_m[1:]) < 0.1).all())
                yield f"{name}, clock within 1 cm", abs(clock_m) < 0.01
