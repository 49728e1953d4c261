"""W3C Data Integrity eddsa-jcs-2022: the vector of the specification, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("eddsa-jcs-2022", shared, "trust/vc-di-eddsa", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.trust.wire.credentials import test_data_integrity as vectors

    shared = folder.parents[1]
    for name in dir(vectors):
        test = getattr(vectors, name)
        if name.startswith("test_") and "shared" in getattr(test, "__annotations__", {}):
            try:
                test(shared)
            except AssertionError:
                yield name, False
            else:
                yield name, True
