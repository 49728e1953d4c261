"""`zhidao trade untp passports|arrival NAME`: credentials of the UN Transparency Protocol."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.outputs import put, tell
from zhidao.cli.console.trust_folder import shown

_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade untp passports zd-2026-0001 --facility https://id.example.com/factory/7 \\\n"
    "    --facility-name 'Works 7' --url https://node.example --token-file t -o passports/\n"
    "  zhidao trade untp arrival zd-2026-0001 --url https://node.example --token-file t -o out/\n"
    "  zhidao trust credential verify passports/1.json\n"
    "passports: as the exporter, one for each line of goods; arrival: as the carrier, once it is\n"
    "proven. Asking again brings the same credentials.\n"
    "status: 0 done, 1 refused, 2 bad input, 3 no answer"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="WHAT", required=True)
    raw = argparse.RawDescriptionHelpFormatter
    made = actions.add_parser(
        "passports", help="a product passport a line", epilog=_EXAMPLES, formatter_class=raw
    )
    made.add_argument("--facility", required=True, metavar="URI", help="where the goods were made")
    made.add_argument("--facility-name", required=True, metavar="TEXT", help="its name")
    moved = actions.add_parser(
        "arrival", help="the event of the proven arrival", epilog=_EXAMPLES, formatter_class=raw
    )
    for action in (made, moved):
        action.add_argument("consignment", metavar="CONSIGNMENT")
        action.add_argument(
            "-o", "--output", type=Path, metavar="DIR", help="write 1.json, 2.json…"
        )
        add_caller(action)
    made.set_defaults(run=run_passports)
    moved.set_defaults(run=run_arrival)


def run_passports(options: argparse.Namespace) -> int:
    """Issues the passports and shows or writes them."""
    body = {"facility_id": options.facility, "facility_name": options.facility_name}
    told = node_of(options).send(f"{_path(options)}/product-passports", body)
    return _shown(told["credentials"], options)


def run_arrival(options: argparse.Namespace) -> int:
    """Issues the event and shows or writes it."""
    told = node_of(options).send(f"{_path(options)}/arrival-credential", None)
    return _shown([told], options)


def _path(options: argparse.Namespace) -> str:
    return f"/v1/trade/consignments/{quote(options.consignment, safe='')}"


def _shown(credentials: list[dict[str, Any]], options: argparse.Namespace) -> int:
    from zhidao.core.canonical import jcs

    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        for k, credential in enumerate(credentials, 1):
            put(jcs(credential), options.output / f"{k}.json")
    if options.json:
        tell(json.dumps(credentials, ensure_ascii=False))
        return 0
    for k, credential in enumerate(credentials, 1):
        tell(shown(f"{k}. {credential['name']}"))
        tell(shown(f"   {credential['id']} by {credential['issuer']['name']}"))
    return 0
