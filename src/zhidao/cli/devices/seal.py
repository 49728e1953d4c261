"""`zhidao seal`: close a container with a terminal in it, and say what was found of the seal."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of

_PATH: Final = "/v1/devices/seals"
_COLUMNS: Final = ("seal", "container", "terminal", "consignment", "stands")
_READERS: Final = ("exporter", "importer", "carrier", "customs", "exporter_bank", "importer_bank")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the seals that you may see")
    add_listing(listing, "seals")
    listing.set_defaults(run=_list)
    putting = actions.add_parser("put", help="close a container, with a terminal in it")
    putting.add_argument("--container", required=True, help="number, such as MSKU1234565")
    putting.add_argument("--terminal", required=True, help="the terminal in the container")
    putting.add_argument("--consignment", required=True, help="the goods in the container")
    putting.set_defaults(run=_put)
    checking = actions.add_parser("check", help="say whether you found the seal whole")
    checking.add_argument("--place", required=True, help="where you looked, such as a gate's name")
    checking.add_argument("--broken", action="store_true", help="it was not whole")
    checking.add_argument("--container", default="", help="if it was on another; with --broken")
    checking.add_argument("--terminal", default="", help="if another was there; with --broken")
    checking.set_defaults(run=_check)
    for action in (putting, checking):
        action.add_argument("seal", metavar="SEAL", help="the number on the seal")
    for action in (listing, putting, checking):
        add_caller(action)
    parser.epilog = (
        "A seal closes once. It binds its terminal to the goods after somebody found it whole;\n"
        "one look that found it broken or elsewhere is never healed by a later one.\n"
        "examples:\n"
        "  zhidao seal put HZ-0417 --container MSKU1234565 --terminal LORRY-7 \\\n"
        "      --consignment C-0417 --url https://localhost:8443 --as timur\n"
        "  zhidao seal check HZ-0417 --place 'gate 4' --url https://localhost:8443 --as dana\n"
        "  zhidao seal list\n"
        "  zhidao seal list --filter consignment=C-0417\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _list(options: argparse.Namespace) -> int:
    rows = rows_of(options, node_of(options))
    shown = [each | {"stands": "bound" if each["bound"] else each["reason"]} for each in rows]
    return say(options, rows, table(shown, _COLUMNS))


def _put(options: argparse.Namespace) -> int:
    node = node_of(options)
    # Whoever sees the papers sees the seal on the goods.
    path = f"/v1/trade/consignments/{quote(options.consignment, safe='')}"
    entered = node.get(path)["entered"]
    body = {
        "seal": options.seal,
        "container": options.container,
        "terminal": options.terminal,
        "consignment": options.consignment,
        "readers": sorted({entered[role] for role in _READERS} - {""}),
    }
    node.send(_PATH, body)
    return _told(options, node.get(_path(options.seal)))


def _check(options: argparse.Namespace) -> int:
    node = node_of(options)
    known = node.get(_path(options.seal))
    body = {
        "container": options.container or known["container"],
        "terminal": options.terminal or known["terminal"],
        "intact": not options.broken,
        "place": options.place,
    }
    node.send(f"{_path(options.seal)}/checks", body)
    return _told(options, node.get(_path(options.seal)))


def _told(options: argparse.Namespace, seal: dict[str, Any]) -> int:
    stands = "bound to the goods" if seal["bound"] else seal["reason"]
    sentence = f"seal {seal['seal']} on {seal['container']} with {seal['terminal']}: {stands}"
    return say(options, seal, sentence)


def _path(seal: str) -> str:
    return f"{_PATH}/{quote(seal, safe='')}"
