"""`zhidao node`: what who runs a node looks at, from the node itself."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table

# Action, its help, its route, the columns of its table.
_ACTIONS: Final = (
    ("settings", "every setting and where its value comes from", ("name", "value", "source")),
    ("jobs", "the node's own work, what fails first", ("name", "since", "failures", "reason")),
    ("certificates", "what the node shows, and until when", ("names", "ends_at", "days_left")),
    ("backups", "backups that were begun, newest first", ("number", "file", "sealed", "at")),
    ("drills", "backups that were restored for trial", ("at", "backup", "holds", "ready_ms")),
    ("dead-letters", "events given up, newest first", ("consumer", "subject", "reason", "at")),
    ("growth", "database, free disk and log over time", ("at", "database_bytes", "free_bytes")),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, line, columns in _ACTIONS:
        action = actions.add_parser(name, help=line)
        action.set_defaults(run=_list, what=name, columns=columns)
        add_caller(action)
    alarms = actions.add_parser("alarms", help="what is wrong now, and what to do")
    alarms.set_defaults(run=_alarms)
    journal = actions.add_parser("journal", help="acts of administration, the newest 500")
    journal.set_defaults(run=_journal)
    for action in (alarms, journal):
        add_caller(action)
    parser.epilog = (
        "The same stands on the page Node. A backup is made by zhidao backup, checked by\n"
        "zhidao restore FILE --inspect, and restored for trial by zhidao drill FILE.\n"
        "examples:\n"
        "  zhidao node settings --url https://localhost:8443 --as aida\n"
        "  zhidao node growth --url https://localhost:8443 --as aida --json\n"
        "  zhidao node jobs\n"
        "  zhidao node certificates\n"
        "  zhidao node backups\n"
        "  zhidao node drills --json\n"
        "  zhidao node dead-letters\n"
        "  zhidao node alarms\n"
        "  zhidao node journal --json\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    rows = node_of(options).get(f"/v1/node/{options.what}")
    return say(options, rows, table(rows, options.columns, "nothing to show"))


def _alarms(options: argparse.Namespace) -> int:
    alarms = node_of(options).get("/v1/node/health")["alarms"]
    lines = [f"{each['code']}: {each['sentence']}\n  {each['remedy']}" for each in alarms]
    return say(options, alarms, "\n".join(lines) or "no alarm stands")


def _journal(options: argparse.Namespace) -> int:
    node = node_of(options)
    acts: list[dict[str, Any]] = []
    after = ""
    while page := node.get(f"/v1/administration?limit=100&after={after}"):
        acts = [*acts, *page][-500:]
        after = page[-1]["id"]
    rows = [each | {"by": each["person"] or each["by"]} for each in acts]
    return say(options, acts, table(rows, ("at", "act", "subject", "by", "leaf")))
