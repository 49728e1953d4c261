"""`zhidao finance packs add`: the operator's own copies of schemas, code lists and profiles."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from zhidao.cli.console.node_options import add_settings, config_of

"""Where a node keeps them, in its data folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    add = actions.add_parser("add", help="take over the files of a folder, each with its digest")
    add.add_argument("folder", type=Path, metavar="DIR", help="*.xsd, and *.json of networks")
    add_settings(add)
    add.set_defaults(run=run_add)


_EXAMPLES: Final = (
    "Taken are official message schemas (pacs.008.001.08.xsd), the external code lists as XSD,\n"
    "and profiles of networks (JSON). A running node sees them after its next start.\n"
    "examples:\n"
    "  zhidao finance packs add ~/Downloads/iso20022 --data ~/zhidao\n"
    "status: 0 added, 2 nothing of that kind there"
)


def run_add(options: argparse.Namespace) -> int:
    """Takes a folder over."""
    from zhidao.finance.library.packs import add_pack, schemas_folder

    target = schemas_folder(config_of(options).data)
    added = add_pack(options.folder, target)
    for one in added:
        if options.json:
            print(json.dumps(asdict(one)))
        else:
            print(f"{one.name}: {one.kind}, sha256 {one.digest}")
    return 0
