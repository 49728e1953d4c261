"""The outlines of messages: never wider than the official schemas, and strict to strangers."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.finance.wire.iso20022.random_messages import random_message
from tests.finance.wire.iso20022.schema_messages import SchemaMessages

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.outlines import MESSAGES
from zhidao.finance.wire.iso20022.syntax.structure import check

WITH_SCHEMA = (
    *("pain.001.001.09", "pain.002.001.12", "pacs.002.001.11", "pacs.004.001.10"),
    *("pacs.008.001.08", "pacs.009.001.09", "camt.029.001.10", "camt.052.001.08"),
    *("camt.053.001.08", "camt.054.001.08", "camt.056.001.09", "head.001.001.02"),
)
SEEDS = 12


@pytest.mark.parametrize("definition", WITH_SCHEMA)
def test_what_an_outline_allows_the_official_schema_allows(definition: str, shared: Path) -> None:
    schema = etree.XMLSchema(etree.parse(shared / "finance" / "xsd" / f"{definition}.xsd"))
    for seed in range(SEEDS):
        document = etree.fromstring(random_message(definition, seed))
        assert check(document, definition)
        assert schema.validate(document), f"seed {seed}: {schema.error_log[0]}"


def allows_all(definition: str, folder: Path, seeds: range) -> None:
    """What the official schema allows, the outline does not refuse where it knows of it."""
    messages = SchemaMessages(folder, definition)
    for seed in seeds:
        data = messages.message(seed)
        document = etree.fromstring(data)
        assert messages.schema.validate(document), f"{seed}: {messages.schema.error_log[0]}"
        assert check(document, definition), f"seed {seed}"


@pytest.mark.parametrize("definition", WITH_SCHEMA)
def test_what_the_official_schema_allows_no_outline_refuses(definition: str, shared: Path) -> None:
    allows_all(definition, shared / "finance" / "xsd", range(SEEDS))


@pytest.mark.long
@pytest.mark.parametrize("definition", WITH_SCHEMA)
def test_ten_thousand_messages_of_the_official_schemas_are_refused_by_none(
    definition: str, shared: Path
) -> None:
    allows_all(definition, shared / "finance" / "xsd", range(10_000 // len(WITH_SCHEMA) + 1))


@pytest.mark.parametrize("definition", sorted(MESSAGES))
def test_what_is_unknown_or_stands_twice_is_refused(definition: str) -> None:
    whole = etree.fromstring(random_message(definition, 3))
    assert check(whole, definition)
    unknown = copy.deepcopy(whole)
    inside = unknown if definition.startswith("head") else unknown[0]
    etree.SubElement(inside, f"{{{etree.QName(inside).namespace}}}Unheard")
    with pytest.raises(MalformedInput, match="not known here") as refused:
        check(unknown, definition)
    assert refused.value.code == "FF01"
    assert "Unheard, line" in refused.value.where
    twice = copy.deepcopy(whole)
    first = next(one for one in twice.iter() if not len(one))
    first.addnext(copy.deepcopy(first))
    with pytest.raises(MalformedInput, match=r"too often|too late|may stand"):
        check(twice, definition)


@pytest.mark.parametrize("definition", sorted(MESSAGES))
def test_what_is_missing_is_named(definition: str) -> None:
    whole = etree.fromstring(random_message(definition, 3))
    inside = whole if definition.startswith("head") else whole[0]
    gone = inside[0] if not definition.startswith("head") else inside.find("{*}To")
    assert gone is not None
    inside.remove(gone)
    with pytest.raises(MalformedInput, match=f"{etree.QName(gone).localname} is missing"):
        check(whole, definition)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<IBAN>", "<Othr><Id>1</Id></Othr><IBAN>", "either this or Othr"),
        ("<ChrgBr>SHAR", "<ChrgBr>SHAX", "'SHAX' is not of the expected form"),
        ('Ccy="CNY"', 'Ccy="cny"', "Ccy with three letters"),
        ('Ccy="CNY"', 'Ccy="CNY" x="1"', "its one attribute"),
        (">1.00<", ">1.000001<", "expected form"),
        (">1.00<", ">-1<", "expected form"),
        ("<GrpHdr>", "<GrpHdr>words", "text stands between"),
        ("</GrpHdr>", "</GrpHdr>words", "text stands behind"),
        ("<GrpHdr>", '<GrpHdr a="1">', "no attribute"),
        ("<MsgId>", "<x:MsgId xmlns:x='urn:x'>1</x:MsgId><MsgId>", "not known here"),
        ("<Document", "<Document a='1'", "nothing else"),
    ],
)
def test_each_kind_of_nonsense_has_its_sentence(old: str, new: str, says: str) -> None:
    assert old in TRANSFER
    envelope = read_envelope(TRANSFER.replace(old, new, 1).encode())
    with pytest.raises(MalformedInput, match=says):
        check(envelope.document, envelope.definition)


def test_a_message_without_an_outline_is_not_judged() -> None:
    envelope = read_envelope(TRANSFER.replace("pacs.008.001.08", "pacs.008.001.13").encode())
    assert not check(envelope.document, envelope.definition)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_spoiled_message_is_refused_or_stands(data: st.DataObject) -> None:
    message = bytearray(TRANSFER.encode())
    place = data.draw(st.integers(0, len(message) - 1))
    message[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    told = ["FF01"]
    try:
        envelope = read_envelope(bytes(message))
        check(envelope.document, envelope.definition)
    except MalformedInput as refusal:
        told.append(refusal.code)
    assert set(told) == {"FF01"}


TRANSFER = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-04-13T08:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs>
<SttlmInf><SttlmMtd>INGA</SttlmMtd></SttlmInf></GrpHdr>
<CdtTrfTxInf><PmtId><InstrId>I1</InstrId><EndToEndId>E1</EndToEndId>
<UETR>174c245f-2682-4291-ad67-2a41e530cd27</UETR></PmtId>
<IntrBkSttlmAmt Ccy="CNY">1.00</IntrBkSttlmAmt><ChrgBr>SHAR</ChrgBr>
<Dbtr><Nm>A</Nm></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>ALMAKZKA</BICFI></FinInstnId></DbtrAgt>
<CdtrAgt><FinInstnId><BICFI>XIANCNBJ</BICFI></FinInstnId></CdtrAgt>
<Cdtr><Nm>B</Nm></Cdtr></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"""
