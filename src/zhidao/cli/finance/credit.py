"""`zhidao finance credit`: examine a presentation without a node, and lead a credit at one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import taken_as
from zhidao.cli.finance import credit_acts
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.finance.domain.banking_calendars import KnownCalendar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    examine = actions.add_parser(
        "examine",
        help="does the presentation comply with the credit",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES,
    )
    examine.add_argument(
        "dir",
        type=Path,
        metavar="DIR",
        help="with credit.json, presentation.json and, if banks there rest otherwise than"
        " Saturday and Sunday, calendar.json",
    )
    examine.add_argument(
        "--calendar",
        metavar="NAME",
        help="the banking days of the counter, instead of calendar.json: TARGET of the euro area's"
        " settlement, FEDWIRE of the US dollar's, CN of China's mainland, or one of a FILE",
    )
    examine.add_argument(
        "--calendar-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="years or a place that are not known here, as zhidao finance calendars add takes them",
    )
    examine.add_argument("--json", action="store_true", help="answer in JSON")
    examine.set_defaults(run=run)
    credit_acts.add_actions(actions)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance credit examine drawing-1/\n"
    "  zhidao finance credit examine drawing-1/ --calendar TARGET --json\n"
    f"{credit_acts.EXAMPLES}"
    "status: 0 complies or done, 1 discrepancies or refused, 2 bad input, 3 no answer"
)


def run(options: argparse.Namespace) -> int:
    """Prints the one notice."""
    from zhidao.finance.domain.credit.calendar import BankingCalendar
    from zhidao.finance.domain.credit.examination import examine
    from zhidao.finance.wire.credit import (
        BYTES_MAX,
        examination_plain,
        read_calendar,
        read_credit,
        read_presentation,
    )

    folder: Path = options.dir
    credit = taken_as(read_credit, folder / "credit.json", bytes_max=BYTES_MAX)
    file = folder / "presentation.json"
    presentation = taken_as(read_presentation, file, bytes_max=BYTES_MAX)
    calendar = BankingCalendar(credit.expiry_place)
    own = (folder / "calendar.json").exists()
    if own and options.calendar:
        raise MalformedInput(
            "the folder has a calendar.json of its own",
            remedy="take it away, or leave --calendar out",
        )
    if options.calendar:
        calendar = _known(options).around(presentation.presented_on)
    if own:
        calendar = taken_as(read_calendar, folder / "calendar.json", bytes_max=BYTES_MAX)
    answer = examine(credit, presentation, calendar)
    if options.json:
        print(json.dumps(examination_plain(answer), ensure_ascii=False))
        return 0 if answer.complies else 1
    for one in answer.discrepancies:
        print(f"{one.article}: {one.sentence}\n    {one.left}\n    {one.right}")
    for what in answer.disregarded:
        print(f"disregarded: {what}")
    verdict = "complies" if answer.complies else f"{len(answer.discrepancies)} discrepancies"
    print(f"{answer.checks} checks: {verdict}; a refusal must leave by {answer.examine_until}")
    return 0 if answer.complies else 1


def _known(options: argparse.Namespace) -> KnownCalendar:
    """The calendar of that name, with the years of the files that were given."""
    from zhidao.finance.domain.banking_calendars import KnownCalendar
    from zhidao.finance.wire.calendars import FILE_BYTES_MAX, NAMES, built_in, read_rules

    own = [taken_as(read_rules, one, bytes_max=FILE_BYTES_MAX) for one in options.calendar_file]
    rules = [one for one in own if one.name == options.calendar]
    if options.calendar in NAMES or not rules:
        rules.append(built_in(options.calendar))
    return KnownCalendar(tuple(rules))
