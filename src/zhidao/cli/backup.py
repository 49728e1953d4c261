"""`zhidao backup`: everything but the keys into one archive."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from zhidao.cli.progress import told
from zhidao.cli.settings import add_settings, config_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument("-o", "--output", type=Path, help="the archive; a new file")
    parser.epilog = (
        "The node may go on serving. Not in the archive: keys (zhidao keys export), sign-ins, and\n"
        "the copy of the log's newest head, which must never be put back with an older database.\n"
        "examples:\n"
        "  zhidao backup --data ~/zhidao -o /backups/monday.zdbackup\n"
        "  zhidao backup --config /etc/zhidao.toml --json\n"
        "status: 0 written, 1 refused (the file exists, no node there), 3 database or disk failed"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the archive and says what is in it."""
    from zhidao.node.adapters.ambient import SystemClock
    from zhidao.node.safekeeping import backup_node

    config = config_of(options)
    at = SystemClock().now()
    stamp = f"{at.to_datetime():%Y%m%dT%H%M%SZ}"
    out = options.output or Path(f"zhidao-{config.text('node.name')}-{stamp}.zdbackup")
    with told("backing up") as progress:
        summary = backup_node(config, out.absolute(), at=at, progress=progress)
    rows = sum(summary.rows.values())
    if options.json:
        print(
            json.dumps(
                {
                    "file": str(out),
                    "bytes": summary.bytes,
                    "sha256": summary.sha256,
                    "rows": rows,
                    "tables": len(summary.rows),
                    "meta": dict(summary.meta),
                },
                ensure_ascii=False,
            )
        )
    else:
        log = summary.meta.get("log")
        head = f"log of {log['size']} leaves" if log else "no log yet"
        print(f"{out}: {rows} rows of {len(summary.rows)} tables, {summary.bytes} bytes, {head}")
        print(f"sha256 {summary.sha256}")
    return 0
