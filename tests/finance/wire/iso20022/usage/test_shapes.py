"""A message read by its shape means the same as one that is walked, whatever is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import BANKS, CUSTOMERS, decode, encode
from zhidao.finance.wire.iso20022.profiles import built_in
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.finance.wire.iso20022.usage.shapes import shaped
from zhidao.finance.wire.iso20022.usage.usage import violations

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
PROFILE = built_in("cross-border")


def message(definition: str = CUSTOMERS, *, name: str = "Payer", currency: str = "CNY") -> bytes:
    payment = CreditTransfer(
        group="",
        instruction="I1",
        end_to_end="E1",
        uetr="00000000-0000-4000-8000-000000000001",
        amount_minor=12_300,
        currency=currency,
        day="2026-05-04",
        charges="SHAR",
        payer=person(name, "Almaty", "KZ"),
        payer_account=account("a1"),
        payer_bank=bank("ALMAKZKA"),
        payee=person("Payee", "Xi'an", "CN"),
        payee_account=(("IBAN", "DE89370400440532013000"),),
        payee_bank=bank("XIANCNBJ"),
        remittance=lines("invoice 1", "and more"),
    )
    if definition == BANKS:
        payment = payment._replace(charges="", payer=bank("ALMAKZKA"), payee=bank("XIANCNBJ"))
    head = (definition, "M", "2026-05-04T08:00:00+00:00", "ALMAKZKA", "XIANCNBJ")
    return encode(Transfers(*head, (payment,)))


@pytest.mark.parametrize("currency", ["CNY", "JPY", "KWD"])
@pytest.mark.parametrize("definition", [CUSTOMERS, BANKS])
def test_a_message_of_one_payment_is_read_by_its_shape(definition: str, currency: str) -> None:
    data = message(definition, currency=currency)
    found = shaped(data)
    assert found is not None
    assert found.message() == decode(read_envelope(data))
    assert found.plainly_fine(PROFILE, year=2026, at=NOW)
    assert violations(read_envelope(data), profile=PROFILE, at=NOW) == []


@given(name=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=140))
def test_every_name_is_the_one_that_the_walk_reads(name: str) -> None:
    data = message(name=name)
    found = shaped(data)
    if found is not None:
        assert found.message() == decode(read_envelope(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Payer", "Payer &#38; sons"),
        ("Payer", "Pay<!-- -->er"),
        ("Payer", "<![CDATA[Payer]]>"),
        ("Payer", "Pay\rer"),
        ("Payer", " "),
        ("Payer", " Payer"),
        ("Payer", "Pay>er"),
        ("UTF-8", "ISO-8859-1"),
        ("</Ctry>", "</Ctry>and more"),
        ("pacs.008.001.08", "pacs.008.001.99"),
        ('Ccy="CNY"', 'Ccy="ABC"'),
    ],
)
def test_what_is_not_plain_is_left_to_the_walk(old: str, new: str) -> None:
    text = message().decode().replace(old, new, 1)
    assert shaped(text.encode()) is None


def test_many_payments_and_bytes_of_no_text_are_left_to_the_walk() -> None:
    text = message().decode()
    twice = re.sub(r"(<CdtTrfTxInf>.*</CdtTrfTxInf>)", r"\1\1", text, flags=re.DOTALL)
    assert shaped(twice.encode()) is None
    assert shaped(message().replace(b"Payer", b"\xff")) is None
    assert shaped(message(name="x" * 9_000)) is None


CHANGES = (
    (r"<InstrId>I1</InstrId>", ""),
    (r"<EndToEndId>E1<", "<EndToEndId>/E1<"),
    (r"<EndToEndId>E1<", "<EndToEndId>E//1<"),
    (r"<EndToEndId>E1<", "<EndToEndId>E/1<"),
    (r'Ccy="CNY"', 'Ccy="XAU"'),
    (r'Ccy="CNY"', 'Ccy="JPY"'),
    (r">123.00</IntrBk", ">123.003</IntrBk"),
    (r">123.00</IntrBk", ">0.00</IntrBk"),
    (r">123.00</IntrBk", ">123</IntrBk"),
    (r"-4000-8", "-3000-8"),
    (r"<UETR>[^<]*</UETR>", ""),
    (r"2026-05-04</IntrBk", "2026-05-03</IntrBk"),
    (r"2026-05-04</IntrBk", "2026-05-01</IntrBk"),
    (r"<IntrBkSttlmDt>[^<]*</IntrBkSttlmDt>", ""),
    (r"(<CtrlSum>[^<]*</CtrlSum>)", r"\1<IntrBkSttlmDt>2026-05-04</IntrBkSttlmDt>"),
    (r"SHAR", "SLEV"),
    (r"<TwnNm>[^<]*</TwnNm>", ""),
    (r"<TwnNm>", "<BldgNb>7</BldgNb><TwnNm>"),
    (r"</Ctry>", "</Ctry><AdrLine>1</AdrLine><AdrLine>2</AdrLine><AdrLine>3</AdrLine>"),
    (r"DE89", "DE88"),
    (r"<Ustrd>and more</Ustrd>", ""),
    (r"<NbOfTxs>1<", "<NbOfTxs>7<"),
    (r"<NbOfTxs>1<", "<NbOfTxs>01<"),
    (r"<CtrlSum>[^<]*<", "<CtrlSum>1.00<"),
    (r"<CtrlSum>[^<]*<", "<CtrlSum>123<"),
    (r"<CtrlSum>[^<]*</CtrlSum>", ""),
    (r"SHAR</ChrgBr>", "SHAR </ChrgBr>"),
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_shape_and_walk_agree_on_every_spoiled_message(data: st.DataObject) -> None:
    text = message(data.draw(st.sampled_from([CUSTOMERS, BANKS]))).decode()
    for _ in range(data.draw(st.integers(0, 2))):
        old, new = data.draw(st.sampled_from(CHANGES))
        text = re.sub(old, new, text, count=1)
    envelope = read_envelope(text.encode())
    try:
        check(envelope.document, envelope.definition)
    except MalformedInput:
        return
    found = shaped(text.encode())
    if found is None:
        return
    told = found.message()
    try:
        walked = decode(envelope)
    except MalformedInput:
        assert told is None
        return
    assert told == walked
    year = data.draw(st.sampled_from([2025, 2026]))
    broken = violations(envelope, profile=PROFILE, year=year, at=NOW)
    if found.plainly_fine(PROFILE, year=year, at=NOW):
        assert broken == []
