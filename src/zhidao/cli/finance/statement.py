"""`zhidao finance statement`: an account between two days, as camt.053, CSV, JSON or PDF."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import put
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.finance.domain.payments.statement import AccountStatement
    from zhidao.finance.events import AccountOpened

FORMS: Final = ("camt053", "camt052", "csv", "json", "pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("account", metavar="ACCOUNT", help="the account's id")
    parser.add_argument("--from", dest="first", type=day_of, help="first day (UTC), 2026-05-01")
    parser.add_argument("--to", dest="last", type=day_of, help="last day (UTC); without it: today")
    parser.add_argument("--form", choices=FORMS, default="camt053", help="camt053 if not given")
    parser.add_argument(
        "--entries-max",
        type=int,
        default=100_000,
        help="more entries than this are cut into pages, files NAME.1.xml, NAME.2.xml",
    )
    parser.add_argument("-o", "--output", type=Path, help="write here instead of standard output")
    add_settings(parser)
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "A PDF needs the extra `print`: pip install 'zhidao[print]', ./run setup print\n"
    "examples:\n"
    "  zhidao finance statement 5e0c…d1 --from 2026-05-01 --to 2026-05-31 -o may.xml\n"
    "  zhidao finance statement 5e0c…d1 --form pdf -o may.pdf\n"
    "status: 0 written, 1 no such account, 2 bad input, 3 the database is away"
)


def day_of(text: str) -> date:
    """A day as written."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no such day: {text[:40]!r}", remedy="write 2026-05-01") from error


def run(options: argparse.Namespace) -> int:
    """Writes the statement."""
    last = options.last or datetime.now(UTC).date()
    first = options.first or last.replace(day=1)
    if first > last:
        raise MalformedInput(f"{first} is after {last}")
    if options.entries_max < 1:
        raise MalformedInput("a page has at least one entry")
    statement, opened = _made(options, first, last)
    if options.json or options.form == "json":
        from zhidao.finance.library.ledger_reports import plain_of

        put((json.dumps(plain_of(statement), indent=1) + "\n").encode(), options.output)
        return 0
    for place, data in enumerate(_pages(options, statement, opened)):
        output = options.output
        if output is not None and place:
            output = output.with_name(f"{output.stem}.{place + 1}{output.suffix}")
        put(data, output)
    return 0


def _made(
    options: argparse.Namespace, first: date, last: date
) -> tuple[AccountStatement, AccountOpened]:
    import asyncio

    from zhidao.finance.library.ledger_reports import ledger_reports
    from zhidao.node.library import system_clock
    from zhidao.node.operations.database_access import database_of

    async def made(url: str) -> tuple[AccountStatement, AccountOpened]:
        async with ledger_reports(url) as reports:
            return await reports.statement(
                options.account, first_day=first, last_day=last, clock=system_clock()
            )

    with database_of(config_of(options)) as url:
        return asyncio.run(made(url))


def _pages(
    options: argparse.Namespace, statement: AccountStatement, opened: AccountOpened
) -> list[bytes]:
    from zhidao.cli.finance.statement_sheet import printed
    from zhidao.finance.domain.payments.statement import pages
    from zhidao.finance.wire.iso20022.messages import camt053
    from zhidao.finance.wire.statement_csv import csv_of

    if options.form == "csv":
        return [csv_of(statement).encode()]
    if options.form == "pdf":
        return [printed(statement, opened)]
    definition = camt053.STATEMENT if options.form == "camt053" else camt053.REPORT
    cut = list(pages(statement, entries_max=options.entries_max))
    if len(cut) > 1 and options.output is None:
        raise Refused(f"{len(cut)} pages do not go to standard output; name a file with -o")
    return [camt053.encode(page, definition) for page in cut]
