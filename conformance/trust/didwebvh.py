"""did:webvh: the method's own suite, logs written by five implementations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report; vectors whose verdicts contradict each other are named apart."""
    from tests.trust.wire.identifiers.test_did_webvh import CONTRADICTED, cases

    report = with_data("did-webvh", shared, "trust/didwebvh", cases)
    if "skipped" not in report:
        report["contradicted"] = sorted(CONTRADICTED & set(report["failed"]))
        report["failed"] = [name for name in report["failed"] if name not in CONTRADICTED]
    return report
