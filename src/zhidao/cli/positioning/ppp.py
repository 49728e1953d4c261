"""`zhidao positioning ppp`: one receiver with the orbits and clocks of an analysis centre."""

from __future__ import annotations

import argparse
import sys
from functools import reduce
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.progress import bar
from zhidao.cli.positioning.reading import recordings
from zhidao.cli.positioning.solve import add_output, deliver, form_of
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.positioning.domain.observables.observations import Observations
    from zhidao.positioning.domain.ppp.corrected import CorrectedProducts
    from zhidao.positioning.domain.ppp.products import PreciseProducts
    from zhidao.positioning.service.recordings import Recordings

_EXAMPLES: Final = (
    "Ambiguities stay floats: a receiver at rest needs a quarter of an hour or more to 0.1 m.\n"
    "Near midnight give the orbits of the day before and after too. GLONASS needs the broadcast\n"
    "navigation file, which tells its channels. An ANTEX file among them replaces the built-in\n"
    "offsets of satellites' antennas.\n"
    "examples:\n"
    "  zhidao positioning ppp day.crx.gz day_MN.rnx.gz *ORB.SP3.gz *CLK.CLK.gz -o day.pos\n"
    "  zhidao positioning ppp drive.rnx orbits.sp3 clocks.clk --moving --systems GE\n"
    "  zhidao positioning ppp day.rnx day_MN.rnx b2b.log --b2b -o day.pos\n"
    "status: 0 done, 1 no epoch has a point, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)
    parser.add_argument("--systems", default="", help="letters, as far as the clocks hold them")
    parser.add_argument(
        "--b2b",
        action="store_true",
        help="by the broadcast orbits and the PPP-B2b frames of a receiver's log",
    )
    parser.add_argument("--moving", action="store_true", help="the place is found at each epoch")
    parser.add_argument("--mask", type=float, default=7.0, metavar="DEG", help="elevation mask")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Solves all epochs."""
    import numpy as np

    from zhidao.positioning.domain.observables.signal_codes import pairs_of
    from zhidao.positioning.domain.positions import of_precise
    from zhidao.positioning.domain.ppp.ppp_settings import B2B_PAIRS, LEGACY_PAIRS, PppSettings
    from zhidao.positioning.domain.ppp.solving import solve_precise

    form_of(options)
    known = B2B_PAIRS if options.b2b else LEGACY_PAIRS
    systems = options.systems or "".join(known)
    if set(systems) - set(known):
        raise MalformedInput(f"--systems {options.systems}: of {''.join(known)}")
    # PPP-B2b corrects what B-CNAV-1 of BDS and LNAV of GPS say.
    found = recordings(options.files, options, {"C": "C1P"} if options.b2b else None)
    seen = found.receiver()
    settings = PppSettings(
        pairs=pairs_of(seen, {system: known[system] for system in systems}),
        mask_rad=float(np.deg2rad(options.mask)),
        moving=options.moving,
    )
    with bar("solving", 1) as step:
        step(f"{len(seen.gpst_ns)} epochs")
        products = _corrected(found, seen) if options.b2b else _products(found, seen)
        channels = {} if options.b2b else _channels(found, systems)
        solved = solve_precise(seen, products, settings, glonass_channels=channels)
    if solved.solved.any() and not options.moving:
        told = f"within 0.1 m of the last point after {solved.converged_s():.0f} s"
        print(f"{told} (agreement, not accuracy)", file=sys.stderr)
    return deliver(options, of_precise(solved, simulated=seen.simulated))


def _corrected(found: Recordings, seen: Observations) -> CorrectedProducts:
    from zhidao.positioning.domain.ppp.corrected import CorrectedProducts
    from zhidao.positioning.wire.precise.b2b_log import corrections_at

    frames = found.frames_of_one()
    print(f"{len(frames)} PPP-B2b frames of C{frames[0].prn}", file=sys.stderr)
    return CorrectedProducts(found.broadcast().ephemerides, corrections_at(frames, seen.gpst_ns))


def _products(found: Recordings, seen: Observations) -> PreciseProducts:
    from zhidao.positioning.domain.ppp.products import PreciseProducts

    if not found.orbits:
        raise Refused("none of the files holds precise orbits", code="no_orbits", remedy="add SP3")
    # An SP3 file holds clocks too, at its own coarse steps; a CLK file is far better.
    clocks = found.clocks or found.orbits
    first_first = sorted(found.orbits, key=lambda table: int(table.gpst_ns[0]))
    orbits = reduce(lambda one, other: one.followed_by(other), first_first)
    clocks = sorted(clocks, key=lambda table: int(table.gpst_ns[0]))
    offset_m = found.antenna_offsets_m(int(seen.gpst_ns[0])) if len(seen.gpst_ns) else {}
    joined = reduce(lambda one, other: one.followed_by(other), clocks)
    return PreciseProducts(orbits, joined, offset_m)


def _channels(found: Recordings, systems: str) -> dict[int, int]:
    from zhidao.positioning.domain.ppp.rays import glonass_channels_of

    table = found.broadcast().glonass if found.navigation else None
    if table is None:
        if "R" in systems:
            print("GLONASS is left out: no file tells its channels", file=sys.stderr)
        return {}
    return glonass_channels_of(table.satellite, table.channel)
