"""A presentation sealed for one bank, and the question that its credit examination is asked."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.finance.wire.credit import read_presentation
from zhidao.node import presentation_desk as desk

ENTRY = (Path(__file__).parents[1] / "trade" / "data" / "set_entry.json").read_bytes()
KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
AT = Utc.parse("2026-09-15T08:00:00Z")
BANK_KEY = SoftwareKey(Algorithm.ED25519, bytes(range(1, 33)))
BANK_SEALING = SealingKey(b"\x07" * 32)


@pytest.fixture(scope="module")
def one_price() -> bytes:
    plain = json.loads(ENTRY)
    plain["includedConsignmentItem"] = plain["includedConsignmentItem"][:1]
    plain["presentationDocument"]["drawnAmount"] = "44400"
    return desk.make(json.dumps(plain).encode(), party="exporter", signer=KEY, at=AT, despite=True)


@pytest.fixture(scope="module", params=[b"", BANK_SEALING.hybrid], ids=["x25519", "hybrid"])
def card(request: pytest.FixtureRequest) -> bytes:
    unsigned = Card(
        node=party_id("bank-node"),
        organisation="Red River Commercial Bank",
        url="https://bank.example",
        key=BANK_KEY.public,
        sealing=BANK_SEALING.public,
        sealing_hybrid=request.param,
        certificate="",
        at=AT,
        signature=b"",
    )
    return sign_card(unsigned, BANK_KEY)


def test_only_the_banks_node_opens_what_is_sealed_for_it(one_price, card):
    data = desk.sealed(one_price, card)
    assert b"Suzhou" not in data
    assert desk.opened(data, BANK_SEALING) == one_price
    for key in (None, SealingKey(b"\x08" * 32)):
        with pytest.raises(Refused) as refusal:
            desk.opened(data, key)
        assert refusal.value.code == "cannot_open"
    with pytest.raises(MalformedInput):
        desk.opened(data[:35], BANK_SEALING)


def test_the_examination_is_asked_what_the_documents_say(one_price):
    found = desk.read(one_price)
    question = desk.for_examination(
        found, presented_on=date(2026, 9, 16), place="Shanghai", signed=["transport_document"]
    )
    asked = read_presentation(jcs(question))
    kinds = [type(paper).__name__ for paper in asked.documents]
    assert kinds == ["Invoice", "PackingList", "Transport", "Origin", "Origin", "Insurance"]
    invoice, packing, transport = asked.documents[:3]
    # 24 pumps at 1850 dollars, by hand.
    assert (invoice.quantity, invoice.unit_price_minor, invoice.amount_minor) == (
        24,
        185000,
        4440000,
    )
    assert packing.net_g == 1_104_000
    assert transport.signed
    # The insurance declaration has the ports' codes alone.
    insurance = asked.documents[-1]
    assert (insurance.covers_from, insurance.covers_to) == ("Shanghai", "Haiphong")
    assert not asked.documents[3].signed
    assert asked.claimed_minor == 4440000


def test_an_invoice_of_two_prices_comes_with_its_lines():
    found = desk.read(desk.make(ENTRY, party="exporter", signer=KEY, at=AT))
    question = desk.for_examination(found, presented_on=date(2026, 9, 16), place="Shanghai")
    invoice = read_presentation(jcs(question)).documents[0]
    # 24 pumps at 1850 and 48 seals at 62.50 dollars, by hand.
    assert [(line.quantity, line.unit_price_minor) for line in invoice.lines] == [
        (24, 185000),
        (48, 6250),
    ]
    assert (invoice.quantity, invoice.unit_price_minor, invoice.amount_minor) == (72, 0, 4740000)


def test_an_invoice_in_two_units_is_not_squeezed_into_one():
    plain = json.loads(ENTRY)
    plain["includedConsignmentItem"][1]["requestedUnitCode"] = "KGM"
    made = desk.make(json.dumps(plain).encode(), party="exporter", signer=KEY, at=AT, despite=True)
    with pytest.raises(Refused) as refusal:
        desk.for_examination(desk.read(made), presented_on=date(2026, 9, 16), place="Shanghai")
    assert refusal.value.code == "not_expressible"
