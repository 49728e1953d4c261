"""`zhidao insight corridor`: hours at border crossings, with bounds, out of reports of vehicles."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zhidao.cli.console.numbers import seed
from zhidao.cli.console.outputs import lines_of, put, take, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "corridor", type=Path, help="GeoJSON: two polygons a crossing, one for each country's post"
    )
    parser.add_argument("tracks", type=Path, help="CSV of reports; - reads standard input")
    parser.add_argument("--seed", type=seed, default=1, help="of the bootstrap (1)")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the table (en)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "Each polygon has the properties `crossing` and `side`. The CSV begins with the line\n"
    "  consignment,party,mode,at,latitude_deg,longitude_deg,bound_m\n"
    "in WGS 84 or CGCS2000, a trip a consignment; bound_m is the radius that surely holds the\n"
    "vehicle. A time lies between the last report outside and the first inside: each mean has\n"
    "that bound, and a 90 % interval. What is of fewer than 5 consignments or 3 parties is\n"
    "withheld, and left out of every total.\n"
    "examples:\n"
    "  zhidao insight corridor corridor.geojson reports.csv\n"
    "  zhidao insight corridor corridor.geojson reports.csv --seed 7 -o q1.json --language zh\n"
    "status: 0 told, also where nothing is enough to be told; 2 bad input"
)


def run(options: argparse.Namespace) -> int:
    """Reads both files, writes the figures where they are wanted, and prints the table."""
    from zhidao.insight.library.corridors import (
        CORRIDOR_BYTES_MAX,
        LINE_BYTES_MAX,
        corridor,
        corridor_table,
        encode_corridor_figures,
    )

    area = take(options.corridor, bytes_max=CORRIDOR_BYTES_MAX)
    lines = lines_of(options.tracks, line_bytes_max=LINE_BYTES_MAX)
    found = corridor(area, lines, seed=options.seed)
    data = encode_corridor_figures(found, seed=options.seed)
    if options.output:
        put(data, options.output)
    if options.json:
        if not options.output:
            tell(data.decode())
        return 0
    tell(corridor_table(found, seed=options.seed, language=options.language).rstrip("\n"))
    return 0
