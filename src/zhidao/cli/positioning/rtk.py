"""`zhidao positioning rtk`: a rover beside a base."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.progress import bar
from zhidao.cli.positioning.reading import recordings
from zhidao.cli.positioning.solve import add_output, deliver, form_of
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.positioning.domain.observables.observations import Observations
    from zhidao.positioning.domain.observables.signal_codes import Matched

_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao positioning rtk rover.obs day.nav --base base.obs \\\n"
    "    --base-place 35.1331 136.9804 67.2\n"
    "  zhidao positioning rtk rover.obs day.nav --base base.obs --mode instantaneous -o rover.pos\n"
    "Without --base-place the header of the base counts, which is seldom better than a metre; the\n"
    "baseline is as good all the same.\n"
    "status: 0 done, 1 no epoch has a place, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)
    parser.add_argument(
        "--base", type=Path, nargs="+", required=True, metavar="FILE", help="the base's recordings"
    )
    parser.add_argument(
        "--base-place", type=float, nargs=3, metavar=("LAT", "LON", "H"), help="degrees and metres"
    )
    parser.add_argument("--systems", default="CGEJ", help="letters of the systems to take")
    parser.add_argument("--mask", type=float, default=15.0, metavar="DEG", help="elevation mask")
    parser.add_argument(
        "--mode",
        choices=("instantaneous", "continuous", "hold"),
        default="hold",
        help="each epoch alone, a filter over epochs, or (usual) one that holds what it fixed; "
        "filters try each epoch that they do not fix by itself",
    )
    parser.add_argument("--at-rest", action="store_true", help="for filters: the rover stands")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Solves all epochs of the rover."""
    import numpy as np

    from zhidao.positioning.domain.positions import of_baselines
    from zhidao.positioning.domain.rtk.instantaneous import (
        ALL_SIGNALS,
        RtkSettings,
        solve_baselines,
    )

    form_of(options)
    strange = set(options.systems) - set(ALL_SIGNALS)
    if strange or not options.systems:
        raise MalformedInput(f"--systems {options.systems}: of {''.join(sorted(ALL_SIGNALS))}")
    if not 0 < options.mask < 90:
        raise MalformedInput(f"--mask {options.mask}: between 0 and 90 degrees")
    found = recordings(options.files, options)
    base = recordings(options.base, options).receiver()
    rover = found.receiver()
    pair = _matched(options.systems, rover, base)
    settings = RtkSettings(
        signals=pair.signals,
        mask_rad=float(np.deg2rad(options.mask)),
        mode=options.mode,
        moving=not options.at_rest,
    )
    place_m = _place(options, base)
    with bar("solving", 1) as step:
        step(f"{len(rover.gpst_ns)} epochs")
        baselines = solve_baselines(rover, pair.base, found.broadcast(), place_m, settings)
    print(f"{int(baselines.fixed.sum())} of {len(baselines.fixed)} epochs fixed", file=sys.stderr)
    return deliver(options, of_baselines(baselines, simulated=rover.simulated or base.simulated))


def _matched(systems: str, rover: Observations, base: Observations) -> Matched:
    from zhidao.positioning.domain.observables.signal_codes import matched
    from zhidao.positioning.domain.rtk.rtk_settings import ALL_SIGNALS

    found = matched(rover, base, {system: ALL_SIGNALS[system] for system in systems})
    if not found.signals:
        raise Refused("rover and base have no band in common", code="no_common_signal")
    return found


def _place(options: argparse.Namespace, base: Observations) -> list[float]:
    import numpy as np

    from zhidao.positioning.domain.single_point.geometry import ecef

    if options.base_place:
        latitude, longitude, height_m = options.base_place
        if not (abs(latitude) <= 90 and abs(longitude) <= 360 and abs(height_m) < 1e5):
            raise MalformedInput("--base-place: latitude, longitude in degrees, height in metres")
        place = ecef(np.deg2rad(latitude), np.deg2rad(longitude), np.array(height_m))
        return [float(value) for value in place]
    place_m = base.header.approximate_ecef_m
    if not any(place_m):
        raise MalformedInput("the base's header has no position", remedy="give --base-place")
    print("the base's place is its header's guess; coordinates are no better", file=sys.stderr)
    return list(place_m)
