"""`zhidao finance mt check`: FIN messages of documentary credits, read strictly."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from zhidao.cli.outputs import take
from zhidao.core.errors import MalformedInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    check = actions.add_parser("check", help="fields, formats and order of MT 700, 707, 734, 750")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="FIN messages")
    check.add_argument("--json", action="store_true", help="the fields by name, one line a message")
    check.set_defaults(run=run_check)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance mt check credit.fin\n"
    "  zhidao finance mt check *.fin --json\n"
    "status: 0 all can be read, 1 one cannot, 2 no such file"
)


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
