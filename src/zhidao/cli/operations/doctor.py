"""`zhidao doctor`: what is wrong on this machine and what to type."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from zhidao.cli.console.node_options import add_settings, config_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.epilog = (
        "Looks at Python, servers, disk, clock, ports, at each file of the data folder and at the\n"
        "node that runs here, compares keys with the database, and tokens, people and acts with\n"
        "the signed log.\n"
        "examples:\n"
        "  zhidao doctor\n"
        "  zhidao doctor --data ~/zhidao --json\n"
        "status: 0 nothing is bad, 1 something is"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints all answers; status 1 if something is bad."""
    from zhidao.node.library import examine_records, keys_unlike
    from zhidao.node.operations.checkup import BAD, examine
    from zhidao.node.wiring.checkup_files import examine_files
    from zhidao.trade.library.rule_packs import default_folder

    checks = list(
        examine(
            config_of(options),
            packs=default_folder(),
            records=examine_records,
            files=examine_files,
            keys=keys_unlike,
        )
    )
    if options.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            remedy = f"\n        type: {check.remedy}" if check.remedy else ""
            print(f"{check.state:<5} {check.name}: {check.seen}{remedy}")
    return 1 if any(check.state == BAD for check in checks) else 0
