"""ISO 20022: the messages that we write are valid by the official schemas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("iso20022-xsd", shared, "finance/xsd", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE, MESSAGES, FolderSchemas

    schemas = FolderSchemas(folder)
    for codec in MESSAGES:
        verdict = schemas._check(codec.DEFINITION, codec.encode(EXAMPLE))
        yield codec.DEFINITION, verdict.startswith("valid")
