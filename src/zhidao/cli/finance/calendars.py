"""`zhidao finance calendars`: on which days banks rest; the operator adds years and places."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import taken_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    add = actions.add_parser("add", help="take over a file with holidays of a place")
    add.add_argument("file", type=Path, metavar="FILE")
    add.set_defaults(run=run, act=_add)
    listing = actions.add_parser("list", help="which calendars and years the node knows")
    listing.set_defaults(run=run, act=_list)
    for action in (add, listing):
        add_settings(action)


_EXAMPLES: Final = (
    "A file of the same name and years replaces the one before; other years add up. A node that\n"
    "runs sees it at once. Holidays that a government announces are known when it announced them:\n"
    "those of China's mainland stand here up to 2026. A file for 2027 looks like this:\n"
    '  {"calendar": "CN", "source": "State Council, notice of ...", "first_year": 2027,\n'
    '   "last_year": 2027, "rest": [5, 6], "announced": ["2027-01-01"], "worked": []}\n'
    "examples:\n"
    "  zhidao finance calendars add cn-2027.json --data ~/zhidao\n"
    "  zhidao finance calendars list --data ~/zhidao\n"
    "status: 0 done, 2 it is no calendar, or does not go with the others"
)


def run(options: argparse.Namespace) -> int:
    """Does what was asked and prints the calendars that it is about."""
    from zhidao.finance.library.packs import calendars_of

    calendars = calendars_of(config_of(options).data)
    for known in options.act(options, calendars):
        years = [f"{first} to {last}" for first, last in known.years]
        if options.json:
            print(json.dumps({"calendar": known.name, "years": known.years}))
        else:
            print(f"{known.name}: {', '.join(years)}; after {known.last_year}: not known")
    return 0


def _add(options: argparse.Namespace, calendars: Any) -> list[Any]:
    from zhidao.finance.wire.calendars import FILE_BYTES_MAX

    return [taken_as(calendars.add, options.file, bytes_max=FILE_BYTES_MAX)]


def _list(_: argparse.Namespace, calendars: Any) -> list[Any]:
    return list(calendars.calendars())
