"""`zhidao clock`: an operator says that a node's clock is right after it jumped."""

from __future__ import annotations

import argparse

from zhidao.cli.console.callers import add_caller, node_of, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    agreeing = actions.add_parser("agree", help="the node signs again, if its clock says the same")
    agreeing.add_argument(
        "--now", required=True, metavar="UTC", help="what time it is, by another clock than its own"
    )
    add_caller(agreeing)
    agreeing.set_defaults(run=_agree)
    parser.epilog = (
        "A node whose clock jumped by more than 5 s signs nothing until a time service vouches\n"
        "for the clock, or an operator says what time it is. The act is written down.\n"
        "examples:\n"
        "  zhidao clock agree --now 2026-11-28T12:00:00Z --url https://localhost:8443 --as oleg\n"
        "status: 0 done, 1 refused (the node's clock says something else), 2 bad input,\n"
        "3 no answer"
    )


def _agree(options: argparse.Namespace) -> int:
    answer = node_of(options).send("/v1/node/clock/agreement", {"now": options.now})
    return say(options, answer, f"the clock had jumped by {answer['jumped_s']} s; it counts again")
