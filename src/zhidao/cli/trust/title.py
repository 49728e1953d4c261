"""`zhidao trust title`: titles that one may see, their endorsements and what MLETR asks of them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import tell
from zhidao.cli.console.remote import RemoteNode
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import MalformedInput


def add_action(actions: Any) -> None:
    """Adds the action."""
    title = actions.add_parser(
        "title",
        help="titles: who holds them, how they came there",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            "examples:\n"
            "  zhidao trust title --url https://node.example --token-file t\n"
            "  zhidao trust title --filter holder_party=importer --sort consignment\n"
            "  zhidao trust title 8b1a... --url https://node.example --token-file t --json\n"
            "This is the node's word; a proof file shows it to somebody who does not trust it.\n"
            "status: 0 done, 1 no such title, or it lacks something, 2 bad input, 3 no answer"
        ),
    )
    title.add_argument("title", nargs="?", metavar="TITLE", help="token id, 64 hexadecimal digits")
    add_listing(title, "titles")
    add_caller(title)
    title.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Lists titles, or tells one whole."""
    node = node_of(options)
    if options.title is None:
        return _every(node, options)
    title: str = options.title
    if len(title) != 64 or not set(title) <= set("0123456789abcdef"):
        raise MalformedInput("a title's token id has 64 lower-case hexadecimal digits")
    at = f"/v1/trust/titles/{title}"
    told = node.get(at)
    told["endorsements"] = node.get(f"{at}/endorsements")
    told["assessment"] = node.get(f"{at}/assessment")
    if options.json:
        tell(json.dumps(told, ensure_ascii=False))
    else:
        tell(shown("\n".join(_whole(told))))
    return 0 if all(each["verdict"] == "ok" for each in told["assessment"]) else 1


def _every(node: RemoteNode, options: argparse.Namespace) -> int:
    titles = rows_of(options, node)
    if options.json:
        tell(json.dumps(titles, ensure_ascii=False))
        return 0
    for each in titles:
        tell(shown(f"{each['title']}  {each['consignment']:<16} {_holder(each)}"))
    return 0


def _holder(told: dict[str, Any]) -> str:
    if not told["active"]:
        return "ended"
    held = told["holder_party"] or told["holder"]
    return f"{held}, in custody of deal {told['custody']}" if told["custody"] else held


def _whole(told: dict[str, Any]) -> list[str]:
    lines = [
        f"{told['title']} of {told['consignment']}: {_holder(told)}",
        f"  registry {told['registry']} on chain {told['chain_id']}",
    ]
    for each in told["endorsements"]:
        who = each["signer_party"] or each["signer"]
        held = each["holder_party"] or each["holder"]
        lines.append(f"  {each['number']:>3}  {each['action']:<10} {who} -> {held}  {each['at']}")
    lines += [
        f"  MLETR {each['articles']:<18} {each['name']}: {each['verdict']} ({each['evidence']})"
        for each in told["assessment"]
    ]
    return lines
