"""Statements that were forged beside the balances which add up."""

from __future__ import annotations

import re

import pytest
from tests.finance.wire.iso20022.usage.test_usage import broken, detailed, statement, unjudged

from zhidao.finance.wire.iso20022.syntax.kinds import FORMS

OPENING, CLOSING = re.findall("<Bal>.*?</Bal>", statement())
FORGED = CLOSING.replace("107.50", "9.00")
DAY = "<Dt>2026-05-01</Dt>"
LATER, SOONER = "<Dt>2026-05-02</Dt>", "<Dt>2026-04-30</Dt>"
CHARGES = '<Chrgs><TtlChrgsAndTaxAmt Ccy="{}">{}</TtlChrgsAndTaxAmt></Chrgs>'
CODE = "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"


def beside(balance: str, *, first: bool = False) -> str:
    """The statement with one more balance, in front of the others or behind them."""
    at = OPENING if first else CLOSING
    return statement().replace(at, balance + at if first else at + balance)


@pytest.mark.parametrize("hour", ["00:00:00Z", "23:59:59+08:00"])
def test_a_day_has_one_closing_balance_however_its_moment_is_written(hour: str) -> None:
    moment = FORGED.replace(DAY, f"<DtTm>2026-05-01T{hour}</DtTm>")
    assert "balance-twice" in broken(beside(moment))
    assert "balance-twice" in broken(beside(moment, first=True))


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        (FORGED.replace(DAY, SOONER), ["balance-between"]),
        (FORGED.replace(DAY, SOONER).replace("9.00", "100.00"), []),
        (
            FORGED.replace("</Cd></CdOrPrtry>", "</Cd></CdOrPrtry><SubTp><Cd>INTM</Cd></SubTp>"),
            ["balance-between"],
        ),
        (OPENING.replace(DAY, LATER), ["balance-between"]),
        (OPENING.replace(DAY, LATER).replace("100.00", "107.50"), []),
        (FORGED.replace("CLBD", "PRCD").replace(DAY, SOONER), ["balance-between"]),
        (OPENING.replace("OPBD", "PRCD").replace(DAY, SOONER), []),
    ],
)
def test_a_balance_between_is_what_the_entries_until_then_make(more: str, rules: list[str]) -> None:
    assert broken(beside(more, first=True)) == rules


def test_beside_entries_without_a_day_nobody_can_tell_what_was_there_between() -> None:
    text = beside(FORGED.replace(DAY, SOONER), first=True).replace(
        f"<BookgDt>{DAY}</BookgDt>", "", 1
    )
    assert broken(text) == []
    assert ["without a booking day" in each for each in unjudged(text)] == [True]


@pytest.mark.parametrize(
    ("charge", "rules"),
    [
        (CHARGES.format("EUR", "0.00"), ["details-sum"]),
        (CHARGES.format("EUR", "0.01"), ["details-sum"]),
        (CHARGES.format("EUR", "3.00"), []),
        (CHARGES.format("USD", "0.01"), []),
        ('<Chrgs><Rcrd><Amt Ccy="EUR">0.01</Amt></Rcrd></Chrgs>', ["details-sum"]),
    ],
)
def test_charges_explain_as_much_as_they_come_to(charge: str, rules: list[str]) -> None:
    assert broken(detailed("7.00", inside=charge)) == rules


@pytest.mark.parametrize(
    ("net", "is_it"),
    [
        ("<TtlNetNtry><Amt>14.50</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry>", True),
        ("<TtlNetNtry><Amt>14.50</Amt><CdtDbtInd>DBIT</CdtDbtInd></TtlNetNtry>", False),
        ("<TtlNetNtry><Amt>1.00</Amt></TtlNetNtry>", False),
        ("<TtlNetNtryAmt>14.50</TtlNetNtryAmt><CdtDbtInd>CRDT</CdtDbtInd>", True),
        ("<TtlNetNtryAmt>14.51</TtlNetNtryAmt>", False),
    ],
)
def test_the_net_of_a_summary_is_that_of_the_entries(net: str, *, is_it: bool) -> None:
    text = statement().replace("</TtlNtries>", f"{net}</TtlNtries>")
    assert broken(text) == ([] if is_it else ["summary-net"])


def test_what_is_counted_of_a_code_are_the_entries_of_that_code() -> None:
    def summed(number: int, added: str, code: str = CODE) -> list[str]:
        told = (
            f"<TtlNtriesPerBkTxCd><NbOfNtries>{number}</NbOfNtries><Sum>{added}</Sum>{code}"
            "</TtlNtriesPerBkTxCd></TxsSummry>"
        )
        return broken(statement().replace("</TxsSummry>", told))

    assert summed(3, "19.50") == []
    assert summed(77, "1.00") == ["summary-count", "summary-sum"]
    assert summed(3, "19.50", CODE.replace("X", "Y")) == ["summary-count", "summary-sum"]


def test_an_account_has_a_balance_in_its_own_currency() -> None:
    assert broken(statement().replace("</Acct>", "<Ccy>EUR</Ccy></Acct>")) == []
    said = broken(statement().replace("</Acct>", "<Ccy>CNY</Ccy></Acct>"))
    assert said == ["account-currency"]


def test_an_entry_stands_once_under_the_bank_s_reference() -> None:
    entry = re.findall("<Ntry>.*?</Ntry>", statement())[1]
    named = entry.replace("<BookgDt>", "<AcctSvcrRef>R-1</AcctSvcrRef><BookgDt>", 1)
    turned = named.replace("DBIT", "CRDT")
    # The sum holds: one of the two that are too many is turned.
    text = re.sub("<TxsSummry>.*</TxsSummry>", "", statement()).replace(
        entry, named + named + turned
    )
    assert broken(text) == ["entry-twice"]
    assert broken(text.replace(named + named + turned, named)) == []
    several = named + named.replace("R-1", "R-2") + turned.replace("R-1", "R-3")
    assert broken(text.replace(named + named + turned, several)) == []


@pytest.mark.parametrize(
    ("day", "is_one"),
    [("2026-02-28", True), ("2028-02-29", True), ("2026-02-30", False), ("2026-04-31", False)],
)
def test_a_day_is_of_its_month(day: str, *, is_one: bool) -> None:
    assert bool(re.fullmatch(FORMS["day"], day)) == is_one
