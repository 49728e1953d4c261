"""Which terminal rides with the goods, or with each of several containers, as options say it."""

from __future__ import annotations

import argparse
from typing import Any

from zhidao.core.errors import MalformedInput


def add_riders(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds the option for one terminal, and that for several containers; one of the two."""
    either = parser.add_mutually_exclusive_group(required=required)
    either.add_argument("--terminal", default="", help="the terminal that rides with the goods")
    either.add_argument(
        "--carried",
        action="append",
        default=[],
        metavar="CONTAINER=TERMINAL",
        help="of several containers: give it once for each of them",
    )


def riders_of(options: argparse.Namespace) -> dict[str, Any]:
    """What the node takes. Raises MalformedInput for a pair that is none."""
    carried = []
    for pair in options.carried:
        container, found, terminal = pair.partition("=")
        if not (found and container and terminal):
            raise MalformedInput(
                f"not a container with its terminal: {pair[:60]!r}",
                where="--carried",
                remedy="give CONTAINER=TERMINAL, such as CSQU3054383=BDT-1",
            )
        carried.append({"container": container, "terminal": terminal})
    return {"terminal": options.terminal, "carried": carried}


def ridden(terminal: str, carried: list[dict[str, Any]]) -> str:
    """By which terminals something is awaited, in words."""
    pairs = [f"{each['terminal']} in {each['container']}" for each in carried]
    return ", ".join(pairs) or terminal
