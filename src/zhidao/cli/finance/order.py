"""`zhidao finance order`: payments that wait for their day, and taking them back."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.remote import RemoteNode, add_node

_PATH: Final = "/v1/finance/payment-orders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show instructions of which payments wait or waited")
    add_listing(listing, "payment-orders")
    listing.set_defaults(run=run, act=_list)
    showing = actions.add_parser("show", help="show the payments of one, each with its state")
    showing.set_defaults(run=run, act=_show)
    cancelling = actions.add_parser("cancel", help="take payments back before their day")
    cancelling.add_argument(
        "--uetr",
        action="append",
        default=[],
        dest="uetrs",
        metavar="UETR",
        help="only this payment; may be given again; without it all that wait",
    )
    cancelling.set_defaults(run=run, act=_cancel)
    for action in (showing, cancelling):
        action.add_argument("order", metavar="ORDER", help="its name, 64 hexadecimal digits")
    for action in (listing, showing, cancelling):
        add_node(action)


_EXAMPLES: Final = (
    "A payment that asks for a later day (pain.001, ReqdExctnDt) waits for it; on a day on which\n"
    "banks rest it waits for the next one. Funds are looked at on the day.\n"
    "examples:\n"
    "  zhidao finance order list --filter state=waits --url https://localhost:8443 --as aida\n"
    "  zhidao finance order show 5f0c… --url https://localhost:8443 --token-file ~/payer.token\n"
    "  zhidao finance order cancel 5f0c… --url https://localhost:8443 --as aida\n"
    "status: 0 done, 1 refused (the day has begun), 2 bad input, 3 no answer"
)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    found = options.act(options, RemoteNode(options))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for one in found:
        print(_words(one))
        if options.act is not _list:
            for payment in one["first"]:
                print(f"  {_payment(payment)}")
    if not found:
        print("No payment waits for its day.")
    return 0


def _list(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return rows_of(options, node)


def _show(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return [node.get(f"{_PATH}/{options.order}")]


def _cancel(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return [node.send(f"{_PATH}/{options.order}/cancellation", {"uetrs": options.uetrs})]


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
