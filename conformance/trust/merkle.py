"""RFC 9162 proofs: the published inclusion, consistency and subtree cases, good and bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data

KINDS = ("inclusion", "consistency", "subtreeinclusion", "subtreeconsistency")


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("merkle", shared, "trust/tlog-proofs", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.trust.domain.test_merkle import _holds

    for kind in KINDS:
        for case in json.loads((folder / f"{kind}.json").read_text()):
            yield case["_path"], _holds(kind, case) != case["wantErr"]
