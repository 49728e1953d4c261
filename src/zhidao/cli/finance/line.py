"""`zhidao finance line`: how much another bank may owe yours, by currency."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/credit-lines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the lines of your bank and what is owed")
    add_listing(listing, "credit-lines")
    listing.set_defaults(run=_list)
    setting = actions.add_parser("set", help="say how much a bank may owe yours at most")
    setting.add_argument("peer", metavar="BANK", help="the other bank's party name")
    setting.add_argument("currency", metavar="CURRENCY", help="such as CNY")
    setting.add_argument("amount", metavar="AMOUNT", help="such as 500000.00; 0: nothing")
    setting.add_argument("--at", dest="node", default="", metavar="NODE", help="a peer's ledger")
    setting.set_defaults(run=_set)
    for action in (listing, setting):
        add_caller(action)


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


def _list(options: argparse.Namespace) -> int:
    lines = rows_of(options, node_of(options))
    told = "\n".join(map(_words, lines)) or "No lines: no other bank may owe yours anything."
    return say(options, lines, told)


def _set(options: argparse.Namespace) -> int:
    from zhidao.core.money import Money

    amount = Money.parse(options.amount, options.currency)
    body = {
        "peer": options.peer,
        "currency": amount.currency.code,
        "limit_minor": amount.minor,
    }
    node = node_of(options)
    if options.node:
        import secrets

        # Each setting is a request of its own: the same line may be set once more later.
        asked = {"node": options.node, "request": f"line-{secrets.token_hex(8)}"}
        sent = node.send("/v1/federation/credit-lines", asked | body)
        return say(options, [sent], f"{options.node} was asked; document {sent['document']}")
    line = node.send(_PATH, body)
    return say(options, [line], _words(line))


def _words(line: dict[str, Any]) -> str:
    from zhidao.core.money import Currency, Money

    limit, used = (
        Money(line[key], Currency(line["currency"])) for key in ("limit_minor", "used_minor")
    )
    return f"{line['peer']} may owe {line['bank']} up to {limit}; it owes {used}"
