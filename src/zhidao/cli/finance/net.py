"""`zhidao finance net`: positions, what settles at once, and what cancels without money."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import take

if TYPE_CHECKING:
    from zhidao.finance.wire.obligations import NamedObligations


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV debtor,creditor,amount,currency"
    )
    parser.add_argument("--balances", type=Path, help="CSV party,balance: resolve gridlock too")
    parser.add_argument("--offset", action="store_true", help="maximal offset (needs OR-Tools)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance net obligations.csv\n"
    "  zhidao finance net obligations.csv --balances balances.csv --offset --json\n"
    "status: 0 done, 2 bad input, 3 OR-Tools is not installed"
)


def run(options: argparse.Namespace) -> int:
    """Answers currency by currency."""
    from zhidao.finance.wire.obligations import BYTES_MAX, read_obligations

    balances = take(options.balances, bytes_max=BYTES_MAX) if options.balances else None
    for table in read_obligations(take(options.file, bytes_max=BYTES_MAX)):
        answer = _answer(table, balances, offset=options.offset)
        if options.json:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            _tell(answer)
    return 0


def _answer(table: NamedObligations, balances: bytes | None, *, offset: bool) -> dict[str, Any]:
    from zhidao.core.money import Money
    from zhidao.finance.domain.receivables.netting import between_pairs, net, resolve_gridlock
    from zhidao.finance.wire.obligations import read_balances

    def text(minor: int) -> str:
        return str(Money(minor, table.currency)).split()[0]

    found = net(table.obligations)
    answer: dict[str, Any] = {
        "currency": table.currency.code,
        "obligations": len(table.obligations.amount_minor),
        "gross": text(table.obligations.gross_minor),
        "needed": text(found.needed_minor),
        "positions": {
            name: text(minor)
            for name, minor in zip(table.names, found.net_minor.tolist(), strict=True)
        },
    }
    if balances is not None:
        done = resolve_gridlock(table.obligations, read_balances(balances, table))
        answer["gridlock"] = {
            "settle": int(done.settles.sum()),
            "value": text(done.value_minor),
            "waiting": [n + 1 for n, s in enumerate(done.settles.tolist()) if not s],
            "balances": {
                name: text(minor)
                for name, minor in zip(table.names, done.balance_minor.tolist(), strict=True)
            },
        }
    if offset:
        from zhidao.finance.library.offsets import max_offset

        cancelled = max_offset(between_pairs(table.obligations))
        answer["offset"] = text(sum(cancelled.tolist()))
    return answer


def _tell(answer: dict[str, Any]) -> None:
    currency = answer["currency"]
    print(
        f"{currency}: {answer['obligations']} obligations, gross {answer['gross']}, "
        f"settled by {answer['needed']}"
    )
    for name, position in answer["positions"].items():
        print(f"  {name:30.30} {position:>22}")
    if "gridlock" in answer:
        done = answer["gridlock"]
        print(f"  at once: {done['settle']} obligations, {done['value']} {currency}")
    if "offset" in answer:
        print(f"  without money: {answer['offset']} {currency}")
