"""`zhidao peer`: which other nodes this one exchanges documents with."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put, take
from zhidao.cli.console.remote import RemoteNode, add_node
from zhidao.cli.console.trust_folder import installed_lists, read_any, shown, trust_folder
from zhidao.core.errors import Refused
from zhidao.exchange.wire.card import CARD_BYTES_MAX, decode_card
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.governance.trust_list import encode_trust_list

_TRUST_BYTES_MAX: Final = 16 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    card = actions.add_parser("card", help="get the node's own card, to give to others")
    card.add_argument("-o", "--output", type=Path, help="write here instead of standard output")
    card.set_defaults(run=run, act=_card)
    adding = actions.add_parser("add", help="admit a node by its card and a trust list")
    adding.add_argument("card", type=Path, metavar="CARD", help="the other node's card")
    adding.add_argument(
        "--trust", type=Path, metavar="TRUSTFILE", help="list to go by instead of installed ones"
    )
    adding.add_argument("--at", default="", metavar="URL", help="address instead of the card's")
    adding.add_argument(
        "--peer-ca", type=Path, metavar="FILE", help="its TLS certificate, instead of the card's"
    )
    adding.set_defaults(run=run, act=_add)
    listing = actions.add_parser("list", help="show the peers")
    listing.set_defaults(run=run, act=_list)
    removing = actions.add_parser("remove", help="exchange with a node no longer")
    removing.add_argument("node", metavar="NODE", help="its name")
    removing.set_defaults(run=run, act=_remove)
    for action in (card, adding, listing, removing):
        add_node(action)
    parser.epilog = (
        "A card is signed by the node's own key. It counts once a trust list that you have\n"
        "compared (zhidao trust add) gives that key to that node.\n"
        "examples:\n"
        "  zhidao peer card -o own.card --url https://localhost:8443 \\\n"
        "      --token-file ~/operator.token\n"
        "  zhidao peer add importer.card --trust trust.json --url https://localhost:8443 \\\n"
        "      --token-file ~/operator.token\n"
        "status: 0 done, 1 refused (the list does not name the key), 2 bad input, 3 no answer"
    )


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    return int(options.act(options, RemoteNode(options)))


def _card(options: argparse.Namespace, node: RemoteNode) -> int:
    put(node.data("/exchange/card"), options.output)
    return 0


def _add(options: argparse.Namespace, node: RemoteNode) -> int:
    data = take(options.card, bytes_max=CARD_BYTES_MAX)
    card = decode_card(data)
    body = {
        "card": data.decode(),
        "trust": _trust(options, str(card.node)),
        "url": options.at,
        "certificate": take(options.peer_ca, bytes_max=16_384).decode() if options.peer_ca else "",
    }
    peer = node.send("/v1/exchange/peers", body)
    _say(options, [peer], f"Admitted {peer['node']} at {peer['url']}, by {peer['trust']!r}.")
    return 0


def _list(options: argparse.Namespace, node: RemoteNode) -> int:
    peers = node.get("/v1/exchange/peers")
    lines = [f"{each['node']}  {each['url']}  {each['organisation']}" for each in peers]
    _say(options, peers, "\n".join(lines) or "No peers; admit one with: zhidao peer add CARD")
    return 0


def _remove(options: argparse.Namespace, node: RemoteNode) -> int:
    node.send(f"/v1/exchange/peers/{options.node}", None, method="DELETE")
    _say(options, [], f"{options.node} is no peer any more.")
    return 0


def _trust(options: argparse.Namespace, name: str) -> str:
    """The text of the list that names the node. Raises Refused if no installed one does."""
    if options.trust:
        read_any(options.trust)
        return take(options.trust, bytes_max=_TRUST_BYTES_MAX).decode()
    folder = trust_folder(os.environ)
    for each in installed_lists(folder):
        if _names(each.trust, name):
            if each.governed:
                return (folder / f"{each.fingerprint}.zdtrust").read_text(encoding="utf-8")
            return encode_trust_list(each.trust).decode()
    raise Refused(
        f"no installed trust list names the node {name}",
        code="untrusted_card",
        remedy="compare its trust list and install it: zhidao trust add TRUSTFILE",
    )


def _names(trust: TrustList, name: str) -> bool:
    return any(node.party == name for node in trust.nodes)


def _say(options: argparse.Namespace, answer: list[Any], sentence: str) -> None:
    print(json.dumps(answer, ensure_ascii=False) if options.json else shown(sentence))
