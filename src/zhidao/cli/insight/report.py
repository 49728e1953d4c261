"""`zhidao insight report`: one page, or JSON, recomputed from the log alone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import put, take
from zhidao.core.errors import MalformedInput

PROOF_BYTES_MAX: Final = 64 * 1024 * 1024


def add_arguments(report: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    report.epilog = _EXAMPLES
    add_settings(report)
    report.add_argument("-o", "--output", type=Path, help="write here instead of standard output")
    report.add_argument(
        "--proof", type=Path, nargs="+", metavar="FILE", help="proof files instead of a node"
    )
    report.add_argument("--trust", type=Path, help="trust list that the proof files must hold by")
    report.add_argument("--url", help="ask a node's API instead of its data folder")
    report.add_argument("--token-file", type=Path, help="file of mode 0600 with the API token")
    report.add_argument("--ca", type=Path, help="certificate of the node at --url, if its own")
    report.set_defaults(run=run)


_EXAMPLES: Final = (
    "The data folder of a node is read whether the node runs or not. The same data give the same\n"
    "bytes. Beside each figure stand its question in words and the leaves used.\n"
    "examples:\n"
    "  zhidao insight report --data ~/zhidao -o report.html\n"
    "  zhidao insight report --proof consignment.zdproof --trust trust.json --json\n"
    "  zhidao insight report --url https://node.example:8443 --token-file ~/auditor.token\n"
    "status: 0 written, 1 refused (an event is not what its leaf says), 2 bad input,\n"
    "3 the node or database does not answer"
)


def run(options: argparse.Namespace) -> int:
    """Writes the report."""
    ways = [bool(options.proof), bool(options.url), options.data is not None]
    if sum(ways) > 1:
        raise MalformedInput("--proof, --url and --data are three ways; give one")
    if options.trust and not options.proof:
        raise MalformedInput("--trust belongs to --proof")
    if options.url:
        data = _by_api(options)
    elif options.proof:
        data = _by_proofs(options)
    else:
        data = _by_database(options)
    put(data if options.output or not options.json else data + b"\n", options.output)
    return 0


def _by_proofs(options: argparse.Namespace) -> bytes:
    import asyncio

    from zhidao.insight.library import report
    from zhidao.node.library import log_of_proofs

    files = [take(file, bytes_max=PROOF_BYTES_MAX) for file in options.proof]
    trust = take(options.trust, bytes_max=PROOF_BYTES_MAX) if options.trust else None
    return asyncio.run(report(log_of_proofs(files, trust), as_json=options.json))


def _by_database(options: argparse.Namespace) -> bytes:
    import asyncio

    from zhidao.node.operations.database_access import database_of

    config = config_of(options)
    with database_of(config) as url:
        return asyncio.run(_of_database(url, config.data, as_json=options.json))


async def _of_database(url: str, data: Path, *, as_json: bool) -> bytes:
    from zhidao.insight.library import report
    from zhidao.node.library import log_of_database

    async with log_of_database(url, data) as log:
        return await report(log, as_json=as_json)


def _by_api(options: argparse.Namespace) -> bytes:
    from zhidao.cli.console.remote import RemoteNode

    if not options.token_file:
        raise MalformedInput("--url needs --token-file", remedy="an auditor's token sees all")
    path = "/v1/insight/report" if options.json else "/v1/insight/report.html"
    return RemoteNode(options).data(path)
