"""`zhidao finance ledger replay|audit`: what batches do, and whether a node's ledger adds up."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import lines_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    replay = actions.add_parser("replay", help="apply batches to an empty ledger, no server needed")
    replay.add_argument("file", type=Path, metavar="FILE", help="lines of JSON, - for standard in")
    replay.add_argument("--json", action="store_true", help="refusals as JSON (answers always are)")
    replay.set_defaults(run=run_replay)
    audit = actions.add_parser("audit", help="replay a node's whole ledger to the logged head")
    add_settings(audit)
    audit.add_argument("shards", nargs="+", metavar="CURRENCY", help="ledgers, such as CNY KZT")
    audit.set_defaults(run=run_audit)


_EXAMPLES: Final = (
    'A line is {"accounts": [...]} or {"transfers": [...]} with TigerBeetle\'s field names,\n'
    "numbers as integers or decimal strings, flags as bits or names. Each line gives one line of\n"
    "results; the last line holds the final balances and the head of the hash chain.\n"
    "examples:\n"
    "  zhidao finance ledger replay batches.jsonl\n"
    "  zhidao finance ledger audit CNY --data ~/zhidao\n"
    "status: 0 done, 1 the ledger is not what the log says, 2 bad input, 3 the database is away"
)


def run_replay(options: argparse.Namespace) -> int:
    """Answers batch by batch."""
    from zhidao.finance.service.ledger.replay import Replay
    from zhidao.finance.wire.replay import LINE_BYTES_MAX, balances_of, decode_line

    replay, count = Replay(), 0
    out = sys.stdout
    for number, line in enumerate(lines_of(options.file, line_bytes_max=LINE_BYTES_MAX), 1):
        if not line.strip():
            continue
        batch = decode_line(line, number)
        results = replay.submit(batch)
        count += 1
        told = {"batch": count, "operation": batch.operation, "results": results}
        out.write(json.dumps(told) + "\n")
    final = {
        "accounts": [balances_of(account) for account in replay.accounts()],
        "head": replay.head.hex(),
    }
    out.write(json.dumps(final) + "\n")
    return 0


def run_audit(options: argparse.Namespace) -> int:
    """Replays each ledger from its first batch and compares the head with the logged one."""
    import asyncio

    from zhidao.finance.library.ledger_reports import audit
    from zhidao.node.operations.database_access import database_of

    config = config_of(options)
    with database_of(config) as url:
        found = asyncio.run(audit(url, options.shards))
    for one in found:
        if options.json:
            print(json.dumps(one))
        else:
            print(
                f"{one['ledger']}: {one['batches']} batches, {one['accounts']} accounts, head"
                f" {one['head'][:16]} as logged; debits equal credits"
            )
    return 0
