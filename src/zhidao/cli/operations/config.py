"""`zhidao config show`: every setting and where its value comes from."""

from __future__ import annotations

import argparse
import json

from zhidao.cli.console.node_options import add_settings, config_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("show", help="show all settings with their sources")
    add_settings(show)
    show.set_defaults(run=run)
    parser.epilog = (
        "examples:\n  zhidao config show --json\n  ZHIDAO_HTTP_PORT=9000 zhidao config show"
    )


def run(options: argparse.Namespace) -> int:
    """Prints the table."""
    values = config_of(options).every()
    if options.json:
        print(
            json.dumps(
                {v.setting.name: {"value": v.shown, "source": v.source} for v in values},
                ensure_ascii=False,
                indent=1,
            )
        )
        return 0
    width = max(len(v.setting.name) for v in values)
    for value in values:
        shown = str(value.shown) if value.shown != "" else "-"
        print(
            f"{value.setting.name:<{width}}  {shown:<24}  {value.source:<16}  {value.setting.text}"
        )
    return 0
