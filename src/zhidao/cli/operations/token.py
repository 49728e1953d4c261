"""`zhidao token`: by what programs are known to a node."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.core.errors import NotFound, Refused

_COLUMNS: Final = ("id", "party", "role", "agreed", "revoked", "created_at", "label")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all tokens without secrets; a party its own")
    add_listing(listing, "tokens")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="show one token without its secret")
    showing.add_argument("token", metavar="ID")
    showing.set_defaults(run=_show)
    making = actions.add_parser("make", help="make a token; it is shown once")
    making.add_argument("party", metavar="PARTY", help="of this node, or the node's own name")
    making.add_argument("role", choices=("admin", "operator", "party", "auditor"))
    making.add_argument("--label", default="", help="what it is for")
    making.add_argument("--key", default="", help="a Multikey that may sign requests")
    making.add_argument("-o", "--output", type=Path, help="a new file of mode 0600 for it")
    making.set_defaults(run=_make)
    agreeing = actions.add_parser("agree", help="agree to a token in its party's name")
    agreeing.add_argument("token", metavar="ID")
    agreeing.set_defaults(run=_agree)
    withdrawing = actions.add_parser("withdraw", help="withdraw a token at once")
    withdrawing.add_argument("token", metavar="ID")
    withdrawing.set_defaults(run=_withdraw)
    for action in (listing, showing, making, agreeing, withdrawing):
        add_caller(action)
    parser.epilog = (
        "PARTY is one of this node or the node's own name; only an auditor's may be any other.\n"
        "A token of another party than the maker's opens nothing until that party agrees: one of\n"
        "its people, or, while it never had one, the operator.\n"
        "examples:\n"
        "  zhidao token make node operator -o ~/operator.token --url https://localhost:8443 \\\n"
        "      --as aida\n"
        "  zhidao token make exporter party -o ~/exporter.token --url https://localhost:8443 \\\n"
        "      --as aida\n"
        "  zhidao token agree 051bd49051679cab --url https://localhost:8443 \\\n"
        "      --token-file ~/operator.token\n"
        "  zhidao token list\n"
        "  zhidao token list --filter revoked=false --sort created_at\n"
        "  zhidao token show 3f1c90aa51b277de\n"
        "  zhidao token withdraw 3f1c90aa51b277de\n"
        "status: 0 done, 1 refused (the party must agree), 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    tokens = rows_of(options, node_of(options))
    return say(options, tokens, table(tokens, _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    found = next(
        (each for each in node_of(options).get("/v1/tokens") if each["id"] == options.token), None
    )
    if found is None:
        raise NotFound(f"no token {options.token[:64]!r} here", remedy="zhidao token list")
    return say(options, found, table([found], _COLUMNS))


def _make(options: argparse.Namespace) -> int:
    names = ("party", "role", "label", "key")
    if options.output and options.output.exists():
        raise Refused(f"{options.output} is there already", code="file_exists")
    node = node_of(options)
    text = node.send("/v1/tokens", {name: getattr(options, name) for name in names})["token"]
    token_id = text.split("_")[1]
    [made] = [each for each in node.get("/v1/tokens") if each["id"] == token_id]
    where = text
    if options.output:
        from zhidao.node.security.private_files import write_private

        write_private(options.output, text.encode())
        where = str(options.output)
    waits = "" if made["agreed"] else f"\n{options.party} must agree: zhidao token agree {token_id}"
    told = made if options.output else made | {"token": text}
    return say(options, told, f"token {token_id}: {where}{waits}")


def _agree(options: argparse.Namespace) -> int:
    node_of(options).send(f"/v1/tokens/{options.token}/agreement", None)
    return say(options, {"agreed": options.token}, f"The token {options.token} opens its party.")


def _withdraw(options: argparse.Namespace) -> int:
    node_of(options).send(f"/v1/tokens/{options.token}", None, method="DELETE")
    return say(options, {"withdrawn": options.token}, f"The token {options.token} opens nothing.")
