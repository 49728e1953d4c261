"""`zhidao trade codes`: HS codes between editions, places and stations, by short or full lists."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

_LIST_BYTES_MAX: Final = 64 * 1024 * 1024
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade codes hs 854140 --edition 2017 --to 2022\n"
    "  zhidao trade codes hs 854140 --edition 2017 --to 2022 --list correlation.csv --json\n"
    "  zhidao trade codes place Horgos\n"
    "  zhidao trade codes place CNHRS --list locodes.csv\n"
    "  zhidao trade codes station 280305 --list stations.csv\n"
    "full lists are the operator's, as CSV: pairs of HS codes (2017,2022); code,name of places;\n"
    "code,name,country,unlocode of stations. Without --list our own short tables answer; of\n"
    "stations there is none\n"
    "status: 0 one answer, 1 several or none, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("what", choices=("hs", "place", "station"), metavar="hs|place|station")
    parser.add_argument("sought", metavar="CODE", help="a code; of a place also a part of its name")
    parser.add_argument("--edition", default="2017", help="HS edition of the code (2017)")
    parser.add_argument("--to", default="2022", help="HS edition that is asked for (2022)")
    parser.add_argument("--list", type=Path, metavar="CSV", help="a full list instead of our own")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints what is found."""
    from zhidao.trade.library.documents import codes

    told = codes(
        options.what,
        options.sought,
        edition=options.edition,
        to=options.to,
        listed=_text(options.list) if options.list else None,
    )
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for line in _lines(told):
            print(line)
    return 0 if len(told["found"]) == 1 else 1


def _text(file: Path) -> str:
    try:
        return take(file, bytes_max=_LIST_BYTES_MAX).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput("the list is not UTF-8", where=str(file)) from error


def _lines(told: dict[str, Any]) -> list[str]:
    lines = ["  ".join(filter(None, each.values())) for each in told["found"]]
    if told["what"] == "hs" and len(lines) > 1:
        lines.append(f"{len(lines)} codes: which one is right, the goods decide")
    if told["more"]:
        lines.append(f"and {told['more']} more; ask for more of the name")
    return lines or ["nothing found"]
