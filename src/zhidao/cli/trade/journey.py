"""`zhidao trade journey PLAN EVENTS...`: where it is, when it arrives, what went wrong."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import put, taken_as
from zhidao.core.errors import MalformedInput

_BYTES_MAX: Final = 16 * 1024 * 1024
_EXAMPLES: Final = (
    "events are EPCIS 2.0 documents or DCSA Track and Trace lists, in any order\n"
    "examples:\n"
    "  zhidao trade journey plan.json carrier.json terminal.json\n"
    "  zhidao trade journey plan.json *.json --now 2026-09-09T00:00:00Z --json\n"
    "  zhidao trade journey plan.json terminal.json --as dcsa -o for-the-carrier.json\n"
    "status: 0 no exception, 1 an exception was raised, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("plan", type=Path, metavar="PLAN", help="plan of the journey (JSON)")
    parser.add_argument("events", type=Path, nargs="+", metavar="EVENTS")
    parser.add_argument("--now", default="", metavar="TIME", help="as of this time (UTC)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument(
        "--as",
        dest="form",
        choices=("epcis", "dcsa"),
        help="also write all events to FILE, as one document of this standard",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where --as writes")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the state of the journey."""
    from zhidao.core.timescale import Utc
    from zhidao.node.library import system_clock
    from zhidao.trade.library.journey import journey, read_events, read_plan, written

    if bool(options.form) is not bool(options.output):
        raise MalformedInput("--as and -o go together", remedy="name the standard and the file")
    now = Utc.parse(options.now) if options.now else system_clock().now()
    plan = taken_as(read_plan, options.plan, bytes_max=_BYTES_MAX)
    files = [taken_as(read_events, file, bytes_max=_BYTES_MAX) for file in options.events]
    told = journey(plan, files, now=now)
    if options.form:
        put(written(files, form=options.form, now=now), options.output)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        since = f" since {told['since']}" if told["since"] else ""
        print(f"{told['status']}, {told['place']}{since}")
        print(f"arrival {told['eta']} (by {told['eta_basis']})")
        for exception in told["exceptions"]:
            print(f"{exception['trouble']}: {exception['sentence']}")
    return 1 if told["exceptions"] else 0
