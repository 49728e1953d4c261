"""`zhidao trade set ENTRY`: the papers that one entry needs, compared before anybody sees them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put, take
from zhidao.cli.trade.origin import BYTES_MAX as BILL_BYTES_MAX
from zhidao.cli.trade.origin import add_rules, rules_of
from zhidao.core.errors import MalformedInput

ENTRY_BYTES_MAX: Final = 8 * 1024 * 1024
_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade set entry.json --out set/\n"
    "  zhidao trade set entry.json --out set/ --pdf --language zh\n"
    "  zhidao trade set entry.json --view bank --json\n"
    "  zhidao trade set entry.json --bill 1=bill.json --rules RCEP=annex3a.csv\n"
    "--pdf needs the extra `print`: pip install 'zhidao[print]', ./run setup print\n"
    "status: 0 no finding, 1 a conflict or an undecided row, 2 bad input, 3 no extra for --pdf"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("entry", type=Path, metavar="ENTRY", help="entry file (JSON)")
    parser.add_argument(
        "--bill",
        action="append",
        default=[],
        metavar="ITEM=FILE",
        help="bill of materials of an item: its origin is determined, not stated",
    )
    add_rules(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the documents here")
    parser.add_argument("--pdf", action="store_true", help="print each document as PDF/A too")
    parser.add_argument(
        "--language", choices=("en", "zh", "both"), default="both", help="of the print's labels"
    )
    parser.add_argument("--view", choices=("bank", "customs"), default="", help="whose rows")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the set and prints what is said of it."""
    from zhidao.trade.library.documents import document_set

    if options.pdf and not options.out:
        raise MalformedInput("--pdf writes files", remedy="name their folder with --out")
    both = ("en", "zh") if options.language == "both" else (options.language,)
    made = document_set(
        take(options.entry, bytes_max=ENTRY_BYTES_MAX),
        view=options.view,
        languages=both if options.pdf else (),
        bills=dict(_bill(each) for each in options.bill),
        rules=rules_of(options),
    )
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, data in made.files.items():
            put(data, options.out / name)
    if options.json:
        print(json.dumps(made.told, ensure_ascii=False))
    else:
        _print(made.told)
    return 1 if made.told["findings"] else 0


def _bill(given: str) -> tuple[str, bytes]:
    item, sign, file = given.partition("=")
    if not sign:
        raise MalformedInput(f"not ITEM=FILE: {given[:60]!r}", where="--bill")
    return item, take(Path(file), bytes_max=BILL_BYTES_MAX)


def _print(told: dict[str, Any]) -> None:
    """The papers with their reasons, the rules' word, and what the papers say of each other."""
    for document in told["documents"]:
        print(f"{document['number']:20} {document['title']}: {document['why']}")
    for paper in told["left_out"]:
        print(f"left out: {paper['title']}: {paper['why']}")
    for agreement in told["possible_agreements"]:
        print(f"possible: {agreement}, if the entry says so in originAgreementCode")
    for word in told["origin"]:
        how = f"determined, {word['share_percent']} %" if word["is_determined"] else "stated"
        print(f"origin {word['agreement']}, item {word['item']}: {word['criterion']}, {how}")
    print(*told["rules"], sep="\n")
    print_findings(told)


def print_findings(told: dict[str, Any]) -> None:
    """Counts and findings of the cross-checks, for a person."""
    counted = told["answers"]
    print(", ".join(f"{number} {answer}" for answer, number in counted.items()))
    for finding in told["findings"]:
        print(f"{finding['answer']} {finding['rule']}: {finding['sentence']}")
        print(f"    {finding['left']}\n    {finding['right']}")
    if told["unasked"]:
        print("not asked, their papers or facts are not there: " + " ".join(told["unasked"]))
