"""`zhidao finance iso check|convert`: payment messages without a node."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.node_options import config_of
from zhidao.cli.console.outputs import put, take, taken_as
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.finance.library.packs import FolderSchemas
    from zhidao.finance.wire.iso20022.profiles import Profile
    from zhidao.finance.wire.iso20022.syntax.envelope import Envelope


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="DO", required=True)
    check = actions.add_parser("check", help="schema or structure, and usage rules")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="XML messages")
    check.add_argument("--year", type=int, default=2026, help="usage rules of this year (2026)")
    check.add_argument(
        "--profile",
        default="cross-border",
        help="network: cross-border, instant, one that was added, or a JSON file",
    )
    check.add_argument(
        "--at", metavar="TIME", help="when it came in (2026-05-01T09:00:00+00:00): looks at days"
    )
    check.add_argument("--schemas", type=Path, metavar="DIR", help="folder of official XSD files")
    check.add_argument("--config", type=Path, help="settings file (TOML)")
    check.add_argument("--data", type=Path, help="data folder of the node with its schema packs")
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
    "  zhidao finance iso check payment.xml --profile instant --at 2026-05-01T09:00:00+00:00\n"
    "  zhidao finance iso convert payment.xml -o payment.json\n"
    "Each file is well, broken, or not checked: of that version no schema and no outline is here,\n"
    "or it holds what the outline does not know. Install the official schema then (packs add).\n"
    "A statement (camt.053) is well if its entries lead from its opening to its closing balance;\n"
    "where nothing tells that, it is not checked, and a line says why.\n"
    "status: 0 checked and well, 1 broken, 4 not checked (and nothing broken), 2 bad input"
)


def run_check(options: argparse.Namespace) -> int:
    """Checks each file."""
    from zhidao.finance.library.packs import schemas_folder, schemas_in

    schemas = schemas_in(options.schemas or schemas_folder(config_of(options).data))
    profile, at = _profile(options, schemas), _moment(options.at)
    answers = [_checked(file, options.year, schemas, profile, at) for file in options.files]
    for answer in answers:
        if options.json:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            _tell(answer)
    verdicts = {answer["verdict"] for answer in answers}
    return next((status for word, status in _STATUS if word in verdicts), 0)


BROKEN: Final = "broken"
UNCHECKED: Final = "not checked"
WELL: Final = "well"
_STATUS: Final = ((BROKEN, 1), (UNCHECKED, 4))


def _tell(answer: dict[str, Any]) -> None:
    found = answer["violations"]
    print(f"{answer['file']}: {answer['definition']}, schema: {answer['schema']}")
    print(f"  structure: {answer['structure']}")
    for one in found:
        print(f"  {one['rule']} ({one['code']}), {one['path']} {one['line']}: {one['sentence']}")
    for why in answer["unjudged"]:
        print(f"  not checked whether it adds up: {why}")
    print(f"  {len(found)} rules broken" if found else "  no usage rule broken")
    print(f"  {answer['verdict']}")


def _profile(options: argparse.Namespace, schemas: FolderSchemas) -> Profile:
    from zhidao.finance.library.packs import calendars_of
    from zhidao.finance.wire.iso20022.profiles import (
        PROFILE_BYTES_MAX,
        built_in,
        read_profile,
        with_calendars,
    )

    name = options.profile
    if name.endswith(".json"):
        found = taken_as(read_profile, Path(name), bytes_max=PROFILE_BYTES_MAX)
    else:
        found = schemas.profile(name) or built_in(name)
    known = calendars_of(config_of(options).data).calendars()
    return with_calendars(found, known, today=datetime.now(UTC).date())


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no such time: {text[:40]!r}") from error
    if at.tzinfo is None:
        raise MalformedInput(f"{text} has no offset from UTC", remedy="write +00:00 behind it")
    return at


def _checked(
    file: Path, year: int, schemas: FolderSchemas, profile: Profile, at: datetime | None
) -> dict[str, Any]:
    from zhidao.finance.library.packs import NOT_CHECKED
    from zhidao.finance.wire.iso20022.syntax.envelope import OfOthers, read_envelope
    from zhidao.finance.wire.iso20022.syntax.parsing import FILE_BYTES_MAX
    from zhidao.finance.wire.iso20022.usage.statements import unjudged_statements
    from zhidao.finance.wire.iso20022.usage.usage import violations

    try:
        envelope = taken_as(read_envelope, file, bytes_max=FILE_BYTES_MAX)
    except OfOthers as error:
        return _unchecked(file, error.definition, f"not checked: {error.args[0]}")
    schema, structure, valid, judged = NOT_CHECKED, "", True, True
    try:
        schema = schemas.judge(envelope.definition, envelope.document)
    except MalformedInput as error:
        schema, valid = f"invalid: {error.args[0]}, {error.where}", False
    if schema == NOT_CHECKED:
        structure, valid, judged = _outlined(envelope)
    else:
        structure = "judged by the schema"
    found = violations(envelope, year=year, profile=profile, at=at, codes=schemas.codes)
    unjudged = unjudged_statements(envelope)
    well = judged and not unjudged
    verdict = BROKEN if found or not valid else WELL if well else UNCHECKED
    return {
        "file": str(file),
        "definition": envelope.definition,
        "header": asdict(envelope.header) if envelope.header else None,
        "schema": schema,
        "structure": structure,
        "valid": valid,
        "verdict": verdict,
        "violations": [asdict(each) for each in found],
        "unjudged": unjudged,
    }


def _outlined(envelope: Envelope) -> tuple[str, bool, bool]:
    """What the outline says, whether it finds nothing wrong, and whether it could judge."""
    from zhidao.finance.wire.iso20022.syntax.structure import BeyondOutline, check

    try:
        known = check(envelope.document, envelope.definition)
    except BeyondOutline as error:
        return f"not checked: {error.args[0]} by the outline ({error.where})", True, False
    except MalformedInput as error:
        return f"invalid: {error.args[0]} ({error.where})", False, True
    if not known:
        return "not checked: no outline of this version", True, False
    return "as the outline says", True, True


def _unchecked(file: Path, definition: str, why: str) -> dict[str, Any]:
    return {
        "file": str(file),
        "definition": definition,
        "header": None,
        "schema": "not checked",
        "structure": why,
        "valid": True,
        "verdict": UNCHECKED,
        "violations": [],
        "unjudged": [],
    }


def run_convert(options: argparse.Namespace) -> int:
    """Writes the other form."""
    from zhidao.finance.wire.iso20022.syntax.as_json import from_json, to_json
    from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
    from zhidao.finance.wire.iso20022.syntax.parsing import FILE_BYTES_MAX

    data = take(options.file, bytes_max=FILE_BYTES_MAX)
    if data.lstrip()[:1] == b"{":
        put(from_json(data), options.output)
    else:
        put(to_json(read_envelope(data)), options.output)
    return 0
