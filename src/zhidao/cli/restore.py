"""`zhidao restore`: an empty database from an archive."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zhidao.cli.progress import told
from zhidao.cli.settings import add_settings, config_of

if TYPE_CHECKING:
    from zhidao.node.safekeeping import Restored
    from zhidao.store.backup import Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument("archive", type=Path, help="a file that zhidao backup wrote")
    parser.add_argument("--inspect", action="store_true", help="only check it and say what it is")
    parser.epilog = (
        "Keys come back by their own act: zhidao keys import. Keep the newest log/checkpoint of\n"
        "the lost node beside the database: an older state is noticed then, and never signed.\n"
        "examples:\n"
        "  zhidao restore /backups/monday.zdbackup --data ~/zhidao-new\n"
        "  zhidao restore /backups/monday.zdbackup --inspect --json\n"
        "status: 0 restored, 1 refused (target not empty, newer archive), 2 truncated or damaged\n"
        "archive, 3 database or disk failed"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Checks the archive, then fills the database."""
    if options.inspect:
        from zhidao.store.backup import inspect

        with told("checking"):
            _say_archive(inspect(options.archive), as_json=options.json)
        return 0
    from zhidao.node.safekeeping import restore_node

    with told("restoring") as progress:
        restored = restore_node(config_of(options), options.archive, progress=progress)
    _say(restored, as_json=options.json)
    return 0


def _say_archive(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        plain = {"bytes": summary.bytes, "rows": dict(summary.rows), "meta": dict(summary.meta)}
        print(json.dumps(plain, ensure_ascii=False))
        return
    meta = summary.meta
    print(f"a whole backup of {meta.get('node', '?')} at {meta.get('at', '?')}")
    for table, rows in summary.rows.items():
        print(f"{rows:>12}  {table}")


def _say(restored: Restored, *, as_json: bool) -> None:
    rows = sum(restored.summary.rows.values())
    if as_json:
        print(
            json.dumps(
                {
                    "rows": rows,
                    "meta": dict(restored.summary.meta),
                    "migrations": list(restored.migrations),
                    "log_size": restored.log_size,
                    "newest_size": restored.newest_size,
                    "keys": restored.keys,
                    "recovering": restored.recovering,
                },
                ensure_ascii=False,
            )
        )
        return
    print(f"restored {rows} rows of {len(restored.summary.rows)} tables")
    if not restored.keys:
        print("the data folder has no keys: zhidao keys import FILE", file=sys.stderr)
    if restored.recovering:
        print(
            f"the log had {restored.newest_size} leaves, this database has {restored.log_size}: "
            "the node will be recovering and sign nothing; restore a newer backup",
            file=sys.stderr,
        )
    elif restored.newest_size is None:
        print(
            "no copy of the newest head (log/checkpoint) stands in the data folder: if one was "
            "saved, put it there before the node starts",
            file=sys.stderr,
        )
