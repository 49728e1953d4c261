"""`zhidao finance line`: how much another bank may owe yours, by currency."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any, Final

from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.remote import RemoteNode, add_node

_PATH: Final = "/v1/finance/credit-lines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the lines of your bank and what is owed")
    add_listing(listing, "credit-lines")
    listing.set_defaults(run=run, act=_list)
    setting = actions.add_parser("set", help="say how much a bank may owe yours at most")
    setting.add_argument("peer", metavar="BANK", help="the other bank's party name")
    setting.add_argument("currency", metavar="CURRENCY", help="such as CNY")
    setting.add_argument("amount", metavar="AMOUNT", help="such as 500000.00; 0: nothing")
    setting.add_argument("--at", dest="node", default="", metavar="NODE", help="a peer's ledger")
    setting.set_defaults(run=run, act=_set)
    for action in (listing, setting):
        add_node(action)


_EXAMPLES: Final = (
    "Without a line every payment of another bank is refused (pacs.002 RJCT, AM14). A line above\n"
    "finance.two_persons_above waits until two persons approved it on the money page.\n"
    "examples:\n"
    "  zhidao finance line set importer-bank CNY 500000.00 --url https://localhost:8443 \\\n"
    "      --token-file ~/bank.token\n"
    "  zhidao finance line list --url https://localhost:8443 --token-file ~/bank.token\n"
    "  zhidao finance line list --filter currency=CNY --sort=-used_minor\n"
    "status: 0 done, 1 refused (two persons are needed), 2 bad input, 3 no answer"
)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    lines = options.act(options, RemoteNode(options))
    if options.json:
        print(json.dumps(lines))
    elif getattr(options, "node", ""):
        print(f"{options.node} was asked; document {lines[0]['document']}")
    else:
        for line in lines:
            print(_words(line))
        if not lines:
            print("No lines: no other bank may owe yours anything.")
    return 0


def _list(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return rows_of(options, node)


def _set(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    from zhidao.core.money import Money

    amount = Money.parse(options.amount, options.currency)
    body = {
        "peer": options.peer,
        "currency": amount.currency.code,
        "limit_minor": amount.minor,
    }
    if options.node:
        # Each setting is a request of its own: the same line may be set once more later.
        asked = {"node": options.node, "request": f"line-{secrets.token_hex(8)}"}
        return [node.send("/v1/federation/credit-lines", asked | body)]
    return [node.send(_PATH, body)]


def _words(line: dict[str, Any]) -> str:
    from zhidao.core.money import Currency, Money

    limit, used = (
        Money(line[key], Currency(line["currency"])) for key in ("limit_minor", "used_minor")
    )
    return f"{line['peer']} may owe {line['bank']} up to {limit}; it owes {used}"
