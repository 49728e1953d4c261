from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from conformance.industry.epcis_event_hash import LEFT_OUT, documents, run
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.application_identifiers import check_digit
from zhidao.industry.domain.digital_link import canonical_link, gtin14
from zhidao.industry.domain.event_hash import DEPTH_MAX, event_hash


def test_the_published_strings_and_hashes_come_out(shared: Path) -> None:
    report = run(shared)
    assert report["failed"] == []
    assert report["total"] >= 45
    assert [name for name in report["left_out"] if name.endswith("ld")] == list(LEFT_OUT)


def test_a_document_with_hashes_alone_is_tried_as_well(shared: Path) -> None:
    tried = {file.name for file, _, _ in documents(shared / "industry" / "epcis_event_hash")}
    assert {"epcisDocHavingEventWithComment.jsonld", "TimeStampRoundOff.jsonld"} <= tried
    assert len(tried) == 13


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


EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T08:00:00Z",
    "eventTimeZoneOffset": "+00:00",
}


def place_of(event: Any, prefixes: Any = None) -> str:
    """Where the refusal of an event points."""
    with pytest.raises(MalformedInput) as refused:
        event_hash(event, prefixes or {})
    return refused.value.where


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("eventTime", "yesterday", "/eventTime"),
        ("eventTime", "2026-13-01T00:00:00Z", "/eventTime"),
        ("eventTime", "2026-01-01T00:00:00+99:99", "/eventTime"),
        ("eventTime", "0001-01-01T00:00:00+14:00", "/eventTime"),
        ("eventTime", "9999-12-31T23:59:59.9999Z", "/eventTime"),
        ("eventTime", 1, "/eventTime"),
        ("eventTimeZoneOffset", "+14:01", "/eventTimeZoneOffset"),
        ("eventTimeZoneOffset", None, "/eventTimeZoneOffset"),
        ("type", ["ObjectEvent"], "/type"),
        ("action", {"a": 1}, "/action"),
        ("epcList", "urn:epc:id:sgtin:4012345.011111.2", "/epcList"),
        ("epcList", None, "/epcList"),
        ("epcList", ["urn:x", 7], "/epcList/1"),
        ("childEPCs", {"0": "urn:x"}, "/childEPCs"),
        ("quantityList", [{"epcClass": "urn:x", "quantity": "7"}], "/quantityList/0/quantity"),
        ("quantityList", [{"epcClass": "urn:x", "quantity": True}], "/quantityList/0/quantity"),
        ("quantityList", [{"quantity": float("nan")}], "/quantityList/0/quantity"),
        ("quantityList", [{"quantity": 10**5000}], "/quantityList/0/quantity"),
        ("quantityList", [{"epcClass": "urn:x", "weight": 1}], "/quantityList/0"),
        ("bizTransactionList", [{"type": "po"}], "/bizTransactionList/0"),
        ("sourceList", [{"source": 1}], "/sourceList/0/source"),
        ("bizStep", ["shipping"], "/bizStep"),
        ("readPoint", "urn:x", "/readPoint"),
        ("readPoint", {}, "/readPoint"),
        ("bizLocation", {"id": 1}, "/bizLocation/id"),
        ("persistentDisposition", {"set": 1}, "/persistentDisposition/set"),
        ("persistentDisposition", {"worn": "x"}, "/persistentDisposition"),
        ("sensorElementList", {"a": 1}, "/sensorElementList"),
        ("sensorElementList", [{"sensorReport": "x"}], "/sensorElementList/0/sensorReport"),
        (
            "sensorElementList",
            [{"sensorMetadata": {"time": "now"}}],
            "/sensorElementList/0/sensorMetadata/time",
        ),
        (
            "sensorElementList",
            [{"sensorReport": [{"value": 1}, {"type": 2}]}],
            "/sensorElementList/0/sensorReport/1/type",
        ),
        ("sensorElementList", [{"sensorReport": {"": None}}], "/sensorElementList/0/sensorReport/"),
        ("ilmd", [], "/ilmd"),
        ("ilmd", {"a:b/c~d": [1, None]}, "/ilmd/a:b~1c~0d/1"),
        ("x:y", {"z": None}, "/x:y/z"),
        ("x:y", "\ud800", "/"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_pointer(
    field: str, value: Any, where: str
) -> None:
    assert place_of(EVENT | {field: value}) == where


def test_an_event_without_type_or_time_has_no_hash() -> None:
    for lacking in ("type", "eventTime"):
        assert place_of({name: v for name, v in EVENT.items() if name != lacking}) == "/"
    for nothing in (None, [], "x", 1):
        assert place_of(nothing) == "/"


@pytest.mark.bound("industry.domain.event_hash.DEPTH_MAX")
@pytest.mark.parametrize("kind", ["objects", "lists"])
def test_what_nests_deeper_than_the_bound_is_refused(kind: str) -> None:
    def nested(levels: int) -> Any:
        value: Any = "x"
        for _ in range(levels):
            value = {"a": value} if kind == "objects" else [value]
        return value

    # The event itself is the first level.
    event_hash(EVENT | {"x:y": nested(DEPTH_MAX - 2)}, {})
    assert place_of(EVENT | {"x:y": nested(DEPTH_MAX - 1)}).startswith("/x:y/")
    assert place_of(EVENT | {"x:y": nested(100_000)}).startswith("/x:y/")


def test_remarks_are_left_out_at_any_depth() -> None:
    place = {"id": "urn:x", "x:y": {"a": "1"}}
    remarked = {"id": "urn:x", "comment": "c", "x:y": {"a": "1", "rdfs:comment": ["d"]}}
    terms = {"rdfs": "http://www.w3.org/2000/01/rdf-schema#"}
    plain, told = EVENT | {"readPoint": place}, EVENT | {"readPoint": remarked, "comment": {}}
    assert event_hash(told, terms) == event_hash(plain, terms)


@given(st.text(max_size=60))
def test_any_text_has_one_canonical_link(text: str) -> None:
    assert canonical_link(canonical_link(text)) == canonical_link(text)


def test_check_digits_are_kept() -> None:
    assert check_digit("629104150021") == "3"
    assert gtin14("6291041500213") == "06291041500213"
    for wrong in ("6291041500214", "62910415002", "x" * 13, ""):
        with pytest.raises(MalformedInput):
            gtin14(wrong)
