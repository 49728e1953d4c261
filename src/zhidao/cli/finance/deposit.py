"""`zhidao deposit`: money that a bank brings in for a customer."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.paging import every
from zhidao.core.errors import NotFound

_COLUMNS: Final = ("at", "state", "amount", "transfer")
_MOVEMENTS: Final = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what lately came into a customer's account")
    adding = actions.add_parser("add", help="credit a customer against your bank's cash")
    adding.add_argument("deposit", metavar="NAME", help="your own name for it: one name, once")
    for action in (adding, listing):
        action.add_argument("holder", metavar="PARTY", help="the customer's short name")
    adding.add_argument("currency", metavar="CURRENCY", help="such as CNY")
    adding.add_argument("amount", metavar="AMOUNT", help="such as 500000.00")
    listing.add_argument("currency", metavar="CURRENCY", help="such as CNY")
    listing.set_defaults(run=_list)
    adding.set_defaults(run=_add)
    for action in (listing, adding):
        add_caller(action)
    parser.epilog = (
        "A deposit of the same name and amount again credits nothing more; of another amount it\n"
        "is refused. Above finance.two_persons_above a second person approves on the money page.\n"
        "examples:\n"
        "  zhidao deposit add funds-0417 importer CNY 500000.00 --url https://localhost:8443 \\\n"
        "      --token-file ~/bank.token\n"
        "  zhidao deposit list importer CNY --url https://localhost:8443 --as bao\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _add(options: argparse.Namespace) -> int:
    from zhidao.core.money import Money

    amount = Money.parse(options.amount, options.currency)
    node = node_of(options)
    before = _account(node, options)
    body = {
        "deposit": options.deposit,
        "holder": options.holder,
        "amount_minor": amount.minor,
        "currency": amount.currency.code,
    }
    after = node.send("/v1/finance/deposits", body)
    told = after | {"balance_before_minor": before["balance_minor"]}
    was, now = (Money(each["balance_minor"], amount.currency) for each in (before, after))
    stood = " (it stood already: nothing more was credited)" if was == now else ""
    return say(options, told, f"{options.holder}: {was} before, {now} now{stood}")


def _list(options: argparse.Namespace) -> int:
    from zhidao.core.money import Currency, Money

    node = node_of(options)
    account = _account(node, options)["account"]
    told = node.get(f"/v1/finance/accounts/{account}/movements?limit={_MOVEMENTS}")
    came = [each for each in told["movements"] if each["amount_minor"] > 0]
    currency = Currency(told["currency"])
    rows = [each | {"amount": Money(each["amount_minor"], currency)} for each in came]
    return say(options, came, table(rows, _COLUMNS))


def _account(node: Any, options: argparse.Namespace) -> dict[str, Any]:
    """The customer's account. Raises NotFound."""
    rows = every(node, "/v1/finance/accounts", key="account")
    for row in rows:
        wanted = (row["holder"], row["currency"], row["purpose"])
        if wanted == (options.holder, options.currency, "customer"):
            return row
    raise NotFound(
        f"no account of {options.holder[:64]} in {options.currency[:3]} that you keep or hold",
        remedy="zhidao account open",
    )
