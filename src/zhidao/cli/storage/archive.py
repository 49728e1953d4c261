"""`zhidao archive`: days that a node archived, listed and verified without it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from zhidao.core.errors import MalformedInput, NotFound


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the archived days in a folder")
    listing.set_defaults(run=run_list)
    verifying = actions.add_parser("verify", help="read each day whole and check it")
    verifying.set_defaults(run=run_verify)
    for action in (listing, verifying):
        action.add_argument(
            "folder", type=Path, metavar="FOLDER", help="archive of a data folder, or a copy of it"
        )
        action.add_argument("--json", action="store_true", help="answer in JSON")
    parser.epilog = (
        "Anybody who has the files can verify them, without a node, a database or a network: the\n"
        "bytes, and the root over all rows. The node said that root in its log, as an open leaf\n"
        "node.DayArchived.v1, before the day left its database. verify needs zhidao[archive].\n"
        "examples:\n"
        "  zhidao archive list ~/zhidao/archive\n"
        "  zhidao archive verify ~/zhidao/archive --json\n"
        "status: 0 done, every day is whole; 1 some day is damaged, or none is there; 2 bad input"
    )


def run_list(options: argparse.Namespace) -> int:
    """Says what is there, without reading rows."""
    from zhidao.store.day_files import read_manifest

    return _told(options, [_of(path, read_manifest) for path in _days(options.folder)])


def run_verify(options: argparse.Namespace) -> int:
    """Reads all that is there."""
    from zhidao.store.day_files import check_day

    return _told(options, [_of(path, check_day) for path in _days(options.folder)])


def _days(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise MalformedInput(f"no folder {folder}", code="no_file", where=str(folder))
    days = sorted(folder.glob("*/????-??-??.json"))
    if not days:
        raise NotFound(
            f"no archived day in {folder}",
            code="no_archive",
            where=str(folder),
            remedy="name the folder `archive` of a node's data, or a copy of it",
        )
    return days


def _of(path: Path, read: Any) -> dict[str, Any]:
    try:
        found = read(path)
    except MalformedInput as error:
        day, table = path.stem, path.parent.name
        return {"table": table, "day": day, "problem": str(error.args[0])}
    return {
        "table": found.table,
        "day": found.day,
        "rows": found.rows,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "root": found.root,
        "problem": "",
    }


def _told(options: argparse.Namespace, days: list[dict[str, Any]]) -> int:
    if options.json:
        print(json.dumps(days))
    for each in () if options.json else days:
        said = each["problem"] or f"{each['rows']} rows, {each['bytes']} bytes, root {each['root']}"
        print(f"{each['table']} {each['day']}: {said}")
    return 1 if any(each["problem"] for each in days) else 0
