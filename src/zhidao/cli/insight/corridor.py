"""`zhidao insight corridor`: hours at border crossings, with bounds, of a log or of reports."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.numbers import seed
from zhidao.cli.console.outputs import lines_of, put, take, tell
from zhidao.cli.insight.log_source import add_source, of_log
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.insight.library.corridors import AskedFigures, Corridor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    add_source(parser)
    parser.add_argument(
        "--from", dest="first", default="", metavar="WHEN", help="came then or later"
    )
    parser.add_argument(
        "--to", dest="last", default="", metavar="WHEN", help="came before; a day is taken whole"
    )
    parser.add_argument(
        "--map", type=Path, help="GeoJSON: two polygons a crossing, one for each country's post"
    )
    parser.add_argument("--reports", type=Path, help="CSV of vehicles; - reads standard input")
    parser.add_argument("--seed", type=seed, default=1, help="of the bootstrap (1)")
    parser.add_argument(
        "--weights", default="", metavar="NAME=N,…", help="one number of several, with its places"
    )
    parser.add_argument(
        "--published",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="reports before this one, which nothing told here may unmask",
    )
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the table (en)")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "Of a log: what carriers and customs said of crossings, opened against its leaves. Of files:\n"
    "--map and --reports together. Each polygon has the properties `crossing` and `side`; the CSV\n"
    "begins with the line\n"
    "  consignment,party,mode,at,latitude_deg,longitude_deg,bound_m\n"
    "in WGS 84 or CGCS2000, a trip a consignment; bound_m is the radius that surely holds the\n"
    "vehicle. When goods came and left lies between two instants: each mean has that bound, and a\n"
    "90 % interval. What is of fewer than 5 consignments or 3 parties is withheld, and left out\n"
    "of every total. --published withholds besides what differs by fewer from an earlier report.\n"
    "--weights, of mean, p90, variation and missing, makes one number of them, where 1 is the\n"
    "best of all crossings in everything; an order is told only if 1,000 disturbances keep it.\n"
    "examples:\n"
    "  zhidao insight corridor --data ~/zhidao --from 2026-01-01 --to 2026-03-31\n"
    "  zhidao insight corridor --proof *.zdproof --trust trust.json -o q1.json --language zh\n"
    "  zhidao insight corridor --map corridor.geojson --reports reports.csv --seed 7\n"
    "  zhidao insight corridor --data ~/zhidao --weights mean=2,p90=1 --published q1.json\n"
    "status: 0 told, also where nothing is enough to be told, 1 refused (an event is not what its\n"
    "leaf says), 2 bad input, 3 the database does not answer"
)


def run(options: argparse.Namespace) -> int:
    """Reads the log or both files, writes the figures where they are wanted, prints the table."""
    found = _of_files(options) if options.map or options.reports else _of_log(options)
    data = found.document()
    if options.output:
        put(data, options.output)
    if options.json:
        if not options.output:
            tell(data.decode())
        return 0
    tell(found.table(options.language).rstrip("\n"))
    return 0


def _of_log(options: argparse.Namespace) -> Corridor:
    from zhidao.insight.library.corridors import corridor_of_log, period

    if options.proof and options.data is not None:
        raise MalformedInput("--proof and --data are two ways; give one")
    if options.trust and not options.proof:
        raise MalformedInput("--trust belongs to --proof")
    period(options.first, options.last)  # What is no time is told before anything is read.
    asked = _asked(options)
    return of_log(
        options,
        lambda log: corridor_of_log(log, first=options.first, last=options.last, asked=asked),
    )


def _of_files(options: argparse.Namespace) -> Corridor:
    from zhidao.insight.library.corridors import (
        CORRIDOR_BYTES_MAX,
        LINE_BYTES_MAX,
        corridor_of_reports,
    )

    if not (options.map and options.reports):
        raise MalformedInput("--map and --reports belong together", remedy="give both")
    of_a_log = (options.proof, options.data, options.trust, options.first, options.last)
    if any(of_a_log):
        raise MalformedInput("--map and --reports tell of no log; give them alone")
    asked = _asked(options)
    area = take(options.map, bytes_max=CORRIDOR_BYTES_MAX)
    lines = lines_of(options.reports, line_bytes_max=LINE_BYTES_MAX)
    return corridor_of_reports(area, lines, asked=asked)


def _asked(options: argparse.Namespace) -> AskedFigures:
    from zhidao.insight.library.corridors import (
        PUBLISHED_BYTES_MAX,
        PUBLISHED_FILES_MAX,
        asked_figures,
    )

    if len(options.published) > PUBLISHED_FILES_MAX:
        raise MalformedInput(f"more than {PUBLISHED_FILES_MAX} reports", where="--published")
    earlier = [take(file, bytes_max=PUBLISHED_BYTES_MAX) for file in options.published]
    return asked_figures(seed=options.seed, weights=options.weights, published=earlier)
