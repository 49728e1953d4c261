"""Usage rules name what they refuse, and a message survives JSON and back."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.messages import pacs008
from zhidao.finance.wire.iso20022.profiles import (
    CurrencyRules,
    Profile,
    built_in,
    read_profile,
)
from zhidao.finance.wire.iso20022.syntax.as_json import from_json, to_json
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.usage.statements import unjudged_statements
from zhidao.finance.wire.iso20022.usage.usage import violations

GOOD = pacs008.encode(EXAMPLE).decode()
HEADER = (
    '<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><Fr><FIId><FinInstnId><BICFI>{}'
    "</BICFI></FinInstnId></FIId></Fr><To><FIId><FinInstnId><BICFI>{}</BICFI></FinInstnId></FIId></To>"
    "<BizMsgIdr>B1</BizMsgIdr><MsgDefIdr>{}</MsgDefIdr><CreDt>2026-04-13T08:00:00+00:00</CreDt></AppHdr>"
)
AMOUNT = GOOD.partition('IntrBkSttlmAmt Ccy="')[2][:3]


def wrapped(sender: str, receiver: str, definition: str) -> str:
    body = GOOD.partition("?>")[2]
    return f"<Envelope>{HEADER.format(sender, receiver, definition)}{body}</Envelope>"


def broken(text: str, year: int = 2026) -> list[str]:
    return [each.rule for each in violations(read_envelope(text.encode()), year=year)]


def test_our_own_message_breaks_no_rule() -> None:
    assert broken(GOOD) == []
    good = wrapped(EXAMPLE.payer_bank, EXAMPLE.payee_bank, "pacs.008.001.08")
    assert broken(good) == []
    header = read_envelope(good.encode()).header
    assert header is not None
    assert header.sender_bic == EXAMPLE.payer_bank


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (f'Ccy="{AMOUNT}"', 'Ccy="XAU"', "currency"),
        ("<NbOfTxs>1<", "<NbOfTxs>2<", "count"),
        ("<EndToEndId>", "<EndToEndId>/", "slash"),
        ("<ChrgBr>SHAR<", "<ChrgBr>SLEV<", "charges"),
        (str(EXAMPLE.uetr), str(EXAMPLE.uetr).upper() + "0", "uetr-form"),
        (f"<UETR>{EXAMPLE.uetr}</UETR>", "", "uetr-missing"),
        ("<NbOfTxs>1<", "<CtrlSum>0.01</CtrlSum><NbOfTxs>1<", "control-sum"),
        (
            f"<Othr>\n            <Id>{EXAMPLE.payer_account}</Id>\n          </Othr>",
            "<IBAN>DE00370400440532013000</IBAN>",
            "iban",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_place(old: str, new: str, rule: str) -> None:
    changed = GOOD.replace(old, new, 1)
    if changed == GOOD:
        changed = GOOD.replace(f"<Id>{EXAMPLE.payer_account}</Id>", new, 1)
    assert changed != GOOD
    found = violations(read_envelope(changed.encode()))
    assert [each.rule for each in found] == [rule]
    assert found[0].line.startswith("line ")
    assert found[0].path.startswith("Document/FIToFICstmrCdtTrf")


def test_an_amount_of_nothing_and_one_with_too_many_decimals_are_refused() -> None:
    start = GOOD.index(f'Ccy="{AMOUNT}">') + 10
    end = GOOD.index("<", start)
    assert broken(GOOD[:start] + "0.00" + GOOD[end:]) == ["amount-positive"]
    assert broken(GOOD[:start] + "1.0001" + GOOD[end:]) == ["amount-decimals"]


def test_a_header_must_agree_with_its_document() -> None:
    payer, payee = EXAMPLE.payer_bank, EXAMPLE.payee_bank
    assert broken(wrapped(payer, payee, "pacs.008.001.07")) == ["header-definition"]
    assert broken(wrapped(payee, payee, "pacs.008.001.08")) == ["header-bic"]


def test_addresses_without_a_town_are_refused_from_2026_on() -> None:
    town = f"<TwnNm>{EXAMPLE.payer.town}</TwnNm>"
    lines = GOOD.replace(town, "<AdrLine>somewhere</AdrLine>", 1)
    assert lines != GOOD
    assert broken(lines, year=2025) == []
    assert broken(lines) == ["address"]


def test_the_same_uetr_twice_is_a_duplicate() -> None:
    start, end = GOOD.index("<CdtTrfTxInf>"), GOOD.index("</CdtTrfTxInf>") + len("</CdtTrfTxInf>")
    double = GOOD[:end] + GOOD[start:end] + GOOD[end:]
    assert broken(double.replace("<NbOfTxs>1<", "<NbOfTxs>2<")) == ["uetr-twice"]


def at_hour(day: str, hour: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}+00:00")


EURO = GOOD.replace('Ccy="CNY"', 'Ccy="EUR"').replace("2026-05-01<", "2026-05-04<")


@pytest.mark.parametrize(
    ("text", "at", "rules"),
    [
        (EURO, at_hour("2026-05-04", "09:00:00"), []),
        (EURO, at_hour("2026-05-04", "16:59:59"), []),
        (EURO, at_hour("2026-05-04", "17:00:01"), ["cut-off"]),
        (EURO, at_hour("2026-05-06", "09:00:00"), ["day-past"]),
        (EURO.replace("05-04<", "05-01<"), at_hour("2026-04-30", "09:00:00"), ["day-closed"]),
        (EURO.replace("05-04<", "05-03<"), at_hour("2026-04-30", "09:00:00"), ["day-closed"]),
        (EURO, at_hour("2026-04-02", "09:00:00"), ["day-far"]),
        (GOOD, at_hour("2026-05-01", "23:59:00"), []),
    ],
)
def test_days_are_held_against_the_networks_calendar(
    text: str, at: datetime, rules: list[str]
) -> None:
    found = violations(read_envelope(text.encode()), at=at)
    assert [each.rule for each in found] == rules
    assert {each.code for each in found} <= {"DT01", "TM01"}
    assert violations(read_envelope(text.encode())) == []


def test_a_network_sets_its_own_limits() -> None:
    strict = Profile(
        profile="strict",
        structured_addresses_from=2024,
        address_lines_max=0,
        uetr_required=False,
        charges=["SLEV"],
        transactions_max=1,
        currencies={"CNY": CurrencyRules(amount_minor_max=1)},
    )
    one, two = GOOD.index("<CdtTrfTxInf>"), GOOD.index("</CdtTrfTxInf>") + len("</CdtTrfTxInf>")
    text = (GOOD[:two] + GOOD[one:two] + GOOD[two:]).replace("<NbOfTxs>1", "<NbOfTxs>2")
    text = re.sub("<UETR>.*</UETR>", "", text)
    found = violations(read_envelope(text.encode()), profile=strict)
    assert [(each.rule, each.transaction) for each in found] == [
        *(("amount-limit", 0), ("charges", 0), ("amount-limit", 1), ("charges", 1)),
        ("transactions", -1),
    ]


def test_a_calendar_finds_the_next_day_that_settles() -> None:
    profile = built_in("cross-border")
    assert profile.next_day("EUR", date(2026, 4, 3)) == date(2026, 4, 7)
    assert profile.next_day("CNY", date(2026, 4, 4)) == date(2026, 4, 6)
    assert not built_in("instant").closed_weekdays


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[",
        (
            '{"profile": "x", "structured_addresses_from": 2026, "address_lines_max": 2,'
            ' "uetr_required": true, "charges": []}'
        ),
        (
            '{"profile": "x", "structured_addresses_from": 2026, "address_lines_max": 2,'
            ' "uetr_required": true, "charges": ["SHAR"], "currencies": {"XAU": {}}}'
        ),
        (
            '{"profile": "x", "structured_addresses_from": 2026, "address_lines_max": 2,'
            ' "uetr_required": true, "charges": ["SHAR"],'
            ' "currencies": {"CNY": {"closed": ["2026-02-30"]}}}'
        ),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        read_profile(text.encode())


def test_a_reason_that_is_in_no_list_is_named_where_the_list_is_installed() -> None:
    text = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.11"><FIToFIPmtStsRpt>'
        "<TxInfAndSts><StsRsnInf><Rsn><Cd>ZZ99</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        "</FIToFIPmtStsRpt></Document>"
    )
    envelope = read_envelope(text.encode())
    assert violations(envelope) == []
    codes = {"ExternalStatusReason1Code": frozenset({"AC01"})}
    assert [each.rule for each in violations(envelope, codes=codes)] == ["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "not xml",
        '<!DOCTYPE a [<!ENTITY b "c">]>' + GOOD.partition("?>")[2],
        f"<E>{GOOD.partition('?>')[2]}{GOOD.partition('?>')[2]}</E>",
        f"<E><![CDATA[{GOOD}]]></E>",
    ],
)
def test_a_file_that_holds_not_one_message_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_envelope(text.encode())
    assert refused.value.code == "FF01"


def test_json_and_back_is_the_same_message() -> None:
    text = to_json(read_envelope(GOOD.encode()))
    again = from_json(text)
    assert pacs008.decode(again) == EXAMPLE
    assert to_json(read_envelope(again)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        read_envelope(data)
    with contextlib.suppress(MalformedInput):
        from_json(data)


_TREES = st.recursive(
    st.text(max_size=5) | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["A", "B", "@Ccy", "#text", "1x", "a b"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(_TREES)
def test_json_of_any_shape_becomes_xml_or_is_refused(tree: object) -> None:
    import json

    data = json.dumps({"definition": "pacs.008.001.08", "Document": tree}).encode()
    with contextlib.suppress(MalformedInput):
        read_envelope(from_json(data))


def statement(closing: str = "107.50", *, second: str = "BOOK", pages: str = "") -> str:
    """A camt.053 from 100.00: ten come in, two and a half go out, and one that waits."""
    entry = (
        '<Ntry><Amt Ccy="EUR">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Sts><Cd>{}</Cd></Sts>'
        "<BookgDt><Dt>2026-05-01</Dt></BookgDt>"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>"
    )
    balance = (
        "<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp>"
        '<Amt Ccy="EUR">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-05-01</Dt></Dt></Bal>'
    )
    entries = (
        entry.format("10.00", "CRDT", "BOOK")
        + entry.format("2.50", "DBIT", second)
        + entry.format("7.00", "CRDT", "PDNG")
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>S</MsgId><CreDtTm>2026-05-01T20:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S</Id>{pages}<Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>"
        f"{balance.format('OPBD', '100.00')}{balance.format('CLBD', closing)}"
        "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries><Sum>19.50</Sum></TtlNtries>"
        "<TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>17.00</Sum></TtlCdtNtries></TxsSummry>"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    )


PAGE = "<StmtPgntn><PgNb>{}</PgNb><LastPgInd>{}</LastPgInd></StmtPgntn>"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (statement(), []),
        (statement("107.51"), ["statement-sum"]),
        (statement("110.00", second="PDNG"), []),
        (statement("107.51", pages=PAGE.format("1", "true")), ["statement-sum"]),
        (statement("107.51", pages=PAGE.format("2", "true")), []),
        (statement("107.51", pages=PAGE.format("1", "false")), []),
        (statement("107.51").replace("CLBD", "CLAV"), []),
        (statement("107.51").replace("OPBD", "PRCD"), ["statement-sum"]),
        (statement().replace("<NbOfNtries>2<", "<NbOfNtries>3<"), ["summary-count"]),
        (statement().replace("<Sum>17.00<", "<Sum>17.01<"), ["summary-sum"]),
        (statement().replace("<Sum>17.00<", "<Sum>x<"), []),
    ],
)
def test_a_statement_adds_up(text: str, rules: list[str]) -> None:
    assert broken(text) == rules


def report(closing: str = "107.50", *, opens: str = "OPBD", closes: str = "CLBD") -> str:
    """The same as camt.052, which tells of a day that goes on."""
    whole = statement(closing).replace("camt.053", "camt.052").replace("Stmt>", "Rpt>")
    whole = whole.replace("BkToCstmrRpt>", "BkToCstmrAcctRpt>")
    return whole.replace("OPBD", opens).replace("CLBD", closes)


SINCE = "<FrToDt><FrDtTm>2026-05-01T{}+00:00</FrDtTm><ToDtTm>2026-05-01T12:00:00Z</ToDtTm></FrToDt>"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (report(), []),
        (report("9.00"), ["statement-sum"]),
        (report(closes="ITBD"), []),
        # A bank's own published report tells an entry that its interim balance has not counted.
        (report("9.00", closes="ITBD"), []),
        (report("9.00", opens="ITBD"), []),
        (report("9.00", opens="PRCD"), ["statement-sum"]),
        # One that tells what came since noon does not begin with what the day began with.
        (report("9.00").replace("<Acct>", SINCE.format("12:00:00") + "<Acct>"), []),
        (
            report("9.00").replace("<Acct>", SINCE.format("00:00:00") + "<Acct>"),
            ["statement-sum"],
        ),
        (report("9.00", closes="ITAV"), []),
    ],
)
def test_a_report_of_a_day_that_goes_on_adds_up(text: str, rules: list[str]) -> None:
    assert broken(text) == rules


DAY_BEFORE = "<Dt>2026-04-30</Dt>"


def test_balances_stand_once_and_entries_are_in_their_currency() -> None:
    twice = statement().replace("CLBD", "OPBD")
    assert broken(twice) == ["balance-twice"]
    # Several days have one of each: the first and the last count.
    opening, closing = re.findall("<Bal>.*?</Bal>", statement())
    days = opening.replace("<Dt>2026-05-01</Dt>", DAY_BEFORE) + closing.replace(
        "<Dt>2026-05-01</Dt>", DAY_BEFORE
    ).replace("107.50", "100.00")
    assert broken(statement().replace("<Bal>", days + "<Bal>", 1)) == []
    assert broken(statement("107.51").replace("<Bal>", days + "<Bal>", 1)) == ["statement-sum"]
    other = statement().replace('<Ntry><Amt Ccy="EUR">', '<Ntry><Amt Ccy="USD">', 1)
    assert broken(other) == ["entry-currency"]
    several = opening.replace("EUR", "USD") + closing.replace("EUR", "USD")
    assert broken(other.replace("<Bal>", several + "<Bal>", 1)) == []


def detailed(*amounts: str, inside: str = "", before: str = "", currency: str = "EUR") -> str:
    told = "".join(
        f'<TxDtls><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount[0] == '-' else 'CRDT'}</CdtDbtInd>{inside}</TxDtls>"
        for amount in amounts
    )
    return statement().replace("</Ntry>", f"<NtryDtls>{before}{told}</NtryDtls></Ntry>", 1)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (detailed("10.00"), []),
        (detailed("4.00", "6.00"), []),
        (detailed("12.00", "-2.00"), []),
        (detailed("4.00", "4.00"), ["details-sum"]),
        (detailed("-10.00"), ["details-sum"]),
        (
            detailed("4.00", "4.00").replace("<CdtDbtInd>CRDT</CdtDbtInd></TxDtls>", "</TxDtls>"),
            ["details-sum"],
        ),
        (detailed("10.00").replace("<CdtDbtInd>CRDT</CdtDbtInd></TxDtls>", "</TxDtls>"), []),
        (
            detailed(
                "11.00",
                inside='<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">1.00</TtlChrgsAndTaxAmt></Chrgs>',
            ),
            [],
        ),
        (detailed("11.00", currency="USD"), []),
        (detailed("4.00", before="<Btch><NbOfTxs>2</NbOfTxs></Btch>"), []),
        (detailed("4.00", before="<Btch><NbOfTxs>1</NbOfTxs></Btch>"), ["details-sum"]),
        (detailed("4.00", before="<Btch><NbOfTxs>x</NbOfTxs></Btch>"), []),
    ],
)
def test_the_transactions_of_an_entry_are_what_it_comes_to(text: str, rules: list[str]) -> None:
    assert broken(text) == rules


def test_a_booked_entry_of_a_notice_has_a_day() -> None:
    whole = (
        statement()
        .replace("camt.053", "camt.054")
        .replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn")
    )
    notice = re.sub("<Bal>.*</Bal>", "", whole).replace("Stmt>", "Ntfctn>")
    assert broken(notice) == []
    bare = notice.replace("<BookgDt><Dt>2026-05-01</Dt></BookgDt>", "", 1)
    assert broken(bare) == ["booked-day"]
    assert broken(bare, year=2025) == []
    day = "</Sts><ValDt><Dt>2026-05-01</Dt></ValDt>"
    assert broken(bare.replace("</Sts>", day, 1)) == []
    waits = notice.replace("BOOK", "PDNG").replace("<BookgDt><Dt>2026-05-01</Dt></BookgDt>", "")
    assert broken(waits) == []


def test_a_passed_on_instruction_bears_one_id() -> None:
    group = "<PmtInf><PmtInfId>{}</PmtInfId></PmtInf>"
    body = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
        "<GrpHdr><MsgId>M-1</MsgId></GrpHdr>{}</CstmrCdtTrfInitn></Document>"
    )
    header = HEADER.format("ALMAKZKA", "XIANCNBJ", "pain.001.001.09")
    for name, rules in (("M-1", []), ("G-1", ["group-id"])):
        inside = body.format(group.format(name))
        assert broken(f"<Envelope>{header}{inside}</Envelope>") == rules
        # A customer's own groups are named as it likes.
        assert broken(inside) == []
    inside = f"<Envelope>{header}{body.format(group.format('G-1'))}</Envelope>"
    assert broken(inside, year=2025) == []


def unjudged(text: str) -> list[str]:
    return unjudged_statements(read_envelope(text.encode()))


LATER = statement("9.00").replace("<Acct>", SINCE.format("05:00:00") + "<Acct>")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (statement("9.00").replace("CLBD", "CLAV"), "no closing balance"),
        (statement("9.00").replace("CLBD", "ITBD"), "no closing balance"),
        (statement("9.00").replace("<Cd>CLBD</Cd>", "<Prtry>CLBD</Prtry>"), "no closing balance"),
        (statement("9.00").replace("OPBD", "OPAV"), "no opening balance"),
        (re.sub("<Bal>.*?</Bal>", "", statement("9.00"), count=1), "no opening balance"),
        (re.sub("<Bal>.*</Bal>", "", statement("9.00")), "no closing balance"),
        (LATER, "since 2026-05-01T05:00:00"),
        (statement("9.00", pages=PAGE.format("1", "false")), "on other pages"),
        (statement(pages=PAGE.format("2", "true")), "on other pages"),
        (statement().replace("<Sum>17.00<", "<Sum>x<"), "is no number"),
        (report("9.00", opens="ITBD"), "no opening balance"),
    ],
)
def test_a_statement_of_which_nobody_can_tell_whether_it_adds_up_says_why(
    text: str, why: str
) -> None:
    assert broken(text) == []
    [said] = unjudged(text)
    assert why in said
    assert said.endswith((f"/{'Rpt' if 'camt.052' in text else 'Stmt'})",))


@pytest.mark.parametrize(
    "text",
    [
        statement(),
        statement().replace("OPBD", "PRCD"),
        # It adds up, whatever it says of the hour of its first entry.
        statement().replace("<Acct>", SINCE.format("05:00:00") + "<Acct>"),
        report(),
        report("9.00", closes="ITBD"),
    ],
)
def test_what_adds_up_or_closes_nothing_is_judged(text: str) -> None:
    assert (broken(text), unjudged(text)) == ([], [])


def test_a_statement_closes_in_the_currency_in_which_it_opens_and_not_before() -> None:
    opening, closing = re.findall("<Bal>.*?</Bal>", statement())
    dollars = closing.replace("EUR", "USD")
    assert broken(statement().replace(closing, dollars)) == ["balance-currency"]
    assert broken(statement().replace(closing, closing.replace("05-01", "04-30"))) == [
        "balance-days"
    ]
    # Of several currencies each adds up by itself.
    both = opening.replace("EUR", "USD") + dollars.replace("107.50", "100.00")
    assert broken(statement().replace(closing, closing + both)) == []
    assert unjudged(statement().replace(closing, closing + both)) == []
    assert broken(statement("9.00").replace("<TxsS", both + "<TxsS")) == []
    [said] = unjudged(statement("9.00").replace("<TxsS", both + "<TxsS"))
    assert "do not make 9.00 in EUR, one currency of several" in said
    [said] = unjudged(statement().replace(closing, closing + dollars))
    assert "in USD it opens and does not close, or closes and does not open" in said
