"""`zhidao finance approval`: acts above a limit that wait for two persons of your party."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.remote import RemoteNode, add_node

_PATH: Final = "/v1/finance/approvals"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show what waits or waited for two persons")
    add_listing(listing, "approvals")
    listing.set_defaults(run=run, act=_list)
    showing = actions.add_parser("show", help="show what an approval is about, whole")
    showing.set_defaults(run=run, act=_show)
    giving = actions.add_parser("give", help="say yes; the second yes carries it out")
    giving.set_defaults(run=run, act=_give)
    refusing = actions.add_parser("refuse", help="say no: it will not happen")
    refusing.set_defaults(run=run, act=_refuse)
    for action in (showing, giving, refusing):
        action.add_argument("approval", metavar="APPROVAL", help="its name, 64 hexadecimal digits")
    for action in (listing, showing, giving, refusing):
        add_node(action)


_EXAMPLES: Final = (
    "A payment, a deposit, transfers, a line or a deal above finance.two_persons_above waits\n"
    "until two persons said yes, each signed in as themselves (--as); tokens do not count.\n"
    "examples:\n"
    "  zhidao finance approval list --filter state=waits --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval show 5f0c… --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval give 5f0c… --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval refuse 5f0c… --url https://localhost:8443 --as bao\n"
    "status: 0 done, 1 refused, 2 bad input, 3 no answer"
)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    found = options.act(options, RemoteNode(options))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for one in found:
        print(_words(one))
        if options.act is _show:
            print(json.dumps(one["said"], ensure_ascii=False, indent=1))
    if not found:
        print("Nothing waits for two persons.")
    return 0


def _list(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return rows_of(options, node)


def _show(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return [node.get(f"{_PATH}/{options.approval}")]


def _give(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return [node.send(f"{_PATH}/{options.approval}", {"verdict": "approve"})]


def _refuse(options: argparse.Namespace, node: RemoteNode) -> list[dict[str, Any]]:
    return [node.send(f"{_PATH}/{options.approval}", {"verdict": "refuse"})]


def _words(one: dict[str, Any]) -> str:
    from zhidao.core.money import Currency, Money

    amount = Money(one["amount_minor"], Currency(one["currency"]))
    by = ", ".join(one["approved_by"]) or "nobody"
    end = f"refused by {one['refused_by']}" if one["refused_by"] else f"approved by {by}"
    return f"{one['approval']}  {one['state']}  {one['act']} {one['subject']}  {amount}  {end}"
