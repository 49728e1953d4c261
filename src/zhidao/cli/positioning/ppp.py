"""`zhidao positioning ppp`: one receiver with the orbits and clocks of an analysis centre."""

from __future__ import annotations

import argparse
import sys
from functools import reduce
from typing import TYPE_CHECKING, Final

from zhidao.cli.positioning.reading import recordings
from zhidao.cli.positioning.solve import add_output, deliver, form_of
from zhidao.cli.progress import bar
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.positioning.domain.ppp.products import PreciseProducts
    from zhidao.positioning.service.recordings import Recordings

_EXAMPLES: Final = (
    "Ambiguities stay floats: a receiver at rest needs a quarter of an hour or more to 0.1 m.\n"
    "Near midnight give the orbits of the day before and after too. GLONASS needs the broadcast\n"
    "navigation file, which tells its channels.\n"
    "examples:\n"
    "  zhidao positioning ppp day.crx.gz day_MN.rnx.gz *ORB.SP3.gz *CLK.CLK.gz -o day.pos\n"
    "  zhidao positioning ppp drive.rnx orbits.sp3 clocks.clk --moving --systems GE\n"
    "status: 0 done, 1 no epoch has a point, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)
    parser.add_argument("--systems", default="GRE", help="letters, as far as the clocks hold them")
    parser.add_argument("--moving", action="store_true", help="the place is found at each epoch")
    parser.add_argument("--mask", type=float, default=7.0, metavar="DEG", help="elevation mask")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Solves all epochs."""
    import numpy as np

    from zhidao.positioning.domain.positions import of_precise
    from zhidao.positioning.domain.ppp.settings import LEGACY_PAIRS, PppSettings
    from zhidao.positioning.domain.ppp.solving import solve_precise
    from zhidao.positioning.domain.tracked import pairs_of

    form_of(options)
    if not options.systems or set(options.systems) - set(LEGACY_PAIRS):
        raise MalformedInput(f"--systems {options.systems}: of {''.join(LEGACY_PAIRS)}")
    found = recordings(options.files, options)
    seen = found.receiver()
    settings = PppSettings(
        pairs=pairs_of(seen, {system: LEGACY_PAIRS[system] for system in options.systems}),
        mask_rad=float(np.deg2rad(options.mask)),
        moving=options.moving,
    )
    with bar("solving", 1) as step:
        step(f"{len(seen.gpst_ns)} epochs")
        solved = solve_precise(
            seen, _products(found), settings, glonass_channels=_channels(found, options.systems)
        )
    if solved.solved.any() and not options.moving:
        told = f"within 0.1 m of the last point after {solved.converged_s():.0f} s"
        print(f"{told} (agreement, not accuracy)", file=sys.stderr)
    return deliver(options, of_precise(solved, simulated=seen.simulated))


def _products(found: Recordings) -> PreciseProducts:
    from zhidao.positioning.domain.ppp.products import PreciseProducts

    if not found.orbits:
        raise Refused("none of the files holds precise orbits", code="no_orbits", remedy="add SP3")
    # An SP3 file holds clocks too, at its own coarse steps; a CLK file is far better.
    clocks = found.clocks or found.orbits
    first_first = sorted(found.orbits, key=lambda table: int(table.gpst_ns[0]))
    orbits = reduce(lambda one, other: one.followed_by(other), first_first)
    clocks = sorted(clocks, key=lambda table: int(table.gpst_ns[0]))
    return PreciseProducts(orbits, reduce(lambda one, other: one.followed_by(other), clocks))


def _channels(found: Recordings, systems: str) -> dict[int, int]:
    from zhidao.positioning.domain.ppp.rays import glonass_channels_of

    table = found.broadcast().glonass if found.navigation else None
    if table is None:
        if "R" in systems:
            print("GLONASS is left out: no file tells its channels", file=sys.stderr)
        return {}
    return glonass_channels_of(table.satellite, table.channel)
