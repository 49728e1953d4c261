"""`zhidao trade duty QUESTION`: duty, excise and import VAT of each line, to the minor unit."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import take
from zhidao.cli.trade.origin import BYTES_MAX, add_rules, rules_of

_EXAMPLES: Final = (
    "a line claims a preference only by its bill of materials\n"
    "examples:\n"
    "  zhidao trade duty question.json\n"
    "  zhidao trade duty question.json --rules RCEP=annex3a.csv --json\n"
    "status: 0 assessed, 1 a code is not in the schedule, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("question", type=Path, metavar="QUESTION", help="goods and schedule (JSON)")
    add_rules(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the taxes of each line and their sums."""
    from zhidao.trade.library.documents import duty

    told = duty(take(options.question, bytes_max=BYTES_MAX), rules=rules_of(options))
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(
            f"{'code':12} {'regime':7} {'duty':>14} {'excise':>14} {'VAT':>14}  {told['currency']}"
        )
        for line in told["lines"]:
            print(
                f"{line['code']:12} {line['regime']:7} {line['duty']:>14} {line['excise']:>14} "
                f"{line['vat']:>14}"
            )
        print("minor units: " + ", ".join(f"{k} {v}" for k, v in told["totals_minor"].items()))
    return 0
