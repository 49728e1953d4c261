"""`zhidao consignment`: what a node knows of consignments; compare their papers, hand one over."""

from __future__ import annotations

import argparse
import base64
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import take
from zhidao.cli.console.trust_folder import shown
from zhidao.core.errors import MalformedInput

_PATH: Final = "/v1/trade/consignments"
_PAGE: Final = 100
_COLUMNS: Final = ("consignment", "state", "exporter", "importer", "goods")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the consignments that you may see")
    add_listing(listing, "consignments")
    listing.set_defaults(run=_list)
    made = [listing]
    for word, run, line in (
        ("show", _show, "one consignment: its papers, whether they agree, customs"),
        ("check", _check, "compare all papers and write the answer down for every party"),
        ("release", _release, "let the goods go; its customs"),
        ("hand-over", _hand_over, "let a peer go on with it; the exporter"),
    ):
        action = actions.add_parser(word, help=line)
        action.add_argument("consignment", metavar="CONSIGNMENT")
        action.set_defaults(run=run)
        made.append(action)
    made += _entering(actions)
    made.append(_crossing(actions))
    made[4].add_argument("node", metavar="NODE", help="the peer's name")
    made[3].add_argument("--declaration", required=True, help="number of the declaration")
    made[3].add_argument("--reason", default="", help="what was looked at, if its channel asks")
    for action in made:
        add_caller(action)
    parser.epilog = (
        "A conflict refuses a deal that asks for agreeing papers, and that cannot be undone; a\n"
        "release cannot either.\n"
        "examples:\n"
        "  zhidao consignment enter entry.json\n"
        "  zhidao consignment add C-0417 bill_of_lading SMLM8841 bill.json\n"
        "  zhidao consignment check C-0417 --url https://localhost:8443 --as li\n"
        "  zhidao consignment release C-0417 --declaration KZ-50401-17742 \\\n"
        "      --url https://localhost:8443 --as dana\n"
        "  zhidao consignment crossing C-0417 khorgos KZ --entered 2026-03-01T06:40:00Z \\\n"
        "      --left 2026-03-01T19:05:00Z --url https://localhost:8443 --as dana\n"
        "  zhidao consignment hand-over C-0417 almaty --url https://localhost:8443 --as li\n"
        "  zhidao consignment list\n"
        "  zhidao consignment list --filter state=UnderWay --sort entered.consignment --limit 50\n"
        "  zhidao consignment show C-0417\n"
        "status: 0 done, 1 refused, or the papers do not agree, 2 bad input, 3 no answer"
    )


def _entering(actions: Any) -> list[argparse.ArgumentParser]:
    entering = actions.add_parser("enter", help="enter a consignment; its exporter")
    entering.add_argument("file", type=Path, metavar="ENTRY", help="entry in JSON, version 2 to 4")
    entering.set_defaults(run=_enter)
    adding = actions.add_parser("add", help="add the bill of lading; its carrier")
    adding.add_argument("consignment", metavar="CONSIGNMENT")
    adding.add_argument("kind", metavar="KIND", help="bill_of_lading; the others are the entry's")
    adding.add_argument("number", metavar="NUMBER", help="the paper's own number")
    adding.add_argument("file", type=Path, metavar="FILE")
    adding.add_argument("--media-type", default="application/json", help="default: %(default)s")
    adding.set_defaults(run=_add)
    return [entering, adding]


def _crossing(actions: Any) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        "crossing", help="tell when goods were at one side of a border crossing; carrier or customs"
    )
    action.add_argument("consignment", metavar="CONSIGNMENT")
    action.add_argument("crossing", metavar="CROSSING", help="such as khorgos")
    action.add_argument("side", metavar="COUNTRY", help="whose side: two letters, such as KZ")
    for name, what in (("entered", "when they came"), ("left", "when they left")):
        action.add_argument(
            f"--{name}",
            nargs="+",
            default=[],
            required=name == "entered",
            metavar="INSTANT",
            help=f"{what} (RFC 3339); two where it was between them",
        )
    action.set_defaults(run=_cross)
    return action


