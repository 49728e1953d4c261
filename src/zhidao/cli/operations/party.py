"""`zhidao party`: the parties whose keys a node keeps."""

from __future__ import annotations

import argparse
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.core.errors import NotFound

_COLUMNS: Final = ("party", "name", "trade_role", "country", "custodial")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show all parties")
    add_listing(listing, "parties")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="show one party with its public keys")
    showing.add_argument("party", metavar="PARTY")
    showing.set_defaults(run=_show)
    adding = actions.add_parser("add", help="add a party; the node makes its keys")
    adding.add_argument("party", metavar="PARTY", help="short name: a-z, 0-9, dot and hyphen")
    adding.add_argument("name", metavar="NAME", help="as it stands on papers")
    adding.add_argument("trade_role", metavar="ROLE", help="exporter, carrier, bank, customs, ...")
    adding.add_argument("country", metavar="CC", help="two letters (ISO 3166-1)")
    adding.set_defaults(run=_add)
    for action in (listing, showing, adding):
        add_caller(action)
    parser.epilog = (
        "The node keeps the keys of a party that is added here, and every statement says so.\n"
        "The short name stands in every statement and cannot be changed.\n"
        "examples:\n"
        "  zhidao party add pumps 'Khorgos Pumps' exporter CN --url https://localhost:8443 \\\n"
        "      --as aida\n"
        "  zhidao party list --url https://localhost:8443 --token-file ~/admin.token --json\n"
        "  zhidao party list --filter country=CN --sort name\n"
        "  zhidao party show exporter\n"
        "status: 0 done, 1 refused or no such party, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    parties = rows_of(options, node_of(options))
    return say(options, parties, table(parties, _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    parties: list[dict[str, Any]] = node_of(options).get("/v1/parties")
    found = next((each for each in parties if each["party"] == options.party), None)
    if found is None:
        raise NotFound(f"no party {options.party[:64]!r} here", remedy="zhidao party list")
    lines = [f"{found['party']}: {found['name']}, {found['trade_role']}, {found['country']}"]
    lines += [f"  {key}" for key in found["keys"]]
    return say(options, found, "\n".join(lines))


def _add(options: argparse.Namespace) -> int:
    names = ("party", "name", "trade_role", "country")
    asked = {name: getattr(options, name) for name in names}
    made = node_of(options).send("/v1/parties", asked)
    return say(options, made, f"{made['party']} is here; its people sign in once it agrees")
