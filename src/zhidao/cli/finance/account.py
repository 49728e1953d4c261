"""`zhidao account`: accounts of a bank's customers, on this node's ledger or a peer's."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/accounts"
_COLUMNS: Final = ("account", "bank", "holder", "purpose", "balance", "available")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the accounts that you keep or hold")
    add_listing(listing, "accounts")
    listing.set_defaults(run=_list)
    opening = actions.add_parser("open", help="open a customer's account at your bank")
    opening.add_argument("holder", metavar="PARTY", help="the customer's short name")
    opening.add_argument("currency", metavar="CURRENCY", help="such as CNY")
    opening.add_argument("name", metavar="NAME", help="as payment messages bear it")
    opening.add_argument("town", metavar="TOWN")
    opening.add_argument("country", metavar="CC", help="two letters (ISO 3166-1)")
    opening.add_argument("--at", dest="node", default="", metavar="NODE", help="a peer's ledger")
    opening.set_defaults(run=_open)
    for action in (listing, opening):
        add_caller(action)
    parser.epilog = (
        "The same account opened again is the same account. With --at your own node asks the\n"
        "peer; what it decided stands in `zhidao exchange outbox`.\n"
        "examples:\n"
        "  zhidao account open importer CNY 'Alatau Water Supply LLP' Almaty KZ \\\n"
        "      --url https://localhost:8443 --token-file ~/bank.token\n"
        "  zhidao account list --url https://localhost:8443 --token-file ~/bank.token --json\n"
        "  zhidao account list --filter currency=CNY --sort=-balance_minor --limit 20\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    accounts = rows_of(options, node_of(options))
    return say(options, accounts, table([_told(each) for each in accounts], _COLUMNS))


def _open(options: argparse.Namespace) -> int:
    names = ("holder", "currency", "name", "town", "country")
    body = {name: getattr(options, name) for name in names}
    node = node_of(options)
    if options.node:
        sent = node.send("/v1/federation/accounts", {"node": options.node} | body)
        return say(options, sent, f"{options.node} was asked; document {sent['document']}")
    made = node.send(_PATH, body)
    return say(options, made, f"account {made['account']} of {made['holder']} is open")


def _told(account: dict[str, Any]) -> dict[str, Any]:
    from zhidao.core.money import Currency, Money

    currency = Currency(account["currency"])
    return account | {
        "balance": Money(account["balance_minor"], currency),
        "available": Money(account["available_minor"], currency),
    }
