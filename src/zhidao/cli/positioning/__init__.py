"""`zhidao positioning`: from recordings to positions, tables and plots."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Final

# Action, module that adds its arguments and runs it, one line for the overview.
ACTIONS: Final = (
    ("info", "what files hold: receiver, times, satellites, signals, gaps"),
    ("solve", "a bounded position for every epoch, or the reason why there is none"),
    ("rtk", "the place of a rover beside a base, centimetres where ambiguities are fixed"),
    ("ppp", "precise points by the orbits and clocks of an analysis centre (SP3, CLK)"),
    ("decode", "messages and tables as text, or from one format into another"),
    ("simulate", "what a receiver on a given way would have measured, marked as simulated"),
    ("stream", "corrections of an NTRIP caster, counted and kept in a file"),
    ("plot", "sky, track, errors, protection levels or residuals as SVG or PNG"),
)
_EXAMPLES: Final = (
    "Files may be RINEX 2, 3 and 4 (also Compact or gzipped), SP3, CLK, RTCM 3, UBX or NMEA; each\n"
    "is recognised by its content.\n"
    "examples:\n"
    "  zhidao positioning info day.crx.gz day_MN.rnx.gz\n"
    "  zhidao positioning solve day.crx.gz day_MN.rnx.gz --form pos -o day.pos\n"
    "  zhidao positioning plot sky day.crx.gz day_MN.rnx.gz -o sky.svg\n"
    "status: 0 done, 1 no epoch has a position, 2 bad input, 3 a disk or network failed"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, line in ACTIONS:
        action = actions.add_parser(
            name, help=line, description=line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module = import_module(f"{__name__}.{name}")
        module.add_arguments(action)
        action.add_argument("--json", action="store_true", help="answer and refusals as JSON")
        action.set_defaults(run=module.run)


def add_files(parser: argparse.ArgumentParser) -> None:
    """Adds the files and what settles the time of streams."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recordings")
    parser.add_argument(
        "--near", metavar="TIME", help="a time near the recording (2026-03-09T12:00:00Z), for RTCM"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse observations that are cut at their end, in place of taking whole epochs",
    )
