"""W3C Verifiable Credentials 2.0: credentials of the data model's own suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    from tests.trust.domain.test_credential import cases

    return with_data("vcdm2-inputs", shared, "trust/vcdm2", cases)
