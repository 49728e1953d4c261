"""`zhidao positioning plot`: pictures of what was solved."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import put
from zhidao.cli.console.progress import bar
from zhidao.cli.positioning.reading import add_solver, recordings, settings_of, signals_of
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.observables.observations import Floats
    from zhidao.positioning.domain.positions import Positions

_FORMS: Final = (".svg", ".png")
KINDS: Final = ("sky", "track", "error", "levels", "stanford", "residuals")
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao positioning plot sky day.crx.gz day_MN.rnx.gz -o sky.svg\n"
    "  zhidao positioning plot error day.crx.gz day_MN.rnx.gz \\\n"
    "    --reference 3582104.918 532590.191 5232755.315 -o error.svg\n"
    "  zhidao positioning plot stanford day.crx.gz day_MN.rnx.gz --alert 40 50 \\\n"
    "    --reference 3582104.918 532590.191 5232755.315 -o stanford.png\n"
    "status: 0 drawn, 1 nothing to draw, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    parser.add_argument("kind", choices=KINDS, help="what to draw")
    add_files(parser)
    add_solver(parser)
    parser.add_argument(
        "--reference",
        type=float,
        nargs=3,
        metavar=("A", "B", "C"),
        help="the true place: latitude, longitude, height, or Earth-fixed X, Y, Z in metres",
    )
    parser.add_argument(
        "--alert",
        type=float,
        nargs=2,
        metavar=("H", "V"),
        help="alert limits in metres: the regions of the Stanford diagram, and counts in each",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="NAME.svg or NAME.png")


def run(options: argparse.Namespace) -> int:
    """Solves and draws."""
    from zhidao.positioning.domain.integrity.solving import solve
    from zhidao.positioning.domain.positions import of_solution
    from zhidao.positioning.library import png_of
    from zhidao.positioning.wire.output import plots

    if options.output is not None and options.output.suffix not in _FORMS:
        raise MalformedInput(
            f"pictures are SVG or PNG, and {options.output.name} would say otherwise",
            where="--output",
            remedy=f"name it {options.output.with_suffix('.svg').name}",
        )
    if options.alert and options.kind != "stanford":
        raise MalformedInput("--alert goes with the Stanford diagram", where="--alert")
    signals = signals_of(options.signals) if options.signals else None
    found = recordings(options.files, options, signals)
    seen, navigation = found.receiver(), found.broadcast()
    both = set(seen.systems) & set(navigation.systems)
    with bar("solving", 1) as step:
        step(f"{len(seen.gpst_ns)} epochs")
        solved = solve(seen, navigation, settings_of(options, "".join(both)), risk=options.risk)
    simulated = seen.simulated or navigation.simulated
    reference_m = plots.reference_of(options.reference) if options.reference else None
    table = of_solution(solved, simulated=simulated)
    if options.kind == "sky":
        drawn = plots.sky(solved, simulated=simulated)
    elif options.kind == "stanford":
        drawn = _stanford(table, reference_m, options.alert)
    elif options.kind == "residuals":
        drawn = plots.residuals(solved, simulated=simulated)
    else:
        drawings = {"track": plots.track, "error": plots.errors, "levels": plots.levels}
        drawn = drawings[options.kind](table, reference_m)
    if options.output is not None and options.output.suffix == ".png":
        drawn = png_of(drawn)
    put(drawn, options.output)
    return 0


def _stanford(table: Positions, reference_m: Floats | None, alert: list[float] | None) -> bytes:
    """The diagram, and with alert limits the counts by region on standard error."""
    from dataclasses import asdict

    from zhidao.positioning.domain.integrity.stanford import AlertLimits
    from zhidao.positioning.wire.output.stanford_plot import stanford, stanford_regions

    limits = AlertLimits(*alert) if alert else None
    if limits:
        for direction, found in stanford_regions(table, reference_m, limits).items():
            counts = ", ".join(f"{count} {name}" for name, count in asdict(found).items())
            share = f"available {found.available_share:.1%}"
            print(f"{direction}: {counts}; {share}".replace("_", " "), file=sys.stderr)
    return stanford(table, reference_m, limits)
