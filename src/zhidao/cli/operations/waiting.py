"""`zhidao waiting`: what waits for you at a node, over all kinds of act."""

from __future__ import annotations

import argparse
from typing import Final

from zhidao.cli.console.callers import add_question, node_of, say, table

_COLUMNS: Final = ("kind", "act", "subject", "label")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_question(
        parser,
        _run,
        "Moves on consignments, second persons' words, names on a list, declarations, people and\n"
        "tokens of your party. An approval waits for a person: sign in by --as.\n"
        "example:\n"
        "  zhidao waiting --url https://localhost:8443 --as dana\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer",
    )


def _run(options: argparse.Namespace) -> int:
    told = node_of(options).get("/v1/worklist")
    lines = table(told["items"], _COLUMNS, "nothing waits for you")
    if told["more"]:
        lines += "\nthere is more than is shown here"
    return say(options, told, lines)
