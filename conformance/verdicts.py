"""How suites report, and how a test that prints its own line is run as a suite."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

NO_DATA = "the outside set is not here; conformance/sources.toml says where it comes from"


def judged(suite: str, cases: Iterable[tuple[str, bool]]) -> dict[str, Any]:
    """The report of (name, whether it passed)."""
    outcomes = list(cases)
    failed = sorted(name for name, passed in outcomes if not passed)
    return {
        "suite": suite,
        "passed": len(outcomes) - len(failed),
        "total": len(outcomes),
        "failed": failed,
    }


def with_data(
    suite: str,
    shared: Path | None,
    folder: str,
    cases: Callable[[Path], Iterable[tuple[str, bool]]],
) -> dict[str, Any]:
    """The report of cases in a folder of the outside data, or that it is not here."""
    if shared is None or not (shared / folder).exists():
        return {"suite": suite, "skipped": NO_DATA}
    return judged(suite, cases(shared / folder))


def told_by(
    suite: str, shared: Path | None, test: Callable[..., None], *arguments: Any
) -> dict[str, Any]:
    """Runs a test of the tree that prints its own report, and returns that."""
    if shared is None:
        return {"suite": suite, "skipped": NO_DATA}
    out = io.StringIO()
    trouble = ""
    with redirect_stdout(out):
        try:
            test(shared, *arguments)
        except AssertionError as error:
            trouble = str(error)[:300]
    lines = [line for line in out.getvalue().splitlines() if line.startswith("{")]
    report: dict[str, Any] = json.loads(lines[-1]) if lines else {"passed": 0, "total": 0}
    report["suite"] = suite
    report.setdefault("failed", [])
    if trouble and not report["failed"]:
        report["failed"] = [trouble]
    report.setdefault("passed", report["total"] - len(report["failed"]))
    return report
