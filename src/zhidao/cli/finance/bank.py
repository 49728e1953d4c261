"""`zhidao bank`: which parties may keep accounts at a node."""

from __future__ import annotations

import argparse
from typing import Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/banks"
_COLUMNS: Final = ("bank", "name", "bic", "town", "country")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all admitted banks")
    add_listing(listing, "banks")
    listing.set_defaults(run=_list)
    admitting = actions.add_parser("admit", help="let a party keep accounts here; operators")
    admitting.add_argument("bank", metavar="PARTY", help="the party's short name")
    admitting.add_argument("name", metavar="NAME", help="as payment messages bear it")
    admitting.add_argument("bic", metavar="BIC", help="8 or 11 characters (ISO 9362)")
    admitting.add_argument("town", metavar="TOWN")
    admitting.add_argument("country", metavar="CC", help="two letters (ISO 3166-1)")
    admitting.set_defaults(run=_admit)
    for action in (listing, admitting):
        add_caller(action)
    parser.epilog = (
        "What is said of a bank stands in payment messages and cannot be changed.\n"
        "examples:\n"
        "  zhidao bank admit importer-bank 'Alatau Trade Bank JSC' ALTBKZKA Almaty KZ \\\n"
        "      --url https://localhost:8443 --as olga\n"
        "  zhidao bank list --url https://localhost:8443 --token-file ~/bank.token\n"
        "  zhidao bank list --filter country=KZ --sort name\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    banks = rows_of(options, node_of(options))
    return say(options, banks, table(banks, _COLUMNS))


def _admit(options: argparse.Namespace) -> int:
    body = {name: getattr(options, name) for name in _COLUMNS}
    made = node_of(options).send(_PATH, body)
    return say(options, made, f"{made['name']} may keep accounts here now.")
