"""`zhidao finance order`: payments that wait for their day, and taking them back."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/payment-orders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show instructions of which payments wait or waited")
    add_listing(listing, "payment-orders")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="show the payments of one, each with its state")
    showing.set_defaults(run=_show)
    cancelling = actions.add_parser("cancel", help="take payments back before their day")
    cancelling.add_argument(
        "--uetr",
        action="append",
        default=[],
        dest="uetrs",
        metavar="UETR",
        help="only this payment; may be given again; without it all that wait",
    )
    cancelling.set_defaults(run=_cancel)
    for action in (showing, cancelling):
        action.add_argument("order", metavar="ORDER", help="its name, 64 hexadecimal digits")
    for action in (listing, showing, cancelling):
        add_caller(action)


_EXAMPLES: Final = (
    "A payment that asks for a later day (pain.001, ReqdExctnDt) waits for it; on a day on which\n"
    "banks rest it waits for the next one. Funds are looked at on the day.\n"
    "examples:\n"
    "  zhidao finance order list --filter state=waits --url https://localhost:8443 --as aida\n"
    "  zhidao finance order show 5f0c… --url https://localhost:8443 --token-file ~/payer.token\n"
    "  zhidao finance order cancel 5f0c… --url https://localhost:8443 --as aida\n"
    "status: 0 done, 1 refused (the day has begun), 2 bad input, 3 no answer"
)


def _list(options: argparse.Namespace) -> int:
    orders = rows_of(options, node_of(options))
    told = "\n".join(map(_words, orders)) or "No payment waits for its day."
    return say(options, orders, told)


def _show(options: argparse.Namespace) -> int:
    order = node_of(options).get(f"{_PATH}/{options.order}")
    return say(options, [order], _whole(order))


def _cancel(options: argparse.Namespace) -> int:
    asked = {"uetrs": options.uetrs}
    order = node_of(options).send(f"{_PATH}/{options.order}/cancellation", asked)
    return say(options, [order], _whole(order))


def _whole(one: dict[str, Any]) -> str:
    return "\n".join((_words(one), *(f"  {_payment(each)}" for each in one["first"])))


def _words(one: dict[str, Any]) -> str:
    sums = ", ".join(map(_money, one["sums"]))
    until = f" until {one['next_at']}" if one["next_at"] else ""
    return (
        f"{one['payment_order']}  {one['message']}  {one['state']}{until}"
        f"  {one['waiting']} of {one['payments']} wait  {sums}"
    )


def _payment(one: dict[str, Any]) -> str:
    why = f" {one['code']}" if one["code"] else ""
    return f"{one['uetr']}  {one['day']}  {_money(one)}  {one['payee']}  {one['state']}{why}"


def _money(one: dict[str, Any]) -> str:
    from zhidao.core.money import Currency, Money

    return str(Money(one["amount_minor"], Currency(one["currency"])))
