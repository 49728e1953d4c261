"""`zhidao finance screen`: names of any script against an operator's own copies of the lists."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.finance.domain.screening.screening import Lists
    from zhidao.finance.wire.screening_lists import NameList


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("names", nargs="+", metavar="NAME", help="names, each one argument")
    parser.add_argument(
        "--list",
        dest="lists",
        action="append",
        default=[],
        metavar="KIND=FILE[,FILE][@DATE]",
        help="ofac (sdn.csv,alt.csv), un, eu, uk or csv; the date where the file tells none",
    )
    parser.add_argument(
        "--age-max",
        type=int,
        metavar="DAYS",
        help="oldest list (finance.list_age_days_max of the node's settings, else 7)",
    )
    parser.add_argument("--hits", type=int, default=5, metavar="N", help="most hits a name (5)")
    add_settings(parser)
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "No list comes with this program: fetch them from their publishers. Without --list those of\n"
    "the node are taken, in screening/ of its data folder. A list that is too old stops all\n"
    "answers. A hit is a likeness for a person to judge, not a verdict.\n"
    "examples:\n"
    '  zhidao finance screen "Jane Doe" --data ~/zhidao\n'
    '  zhidao finance screen --list un=consolidated.xml "Jane Doe"\n'
    '  zhidao finance screen --list ofac=sdn.csv,alt.csv@2026-11-20 "Владимир Иванов" 王伟\n'
    "status: 0 no alert, 1 at least one alert or a list too old, 2 bad input"
)


def run(options: argparse.Namespace) -> int:
    """Screens each name."""
    import msgspec

    from zhidao.finance.domain.screening.screening import require_fresh
    from zhidao.finance.service.control.screening import hit_of

    lists, age_days_max = _lists(options)
    versions, index = lists.versions, lists.index
    require_fresh(versions, today=datetime.now(UTC).date(), age_days_max=age_days_max)
    alerts = 0
    for name in options.names:
        hits = [hit_of(hit) for hit in index.screen(name, limit=max(1, min(options.hits, 100)))]
        alerts += any(hit.alert for hit in hits)
        if options.json:
            answer = {
                "name": name,
                "lists": [
                    {"source": v.list, "dated": v.dated.isoformat(), "digest": v.digest}
                    for v in versions
                ],
                "hits": msgspec.to_builtins(hits),
            }
            print(json.dumps(answer, ensure_ascii=False))
            continue
        print(f"{name}: {'ALERT' if hits and hits[0].alert else 'no alert'}")
        for hit in hits:
            born = f", born {', '.join(hit.born)}" if hit.born else ""
            print(f"  {hit.score_permille:>4} {hit.source} {hit.entry}: {hit.reason}{born}")
    return 1 if alerts else 0


def _lists(options: argparse.Namespace) -> tuple[Lists, int]:
    """The lists that were named, else those of the node; and how old one may be, in days."""
    import asyncio

    from zhidao.finance.domain.screening.screening import Lists
    from zhidao.finance.library.packs import lists_folder, lists_of

    age_days_max = 7 if options.age_max is None else options.age_max
    if options.lists:
        read = [_read(text) for text in options.lists]
        return Lists.of((each.version, each.entries) for each in read), age_days_max
    config = config_of(options)
    found = asyncio.run(lists_of(config.data))
    if not found.versions:
        raise MalformedInput(
            f"no sanctions list in {lists_folder(config.data)}",
            code="no_list",
            remedy="name one with --list, or put it there as KIND@DATE.xml",
        )
    if options.age_max is None:
        age_days_max = config.number("finance.list_age_days_max")
    return found, age_days_max


def _read(text: str) -> NameList:
    from zhidao.finance.wire.screening_lists import BYTES_MAX, read_list

    kind, equals, rest = text.partition("=")
    names, at, day = rest.rpartition("@") if "@" in rest else (rest, "", "")
    if not equals:
        raise MalformedInput(f"--list is KIND=FILE, not {text[:80]!r}")
    try:
        dated = date.fromisoformat(day) if at else None
    except ValueError as error:
        raise MalformedInput(f"no such day: {day[:20]!r}") from error
    files = [take(Path(name), bytes_max=BYTES_MAX) for name in names.split(",")]
    return read_list(kind, *files, dated=dated)
