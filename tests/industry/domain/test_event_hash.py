from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.digital_link import canonical_link, check_digit, gtin14
from zhidao.industry.domain.event_hash import event_hash, pre_hash

# Reaching these needs options of the outside tool that leave fields out.
_OTHER_OPTIONS = {
    "epcisQueryDocHavingEventWithIgnoreFields",
    "epcisDocWithDefaultSchemaInContext",
}


def _events(document: dict[str, Any]) -> list[dict[str, Any]]:
    body = document["epcisBody"]
    if "queryResults" in body:
        return list(body["queryResults"]["resultsBody"]["eventList"])
    return list(body.get("eventList") or [body["event"]])


def _prefixes(document: dict[str, Any]) -> dict[str, str]:
    context = document["@context"]
    terms: dict[str, str] = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, dict):
            terms |= {k: v for k, v in part.items() if isinstance(v, str)}
    return terms


def test_the_published_strings_and_hashes_come_out(shared: Path) -> None:
    folder = shared / "industry" / "epcis_event_hash" / "examples"
    passed = 0
    for file in sorted(folder.glob("*.jsonld")):
        wanted = file.with_suffix(".prehashes")
        if file.stem in _OTHER_OPTIONS or not wanted.exists():
            continue
        document = json.loads(file.read_text())
        hashes = file.with_suffix(".hashes").read_text().split()
        for event, text, name in zip(
            _events(document), wanted.read_text().splitlines(), hashes, strict=False
        ):
            assert pre_hash(event, _prefixes(document)) == text.strip(), file.name
            assert event_hash(event, _prefixes(document)) == name
            passed += 1
    assert passed >= 20


def test_the_published_links_come_out(shared: Path) -> None:
    file = shared / "industry" / "digital_link" / "epc_uri_to_digital_link.tsv"
    rows = list(
        csv.DictReader(file.read_text().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    )
    assert len(rows) == 38
    for row in rows:
        assert canonical_link(row["input"]) == row["canonical_digital_link"]


def test_the_hash_does_not_see_how_an_event_was_written() -> None:
    event = {
        "type": "ObjectEvent",
        "eventTime": "2026-01-01T08:00:00.0004+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sgtin:4012345.011111.2", "urn:epc:id:sgtin:4012345.011111.1"],
        "bizStep": "commissioning",
    }
    same = {
        "bizStep": "https://ref.gs1.org/cbv/BizStep-commissioning",
        "epcList": [
            "https://example.org/01/04012345111118/21/1",
            "https://example.org/01/04012345111118/21/2",
        ],
        "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+08:00",
        "eventID": "urn:uuid:1",
        "recordTime": "2026-02-01T00:00:00Z",
        "type": "ObjectEvent",
    }
    assert event_hash(event, {}) == event_hash(same, {})
    assert event_hash(event, {}) != event_hash(event | {"action": "ADD"}, {})


def test_an_event_without_time_has_no_hash() -> None:
    with pytest.raises(MalformedInput):
        pre_hash({"type": "ObjectEvent"}, {})
    with pytest.raises(MalformedInput):
        pre_hash({"type": "ObjectEvent", "eventTime": "yesterday"}, {})


@given(st.text(max_size=60))
def test_any_text_has_one_canonical_link(text: str) -> None:
    assert canonical_link(canonical_link(text)) == canonical_link(text)


def test_check_digits_are_kept() -> None:
    assert check_digit("629104150021") == "3"
    assert gtin14("6291041500213") == "06291041500213"
    for wrong in ("6291041500214", "62910415002", "x" * 13, ""):
        with pytest.raises(MalformedInput):
            gtin14(wrong)
