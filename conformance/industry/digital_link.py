"""GS1 Digital Link: the published translations of EPC URIs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.industry.domain.digital_link import canonical_link


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("digital-link", shared, "industry/digital_link", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    lines = (folder / "epc_uri_to_digital_link.tsv").read_text().splitlines()
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        yield row["input"], canonical_link(row["input"]) == row["canonical_digital_link"]
