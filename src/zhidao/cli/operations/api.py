"""`zhidao api`: the descriptions by which programs of others speak to a node."""

from __future__ import annotations

import argparse
import json
from typing import Any

from zhidao.cli.console.callers import add_caller, node_of
from zhidao.cli.console.outputs import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    told = actions.add_parser("asyncapi", help="what a node tells: streams, bus, webhooks")
    told.add_argument("--json", action="store_true", help="the same: it is JSON anyway")
    told.set_defaults(run=_asyncapi)
    asked = actions.add_parser("openapi", help="what a node answers, as the node describes it")
    add_caller(asked)
    asked.set_defaults(run=_openapi)
    parser.epilog = (
        "AsyncAPI 3.0 is made without a node; OpenAPI 3.1 is fetched, since it tells of the parts\n"
        "that the node runs. Both stand at a node under /schema/asyncapi.json and\n"
        "/schema/openapi.json; its page /api shows the second to people.\n"
        "examples:\n"
        "  zhidao api asyncapi > asyncapi.json\n"
        "  zhidao api openapi --url https://localhost:8443 --as oleg > openapi.json\n"
        "status: 0 done, 2 bad input, 3 no answer"
    )


def _asyncapi(options: argparse.Namespace) -> int:
    del options
    from zhidao.node.api.asyncapi import asyncapi

    return _printed(asyncapi())


def _openapi(options: argparse.Namespace) -> int:
    return _printed(node_of(options).get("/schema/openapi.json"))


def _printed(document: Any) -> int:
    tell(json.dumps(document, ensure_ascii=False, indent=1))
    return 0
