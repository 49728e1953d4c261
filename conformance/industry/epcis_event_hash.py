"""CBV 2.0 event hashes: the published pre-hash strings and hash names; says what it leaves out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.industry.domain.event_hash import context_terms, event_hash, pre_hash

# What is not of a fair kind, each with its reason.
_OPTIONS = "needs the outside tool's option that leaves fields out"
_XML = "XML is not read by this node"
LEFT_OUT = {"epcisQueryDocHavingEventWithIgnoreFields.jsonld": _OPTIONS}


def run(shared: Path | None) -> dict[str, Any]:
    """The report; `left_out` names the files that were not tried, with the reason of each."""
    report = with_data("epcis-event-hash", shared, "industry/epcis_event_hash", _cases)
    if "skipped" in report or shared is None:
        return report
    return report | {"left_out": left_out(shared / "industry/epcis_event_hash")}


def left_out(folder: Path) -> dict[str, str]:
    """Documents of the set that are not tried."""
    others = {file.name: _XML for file in sorted(folder.rglob("*.xml"))}
    return LEFT_OUT | others


def events_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a capture or query document."""
    body = document["epcisBody"]
    if "queryResults" in body:
        return list(body["queryResults"]["resultsBody"]["eventList"])
    return list(body.get("eventList") or [body["event"]])


def documents(folder: Path) -> Iterator[tuple[Path, dict[str, Any], list[str]]]:
    """The documents that are tried, each with the hash of each event."""
    for file in sorted((folder / "examples").glob("*.jsonld")):
        if file.name not in LEFT_OUT:
            names = file.with_suffix(".hashes").read_text().split()
            yield file, json.loads(file.read_text()), names


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    for file, document, names in documents(folder):
        terms = context_terms(document["@context"])
        events = events_of(document)
        yield f"{file.name}: as many hashes as events", len(events) == len(names)
        for number, (event, name) in enumerate(zip(events, names, strict=False)):
            yield f"{file.name}#{number}", event_hash(event, terms) == name
        texts = file.with_suffix(".prehashes")
        for number, text in enumerate(texts.read_text().splitlines() if texts.exists() else ()):
            # One published string is cut short: it does not give the hash beside it.
            if _gives(text.strip(), names[number]):
                yield (
                    f"{file.name}#{number} string",
                    pre_hash(events[number], terms) == text.strip(),
                )
    file = folder / "expected_equal/ReferenceEventHashAlgorithm.json"
    alike = json.loads(file.read_text())
    terms = context_terms(alike["@context"])
    yield file.name, len({event_hash(event, terms) for event in events_of(alike)}) == 1


def _gives(text: str, name: str) -> bool:
    return hashlib.sha256(text.encode()).hexdigest() in name
