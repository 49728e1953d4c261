"""Every shared sample of payment messages: the verdict that `iso20022_expected.toml` writes down.

Where a verdict differs from what the sample's name suggests, or is less than a full check, the
reason stands beside it; a sample with neither expectation nor reason fails.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.core.errors import MalformedInput
from zhidao.finance.adapters.schema_pack import NOT_CHECKED, FolderSchemas
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, read_envelope
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.usage.usage import violations

EXPECTED = Path(__file__).with_name("iso20022_expected.toml")
_NEEDS_A_REASON = ("as outlined", "not checked", "no message")


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("iso20022-samples", shared, "finance", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    expected = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    schemas = FolderSchemas(folder / "xsd")
    files = [*folder.glob("cbpr/2025/**/*.xml"), *folder.glob("iso20022-samples/*/*.xml")]
    for file in sorted(files):
        name = file.relative_to(folder).as_posix()
        wanted = expected.pop(name, None)
        if wanted is None:
            yield f"{name}: nothing is written down", False
            continue
        verdict, rules = _verdict(file.read_bytes(), schemas)
        yield name, (verdict, rules) == (wanted["verdict"], wanted["rules"])
        if verdict in _NEEDS_A_REASON:
            yield f"{name} has its reason", bool(wanted.get("because"))
    for name in expected:
        yield f"{name} is not there", False


def _verdict(data: bytes, schemas: FolderSchemas) -> tuple[str, list[str]]:
    try:
        envelope = read_envelope(data)
    except MalformedInput:
        return "no message", []
    rules = sorted({each.rule for each in violations(envelope, year=2025)})
    return _form(envelope, schemas), rules


def _form(envelope: Envelope, schemas: FolderSchemas) -> str:
    try:
        if schemas.judge(envelope.definition, envelope.document) != NOT_CHECKED:
            return "valid"
    except MalformedInput:
        return "invalid"
    try:
        outlined = check(envelope.document, envelope.definition)
    except MalformedInput:
        return "not as outlined"
    return "as outlined" if outlined else "not checked"
