"""`zhidao finance`: the ledger, netting, screening and payment messages without a server."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

# Action, module that adds its arguments and runs it, one line for the overview.
ACTIONS: Final = (
    ("ledger", "replay batches of accounts and transfers; audit a node's ledger"),
    ("statement", "an account between two days, as camt.053, CSV, JSON or PDF"),
    ("report", "trial balance, balance sheet, income; the audit bundle and its check"),
    ("approval", "what waits for two persons, and a person's word on it"),
    ("order", "payments that wait for their day, and taking them back"),
    ("line", "how much another bank may owe yours"),
    ("passport", "your verified receivables as a credential, shown part by part"),
    ("credit", "lead a documentary credit; examine a presentation under it"),
    ("calendars", "on which days banks rest: what is known, and adding a year or a place"),
    ("net", "who owes what in sum, what settles at once, what cancels without money"),
    ("iso", "check ISO 20022 messages, or turn them into JSON and back"),
    ("mt", "read FIN messages of documentary credits: MT 700, 707, 734, 750"),
    ("packs", "install your copies of official schemas, code lists and network profiles"),
    ("screen", "hold names of any script against sanctions lists"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, line in ACTIONS:
        action = actions.add_parser(
            name, help=line, description=line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        import_module(f"{__name__}.{name}").add_arguments(action)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance ledger replay batches.jsonl\n"
    "  zhidao finance net obligations.csv --balances balances.csv\n"
    '  zhidao finance screen --list un=consolidated.xml "Jane Doe"\n'
    "  zhidao finance iso check payment.xml --year 2026\n"
    "status: 0 done, 1 the answer is no, 2 bad input, 3 the outside world failed"
)
