"""`zhidao peer`: which other nodes this one exchanges documents with."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import put, put_told, take, tell
from zhidao.cli.console.remote import RemoteNode
from zhidao.cli.console.trust_folder import installed_lists, read_any, shown, trust_folder
from zhidao.core.errors import NotFound, Refused

if TYPE_CHECKING:
    from zhidao.trust.domain.trust_list import TrustList

_TRUST_BYTES_MAX: Final = 16 * 1024 * 1024
# So many digits of a link's name, as `links` shows it, name it well enough.
_BEGINNING_MIN: Final = 8


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
    _add_replacing(adding)
    adding.set_defaults(run=run, act=_add)
    inviting = actions.add_parser("invite", help="make an invitation, to give to another node")
    how = inviting.add_mutually_exclusive_group(required=True)
    how.add_argument("-o", "--output", type=Path, help="its file")
    how.add_argument("--link", action="store_true", help="a one-time link, good for two days")
    inviting.set_defaults(run=run, act=_invite)
    admitting = actions.add_parser(
        "admit", help="show what an invitation says; admit its node by the fingerprint"
    )
    which = admitting.add_mutually_exclusive_group(required=True)
    which.add_argument("invitation", type=Path, nargs="?", metavar="INVITATION", help="its file")
    which.add_argument("--link", default="", metavar="URL", help="the link that the other made")
    which.add_argument(
        "--taken", default="", metavar="NODE", help="whoever took a link of this node; see links"
    )
    admitting.add_argument(
        "--fingerprint", default="", help="as the other side read it out; without: only show it"
    )
    _add_replacing(admitting)
    admitting.set_defaults(run=run, act=_admit)
    links = actions.add_parser("links", help="show the links made here, and who took them")
    links.set_defaults(run=run, act=_links)
    ending = actions.add_parser("unlink", help="take a link back that nobody took yet")
    ending.add_argument("name", metavar="NAME", help="as `zhidao peer links` shows it")
    ending.set_defaults(run=run, act=_unlink)
    listing = actions.add_parser("list", help="show the peers")
    add_listing(listing, "peers")
    listing.set_defaults(run=run, act=_list)
    named = []
    for word, act, line in (
        ("show", _show, "show one peer with the fingerprints of its keys"),
        ("withdraw", _remove, "exchange with a node no longer"),
        ("remove", _remove, "the same as withdraw"),
    ):
        action = actions.add_parser(word, help=line)
        action.add_argument("node", metavar="NODE", help="its name")
        action.set_defaults(run=run, act=act)
        named.append(action)
    for action in (card, adding, inviting, admitting, links, ending, listing, *named):
        add_caller(action)
    parser.epilog = (
        "A card is signed by the node's own key. It counts once a trust list that you have\n"
        "compared (zhidao trust add) gives that key to that node. An invitation holds card and\n"
        "list; it counts once you were told the fingerprint on another way, such as by telephone.\n"
        "examples:\n"
        "  zhidao peer invite -o almaty.invitation.json --url https://localhost:8443 --as aida\n"
        "  zhidao peer admit xian.invitation.json --url https://localhost:8443 --as aida\n"
        "  zhidao peer admit xian.invitation.json --url https://localhost:8443 --as aida \\\n"
        "      --fingerprint 3f1c-90aa-51b2-77de-0c4e-8a19-62d3-b5f0\n"
        "  zhidao peer invite --link --url https://localhost:8443 --as aida\n"
        "  zhidao peer admit --link 'https://almaty.example/meet#CODE.KEY' \\\n"
        "      --url https://localhost:8443 --as aida\n"
        "  zhidao peer links --url https://localhost:8443 --as aida\n"
        "  zhidao peer withdraw xian --url https://localhost:8443 --as aida\n"
        "  zhidao peer card -o own.card --url https://localhost:8443 \\\n"
        "      --token-file ~/operator.token\n"
        "  zhidao peer add importer.card --trust trust.json --url https://localhost:8443 \\\n"
        "      --token-file ~/operator.token\n"
        "  zhidao peer add importer.card --trust trust.json \\\n"
        "      --replace 3f1c-90aa-51b2-77de-0c4e-8a19-62d3-b5f0\n"
        "  zhidao peer unlink 3f1c90aa\n"
        "  zhidao peer list\n"
        "  zhidao peer list --filter almaty\n"
        "  zhidao peer show almaty\n"
        "  zhidao peer remove almaty\n"
        "status: 0 done, 1 refused (another fingerprint, a key that no list names), 2 bad input,\n"
        "3 no answer"
    )


def _add_replacing(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--replace",
        default="",
        metavar="FINGERPRINT",
        help="the admitted peer of that name whose place this node takes on purpose",
    )


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    return int(options.act(options, node_of(options)))


def _card(options: argparse.Namespace, node: RemoteNode) -> int:
    put_told(node.data("/exchange/card"), options)
    return 0


def _add(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.exchange.wire.card import CARD_BYTES_MAX, decode_card

    data = take(options.card, bytes_max=CARD_BYTES_MAX)
    card = decode_card(data)
    body = {
        "card": data.decode(),
        "trust": _trust(options, str(card.node)),
        "url": options.at,
        "certificate": take(options.peer_ca, bytes_max=16_384).decode() if options.peer_ca else "",
        **_replacing(options),
    }
    peer = node.send("/v1/exchange/peers", body)
    sentence = f"Admitted {peer['node']} at {peer['url']}, by {peer['trust']!r}."
    _say(options, [peer], "\n".join([sentence, *_clashes(peer)]))
    return 0


def _invite(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.exchange.wire.card import decode_card
    from zhidao.exchange.wire.invitation import encode_invitation

    if options.link:
        made = node.send("/v1/exchange/invitations", None)
        sentence = f"It counts once, until {made['expires_at']}; its name is {made['name']}"
        _say(options, made, f"{made['link']}\n{sentence}")
        return 0
    card = node.data("/exchange/card")
    found = decode_card(card)
    trust = node.data("/v1/trust-list").decode()
    put(encode_invitation(card.decode(), trust), options.output)
    told = {"node": str(found.node), "fingerprint": found.key.fingerprint}
    sentence = (
        f"{options.output}: give it to the other node's operator, and read out by telephone:"
        f" {found.key.fingerprint}"
    )
    _say(options, told, sentence)
    return 0


def _admit(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.exchange.wire.invitation import decode_invitation

    read = decode_invitation(_invitation(options, node))
    fingerprint = read.card.key.fingerprint
    said = {"node": str(read.card.node), "organisation": read.card.organisation}
    told = said | {"url": read.card.url, "fingerprint": fingerprint, "admitted": False}
    if not options.fingerprint:
        sentence = (
            f"{read.card.node}, {read.card.organisation}, at {read.card.url}\n{fingerprint}\n"
            "Nothing is admitted yet. If the other side reads out the same, add"
            f" --fingerprint {fingerprint}"
        )
        _say(options, told, sentence)
        return 0
    if options.fingerprint.strip().lower() != fingerprint:
        raise Refused(
            f"the invitation's key is {fingerprint}, not what you were told",
            code="fingerprint_differs",
        )
    if options.link:
        # The other side first: a link that somebody else used up meanwhile admits nobody.
        node.send("/v1/exchange/invitations/take", {"link": options.link})
    body = {"card": read.card_text, "trust": read.trust, **_replacing(options)}
    peer = node.send("/v1/exchange/peers", body)
    sentence = "\n".join([f"{read.card.node} is a peer now.", *_clashes(peer)])
    _say(options, told | {"admitted": True, "clashes": peer.get("clashes", [])}, sentence)
    return 0


def _replacing(options: argparse.Namespace) -> dict[str, str]:
    return {"replace": options.replace} if options.replace else {}


def _clashes(peer: dict[str, Any]) -> list[str]:
    """A line where a peer's ids are another's at the node; older nodes do not say."""
    found = peer.get("clashes", [])
    if not found:
        return []
    names = ", ".join(found[:20])
    said = (
        f"It has a party {names}, which stands at this node already with different keys, as its own"
        " or an earlier peer's: here it stays that one, and nothing that names it comes or goes."
    )
    return [f"{said} Agree which takes another id before a consignment names it."]


def _invitation(options: argparse.Namespace, node: RemoteNode) -> bytes:
    """The invitation of a file, of another node's link, or of whoever took a link of this node."""
    from zhidao.exchange.wire.invitation import INVITATION_BYTES_MAX, encode_invitation

    if options.link:
        asked = node.send("/v1/exchange/invitations/look", {"link": options.link})
        return encode_invitation(asked["card"], asked["trust"])
    if options.invitation:
        return take(options.invitation, bytes_max=INVITATION_BYTES_MAX)
    found = _taken(node.get("/v1/exchange/invitations"), options.taken)
    return str(found["invitation"]).encode()


