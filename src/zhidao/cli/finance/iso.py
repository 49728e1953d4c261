"""`zhidao finance iso check|convert`: payment messages without a node."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from zhidao.cli.outputs import put, take
from zhidao.core.errors import MalformedInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    check = actions.add_parser("check", help="schema (where installed) and usage rules")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="XML messages")
    check.add_argument("--year", type=int, default=2026, help="usage rules of this year (2026)")
    check.add_argument("--schemas", type=Path, metavar="DIR", help="folder of official XSD files")
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(run=run_check)
    convert = actions.add_parser("convert", help="XML to JSON, JSON to XML")
    convert.add_argument("file", type=Path, metavar="FILE", help="a message, XML or JSON")
    convert.add_argument("-o", "--output", type=Path, help="write here instead of standard output")
    convert.add_argument("--json", action="store_true", help="refusals as JSON")
    convert.set_defaults(run=run_convert)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao finance iso check payment.xml --year 2026 --schemas ~/iso20022\n"
    "  zhidao finance iso convert payment.xml -o payment.json\n"
    "status: 0 nothing is wrong, 1 a rule is broken or the schema says no, 2 bad input"
)


def run_check(options: argparse.Namespace) -> int:
    """Checks each file."""
    answers = [_checked(file, options.year, options.schemas) for file in options.files]
    for answer in answers:
        if options.json:
            print(json.dumps(answer, ensure_ascii=False))
            continue
        found = answer["violations"]
        print(f"{answer['file']}: {answer['definition']}, schema: {answer['schema']}")
        for one in found:
            print(
                f"  {one['rule']} ({one['code']}), {one['path']} {one['line']}: {one['sentence']}"
            )
        print(f"  {len(found)} rules broken" if found else "  no usage rule broken")
    wrong = any(answer["violations"] or not answer["valid"] for answer in answers)
    return 1 if wrong else 0


def _checked(file: Path, year: int, schemas: Path | None) -> dict[str, Any]:
    from lxml import etree

    from zhidao.finance.adapters.schema_pack import NOT_CHECKED, FolderSchemas
    from zhidao.finance.wire.iso20022.envelope import FILE_BYTES_MAX, read_envelope
    from zhidao.finance.wire.iso20022.usage import violations

    try:
        envelope = read_envelope(take(file, bytes_max=FILE_BYTES_MAX))
    except MalformedInput as error:
        error.where = f"{file} {error.where}".strip()
        raise
    schema, valid = NOT_CHECKED, True
    if schemas is not None:
        check = FolderSchemas(schemas).check
        try:
            schema = asyncio.run(check(envelope.definition, etree.tostring(envelope.document)))
        except MalformedInput as error:
            schema, valid = f"invalid: {error.args[0]}", False
    return {
        "file": str(file),
        "definition": envelope.definition,
        "header": asdict(envelope.header) if envelope.header else None,
        "schema": schema,
        "valid": valid,
        "violations": [asdict(each) for each in violations(envelope, year=year)],
    }


def run_convert(options: argparse.Namespace) -> int:
    """Writes the other form."""
    from zhidao.finance.wire.iso20022.as_json import from_json, to_json
    from zhidao.finance.wire.iso20022.envelope import FILE_BYTES_MAX, read_envelope

    data = take(options.file, bytes_max=FILE_BYTES_MAX)
    if data.lstrip()[:1] == b"{":
        put(from_json(data), options.output)
    else:
        put(to_json(read_envelope(data)), options.output)
    return 0
