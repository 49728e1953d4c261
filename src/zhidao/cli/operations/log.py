"""`zhidao log new-key`: goes on under a new log key after a recovery."""

from __future__ import annotations

import argparse
import json
import sys

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of
from zhidao.core.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser("new-key", help="declare a new log key, for a node that is recovering")
    add_settings(new)
    new.add_argument("--reason", required=True, help="why leaves are missing; everybody reads it")
    new.add_argument("--yes", action="store_true", help="no newer backup exists; do not ask")
    new.add_argument(
        "--planned", action="store_true", help="the log is in order; only its key is renewed"
    )
    new.set_defaults(run=run_new_key)
    parser.epilog = (
        "A node whose database is older than the newest head that it signed may not sign another\n"
        "history over the same sizes. First look for a newer backup. If there is none, its\n"
        "operator declares a new log: it begins with the leaves that are left, and names the last\n"
        "known head. Whoever verifies needs the node's new trust list, which has both keys.\n"
        "example:\n"
        "  zhidao log new-key --data ~/zhidao --reason 'the disk of 3 May was lost'\n"
        "  zhidao log new-key --data ~/zhidao --planned --reason 'yearly'\n"
        "status: 0 declared, 1 refused (the log is in order, the node runs), 2 bad input,\n"
        "3 database or disk failed"
    )


def run_new_key(options: argparse.Namespace) -> int:
    """Asks once more, then declares."""
    from zhidao.node.library import system_clock, system_randomness
    from zhidao.node.wiring.key_changes import declare_log_key

    config = config_of(options)
    if not (options.yes or options.planned or _confirmed()):
        raise Refused("nothing was declared", code="not_confirmed", remedy="give --yes")
    fact = declare_log_key(
        config,
        passphrase_of(config),
        reason=options.reason,
        clock=system_clock(),
        randomness=system_randomness(),
        planned=options.planned,
    )
    if options.json:
        plain = fact.payload()
        print(json.dumps({n: v for n, v in plain.items() if n != "known_head"}, ensure_ascii=False))
        return 0
    lost = max(fact.known_leaves - fact.carried_leaves, 0)
    print(f"the log goes on as {fact.origin}, with {fact.carried_leaves} leaves carried over")
    print(f"its former head of {fact.known_leaves} leaves is named; {lost} leaves are lost")
    print("start the node, export its keys again, and give everybody the new trust list")
    return 0


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        return False
    print(
        "What was logged after this backup is given up. Is no newer backup left? Type yes: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() == "yes"
