"""`zhidao finance report`: trial balance, balance sheet, income, audit bundle and its check."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.finance.statement import day_of
from zhidao.core.errors import MalformedInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    for kind, line in (
        ("trial-balance", "each account's debits and credits"),
        ("balance-sheet", "what is owned and what is owed"),
        ("income", "income and expenses of a time"),
    ):
        report = actions.add_parser(kind, help=line)
        report.add_argument("ledger", metavar="CURRENCY", help="the ledger, such as CNY")
        report.add_argument("--bank", default="", help="only this bank's accounts")
        if kind == "income":
            report.add_argument("--from", dest="first", type=day_of, help="first day (UTC)")
        report.add_argument("--to", dest="last", type=day_of, help="last day (UTC)")
        add_settings(report)
        report.set_defaults(run=run_report, kind=kind)
        if kind != "income":
            report.set_defaults(first=None)
    audit = actions.add_parser("audit", help="the whole ledger in one file that checks itself")
    audit.add_argument("ledger", metavar="CURRENCY", help="the ledger, such as CNY")
    audit.add_argument("-o", "--output", type=Path, required=True, help="the ZIP file to write")
    add_settings(audit)
    audit.set_defaults(run=run_audit)
    check = actions.add_parser("check", help="apply every batch of an audit bundle again")
    check.add_argument("file", type=Path, metavar="FILE", help="an audit bundle")
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(run=run_check)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance report trial-balance CNY --bank importer-bank --data ~/zhidao\n"
    "  zhidao finance report balance-sheet CNY --to 2026-12-31\n"
    "  zhidao finance report income CNY --from 2026-01-01 --to 2026-12-31\n"
    "  zhidao finance report audit CNY -o cny.zip\n"
    "  zhidao finance report check cny.zip\n"
    "status: 0 done, 1 the ledger or bundle does not hold, 2 bad input, 3 the database is away"
)


def run_report(options: argparse.Namespace) -> int:
    """Prints a report."""
    from zhidao.finance.library.ledger_reports import ledger_reports

    async def made(url: str) -> dict[str, Any]:
        async with ledger_reports(url) as reports:
            return await reports.report(
                options.kind,
                options.ledger,
                bank=options.bank,
                first_day=options.first,
                last_day=options.last,
            )

    told = _with_database(options, made)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return 0
    for name, value in told.items():
        if isinstance(value, list):
            print(f"{name}:")
            for line in value:
                print(
                    f"  {line['account']} {line['purpose']:14} {line['holder']:24}"
                    f" {line['debits_minor']:>18} {line['credits_minor']:>18}"
                    f" {line['balance_minor']:>18}"
                )
        else:
            print(f"{name.removesuffix('_minor')}: {value}")
    return 0


def run_audit(options: argparse.Namespace) -> int:
    """Writes the bundle of a ledger that is what the log says."""
    from zhidao.finance.library.ledger_reports import ledger_reports

    async def made(url: str) -> dict[str, Any]:
        async with ledger_reports(url) as reports:
            return await reports.bundle(options.ledger, options.output)

    told = _with_database(options, made)
    if options.json:
        print(json.dumps(told))
    else:
        print(
            f"{options.output}: {told['transfers']} transfers in {told['batches']} batches of"
            f" {told['ledger']}, head {told['head'][:16]}"
        )
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Checks a bundle, without any database."""
    from zhidao.finance.wire.ledger_bundle import check_bundle

    if not options.file.is_file():
        raise MalformedInput(f"no file {options.file}", code="no_file")
    found = check_bundle(options.file)
    if options.json:
        print(json.dumps(found._asdict()))
    else:
        print(
            f"{found.ledger}: {found.transfers} transfers in {found.batches} batches give the"
            f" written sums of {found.accounts} accounts and the head {found.head[:16]}"
        )
    return 0


def _with_database(options: argparse.Namespace, made: Any) -> dict[str, Any]:
    import asyncio

    from zhidao.node.operations.database_access import database_of

    with database_of(config_of(options)) as url:
        told: dict[str, Any] = asyncio.run(made(url))
        return told
