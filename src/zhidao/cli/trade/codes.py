"""`zhidao trade codes`: full lists of an operator, and what a code means by them or by our own."""

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
    "  zhidao trade codes import locodes.csv.bz2 harmonized-system.csv stations.csv\n"
    "  zhidao trade codes list\n"
    "  zhidao trade codes show KZALA --json\n"
    "  zhidao trade codes drop stations stations.csv\n"
    "  zhidao trade codes hs 854140 --edition 2017 --to 2022\n"
    "  zhidao trade codes place Horgos\n"
    "  zhidao trade codes station 280305 --list stations.csv\n"
    "full lists are the operator's, as CSV, plain or packed (.bz2, .gz): UN/LOCODE as UNECE or\n"
    "locode-db writes it; section,hscode,description of HS; code,name,country,unlocode of\n"
    "stations; pairs of HS codes (2017,2022). An import takes all files or none and names bad\n"
    "lines; the same file again changes nothing. Papers, their checks and the pages know what is\n"
    "imported at once. Without lists our own short ones answer; of stations there is none\n"
    "status: 0 one answer or done, 1 several or none, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    raw = argparse.RawDescriptionHelpFormatter

    def action(name: str, line: str, run: Any) -> argparse.ArgumentParser:
        found = actions.add_parser(name, help=line, epilog=_EXAMPLES, formatter_class=raw)
        found.add_argument("--json", action="store_true", help="answer in JSON")
        found.add_argument("--codes", type=Path, metavar="FILE", help="the store of code lists")
        found.set_defaults(run=run)
        return found

    taken = action("import", "take full lists, all of them or none", run_import)
    taken.add_argument("files", type=Path, nargs="+", metavar="FILE")
    taken.add_argument(
        "--kind",
        choices=("places", "stations", "hs", "correlation"),
        help="of every file, where its header does not say",
    )
    action("list", "the lists that stand", run_list)
    shown = action("show", "everything that a code is in the lists", run_show)
    shown.add_argument("code", metavar="CODE")
    gone = action("drop", "take a list out", run_drop)
    gone.add_argument("kind", choices=("places", "stations", "hs", "correlation"))
    gone.add_argument("name", metavar="NAME", help="of its file, as `list` tells")
    for what, line in (
        ("hs", "an HS code in another edition"),
        ("place", "a place by UN/LOCODE or a part of its name"),
        ("station", "a rail station by its number"),
    ):
        asked = action(what, line, run_look_up)
        asked.add_argument("sought", metavar="CODE")
        asked.add_argument("--edition", default="2017", help="HS edition of the code (2017)")
        asked.add_argument("--to", default="2022", help="HS edition that is asked for (2022)")
        asked.add_argument("--list", type=Path, metavar="CSV", help="this list and no other")
        asked.set_defaults(what=what)


def run_import(options: argparse.Namespace) -> int:
    """Takes lists and prints each."""
    from zhidao.trade.library import code_lists

    for told in code_lists.take(options.files, options.codes, kind=options.kind or ""):
        news = "" if told["changed"] else ", which stood already"
        _print(told, options, f"{told['kind']}: {told['rows']} rows of {told['source']}{news}")
    return 0


def run_list(options: argparse.Namespace) -> int:
    """Prints every list."""
    from zhidao.trade.library import code_lists

    found = code_lists.installed(options.codes)
    for told in found:
        line = f"{told['kind']}: {told['rows']} rows of {told['source']} sha256:{told['digest']}"
        _print(told, options, line)
    if not found and not options.json:
        print("no list; zhidao trade codes import FILE")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Prints what a code is."""
    from zhidao.trade.library import code_lists

    found = code_lists.shown(options.code, options.codes)
    if options.json:
        print(json.dumps({"code": options.code, "found": found}, ensure_ascii=False))
    else:
        for told in found:
            print("  ".join(filter(None, told.values())))
        if not found:
            print("nothing found")
    return 0 if found else 1


def run_drop(options: argparse.Namespace) -> int:
    """Takes a list out."""
    from zhidao.trade.library import code_lists

    code_lists.drop(options.kind, options.name, options.codes)
    told = {"kind": options.kind, "source": options.name, "dropped": True}
    _print(told, options, f"{options.kind}: {options.name} is no list any more")
    return 0


def run_look_up(options: argparse.Namespace) -> int:
    """Prints what is found."""
    from zhidao.trade.library.code_lists import codes

    told = codes(
        options.what,
        options.sought,
        edition=options.edition,
        to=options.to,
        listed=_text(options.list) if options.list else None,
        store=options.codes,
    )
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for line in _lines(told):
            print(line)
    return 0 if len(told["found"]) == 1 else 1


def _print(told: dict[str, Any], options: argparse.Namespace, line: str) -> None:
    print(json.dumps(told, ensure_ascii=False) if options.json else line)


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
