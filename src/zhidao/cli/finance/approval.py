"""`zhidao finance approval`: acts that wait for two persons of your party."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/finance/approvals"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show what waits or waited for two persons")
    add_listing(listing, "approvals")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="show what an approval is about, whole")
    showing.set_defaults(run=_show)
    giving = actions.add_parser("give", help="say yes; the second yes carries it out")
    giving.set_defaults(run=_give)
    refusing = actions.add_parser("refuse", help="say no: it will not happen")
    refusing.add_argument(
        "--reason", default="", metavar="WORDS", help="why; asked where a name is like a listed one"
    )
    refusing.set_defaults(run=_refuse)
    for action in (showing, giving, refusing):
        action.add_argument("approval", metavar="APPROVAL", help="its name, 64 hexadecimal digits")
    for action in (listing, showing, giving, refusing):
        add_caller(action)


_EXAMPLES: Final = (
    "A payment, a deposit, transfers, a line or a deal above finance.two_persons_above waits\n"
    "until two persons said yes, each signed in as themselves (--as); tokens do not count.\n"
    "So does (release) whatever names somebody like one on a list: whoever refuses says why.\n"
    "examples:\n"
    "  zhidao finance approval list --filter state=waits --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval show 5f0c… --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval give 5f0c… --url https://localhost:8443 --as bao\n"
    "  zhidao finance approval refuse 5f0c… --reason 'same date of birth' --as bao\n"
    "status: 0 done, 1 refused, 2 bad input, 3 no answer"
)


def _list(options: argparse.Namespace) -> int:
    found = rows_of(options, node_of(options))
    told = "\n".join(map(_words, found)) or "Nothing waits for two persons."
    return say(options, found, told)


def _show(options: argparse.Namespace) -> int:
    one = node_of(options).get(f"{_PATH}/{options.approval}")
    said, rows = dict(one["said"]), []
    if "records" in said and "first" in said:
        # For a person the rows are what the bytes say; --json has both.
        said.pop("records")
        rows = [_row(each, one["currency"]) for each in said.pop("first")]
    whole = json.dumps(said, ensure_ascii=False, indent=1)
    return say(options, [one], "\n".join((_words(one), whole, *rows)))


def _row(each: dict[str, str], currency: str) -> str:
    """A transfer in words: who pays, who is paid, how much."""
    from zhidao.core.money import Currency, Money

    amount = Money(int(each["amount_minor"]), Currency(currency))
    sides = (f"{each[who] or 'unnamed'} ({each[of]})" for who, of in _SIDES)
    return f"  {each['does']} {amount} from {' to '.join(sides)}"


_SIDES: Final = (("debtor", "debit"), ("creditor", "credit"))


def _give(options: argparse.Namespace) -> int:
    return _decide(options, {"verdict": "approve"})


def _refuse(options: argparse.Namespace) -> int:
    return _decide(options, {"verdict": "refuse", "reason": options.reason})


def _decide(options: argparse.Namespace, word: dict[str, str]) -> int:
    one = node_of(options).send(f"{_PATH}/{options.approval}", word)
    return say(options, [one], _words(one))


def _words(one: dict[str, Any]) -> str:
    from zhidao.core.money import Currency, Money

    amount = Money(one["amount_minor"], Currency(one["currency"]))
    by = ", ".join(one["approved_by"]) or "nobody"
    why = f": {one['reason']}" if one.get("reason") else ""
    end = f"refused by {one['refused_by']}" if one["refused_by"] else f"approved by {by}"
    return f"{one['approval']}  {one['state']}  {one['act']} {one['subject']}  {amount}  {end}{why}"
