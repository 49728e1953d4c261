"""`zhidao positioning solve`: a bounded position for every epoch."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import put
from zhidao.cli.console.progress import told
from zhidao.cli.positioning.reading import add_solver, recordings, settings_of, signals_of
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.positioning.domain.positions import Positions

SUFFIXES: Final = {".csv": "csv", ".json": "json", ".geojson": "geojson", ".pos": "pos"} | {
    ".nmea": "nmea"
}
_EXAMPLES: Final = (
    "Positions go to standard output or to --output, in the form that its ending says. What looks\n"
    "like jamming or false signals is told on standard error.\n"
    "examples:\n"
    "  zhidao positioning solve day.crx.gz day_MN.rnx.gz > day.csv\n"
    "  zhidao positioning solve day.crx.gz day_MN.rnx.gz --signals C=C2I -o day.geojson\n"
    "  zhidao positioning solve drive.ubx --smooth --velocity -o drive.csv\n"
    "  zhidao positioning solve stream.rtcm3 --near 2026-03-09T12:00:00Z --form nmea\n"
    "status: 0 done, 1 no epoch has a position (the reasons are told), 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    from zhidao.cli.positioning import add_files

    parser.epilog = _EXAMPLES
    add_files(parser)
    add_solver(parser)
    parser.add_argument(
        "--smooth", action="store_true", help="codes are smoothed by their carriers first (Hatch)"
    )
    parser.add_argument(
        "--velocity", action="store_true", help="east, north and up from Doppler, in m/s"
    )
    add_output(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds where positions go and in which form."""
    forms = sorted(set(SUFFIXES.values()))
    parser.add_argument("--form", choices=forms, help="csv if neither this nor --output says")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="replaced whole or not")


def run(options: argparse.Namespace) -> int:
    """Solves all epochs."""
    return deliver(options, positions_of(options))


def positions_of(options: argparse.Namespace) -> Positions:
    """Single points of the files of the command line."""
    from zhidao.positioning.domain.positions import join_positions
    from zhidao.positioning.library import solved_parts
    from zhidao.positioning.service.by_parts import Wanted

    form_of(options)
    signals = signals_of(options.signals) if options.signals else None
    # What is wrong with the choices is said before anything is read.
    settings_of(options, "C")
    found = recordings(options.files, options, signals)
    wanted = Wanted(risk=options.risk, smooth=options.smooth, velocity=options.velocity)
    tables = []
    with told("solving") as say:
        for part in solved_parts(found, lambda both: settings_of(options, both), wanted):
            tables.append(part.positions)
            for each in part.findings:
                print(f"{each.reason.value}: {each.sentence}", file=sys.stderr)
            say(f"{part.positions.until}")
    return join_positions(tables)


def form_of(options: argparse.Namespace) -> str:
    """The form asked for: --form, --json, or the ending of --output."""
    ending = SUFFIXES.get(options.output.suffix.lower(), "") if options.output else ""
    if options.json and options.form not in (None, "json"):
        raise MalformedInput(f"--json and --form {options.form} are two forms; give one")
    if options.output and options.output.is_dir():
        raise MalformedInput(f"{options.output} is a folder, not a file")
    return "json" if options.json else options.form or ending or "csv"


def deliver(options: argparse.Namespace, table: Positions) -> int:
    """Writes the positions and says how many there are, and why others are missing."""
    from zhidao.positioning.wire.output.position_files import written

    put(written(form_of(options), table), options.output)
    solved = len(table.solved)
    line = f"{solved} of {len(table)} epochs have a position"
    missing = Counter(table.reason[row] for row in range(len(table)) if not table.quality[row])
    if missing:
        line += "; " + ", ".join(f"{count} {why}" for why, count in missing.most_common())
    print(line + (" (simulated observations)" if table.simulated else ""), file=sys.stderr)
    return 0 if solved else 1
