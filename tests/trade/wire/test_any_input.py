"""Files of the trade room spoiled in a few places: each is read, or refused, and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.spoiling import BOUNDED, json_values, spoiled, with_another_value

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.rules import snapshot
from zhidao.trade.events import Delivered, PresentationManifest
from zhidao.trade.library.documents import make_set
from zhidao.trade.wire import (
    canonical_entry,
    consignment_entry,
    entry,
    journey_plan,
    norm_differences,
    origin_file,
    presentation_file,
    untp,
)
from zhidao.trade.wire.entry_schema import entry_schema

DATA = Path(__file__).parents[1] / "data"
ENTRY = (DATA / "set_entry.json").read_bytes()
BILL = (DATA / "bill.json").read_bytes()
QUESTION = (DATA / "duty_question.json").read_bytes()
LEG = {
    "origin": "CNSHA",
    "destination": "VNHPH",
    "departs_at": "2026-09-05T02:00:00Z",
    "arrives_at": "2026-09-11T02:00:00Z",
}
PLAN = {"type": "zhidao.JourneyPlan.v1", "legs": [LEG], "coldest_c": "-2.5"}
malformed = contextlib.suppress(MalformedInput)
refused = contextlib.suppress(MalformedInput, Refused)
SIGNER = SoftwareKey(Algorithm.ED25519, b"\x05" * 32)


@BOUNDED
@given(with_another_value(PLAN), spoiled(json.dumps(PLAN).encode()))
def test_any_plan_of_a_journey_is_read_or_malformed(changed: Any, data: bytes) -> None:
    assert journey_plan.read(json.dumps(PLAN).encode()).places == ["CNSHA", "VNHPH"]
    for told in (json.dumps(changed).encode(), data):
        with malformed:
            assert journey_plan.read(told).legs


@BOUNDED
@given(with_another_value(json.loads(BILL)), with_another_value(json.loads(QUESTION)), st.data())
def test_any_bill_of_materials_and_duty_question_is_read_or_malformed(
    bill: Any, question: Any, more: st.DataObject
) -> None:
    for told in (json.dumps(bill).encode(), more.draw(spoiled(BILL))):
        with malformed:
            assert origin_file.read_bill(told).hs
    for told in (json.dumps(question).encode(), more.draw(spoiled(QUESTION))):
        with malformed:
            assert origin_file.read_question(told).lines


FIRST = entry.read_first((DATA / "entry.json").read_bytes())
OPENING = consignment_entry.migrated(FIRST)
SCHEMA = jsonschema_rs.Draft202012Validator(entry_schema(), validate_formats=True)


@BOUNDED
@given(with_another_value(json.loads(OPENING)))
def test_what_the_published_schema_of_an_entry_refuses_the_reader_refuses(changed: Any) -> None:
    assert SCHEMA.is_valid(json.loads(OPENING))
    if not SCHEMA.is_valid(changed):
        with pytest.raises((MalformedInput, Refused)):
            entry.read(json.dumps(changed).encode())


def manifest(**more: Any) -> PresentationManifest:
    words = dict.fromkeys(PresentationManifest.__struct_fields__, "x")
    return PresentationManifest(**{**words, "documents": [], "checks": 0, "findings": [], **more})


@BOUNDED
@given(st.text(max_size=30), st.binary(max_size=60), st.data())
def test_a_presentation_is_the_same_after_its_bytes_and_spoiled_bytes_are_none(
    presenter: str, data: bytes, more: st.DataObject
) -> None:
    made = presentation_file.sign(manifest(presenter=presenter), {}, SIGNER)
    written = presentation_file.encode(made)
    assert presentation_file.decode(written) == made
    for told in (data, more.draw(spoiled(written))):
        with refused:
            assert presentation_file.decode(told).manifest == made.manifest, "only what was signed"


DOCUMENTS = {each.form.kind: each.data for each in make_set(canonical_entry.read(ENTRY))}


@BOUNDED
@given(st.sampled_from(("invoice_ubl", "invoice_cii")), st.data())
def test_any_invoice_is_told_where_the_norm_asks_more_and_never_more_than_twice_a_place(
    kind: str, data: st.DataObject
) -> None:
    root = etree.fromstring(DOCUMENTS[kind])
    spots = list(root.iter())
    for _ in range(data.draw(st.integers(0, 3))):
        spot = spots[data.draw(st.integers(1, len(spots) - 1))]
        spot.text = data.draw(st.sampled_from(("", "0", "-1", "NaN", "1e5", "x", " 7 ")))
        if data.draw(st.booleans()) and spot.getparent() is not None:
            spot.getparent().remove(spot)
    told = norm_differences.differences(snapshot(root).root, frozenset())
    assert {each.rule for each in told} <= {"BR-CO-25", "BR-CO-27"}
    assert len(told) == len(set(told))
    known = frozenset(("BR-CO-25", "BR-CO-27"))
    assert norm_differences.differences(snapshot(root).root, known) == ()


texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


@BOUNDED
@given(texts, texts, st.booleans())
def test_products_and_movements_are_canonical_json_with_what_was_entered(
    description: str,
    lot: str,
    simulated: bool,  # noqa: FBT001 (drawn)
) -> None:
    typed = replace(FIRST, lot=lot, simulated=simulated)
    line = replace(typed.lines[0], description=description, lot="")
    told = untp.product(typed, line, facility={"id": "https://f.example", "name": "F"})
    assert (told["name"], told["batchNumber"]) == (description, lot)
    assert told["description"].endswith("simulated") is simulated
    arrived = Delivered(consignment=typed.id, arrival="a", observed_at="t", place=description)
    moved = untp.movement(typed, arrived)
    assert [each["product"]["name"] for each in moved["movedProduct"]] == [
        each.description for each in typed.lines
    ]
    for document in (told, moved):
        assert json.loads(jcs(document)) == document
        assert hashlib.sha256(jcs(document)).digest()
    assert " " not in told["id"]


@BOUNDED
@given(json_values)
def test_no_other_json_is_any_of_these_files(value: Any) -> None:
    data = json.dumps(value).encode()
    for reader in (
        *(journey_plan.read, origin_file.read_bill, origin_file.read_question),
        *(presentation_file.decode, entry.read),
    ):
        with pytest.raises((MalformedInput, Refused)):
            reader(data)
