"""`zhidao store distribute`: spreads the growing tables over the machines of a Citus database."""

from __future__ import annotations

import argparse
import json

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.progress import told
from zhidao.core.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    spread = actions.add_parser("distribute", help="spread the growing tables over Citus workers")
    add_settings(spread)
    spread.add_argument(
        "--dry-run", action="store_true", help="print the statements; needs no database"
    )
    spread.set_defaults(run=run_distribute)
    parser.epilog = (
        "Only the families that grow are spread; small ones, journals and the log stay together.\n"
        "Stop the node first: rows move. Interrupted, the next call goes on where it stopped.\n"
        "examples:\n"
        "  zhidao store distribute --dry-run\n"
        "  zhidao store distribute --config /etc/zhidao.toml\n"
        "status: 0 spread or printed, 1 refused (no external database, no extension citus), 2 bad\n"
        "input, 3 the database failed"
    )


def run_distribute(options: argparse.Namespace) -> int:
    """Spreads, or says how."""
    from zhidao.store.families import distribution

    if options.dry_run:
        statements = list(distribution())
    else:
        from zhidao.store.families.distribute import distribute

        url = config_of(options).text("database.url")
        if not url:
            raise Refused("the embedded database is one machine", code="no_external_database")
        with told("spreading") as progress:
            statements = distribute(url, told=progress)
    if options.json:
        print(json.dumps({"dry_run": options.dry_run, "statements": statements}))
    else:
        print("".join(f"{each};\n" for each in statements), end="")
    return 0
