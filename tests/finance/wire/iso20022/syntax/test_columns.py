"""A file read by columns means the same as read payment by payment, whatever is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import (
    BANKS,
    CUSTOMERS,
    INITIATION,
    decode,
    encode,
)
from zhidao.finance.wire.iso20022.profiles import built_in
from zhidao.finance.wire.iso20022.syntax.columns import (
    COUNT_MIN,
    Columns,
    columns_of,
    columns_of_text,
)
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, read_envelope
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.finance.wire.iso20022.usage.usage import violations

COUNT = COUNT_MIN + 2
NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


def payment(number: int) -> CreditTransfer:
    return CreditTransfer(
        group="",
        instruction=f"I{number}",
        end_to_end=f"E{number}",
        uetr=f"00000000-0000-4000-8000-{number:012d}",
        amount_minor=100 + number,
        currency="CNY",
        day="2026-05-04",
        charges="SHAR",
        payer=person(f"Payer {number}", "Almaty", "KZ"),
        payer_account=account(f"a{number}"),
        payer_bank=bank("ALMAKZKA"),
        payee=person("Payee & sons", "Xi'an", "CN"),
        payee_account=(("IBAN", "DE89370400440532013000"),),
        payee_bank=bank("XIANCNBJ"),
        remittance=lines(f"invoice {number}"),
    )


def file(definition: str = CUSTOMERS, count: int = COUNT) -> bytes:
    payments = tuple(map(payment, range(count)))
    if definition == BANKS:
        payments = tuple(
            one._replace(charges="", payer=bank("ALMAKZKA"), payee=bank("XIANCNBJ"))
            for one in payments
        )
    head = (definition, "M", "2026-05-04T08:00:00+00:00", "ALMAKZKA", "XIANCNBJ")
    return encode(Transfers(*head, payments))


def plain(data: bytes) -> bytes:
    """The file without what only the XML library reads."""
    return data.replace(b"&amp;", b"and")


@pytest.mark.parametrize("way", ["cut", "elements"])
@pytest.mark.parametrize("definition", [CUSTOMERS, BANKS])
def test_a_file_of_payments_alike_is_read_by_columns(definition: str, way: str) -> None:
    data = plain(file(definition))
    envelope = read_envelope(data)
    columns = columns_of_text(envelope, data) if way == "cut" else columns_of(envelope)
    assert columns is not None
    assert check(envelope.document, envelope.definition, columns if way == "cut" else None)
    assert decode(envelope, columns) == decode(envelope)
    assert violations(envelope, at=NOW, columns=columns) == violations(envelope, at=NOW) == []


@pytest.mark.parametrize("definition", [INITIATION, CUSTOMERS, BANKS])
def test_for_whom_is_paid_is_written_and_read_back_in_each_way(definition: str) -> None:
    between_banks = definition == BANKS
    whom = (bank("CARRKZKA"), bank("SOMECNBJ")) if between_banks else ()
    payments = tuple(
        payment(number)._replace(
            group="G" if definition == INITIATION else "",
            charges="" if between_banks else "SHAR",
            **({"payer": bank("ALMAKZKA"), "payee": bank("XIANCNBJ")} if between_banks else {}),
            **({"payer": payment(0).payer, "payer_account": account("a0")} if not whom else {}),
            ultimate_payer=whom[0] if whom else person(f"Owner {number}", "Goma", "CD"),
            ultimate_payee=whom[1] if whom else person("Heir", "Goma", "CD"),
        )
        for number in range(COUNT)
    )
    banks = ("", "ALMAKZKA") if definition == INITIATION else ("ALMAKZKA", "XIANCNBJ")
    told = Transfers(definition, "M", "2026-05-04T08:00:00+00:00", *banks, payments)
    data = encode(told)
    envelope = read_envelope(data)
    assert check(envelope.document, envelope.definition)
    assert decode(envelope) == told
    if definition != INITIATION:
        columns = columns_of(envelope)
        assert columns is not None
        assert decode(envelope, columns) == told


def test_for_whom_all_of_a_group_pay_is_said_of_each() -> None:
    told = payment(1)._replace(group="G", ultimate_payer=person("Owner", "Goma", "CD"))
    head = (INITIATION, "M", "2026-05-04T08:00:00+00:00", "", "")
    data = encode(Transfers(*head, (told._replace(ultimate_payer=()),))).decode()
    owner = "<UltmtDbtr><Nm>Owner</Nm></UltmtDbtr>"
    assert data.count("<ChrgBr>") == 1
    moved = data.replace("<ChrgBr>", f"{owner}<ChrgBr>")
    [one] = decode(read_envelope(moved.encode())).transfers
    assert one.ultimate_payer == (("Nm", "Owner"),)


def test_few_payments_are_walked() -> None:
    few = plain(file(count=COUNT_MIN - 1))
    assert columns_of(read_envelope(few)) is None
    assert columns_of_text(read_envelope(few), few) is None


CHANGES = (
    (r"<InstrId>I3</InstrId>", ""),
    (r"<EndToEndId>E3<", "<EndToEndId>/E3<"),
    (r"<EndToEndId>E3<", "<EndToEndId>E/3<"),
    (r'Ccy="CNY"', 'Ccy="XAU"'),
    (r'Ccy="CNY"', 'Ccy="JPY"'),
    (r">1.03<", ">1.033<"),
    (r">1.03<", ">0.00<"),
    (r">1.03<", ">1<"),
    (r"000000000003<", "000000000004<"),
    (r"<UETR>[^<]*3</UETR>", ""),
    (r"2026-05-04</IntrBk", "2026-05-03</IntrBk"),
    (r"<IntrBkSttlmDt>[^<]*</IntrBkSttlmDt>", ""),
    (r"SHAR", "SLEV"),
    (r"<TwnNm>[^<]*</TwnNm>", ""),
    (r"<TwnNm>", "<BldgNb>7</BldgNb><TwnNm>"),
    (r"DE89", "DE88"),
    (r"<Ustrd>invoice 3</Ustrd>", "<Ustrd>a</Ustrd><Ustrd>b</Ustrd>"),
    (r"<RmtInf><Ustrd>invoice 3</Ustrd></RmtInf>", ""),
    (rf"<NbOfTxs>{COUNT}<", "<NbOfTxs>7<"),
    (r"<CtrlSum>[^<]*<", "<CtrlSum>1.00<"),
    (r"<CtrlSum>[^<]*</CtrlSum>", ""),
    (r"<Nm>Payer 3<", "<Nm> Payer 3<"),
    (r"<Nm>Payer 3<", "<Nm>Pay>er<"),
    (r"<Nm>Payer 3<", "<Nm><![CDATA[Payer 3]]><!-- >x</ --><"),
    (r"</CdtTrfTxInf>\n", "</CdtTrfTxInf> "),
    (r"</CdtTrfTxInf>", "<RmtInf><Ustrd>second</Ustrd></RmtInf></CdtTrfTxInf>"),
)

# What only the look at the structure minds, in one payment or in all.
SPOILED = (
    (r"<Nm>Payer 3<", "<Nm><"),
    (r"<Nm>Payer 3<", '<Nm Lang="en">Payer 3<'),
    (r"<Nm>Payer 3</Nm>", "<Nm>Payer 3</Nm><Nm>Payer 3</Nm>"),
    (r"<Nm>Payer 3</Nm>", "<Name>Payer 3</Name>"),
    (r"<Nm>Payer 3</Nm>", '<x:Nm xmlns:x="urn:x">Payer 3</x:Nm>'),
    (r"<Nm>Payer 3</Nm>", "<Nm>Payer 3</Nm>text"),
    (r"<UETR>[^<]*3<", "<UETR>00000000-0000-4000-8000-00000000000g<"),
    (r">1.03<", ">1,03<"),
    (r"DE89370400440532013000", "de89"),
    (r"<ChrgBr>SHAR</ChrgBr>", "<ChrgBr>SOME</ChrgBr>"),
    (r"<CdtTrfTxInf>", '<CdtTrfTxInf Id="1">'),
    (r"</CdtTrfTxInf>", "<Bogus/></CdtTrfTxInf>"),
    (r"</CdtTrfTxInf>\n", "</CdtTrfTxInf>text\n"),
    (r"</GrpHdr>", "</GrpHdr><GrpHdr/>"),
    (r"</Document>", "</Document><!-- end -->"),
    (r"<IntrBkSttlmAmt[^>]*>", "<IntrBkSttlmAmt>"),
    (r"<PmtId>.*?</PmtId>", ""),
)


def seen(envelope: Envelope, columns: Columns | None) -> tuple[str, str, str]:
    """What the look at the structure says."""
    try:
        check(envelope.document, envelope.definition, columns)
    except MalformedInput as error:
        return error.code, error.args[0], error.where
    return "", "", ""


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_look_at_a_cut_file_says_what_the_walk_says(data: st.DataObject) -> None:
    text = plain(file(data.draw(st.sampled_from([CUSTOMERS, BANKS])))).decode()
    for _ in range(data.draw(st.integers(0, 2))):
        old, new = data.draw(st.sampled_from([*CHANGES, *SPOILED]))
        times = data.draw(st.sampled_from([1, 0]))
        if data.draw(st.booleans()):
            # In the last payments instead of the first.
            middle = text.find("<EndToEndId>E12<")
            text = text[:middle] + re.sub(old, new, text[middle:], count=times)
        else:
            text = re.sub(old, new, text, count=times)
    try:
        envelope = read_envelope(text.encode())
    except MalformedInput:
        return
    assert seen(envelope, columns_of_text(envelope, text.encode())) == seen(envelope, None)


@pytest.mark.parametrize(("old", "new"), SPOILED)
@pytest.mark.parametrize("times", [1, 0])
def test_nothing_spoiled_passes_as_a_column(old: str, new: str, times: int) -> None:
    text, count = re.subn(old, new, plain(file()).decode(), count=times, flags=re.DOTALL)
    assert count
    envelope = read_envelope(text.encode())
    assert seen(envelope, columns_of_text(envelope, text.encode())) == seen(envelope, None)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_columns_and_walk_agree_on_every_spoiled_file(data: st.DataObject) -> None:
    text = file(data.draw(st.sampled_from([CUSTOMERS, BANKS]))).decode()
    if data.draw(st.booleans()):
        text = plain(text.encode()).decode()
    for _ in range(data.draw(st.integers(1, 2))):
        old, new = data.draw(st.sampled_from(CHANGES))
        times = data.draw(st.sampled_from([1, 0]))
        text = re.sub(old, new, text, count=times)
    envelope = read_envelope(text.encode())
    try:
        check(envelope.document, envelope.definition)
    except MalformedInput:
        return
    columns = columns_of_text(envelope, text.encode()) or columns_of(envelope)
    profile = built_in("cross-border")
    assert violations(envelope, profile=profile, at=NOW, columns=columns) == violations(
        envelope, profile=profile, at=NOW
    )
    told = []
    for way in (columns, None):
        try:
            told.append(decode(envelope, way))
        except MalformedInput as error:
            told.append((error.code, error.where))
    assert told[0] == told[1]
