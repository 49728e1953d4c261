"""W3C Verifiable Credentials 2.0: the data model's own suite, credentials and presentations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("vcdm2-inputs", shared, "trust/vcdm2", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.trust.domain.test_verifiable_presentation import cases

    yield from cases(folder)
