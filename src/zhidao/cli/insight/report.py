"""`zhidao insight report`: the audit annex, as a page or JSON, recomputed from the log alone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from zhidao.cli.console.outputs import put
from zhidao.cli.insight.log_source import add_source, of_log
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.insight.library.reports import Asked


def add_arguments(report: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    report.epilog = _EXAMPLES
    add_source(report)
    report.add_argument("-o", "--output", type=Path, help="write here instead of standard output")
    report.add_argument("--url", help="ask a node's API instead of its data folder")
    report.add_argument("--token-file", type=Path, help="file of mode 0600 with the API token")
    report.add_argument("--ca", type=Path, help="certificate of the node at --url, if its own")
    report.add_argument(
        "--consignment",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one, as often as wanted",
    )
    report.add_argument(
        "--from", dest="first", default="", metavar="WHEN", help="entered then or later"
    )
    report.add_argument(
        "--to", dest="last", default="", metavar="WHEN", help="entered before; a day is taken whole"
    )
    report.add_argument("--summary", action="store_true", help="figures alone")
    report.set_defaults(run=run)


_EXAMPLES: Final = (
    "The data folder of a node is read whether the node runs or not. The same data give the same\n"
    "bytes. Beside each figure stand its question in words and the leaves used. WHEN is a day or\n"
    "an instant (UTC); a consignment is told whole, whenever the rest of it happened. Of many\n"
    "consignments the page has a list and the steps of the newest ten; the JSON has all.\n"
    "examples:\n"
    "  zhidao insight report --data ~/zhidao -o report.html\n"
    "  zhidao insight report --data ~/zhidao --from 2026-03-01 --to 2026-03-31 --summary\n"
    "  zhidao insight report --data ~/zhidao --consignment CN-7 -o annex.html\n"
    "  zhidao insight report --proof consignment.zdproof --trust trust.json --json\n"
    "  zhidao insight report --url https://node.example:8443 --token-file ~/auditor.token\n"
    "status: 0 written, 1 refused (an event is not what its leaf says, no such consignment),\n"
    "2 bad input, 3 the node or database does not answer"
)


def run(options: argparse.Namespace) -> int:
    """Writes the report."""
    ways = [bool(options.proof), bool(options.url), options.data is not None]
    if sum(ways) > 1:
        raise MalformedInput("--proof, --url and --data are three ways; give one")
    if options.trust and not options.proof:
        raise MalformedInput("--trust belongs to --proof")
    data = _by_api(options) if options.url else _by_log(options)
    put(data if options.output or not options.json else data + b"\n", options.output)
    return 0


def _by_log(options: argparse.Namespace) -> bytes:
    from zhidao.insight.library.reports import report

    wanted = _wanted(options)
    return of_log(options, lambda log: report(log, as_json=options.json, wanted=wanted))


def _wanted(options: argparse.Namespace) -> Asked:
    from zhidao.insight.library.reports import asked

    return asked(
        consignments=options.consignment,
        first=options.first,
        last=options.last,
        is_summary=options.summary,
    )


def _by_api(options: argparse.Namespace) -> bytes:
    from zhidao.cli.console.remote import RemoteNode

    if not options.token_file:
        raise MalformedInput("--url needs --token-file", remedy="an auditor's token sees all")
    _wanted(options)  # What is no time is told before anybody is asked.
    words = [("consignment", name) for name in options.consignment]
    words += [("since", options.first), ("until", options.last)]
    words += [("summary", "true")] if options.summary else []
    path = "/v1/insight/report" if options.json else "/v1/insight/report.html"
    query = urlencode([(name, word) for name, word in words if word])
    return RemoteNode(options).data(f"{path}?{query}" if query else path)
