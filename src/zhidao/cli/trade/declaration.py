"""`zhidao declaration`: what was lodged at the single window; customs decide, agencies answer."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.trust_folder import shown

_PATH: Final = "/v1/trade/declarations"
_COLUMNS: Final = ("declaration", "status", "kind", "declarant", "channel")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the declarations that you may see")
    add_listing(listing, "declarations")
    listing.set_defaults(run=_list)
    deciding = actions.add_parser("decide", help="customs: release, hold or refuse")
    answering = actions.add_parser("answer", help="an agency that is asked: permit or deny")
    for action, words in (
        (deciding, ("released", "held", "refused")),
        (answering, ("permit", "deny")),
    ):
        action.add_argument("declaration", metavar="NUMBER")
        action.add_argument("word", choices=words)
        action.add_argument("--reason", default="", help="why")
    deciding.set_defaults(run=_decide)
    answering.set_defaults(run=_answer)
    for action in (listing, deciding, answering):
        add_caller(action)
    parser.epilog = (
        "A release lets the goods go on the road of their consignment, too: it is one act.\n"
        "examples:\n"
        "  zhidao declaration list --url https://localhost:8443 --as dana\n"
        "  zhidao declaration list --filter status=assessed --sort declarant\n"
        "  zhidao declaration decide KZ-50401-17742 released --reason 'seal looked at' \\\n"
        "      --url https://localhost:8443 --as dana\n"
        "  zhidao declaration answer KZ-50401-17742 permit --url https://localhost:8443 --as vet\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    found = rows_of(options, node_of(options))
    rows = [each | {"channel": each["risk"]["channel"] if each["risk"] else ""} for each in found]
    return say(options, found, shown(table(rows, _COLUMNS)))


def _decide(options: argparse.Namespace) -> int:
    told = _said(options, "decision", {"decision": options.word})
    roads = f"; goods let go: {', '.join(told['roads'])}" if told["roads"] else ""
    return say(options, told, shown(f"{told['declaration']} is {told['status']}{roads}"))


def _answer(options: argparse.Namespace) -> int:
    told = _said(options, "answer", {"permit": options.word == "permit"})
    return say(options, told, shown(f"{told['declaration']}: {options.word}"))


def _said(options: argparse.Namespace, act: str, body: dict[str, Any]) -> dict[str, Any]:
    """Says a word about the version that stands now."""
    node = node_of(options)
    path = f"{_PATH}/{quote(options.declaration, safe='')}"
    version = node.get(path)["version"]
    told: dict[str, Any] = node.send(
        f"{path}/{act}", body | {"version": version, "reason": options.reason}
    )
    return told
