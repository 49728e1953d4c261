"""The question that a bank asks the examination of a credit about a presentation."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from zhidao.cli.trade.examination import for_examination
from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.finance.wire.credit import read_presentation
from zhidao.trade.library import presentation

ENTRY = (Path(__file__).parents[2] / "trade" / "data" / "set_entry.json").read_bytes()
KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
AT = Utc.parse("2026-09-15T08:00:00Z")


@pytest.fixture(scope="module")
def one_price() -> bytes:
    plain = json.loads(ENTRY)
    plain["includedConsignmentItem"] = plain["includedConsignmentItem"][:1]
    plain["utilizedTransportEquipment"] = plain["utilizedTransportEquipment"][:1]
    plain["presentationDocument"]["drawnAmount"] = "44400"
    return presentation.make(
        json.dumps(plain).encode(), party="exporter", signer=KEY, at=AT, despite=True
    )


def test_the_examination_is_asked_what_the_documents_say(one_price):
    found = presentation.read(one_price)
    question = for_examination(
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
    found = presentation.read(presentation.make(ENTRY, party="exporter", signer=KEY, at=AT))
    question = for_examination(found, presented_on=date(2026, 9, 16), place="Shanghai")
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
    made = presentation.make(
        json.dumps(plain).encode(), party="exporter", signer=KEY, at=AT, despite=True
    )
    with pytest.raises(Refused) as refusal:
        for_examination(presentation.read(made), presented_on=date(2026, 9, 16), place="Shanghai")
    assert refusal.value.code == "not_expressible"
