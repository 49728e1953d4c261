"""`zhidao roles`: which process of a node does what, and since when."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_question, node_of, say, table

_PROCESSES: Final = ("name", "roles", "url", "started_at", "seen_s")
_LEASES: Final = ("role", "holder", "epoch", "since")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_question(
        parser,
        _run,
        "Any process of the node may be asked; all give the same answer.\n"
        "example:\n"
        "  zhidao roles --url https://localhost:8443 --as dana\n"
        "status: 0 every role is held, 1 some role is nobody's or refused, 2 bad input,\n"
        "3 no answer",
    )


def _run(options: argparse.Namespace) -> int:
    told = node_of(options).get("/v1/node/roles")
    say(options, told, _shown(told))
    return 1 if any(each["vacant"] for each in told["leases"]) else 0


def _shown(told: Any) -> str:
    processes = [each | {"roles": ",".join(each["roles"])} for each in told["processes"]]
    leases = [
        each | {"holder": "nobody" if each["vacant"] else each["holder"]} for each in told["leases"]
    ]
    return f"{table(processes, _PROCESSES)}\n\n{table(leases, _LEASES)}"
