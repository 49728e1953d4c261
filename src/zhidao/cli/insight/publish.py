"""`zhidao insight publish`: a signed report on digital public goods, as a folder."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import take, tell
from zhidao.cli.insight.signatories import SigningKey, add_signer, moment, signer_of
from zhidao.core.errors import MalformedInput
from zhidao.core.files.output import write_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("order", type=Path, metavar="ORDER", help="what it is made of, as TOML")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="a new folder"
    )
    add_signer(parser)
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "An order is TOML: title = { en, zh }, publisher, paid_by, on = 2026-11-30; [[good]] of name,\n"
    "layer and result (of `zhidao insight assess -o`); [[corridor]] of name and result (what\n"
    "`zhidao insight corridor -o` wrote). Files stand beside the order. With map and reports a\n"
    "corridor's figures can be computed again by everybody, who then sees each consignment of\n"
    "them: enclose them only where that may be.\n"
    "examples:\n"
    "  zhidao insight publish order.toml --key mine.pem -o report\n"
    "  zhidao insight publish order.toml --party office --data ~/zhidao -o report\n"
    "status: 0 written, 1 refused (figures that do not come of what is enclosed), 2 bad input"
)


def run(options: argparse.Namespace) -> int:
    """Makes the report and writes its folder."""
    from zhidao.insight.library.publications import (
        EVIDENCE_BYTES_MAX,
        ORDER_BYTES_MAX,
        ordered_files,
        publish,
    )

    data = take(options.order, bytes_max=ORDER_BYTES_MAX)
    named = ordered_files(data)
    if os.path.lexists(options.output):
        raise MalformedInput(f"{options.output} is there already", remedy="name a new folder")
    beside = options.order.parent
    files = {name: take(beside / name, bytes_max=EVIDENCE_BYTES_MAX) for name in named}
    made = publish(data, files, sign=SigningKey(signer_of(options)), at=moment(None))
    write_folder(options.output, made)
    size = sum(map(len, made.values()))
    if options.json:
        told = {"folder": str(options.output), "files": sorted(made), "bytes": size}
        tell(json.dumps(told, ensure_ascii=False))
    else:
        tell(f"{options.output}: {len(made)} files, {size} bytes; begin with report.html")
    return 0
