"""Published valid invoices: EN 16931 examples in UBL and CII, and the XRechnung suite.

The XRechnung documents are judged by EN 16931 and XRechnung's own rules with KoSIT's severities.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.trade.rule_packs import wanted
from conformance.verdicts import with_data
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.trade.adapters.packs import InstalledPack
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.domain.verdict import Outcome


def run(shared: Path | None) -> dict[str, Any]:
    """The report: each document by compiled rules and by Saxon, both must find nothing fatal."""
    try:
        packs = wanted()
    except (Unavailable, MalformedInput) as error:
        return {"suite": "trade-invoices", "skipped": str(error)}
    return with_data("trade-invoices", shared, "trade/en16931", lambda f: _cases(f.parent, packs))


def _cases(folder: Path, packs: list[InstalledPack]) -> Iterator[tuple[str, bool]]:
    files = [
        *sorted(folder.glob("en16931/valid-ubl/*.xml")),
        *sorted(folder.glob("en16931/valid-cii/*.xml")),
        *sorted(folder.glob("xrechnung/**/*.xml")),
    ]
    compiled, saxon = Judge(*packs), Judge(*packs, only_saxon=True)
    for file in files:
        document = file.read_bytes()
        ours, theirs = compiled.judge(document), saxon.judge(document)
        # One of a profile whose rules nobody may ship (Peppol's) is judged by the norm's alone, and
        # says so: it breaks none of them.
        valid = ours.outcome in (Outcome.VALID, Outcome.PARTLY_JUDGED) and not ours.fatal
        yield f"{file.parent.name}/{file.name}: {ours.summary()[:120]}", valid and ours == theirs
