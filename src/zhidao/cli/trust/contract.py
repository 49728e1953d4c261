"""`zhidao trust contract`: code of our own contracts and their calls, for any wallet to sign."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.core.errors import MalformedInput

_CALLS: Final = ("support", "cancel", "recover")


def add_action(actions: Any) -> None:
    """Adds the action."""
    contract = actions.add_parser(
        "contract",
        help="what a wallet signs to create an anchor or a guard, or to call a guard",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  zhidao trust contract anchor        # creation code of LogAnchor\n"
            "  zhidao trust contract guard --owner 0xaa... --guardian 0xbb... --votes 1 --days 7\n"
            "  zhidao trust contract support 0xcc...   # a guardian speaks for a new owner\n"
            "  zhidao trust contract cancel            # the owner is still there\n"
            "  zhidao trust contract recover           # the time lock has run out\n"
            "Prints the transaction's data in hexadecimal; sign it with a wallet of yours.\n"
            "status: 0 done, 2 bad input, 3 the contract was not compiled here"
        ),
    )
    contract.add_argument("what", choices=("anchor", "guard", *_CALLS))
    contract.add_argument("candidate", nargs="?", metavar="ADDRESS", help="support: the new owner")
    contract.add_argument("--owner", metavar="ADDRESS", help="guard: whose titles it holds")
    contract.add_argument("--guardian", action="append", default=[], metavar="ADDRESS")
    contract.add_argument("--votes", type=int, default=0, help="guard: how many must agree")
    contract.add_argument("--days", type=int, default=0, help="guard: how long the time lock runs")
    contract.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the data of one transaction."""
    from zhidao.trust.library import anchor_code, guard_call, guard_creation

    if (options.candidate is not None) is not (options.what == "support"):
        raise MalformedInput(
            "an address goes with support, and with nothing else",
            remedy="zhidao trust contract support ADDRESS",
        )
    if options.what == "anchor":
        data = anchor_code()
    elif options.what == "guard":
        data = guard_creation(
            owner=options.owner or "",
            guardians=options.guardian,
            votes=options.votes,
            lock_days=options.days,
        )
    else:
        data = guard_call(options.what, options.candidate or "")
    print("0x" + data.hex())
    return 0
