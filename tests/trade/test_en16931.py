"""EN 16931: the published documents get the published answers, and wrong invoices get named.

Documents: CEN's own unit files and examples (EUPL-1.2), read beside the checkout, not copied.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from lxml import etree

from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.domain.verdict import Flag, Outcome
from zhidao.trade.wire import entry, ubl_invoice

GOLDEN = Path(__file__).parent / "data" / "entry.json"


@pytest.fixture
def invoice(entry_bytes) -> bytes:
    return ubl_invoice.write(invoices_of(entry.read(entry_bytes))[0])


def test_the_invoice_of_the_golden_entry_is_valid_without_even_a_warning(judge, invoice):
    verdict = judge.judge(invoice)
    assert verdict.outcome is Outcome.VALID
    assert verdict.findings == ()


def test_all_published_valid_invoices_break_nothing_and_are_valid_by_the_rules_of_their_profile(
    judge, shared
):
    files = sorted((shared / "trade/en16931/valid-ubl").iterdir())
    verdicts = {f.name: judge.judge(f.read_bytes()) for f in files}
    assert len(files) == 34
    assert {name: v.summary() for name, v in verdicts.items() if v.fatal or v.undecided} == {}
    valid = [name for name, v in verdicts.items() if v.outcome is Outcome.VALID]
    partly = [v for v in verdicts.values() if v.outcome is Outcome.PARTLY_JUDGED]
    # The norm's own profile is judged whole; Peppol's asks for rules that nobody may ship.
    assert (len(valid), len(partly)) == (12, 22)
    assert all("peppol-bis3-ubl" in v.unjudged[0] for v in partly)


@pytest.mark.slow
def test_published_unit_documents_fire_the_rules_that_they_name(judge, shared):
    folder = shared / "trade/en16931"
    with (folder / "expected.csv").open() as table:
        rows = list(csv.DictReader(table))
    tests: dict[str, list[bytes]] = {}
    for name in {row["file"] for row in rows}:
        # Each `test` holds its assert and then one document.
        found = etree.parse(folder / name).iter("{*}test")
        tests[name] = [etree.tostring(test[-1]) for test in found]
    wrong = []
    for row in rows:
        verdict = judge.judge(tests[row["file"]][int(row["test_index"])])
        fired = {f.rule for f in verdict.findings}
        if (row["rule_id"] in fired) != (row["expect"] != "success"):
            wrong.append(row)
    assert len(rows) == 727
    assert wrong == []


TOTAL = b"</cac:LegalMonetaryTotal>"
REASON = (
    b"<cbc:TaxExemptionReasonCode>VATEX-EU-O</cbc:TaxExemptionReasonCode>"
    b"<cbc:TaxExemptionReason>Not subject to VAT</cbc:TaxExemptionReason>"
)
MUTATIONS = {
    "payable": (b">47400.00</cbc:PayableAmount>", b">47400.01</cbc:PayableAmount>", "BR-CO-16"),
    "line net": (b">44400.00</cbc:LineExt", b">44401.00</cbc:LineExt", "BR-CO-10"),
    "currency": (b">EUR</cbc:Document", b">EUX</cbc:Document", "BR-CL-04"),
    "decimals": (b">47400.00</cbc:Payable", b">47400.000</cbc:Payable", "BR-DEC-18"),
    "no number": (b"<cbc:ID>INV-2026-0417</cbc:ID>", b"", "BR-02"),
    "country": (b">CN</cbc:Ident", b">QQ</cbc:Ident", "BR-CL-14"),
    "no reason": (REASON, b"", "BR-O-10"),
    "day": (b">2026-09-01</cbc:IssueDate>", b">2026-02-30</cbc:IssueDate>", "UBL-XSD"),
    "two totals": (TOTAL, TOTAL + b"<cac:LegalMonetaryTotal/>", "UBL-XSD"),
    "other root": (b"Invoice", b"Rechnung", "UBL-ROOT"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_invoice_is_refused_by_rule_and_place(judge, invoice, name):
    before, after, rule = MUTATIONS[name]
    assert before in invoice
    verdict = judge.judge(invoice.replace(before, after))
    assert verdict.outcome is Outcome.INVALID
    found = next(f for f in verdict.findings if f.rule == rule)
    assert found.flag is Flag.FATAL
    assert found.place.startswith(("/Invoice", "/{"))
    assert found.sentence


def test_an_entity_never_reads_a_file_even_inside_the_rule_engine(judge):
    judge.judge(GOLDEN_INVOICE)
    with pytest.raises(Exception, match="prohibited"):
        judge.saxon.get().processor.parse_xml(
            xml_text='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
        )


GOLDEN_INVOICE = ubl_invoice.write(invoices_of(entry.read(GOLDEN.read_bytes()))[0])