def _cross(options: argparse.Namespace) -> int:
    body = {"crossing": options.crossing, "side": options.side}
    for name in ("entered", "left"):
        given = getattr(options, name)
        if len(given) > 2:
            raise MalformedInput(
                f"--{name} takes one instant, or the two it was between, not {len(given)}",
                remedy=f"give --{name} FROM TO",
            )
        if given:
            body |= {f"{name}_from": given[0], f"{name}_to": given[-1]}
    told = node_of(options).send(f"{_path(options)}/crossings", body)
    left = f"left it by {told['left_to']}" if told["left_to"] else "is there"
    where = f"the side {told['side']} of {told['crossing']}"
    line = f"{told['consignment']} came to {where} by {told['entered_to']} and {left}"
    return say(options, told, shown(line))


def _enter(options: argparse.Namespace) -> int:
    from zhidao.core.canonical import parse_strict
    from zhidao.trade.wire.fields import PAPER_BYTES_MAX

    entry = parse_strict(take(options.file, bytes_max=PAPER_BYTES_MAX))
    made = node_of(options).send(_PATH, entry)
    name = made["entered"]["consignment"] if "entered" in made else made["consignment"]
    return say(options, made, shown(f"{name} is entered"))


def _add(options: argparse.Namespace) -> int:
    from zhidao.trade.wire.fields import PAPER_BYTES_MAX

    body = {
        "kind": options.kind,
        "number": options.number,
        "media_type": options.media_type,
        "content": base64.b64encode(take(options.file, bytes_max=PAPER_BYTES_MAX)).decode(),
    }
    added = node_of(options).send(f"{_path(options)}/documents", body)
    return say(options, added, shown(f"{added['number']} is on {options.consignment}"))


def _list(options: argparse.Namespace) -> int:
    found = rows_of(options, node_of(options))
    rows = [each["entered"] | {"state": each["state"]} for each in found]
    return say(options, found, shown(table(rows, _COLUMNS)))


def _show(options: argparse.Namespace) -> int:
    seen = node_of(options).get(_path(options))
    entered = seen["entered"]
    lines = [
        f"{entered['consignment']} ({seen['state']}): {entered['goods']}",
        f"  {entered['exporter']} to {entered['importer']}, carried by {entered['carrier']}",
    ]
    lines += [f"  {each['kind']} {each['number']}" for each in seen["documents"]]
    lines += _verdict(seen["papers"]) if seen["papers"] else ["  the papers were not compared"]
    if seen["customs"]:
        lines.append(f"  released by customs under {seen['customs']['declaration']}")
    return say(options, seen, shown("\n".join(lines)))


def _check(options: argparse.Namespace) -> int:
    told = node_of(options).send(f"{_path(options)}/check", None)
    say(options, told, shown("\n".join(_verdict(told)).strip()))
    return 0 if told["agree"] else 1


def _release(options: argparse.Namespace) -> int:
    body = {"declaration": options.declaration, "decision": "released", "reason": options.reason}
    told = node_of(options).send(f"{_path(options)}/customs-release", body)
    return say(options, told, f"{told['consignment']} is released under {told['declaration']}")


def _hand_over(options: argparse.Namespace) -> int:
    path = f"/v1/federation/consignments/{quote(options.consignment, safe='')}/hand-over"
    told = node_of(options).send(path, {"node": options.node})
    return say(options, told, f"{told['home']} writes the history of {told['consignment']} now")


def _path(options: argparse.Namespace) -> str:
    return f"{_PATH}/{quote(options.consignment, safe='')}"


def _verdict(papers: dict[str, Any]) -> list[str]:
    if papers["agree"]:
        return [f"  the papers agree in {papers['checks']} checks"]
    return [
        f"  {each['rule']} {each['verdict']}: {each['sentence']}\n    {each['left']}\n"
        f"    {each['right']}"
        for each in papers["findings"]
    ]
