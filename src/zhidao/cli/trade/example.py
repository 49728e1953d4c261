"""`zhidao trade example KIND`: a file that its command takes as it is, or the JSON Schema."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put

_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao trade example entry -o entry.json && zhidao trade set entry.json --out set/\n"
    "  zhidao trade example bill-of-materials --schema\n"
    "kinds, and the command that takes each:\n"
)


@dataclass(frozen=True, slots=True)
class FileForm:
    """A form of file that a person writes: what it is, who reads it, and its schema."""

    about: str
    command: str
    schema: Callable[[], dict[str, Any]]


def _entry() -> dict[str, Any]:
    from zhidao.trade.wire.entry_schema import entry_schema

    return entry_schema(road=False)


def _bill() -> dict[str, Any]:
    from zhidao.trade.wire.origin_file import bill_schema

    return bill_schema()


def _question() -> dict[str, Any]:
    from zhidao.trade.wire.origin_file import question_schema

    return question_schema()


def _rules() -> dict[str, Any]:
    from zhidao.trade.wire.risk_file import schema

    return schema()


def _plan() -> dict[str, Any]:
    from zhidao.trade.wire.journey_plan import schema

    return schema()


def _credit() -> dict[str, Any]:
    from zhidao.finance.domain.credit.credit_terms import Credit
    from zhidao.trade.wire.file_schema import schema_of

    return schema_of(Credit, "Documentary credit")


FORMS: Final = {
    "entry": FileForm("the entry of a consignment", "zhidao trade set FILE", _entry),
    "bill-of-materials": FileForm("what a product is made of", "zhidao trade origin FILE", _bill),
    "duty-question": FileForm(
        "goods, and the schedule that taxes them", "zhidao trade duty FILE", _question
    ),
    "risk-rules": FileForm(
        "rules of the customs window", "zhidao trade declare DECLARATION --rules FILE", _rules
    ),
    "journey-plan": FileForm(
        "the legs of a journey with their times", "zhidao trade journey FILE EVENTS", _plan
    ),
    "credit": FileForm(
        "the terms of a documentary credit",
        "zhidao finance credit examine FOLDER (there as credit.json)",
        _credit,
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    lines = (f"  {kind:18} {form.about}: {form.command}\n" for kind, form in FORMS.items())
    parser.epilog = _EXAMPLES + "".join(lines) + "status: 0 written, 2 bad input"
    parser.add_argument("kind", choices=tuple(FORMS), metavar="KIND", help=", ".join(FORMS))
    parser.add_argument("--schema", action="store_true", help="the JSON Schema instead")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.set_defaults(run=run)


def example_of(kind: str) -> bytes:
    """The bytes of an example."""
    return (files(__package__) / "examples" / f"{kind}.json").read_bytes()


def run(options: argparse.Namespace) -> int:
    """Prints or writes the example or the schema."""
    from zhidao.core.canonical import parse_strict

    kind = options.kind
    plain = FORMS[kind].schema() if options.schema else parse_strict(example_of(kind))
    text = json.dumps(plain, ensure_ascii=False, indent=None if options.json else 1) + "\n"
    if options.output:
        put(text.encode(), options.output)
    else:
        print(text, end="")
    return 0
