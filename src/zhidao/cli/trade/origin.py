"""`zhidao trade origin BILL`: does it originate, under which agreement, and why."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

BYTES_MAX: Final = 8 * 1024 * 1024
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade origin bill.json --rules RCEP=annex3a.csv\n"
    '  zhidao trade origin bill.json --agreement ACFTA --route "CN VN" --json\n'
    "a rules file has the columns hs and rule, such as 8413,CTH | RVC40\n"
    "status: 0 it originates under one agreement at least, 1 under none, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("bill", type=Path, metavar="BILL", help="bill of materials (JSON)")
    parser.add_argument("--agreement", action="append", default=[], help="once for each; all else")
    parser.add_argument("--route", default="", help="countries of the verified track, in order")
    parser.add_argument("--under-control", default="", help="countries of controlled transit")
    add_rules(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Adds the option that names files of product rules."""
    parser.add_argument(
        "--rules", action="append", default=[], metavar="AGREEMENT=FILE", help="product rules (CSV)"
    )


def rules_of(options: argparse.Namespace) -> dict[str, str]:
    """The texts of the rules files by agreement. Raises MalformedInput."""
    found = {}
    for each in options.rules:
        name, sign, file = each.partition("=")
        if not sign:
            raise MalformedInput(f"not AGREEMENT=FILE: {each[:60]!r}", where="--rules")
        try:
            found[name.upper()] = take(Path(file), bytes_max=BYTES_MAX).decode()
        except UnicodeDecodeError as error:
            raise MalformedInput("a rules file is not UTF-8", where=file) from error
    return found


def run(options: argparse.Namespace) -> int:
    """Prints each agreement's answer with its proof tree."""
    from zhidao.trade.library.documents import origin

    told = origin(
        take(options.bill, bytes_max=BYTES_MAX),
        agreements=options.agreement,
        rules=rules_of(options),
        route=options.route,
        under_control=options.under_control,
    )
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{told['product']} (HS {told['hs']})")
        for decision in told["decisions"]:
            named = " ".join(filter(None, [decision["criterion"], *decision["notes"]]))
            print(f"{decision['agreement']}: {decision['outcome']} {named}".rstrip())
            _tree(decision["proof"], 1)
    return 0 if any(decision["originates"] for decision in told["decisions"]) else 1


_MARKS: Final = {True: "yes", False: "no", None: "?"}


def _tree(reason: dict[str, Any], depth: int) -> None:
    print(f"{'  ' * depth}{_MARKS[reason['holds']]:3} {reason['claim']}")
    for child in reason.get("because", []):
        _tree(child, depth + 1)