def _taken(links: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The taken link of a name: the link's own, how that begins, or of the node that took it.

    Raises NotFound if there is none, Refused (`ambiguous_name`) where several are meant.
    """
    taken = [each for each in links if each["invitation"]]
    found = [each for each in taken if name in (each["name"], each["node"])]
    if not found and len(name) >= _BEGINNING_MIN:
        found = [each for each in taken if each["name"].startswith(name)]
    if not found:
        raise NotFound(f"nobody took a link of the name {name[:64]!r}", remedy="zhidao peer links")
    if len(found) > 1:
        several = ", ".join(f"{each['name']} ({each['fingerprint']})" for each in found)
        raise Refused(
            f"{name[:64]!r} took several links: {several}",
            code="ambiguous_name",
            remedy="name the link itself, --taken with the 64 digits",
        )
    return found[0]


def _links(options: argparse.Namespace, node: RemoteNode) -> int:
    links = node.get("/v1/exchange/invitations")
    lines = []
    for each in links:
        lines.append(f"{each['name']}  {each['state']}  until {each['expires_at']}")
        if each["node"]:
            lines.append(f"  {each['node']}, {each['organisation']}: {each['fingerprint']}")
    _say(options, links, "\n".join(lines) or "No links; make one with: zhidao peer invite --link")
    return 0


def _unlink(options: argparse.Namespace, node: RemoteNode) -> int:
    node.send(f"/v1/exchange/invitations/{options.name}", None, method="DELETE")
    _say(options, {"name": options.name, "state": "withdrawn"}, "Nobody can take it any more.")
    return 0


def _show(options: argparse.Namespace, node: RemoteNode) -> int:
    from zhidao.core.keys import PublicKey

    peers = node.get("/v1/exchange/peers")
    found = next((each for each in peers if each["node"] == options.node), None)
    if found is None:
        raise NotFound(f"no peer {options.node[:64]!r} here", remedy="zhidao peer list")
    prints = [PublicKey.from_multikey(key).fingerprint for key in found["keys"]]
    lines = [f"{found['node']}: {found['organisation']}, at {found['url']}"]
    lines += [f"  {each}" for each in prints]
    lines += _clashes(found)
    _say(options, found | {"fingerprints": prints}, "\n".join(lines))
    return 0


def _list(options: argparse.Namespace, node: RemoteNode) -> int:
    peers = rows_of(options, node)
    lines = [f"{each['node']}  {each['url']}  {each['organisation']}" for each in peers]
    _say(options, peers, "\n".join(lines) or "No peers; admit one with: zhidao peer add CARD")
    return 0


def _remove(options: argparse.Namespace, node: RemoteNode) -> int:
    node.send(f"/v1/exchange/peers/{options.node}", None, method="DELETE")
    _say(options, [], f"{options.node} is no peer any more.")
    return 0


def _trust(options: argparse.Namespace, name: str) -> str:
    """The text of the list that names the node. Raises Refused if no installed one does."""
    from zhidao.trust.wire.governance.trust_list import encode_trust_list

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


def _say(options: argparse.Namespace, answer: object, sentence: str) -> None:
    tell(json.dumps(answer, ensure_ascii=False) if options.json else shown(sentence))
