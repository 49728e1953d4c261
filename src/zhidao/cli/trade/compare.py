"""`zhidao trade compare FOLDER`: what documents say of each other, and what nobody understood."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take
from zhidao.cli.trade.document_set import ENTRY_BYTES_MAX, print_findings
from zhidao.core.errors import MalformedInput

_EXAMPLES: Final = (
    "every file is known by what it is; prints (PDF) and hidden files are passed over, anything\n"
    "else that is no document is told\n"
    "examples:\n"
    "  zhidao trade compare set/\n"
    "  zhidao trade compare set/ --view customs --json\n"
    "status: 0 no finding, 1 a finding, or a file or place not understood, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--view", choices=("bank", "customs"), default="", help="whose rows")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints what the folder's documents say of each other."""
    from zhidao.trade.library.documents import compared

    if not options.folder.is_dir():
        raise MalformedInput(f"no folder {options.folder}")
    files = sorted(f for f in options.folder.iterdir() if f.is_file() and not _passed_over(f))
    told = compared(
        ((file.name, take(file, bytes_max=ENTRY_BYTES_MAX)) for file in files), view=options.view
    )
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _print_documents(told)
        print_findings(told)
    whole = all(not d["unmapped"] and not d["misfits"] for d in told["documents"])
    return 0 if whole and not told["left_out"] and not told["findings"] else 1


def _passed_over(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix.lower() == ".pdf"


def _print_documents(told: Mapping[str, Any]) -> None:
    for document in told["documents"]:
        print(f"{document['kind']}: {document['fields']} fields")
        for place in document["unmapped"]:
            print(f"    no field stands for {place}")
        for misfit in document["misfits"]:
            print(f"    {misfit['place']} is {misfit['seen']}, should be {misfit['wanted']}")
    for file in told["left_out"]:
        print(f"{file['file']}: not compared: {file['reason']}")
