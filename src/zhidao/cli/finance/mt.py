"""`zhidao finance mt`: FIN messages of documentary credits, read strictly and written."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import put, take, taken_as
from zhidao.core.errors import MalformedInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    check = actions.add_parser("check", help="fields, formats and order of MT 700, 707, 734, 750")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="FIN messages")
    check.add_argument("--json", action="store_true", help="the fields by name, one line a message")
    check.set_defaults(run=run_check)
    _add_write(actions)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance mt check credit.fin\n"
    "  zhidao finance mt check *.fin --json\n"
    "  zhidao finance mt write 700 credit.json --sender VESTDK22 --receiver XIANCNBJ\n"
    "  zhidao finance mt write 734 credit.json --sender VESTDK22 --receiver XIANCNBJ \\\n"
    "      --reference P-1 --date 2026-09-30 --amount 4500000 --discrepancy 'LATE SHIPMENT'\n"
    "status: 0 all can be read, or written; 1 one cannot be read, 2 bad input"
)


def _add_write(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    write = actions.add_parser("write", help="MT 700 from a credit; MT 734, 750 on discrepancies")
    write.add_argument("kind", choices=("700", "734", "750"), metavar="700|734|750")
    write.add_argument("credit", type=Path, metavar="CREDIT", help="its terms (credit.json)")
    write.add_argument("--sender", required=True, metavar="BIC")
    write.add_argument("--receiver", required=True, metavar="BIC")
    write.add_argument(
        "--reference", default="", help="734: the presenter's; 750: that of this message"
    )
    write.add_argument(
        "--date", type=date.fromisoformat, metavar="DATE", help="734: when documents were presented"
    )
    write.add_argument("--amount", type=int, default=0, metavar="MINOR", help="claimed, in cents")
    write.add_argument(
        "--discrepancy", action="append", default=[], metavar="TEXT", help="again for each"
    )
    write.add_argument(
        "--documents",
        choices=("HOLD", "NOTIFY", "PREVINST", "RETURN"),
        default="HOLD",
        help="734: what happens to them",
    )
    write.add_argument("-o", "--output", type=Path, metavar="FILE")
    write.set_defaults(run=run_write)


def run_write(options: argparse.Namespace) -> int:
    """Writes one message. Raises MalformedInput for what does not fit its fields."""
    from zhidao.finance.wire.credit import BYTES_MAX, read_credit
    from zhidao.finance.wire.mt.blocks import write
    from zhidao.finance.wire.mt.credits import discrepancy_advice, issue, refusal

    credit = taken_as(read_credit, options.credit, bytes_max=BYTES_MAX)
    ends = {"sender": options.sender, "receiver": options.receiver}
    if options.kind == "700":
        message = issue(credit, **ends)
    elif not (options.reference and options.amount > 0 and options.discrepancy):
        raise MalformedInput(
            f"an MT {options.kind} tells a reference, an amount and what is discrepant",
            remedy="add --reference, --amount and --discrepancy",
        )
    elif options.kind == "750":
        message = discrepancy_advice(
            credit,
            **ends,
            reference=options.reference,
            amount_minor=options.amount,
            discrepancies=options.discrepancy,
        )
    elif options.date is None:
        raise MalformedInput("an MT 734 tells when it was presented", remedy="add --date")
    else:
        message = refusal(
            credit,
            **ends,
            presenter_reference=options.reference,
            utilised_on=options.date,
            amount_minor=options.amount,
            discrepancies=options.discrepancy,
            disposal=options.documents,
        )
    put(write(message), options.output)
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Reads each file."""
    from zhidao.finance.wire.mt.blocks import MESSAGE_BYTES_MAX, read

    wrong = 0
    for file in options.files:
        data = take(file, bytes_max=MESSAGE_BYTES_MAX)
        try:
            message = read(data)
        except MalformedInput as error:
            wrong += 1
            told = {"file": str(file), "valid": False, "why": error.args[0], "where": error.where}
            print(json.dumps(told) if options.json else f"{file}: {error}")
            continue
        fields = message.named()
        if options.json:
            told = {"file": str(file), "valid": True, "kind": message.kind}
            ends = {"sender": message.sender, "receiver": message.receiver}
            print(json.dumps(told | ends | {"fields": fields}))
        else:
            print(
                f"{file}: MT {message.kind} {fields['number']} from {message.sender} to"
                f" {message.receiver}, {len(message.fields)} fields"
            )
    return 1 if wrong else 0
