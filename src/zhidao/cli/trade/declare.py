"""`zhidao trade declare`: the risk channel of a declaration, and the decision made again."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put, take
from zhidao.core.errors import MalformedInput

_BYTES_MAX: Final = 64 * 1024 * 1024
_EXAMPLES: Final = (
    "no list of names is shipped: the operator gives one with its date, rows such as\n"
    "name,Acme Trading and hs,841370\n"
    "examples:\n"
    "  zhidao trade declare import_declaration.json --rules risk.json --record decision.json\n"
    "  zhidao trade declare import_declaration.json --rules risk.json \\\n"
    "    --list list.csv --list-date 2026-09-01 --json\n"
    "  zhidao trade declare --rerun decision.json\n"
    "status: 0 green, or the same again; 1 yellow or red, or not the same; 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("declaration", type=Path, nargs="?", metavar="DECLARATION")
    parser.add_argument("--export", action="store_true", help="an export declaration, not import")
    parser.add_argument("--rules", type=Path, help="risk rules (JSON)")
    parser.add_argument("--list", type=Path, help="screening list (CSV: kind, value)")
    parser.add_argument("--list-date", default="", help="day of the list, YYYY-MM-DD")
    parser.add_argument("--record", type=Path, help="write rules, facts and decision here")
    parser.add_argument("--rerun", type=Path, metavar="RECORD", help="make a decision again")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decides, or decides again."""
    if options.rerun:
        return _rerun(options)
    if not options.declaration or not options.rules:
        raise MalformedInput("give DECLARATION and --rules, or --rerun RECORD")
    from zhidao.trade.library.clearance import assess

    record = assess(
        take(options.declaration, bytes_max=_BYTES_MAX),
        take(options.rules, bytes_max=_BYTES_MAX),
        kind="export_declaration" if options.export else "import_declaration",
        listing=take(options.list, bytes_max=_BYTES_MAX) if options.list else None,
        listed_on=_day(options),
    )
    if options.record:
        put(json.dumps(record, ensure_ascii=False).encode(), options.record)
    _print(record["decision"], options)
    return 0 if record["decision"]["channel"] == "green" else 1


def _rerun(options: argparse.Namespace) -> int:
    from zhidao.trade.library.clearance import rerun

    told = rerun(take(options.rerun, bytes_max=_BYTES_MAX))
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("the same decision" if told["same"] else "ANOTHER decision than the record's")
    return 0 if told["same"] else 1


def _day(options: argparse.Namespace) -> date:
    if not options.list:
        return date.min
    try:
        return date.fromisoformat(options.list_date)
    except ValueError as error:
        raise MalformedInput(
            "a list has a day", where="--list-date", remedy="YYYY-MM-DD"
        ) from error


def _print(decision: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(decision, ensure_ascii=False))
        return
    drawn = ", drawn at random" if decision["at_random"] else ""
    print(f"{decision['channel']}, score {decision['score']}{drawn}")
    for match in decision["matches"]:
        print(f"  {match['weight']:+} {match['rule']}: {match['fact']} = {match['value']}")
