"""CAMARA location-verification and location-retrieval: the scenarios of their feature files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from conformance.verdicts import told_by

APIS = (("location-verification", 30), ("location-retrieval", 20))


def run(shared: Path | None) -> dict[str, Any]:
    """Both APIs in one report; scenarios that do not apply are named with their reason."""
    # One line a request would drown the reports.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from tests.conformance.connectivity.test_camara import CONTRADICTED, test_camara_scenarios

    whole: dict[str, Any] = {"suite": "camara-location", "passed": 0, "total": 0, "failed": []}
    for api, least in APIS:
        report = told_by("camara-location", shared, test_camara_scenarios, api, least)
        if "skipped" in report:
            return report
        whole["passed"] += report["passed"]
        whole["total"] += report["total"]
        # What the feature file asks and the API's own definition forbids is told apart.
        whole["failed"] += [tag for tag in report["failed"] if tag not in CONTRADICTED]
        whole.setdefault("contradicted", []).extend(set(report["failed"]) & CONTRADICTED)
        whole.setdefault("not_applicable", {}).update(report.get("not_applicable", {}))
    return whole
