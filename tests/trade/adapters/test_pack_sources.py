"""Packs from an operator's file: read whole, known by family, used without a network."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.rules import parse_xml, snapshot
from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import all_packs, load_pack
from zhidao.trade.adapters.rule_process import Judge, applicable
from zhidao.trade.domain.verdict import Flag, Outcome

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
SCH = f"""<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
<title>Rules made for a test</title>
<ns prefix="i" uri="{UBL}Invoice-2"/><ns prefix="cbc" uri="{UBL}CommonBasicComponents-2"/>
<ns prefix="xs" uri="http://www.w3.org/2001/XMLSchema"/>
<let name="limit" value="xs:decimal(100)"/>
<pattern id="abstract" abstract="true"><rule context="$where">
  <assert id="UBL-SR-1" flag="fatal" test="xs:decimal($amount) &lt;= $limit">too much: <value-of
    select="$amount"/></assert>
  <assert id="UBL-SR-2" flag="warning" test="cbc:Note">a note is missing</assert>
  <report id="UBL-SR-3" flag="warning" test="cbc:ID = 'X'">X is a bad number</report>
  <assert id="UBL-CR-1" flag="fatal" test="not(cbc:UUID)">no UUID</assert>
</rule></pattern>
<pattern is-a="abstract" id="one"><param name="where" value="/i:Invoice"/>
  <param name="amount" value="cbc:LineCountNumeric"/></pattern>
<include href="more.sch"/>
</schema>"""
MORE = """<pattern xmlns="http://purl.oclc.org/dsdl/schematron" id="two">
<rule context="cbc:ID[. = 'Z']"><assert id="UBL-SR-4" test="false()">never Z</assert></rule>
<rule context="cbc:ID"><assert id="UBL-SR-5" test="string-length(.) &lt; 5">short</assert></rule>
</pattern>"""


def invoice(inside: str, date: str = "2026-09-01") -> bytes:
    head = f'<Invoice xmlns="{UBL}Invoice-2" xmlns:c="{UBL}CommonBasicComponents-2">'
    return f"{head}<c:IssueDate>{date}</c:IssueDate>{inside}</Invoice>".encode()


@pytest.fixture
def source(tmp_path):
    (tmp_path / "more.sch").write_text(MORE)
    file = tmp_path / "rules.sch"
    file.write_text(SCH)
    return file


@pytest.mark.parametrize("only_saxon", [False, True], ids=["compiled", "saxon"])
def test_a_schematron_file_becomes_a_pack_that_judges(source, tmp_path, only_saxon):
    (pack,) = add_packs(PackOrder(str(source), valid_from="2026-05-01"), tmp_path / "packs")
    assert (pack.identity.family, pack.identity.valid_from) == ("en16931-ubl", "2026-05-01")
    source.unlink()
    judge = Judge(*all_packs(tmp_path / "packs"), only_saxon=only_saxon)
    verdict = judge.judge(
        invoice(
            "<c:UUID/><c:ID>X</c:ID><c:ID>Z</c:ID><c:ID>123456</c:ID>"
            "<c:LineCountNumeric>100.5</c:LineCountNumeric>"
        )
    )
    assert verdict.outcome is Outcome.INVALID
    assert [(f.rule, f.flag.value, f.place) for f in verdict.findings] == [
        ("UBL-SR-1", "fatal", "/Invoice"),
        ("UBL-SR-2", "warning", "/Invoice"),
        ("UBL-SR-3", "warning", "/Invoice"),
        ("UBL-CR-1", "fatal", "/Invoice"),
        ("UBL-SR-4", "fatal", "/Invoice/cbc:ID[2]"),
        ("UBL-SR-5", "fatal", "/Invoice/cbc:ID[3]"),
    ]
    assert verdict.findings[0].sentence == "too much: 100.5"
    assert (verdict.findings[5].seen, verdict.findings[5].wanted) == ("6", "< 5")
    assert (verdict.findings[1].seen, verdict.findings[1].wanted) == ("absent", "cbc:Note present")


@pytest.mark.parametrize("only_saxon", [False, True], ids=["compiled", "saxon"])
def test_a_broken_field_leaves_one_rule_undecided_and_all_others_answered(
    source, tmp_path, only_saxon
):
    packs = add_packs(PackOrder(str(source)), tmp_path / "packs")
    judge = Judge(*packs, only_saxon=only_saxon)
    amount = "<c:LineCountNumeric>a lot</c:LineCountNumeric>"
    verdict = judge.judge(invoice(f"<c:ID>1</c:ID>{amount}<c:Note/>"))
    assert verdict.outcome is Outcome.UNDECIDED
    assert [(u.rule, u.place, u.error, u.flag) for u in verdict.undecided] == [
        ("UBL-SR-1", "/Invoice", "FORG0001", Flag.FATAL)
    ]
    assert judge.judge(invoice(f"<c:ID>Z</c:ID>{amount}")).outcome is Outcome.INVALID


def test_a_rule_that_fires_everywhere_tells_a_hundred_places_and_counts_the_rest(source, tmp_path):
    judge = Judge(*add_packs(PackOrder(str(source)), tmp_path / "packs"))
    verdict = judge.judge(invoice("<c:Note/>" + "<c:ID>123456</c:ID>" * 250))
    fired = [f for f in verdict.findings if f.rule == "UBL-SR-5"]
    assert len(fired) == 100
    assert fired[99].place == "/Invoice/cbc:ID[100]"
    assert fired[99].sentence.endswith("(and at 150 more places)")


def test_the_release_of_the_documents_own_day_judges_it(source, tmp_path):
    old = add_packs(PackOrder(str(source), valid_from="2025-11-01"), tmp_path / "packs")
    new = add_packs(PackOrder(str(source), valid_from="2026-05-01"), tmp_path / "packs")
    packs = all_packs(tmp_path / "packs")
    assert len(packs) == 2

    def chosen(date: str) -> list[str]:
        return [
            str(p.folder) for p in applicable(packs, snapshot(parse_xml(invoice("", date))).root)
        ]

    assert chosen("2026-04-30") == [str(old[0].folder)]
    assert chosen("2026-05-01") == [str(new[0].folder)]
    assert chosen("2025-10-31") == []
    assert chosen("no day") == [str(new[0].folder)]


def test_the_same_order_twice_is_the_same_pack(source, tmp_path):
    one = add_packs(PackOrder(str(source)), tmp_path / "packs")
    assert add_packs(PackOrder(str(source)), tmp_path / "packs") == one
    (one[0].folder / "rules.json").write_bytes(b"{}")
    with pytest.raises(MalformedInput, match="missing or changed"):
        load_pack(one[0].folder)


def test_what_is_no_pack_is_refused_with_its_reason(source, tmp_path):
    packs = tmp_path / "packs"
    (tmp_path / "page.xslt").write_text(
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="2.0"/>'
    )
    (tmp_path / "other.sch").write_text(
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><pattern>'
        '<rule context="a"><assert id="A-1" test="b"/></rule></pattern></schema>'
    )
    (tmp_path / "away.sch").write_text(SCH.replace("more.sch", "../../etc/passwd"))
    for name, error in (
        ("page.xslt", MalformedInput),
        ("other.sch", Refused),
        ("away.sch", MalformedInput),
        ("absent.sch", MalformedInput),
    ):
        with pytest.raises(error) as refused:
            add_packs(PackOrder(str(tmp_path / name)), packs)
        assert refused.value.args[0]
    with pytest.raises(MalformedInput, match="no day"):
        add_packs(PackOrder(str(source), valid_from="May"), packs)
    assert not packs.exists()
