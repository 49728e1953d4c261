"""EN 16931 on UBL: each published unit document fires the rules that it names, and no other way."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from conformance.verdicts import with_data
from zhidao.core.errors import Unavailable
from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
from zhidao.trade.adapters.rule_process import Judge


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    try:
        newest_pack(default_folder(), EN16931_UBL.package)
    except Unavailable as error:
        return {"suite": "en16931-ubl", "skipped": str(error)}
    return with_data("en16931-ubl", shared, "trade/en16931", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    judge = Judge(newest_pack(default_folder(), EN16931_UBL.package))
    with (folder / "expected.csv").open() as table:
        rows = list(csv.DictReader(table))
    documents: dict[str, list[bytes]] = {}
    for name in {row["file"] for row in rows}:
        found = etree.parse(folder / name).iter("{*}test")
        documents[name] = [etree.tostring(test[-1]) for test in found]
    for row in rows:
        verdict = judge.judge(documents[row["file"]][int(row["test_index"])])
        fired = {finding.rule for finding in verdict.findings}
        passed = (row["rule_id"] in fired) == (row["expect"] != "success")
        yield f"{row['file']}#{row['test_index']} {row['rule_id']}", passed
