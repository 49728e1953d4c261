"""`zhidao serve`: runs a node."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    add_settings(parser)
    parser.add_argument("--port", type=int, help="HTTP port; 0 takes a free one")
    parser.add_argument(
        "--roles", help="what this process does: all, or words such as api,page (node.roles)"
    )
    parser.add_argument("--demo", action="store_true", help="allow scenario time and simulation")
    parser.epilog = (
        "examples:\n  zhidao serve --data ~/zhidao\n"
        "  zhidao serve --config /etc/zhidao.toml --json\n"
        "  zhidao serve --roles api,page"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs until interrupted."""
    from zhidao.node.leases.roles import parse_roles, single
    from zhidao.node.operations.tracing import configure_logs
    from zhidao.node.serve import serve

    overrides: dict[str, str | int | bool] = {}
    if options.port is not None:
        overrides["http.port"] = options.port
    if options.roles is not None:
        overrides["node.roles"] = options.roles
    if options.demo:
        overrides["node.demo"] = True
    config = config_of(options, **overrides)
    configure_logs(config.text("log.level"))
    # Who takes no lease signs nothing, and is told nothing that would open keys.
    passphrase = passphrase_of(config) if single(parse_roles(config.text("node.roles"))) else b""

    def ready(state: dict[str, Any]) -> None:
        if options.json:
            # One-time codes stay in node.json (0600): standard output often ends in a log.
            shown = {name: value for name, value in state.items() if "code" not in name}
            print(json.dumps(shown), flush=True)
            return
        how = "stands by" if state["standby"] else "serves"
        print(f"zhidao {how} at {state['page']}", file=sys.stderr)
        if "first_admin_code" in state:
            print(
                f"first start: open {state['page']}/start#{state['first_admin_code']}",
                file=sys.stderr,
            )

    serve(config, passphrase=passphrase, ready=ready)
    return 0
