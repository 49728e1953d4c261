"""`zhidao positioning plot`: pictures of what was solved."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zhidao.cli.outputs import put
from zhidao.cli.positioning.reading import add_solver, recordings, settings_of, signals_of
from zhidao.cli.progress import bar
from zhidao.core.errors import MalformedInput

KINDS: Final = ("sky", "track", "error", "levels", "stanford", "residuals")
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao positioning plot sky day.crx.gz day_MN.rnx.gz -o sky.svg\n"
    "  zhidao positioning plot error day.crx.gz day_MN.rnx.gz \\\n"
    "    --reference 3582104.918 532590.191 5232755.315 -o error.svg\n"
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
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="an SVG file: NAME.svg")


def run(options: argparse.Namespace) -> int:
    """Solves and draws."""
    from zhidao.positioning.domain.positions import of_solution
    from zhidao.positioning.domain.solving import solve
    from zhidao.positioning.wire import plots

    if options.output is not None and options.output.suffix != ".svg":
        raise MalformedInput(
            f"pictures are drawn as SVG, and {options.output.name} would say otherwise",
            where="--output",
            remedy=f"name it {options.output.with_suffix('.svg').name}",
        )
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
    elif options.kind == "residuals":
        drawn = plots.residuals(solved, simulated=simulated)
    else:
        drawings = {"track": plots.track, "error": plots.errors, "levels": plots.levels}
        drawn = (drawings | {"stanford": plots.stanford})[options.kind](table, reference_m)
    put(drawn, options.output)
    return 0
