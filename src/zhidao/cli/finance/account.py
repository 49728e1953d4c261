"""`zhidao account`: accounts of a bank's customers, on this node's ledger or a peer's."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/accounts"
_COLUMNS: Final = ("number", "bank", "holder", "purpose", "balance", "available", "state")
_MOVED: Final = ("at", "state", "amount", "counterparty", "end_to_end", "remittance")


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
    moving = actions.add_parser("movements", help="show what moved on an account, newest first")
    moving.add_argument("account", metavar="ACCOUNT", help="the account's id or number")
    add_listing(moving, "movements")
    moving.set_defaults(run=_movements)
    standing = actions.add_parser("balance", help="show what stood on an account at a moment")
    standing.add_argument("account", metavar="ACCOUNT", help="the account's id or number")
    standing.add_argument(
        "--at", dest="moment", required=True, metavar="MOMENT", help="such as 2026-05-01T12:00:00Z"
    )
    standing.set_defaults(run=_balance)
    for action in (listing, opening, moving, standing):
        add_caller(action)
    parser.epilog = (
        "The same account opened again is the same account. With --at your own node asks the\n"
        "peer; what it decided stands in `zhidao exchange outbox`.\n"
        "examples:\n"
        "  zhidao account open importer CNY 'Alatau Water Supply LLP' Almaty KZ \\\n"
        "      --url https://localhost:8443 --token-file ~/bank.token\n"
        "  zhidao account list --url https://localhost:8443 --token-file ~/bank.token --json\n"
        "  zhidao account list --filter currency=CNY --sort=-balance_minor --limit 20\n"
        "  zhidao account movements 5e0c…d1 --limit 20 --token-file ~/bank.token\n"
        "  zhidao account balance 5e0c…d1 --at 2026-05-01T12:00:00Z --token-file ~/bank.token\n"
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
        "state": "closed" if account["closed"] else "open",
    }


def _movements(options: argparse.Namespace) -> int:
    from zhidao.core.money import Currency, Money

    rows = rows_of(options, node_of(options), f"account={options.account}")
    told = [one | {"amount": Money(one["amount_minor"], Currency(one["currency"]))} for one in rows]
    return say(options, rows, table(told, _MOVED))


def _balance(options: argparse.Namespace) -> int:
    from zhidao.core.money import Currency, Money

    asked = urlencode({"at": options.moment})
    told = node_of(options).get(f"{_PATH}/{quote(options.account, safe='')}/balance?{asked}")
    amount = Money(told["balance_minor"], Currency(told["currency"]))
    return say(options, told, f"{amount} at {told['at']}")
