"""CBV 2.0 event hashes: the published pre-hash strings and hash names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.industry.domain.event_hash import event_hash, pre_hash


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("epcis-event-hash", shared, "industry/epcis_event_hash/examples", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.industry.domain.test_event_hash import _OTHER_OPTIONS, _events, _prefixes

    for file in sorted(folder.glob("*.jsonld")):
        wanted = file.with_suffix(".prehashes")
        if file.stem in _OTHER_OPTIONS or not wanted.exists():
            continue
        document = json.loads(file.read_text())
        hashes = file.with_suffix(".hashes").read_text().split()
        texts = wanted.read_text().splitlines()
        for number, (event, text, name) in enumerate(
            zip(_events(document), texts, hashes, strict=False)
        ):
            prefixes = _prefixes(document)
            same = (pre_hash(event, prefixes), event_hash(event, prefixes)) == (text.strip(), name)
            yield f"{file.name}#{number}", same
