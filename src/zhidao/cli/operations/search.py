"""`zhidao search`: what begins with a name, among what the caller may see at a node."""

from __future__ import annotations

import argparse
from typing import Final
from urllib.parse import urlencode

from zhidao.cli.console.callers import add_question, node_of, say, table

_COLUMNS: Final = ("kind", "label", "subject", "consignment")
_FOUND: Final = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.add_argument("text", metavar="TEXT", help="the beginning of a name, however typed")
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help=f"at most so many, up to {_FOUND}"
    )
    add_question(
        parser,
        _run,
        "Finds consignments, containers, bills, invoices, titles, deals, payments, credits,\n"
        "receivables, declarations, terminals, seals, orders, lots and parties. Case, blanks and\n"
        "hyphens do not count, nor does a wrong check digit of a container.\n"
        "example:\n"
        "  zhidao search 'csqu 305438' --url https://localhost:8443 --as dana\n"
        "status: 0 found, 1 nothing found or refused, 2 bad input, 3 no answer",
    )


def _run(options: argparse.Namespace) -> int:
    query = urlencode({"q": options.text, "limit": options.limit})
    told = node_of(options).get(f"/v1/search?{query}")
    say(options, told, table(told["found"], _COLUMNS, "nothing found"))
    return 0 if told["found"] else 1
