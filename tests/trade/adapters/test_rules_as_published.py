"""Rules as their publishers write them: variables at document scope, tried when they are added."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from tests.trade.whole_rules import padding

from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.trade.adapters import saxon_rules
from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import InstalledPack, all_packs
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.adapters.rule_worker import RuleWorker
from zhidao.trade.domain.verdict import Outcome

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PINT = "urn:peppol:pint:billing-1@sg-1"
HEAD = f"""<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"
  xmlns:u="utils" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<title>Rules written for a test</title>
<ns prefix="i" uri="{UBL}Invoice-2"/><ns prefix="cbc" uri="{UBL}CommonBasicComponents-2"/>
<ns prefix="u" uri="utils"/>
"""
# As Peppol's are: a function that calls itself, variables of patterns in contexts, one that another
# pattern uses too, and one name in two patterns.
PUBLISHED = f"""{HEAD}
<let name="seller" value="normalize-space(/*/cbc:AccountingCost)"/>
<function xmlns="http://www.w3.org/1999/XSL/Transform" name="u:sum"
  as="xs:integer">
  <param name="text"/><sequence select="if ($text = '') then 0 else
    xs:integer(substring($text, 1, 1)) + u:sum(substring($text, 2))"/>
</function>
<pattern><let name="isGreek" value="$seller = 'GR'"/>
  <let name="country" value="concat(i:Invoice/cbc:AccountingCost, '')"/>
  <rule context="i:Invoice[$isGreek]">
    <assert id="PEPPOL-EN16931-R1" test="cbc:Note">a Greek seller writes a note</assert>
  </rule></pattern>
<pattern><let name="country" value="concat(i:Invoice/cbc:BuyerReference, '')"/>
  <rule context="cbc:BuyerReference[$country = 'IS']">
    <assert id="PEPPOL-EN16931-R2" test="false()">the buyer is in <value-of select="$country"/>,
      the seller in "$country"</assert>
  </rule></pattern>
<pattern><rule context="cbc:ID[$isGreek]">
    <assert id="PEPPOL-EN16931-R3" test="u:sum(.) = 6">the digits add up to 6</assert>
  </rule></pattern>
<include href="parts/more.sch"/>
{padding("peppol-bis3-ubl")}</schema>"""
MORE = """<pattern xmlns="http://purl.oclc.org/dsdl/schematron" id="more">
<let name="due" value="string(/*/cbc:DueDate)"/><include href="rule.sch"/></pattern>"""
RULE = """<rule xmlns="http://purl.oclc.org/dsdl/schematron" context="cbc:IssueDate[$due != '']">
<assert id="PEPPOL-EN16931-R4" test=". &lt;= $due">due before it was issued</assert></rule>"""


def invoice(inside: str, profile: str = PEPPOL) -> bytes:
    head = f'<Invoice xmlns="{UBL}Invoice-2" xmlns:c="{UBL}CommonBasicComponents-2">'
    named = f"<c:CustomizationID>{profile}</c:CustomizationID>"
    return f"{head}{named}{inside}</Invoice>".encode()


def added(folder: Path, text: str = PUBLISHED, **order: str) -> InstalledPack:
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / "more.sch").write_text(MORE)
    (folder / "parts" / "rule.sch").write_text(RULE)
    file = folder / "rules.sch"
    file.write_text(text)
    (pack,) = add_packs(PackOrder(str(file), **order), folder / "packs")
    return pack


@pytest.mark.parametrize("only_saxon", [False, True], ids=["compiled", "saxon"])
def test_variables_of_patterns_are_about_the_document_and_each_pattern_sees_its_own(
    tmp_path, only_saxon
):
    judge = Judge(added(tmp_path), only_saxon=only_saxon)
    broken = invoice(
        "<c:ID>124</c:ID><c:IssueDate>2026-09-02</c:IssueDate><c:DueDate>2026-09-01</c:DueDate>"
        "<c:AccountingCost>GR</c:AccountingCost><c:BuyerReference>IS</c:BuyerReference>"
    )
    findings = judge.judge(broken).findings
    assert [f.rule.rpartition("-")[2] for f in findings] == ["R1", "R2", "R3", "R4"]
    assert findings[3].place == "/Invoice/cbc:IssueDate"
    good = invoice(
        "<c:ID>123</c:ID><c:IssueDate>2026-09-01</c:IssueDate><c:DueDate>2026-09-01</c:DueDate>"
        "<c:Note>n</c:Note><c:AccountingCost>GR</c:AccountingCost>"
        "<c:BuyerReference>GR</c:BuyerReference>"
    )
    assert judge.judge(good).findings == ()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ('<assert id="X-1" test="cbc:Note">t</assert>', ""),
        ('<assert id="X-1" test="$nobody = 1">t</assert>', "X-1 at line 9"),
        ('<assert id="X-1" test="cbc:Note[">t</assert>', "X-1 at line 9"),
        ('<assert id="X-1" test="u:nobody(.)">t</assert>', "X-1 at line 9"),
        ('<assert id="X-1" test="nobody:Note">t</assert>', "X-1 at line 9"),
        ('<assert id="X-1">t</assert>', "X-1 has no test (line 9)"),
        ('<let name="a" value="1 +"/><assert id="X-1" test="$a">t</assert>', "X-1 at line 9"),
        ('<let name="a"/><assert id="X-1" test="$a">t</assert>', "without its name or value"),
        ('<extends rule="nobody"/>', "it extends a rule that is not there (line 9)"),
    ],
)
def test_each_broken_assert_is_refused_with_its_line_when_it_is_added(tmp_path, broken, told):
    text = f"{HEAD}<pattern>\n<rule context='i:Invoice'>\n\n{broken}</rule></pattern></schema>"
    if not told:
        assert added(tmp_path, text, applies_to="urn:x").identity.applies_to == "urn:x"
        return
    with pytest.raises(MalformedInput) as refused:
        added(tmp_path, text, applies_to="urn:x")
    assert told in str(refused.value)
    assert not (tmp_path / "packs").exists()


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("<let name='a' value='1'/>\n<let name='a' value='2'/>", "line 6 and line 7"),
        ("<pattern><let name='a' value='1'/>\n<let name='a' value='2'/></pattern>", "line 7"),
        ("<let name='a' value='1 div'/>", "the variable a at line 6"),
        (
            "<pattern>\n<rule context='i:Invoice['><assert id='X' test='1'/></rule></pattern>",
            "at line 7",
        ),
        ("<include href='absent.sch'/>", "absent.sch"),
        ("<pattern is-a='nobody'/>", "no abstract pattern nobody (line 6)"),
        ("<include href='parts/wrong.sch'/>", "wrong.sch:2"),
    ],
)
def test_what_is_wrong_outside_of_asserts_is_refused_with_its_line(tmp_path, inside, told):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "wrong.sch").write_text(
        "<pattern xmlns='http://purl.oclc.org/dsdl/schematron'><rule context='*'>\n"
        "<assert id='X-1' test='$nobody'/></rule></pattern>"
    )
    with pytest.raises(MalformedInput) as refused:
        added(tmp_path, f"{HEAD}{inside}</schema>", applies_to="urn:x")
    assert told in str(refused.value)


def test_one_value_said_twice_is_one_variable(tmp_path):
    twice = f"""{HEAD}<let name="a" value="'1'"/><let name="a" value=" '1' "/><pattern>
      <let name="a" value="'1'"/><rule context="cbc:ID">
      <assert id="X-1" test=". = $a">1</assert></rule></pattern></schema>"""
    judge = Judge(added(tmp_path, twice, applies_to="urn:x"))
    found = judge.judge(invoice("<c:ID>1</c:ID><c:ID>2</c:ID>", "urn:x"))
    assert [f.place for f in found.findings] == ["/Invoice/cbc:ID[2]"]


def test_rules_that_need_saxon_are_not_added_where_it_is_not(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "saxonche", None)
    saxon_rules._processor.cache_clear()
    with pytest.raises(Unavailable) as refused:
        added(tmp_path)
    saxon_rules._processor.cache_clear()
    assert refused.value.code == "no_saxon"
    assert refused.value.where.startswith("line ")
    assert not (tmp_path / "packs").exists()


def old_pack(folder: Path) -> None:
    """A pack as an earlier release took it: its context names what nobody declares."""
    pack = added(folder)
    rules = pack.folder / "rules.json"
    rules.write_bytes(rules.read_bytes().replace(b"i:Invoice[$isGreek]", b"i:Invoice[$nobody!]"))
    manifest = pack.folder / "pack.json"
    plain = json.loads(manifest.read_text())
    plain["files"]["rules.json"] = hashlib.sha256(rules.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(plain))


async def test_a_bad_pack_harms_no_other_file_and_the_judging_process_goes_on(tmp_path, capsys):
    old_pack(tmp_path)
    other = f"""{HEAD}<pattern><rule context="i:Invoice"><assert id="X-1" test="cbc:Note">n
      </assert></rule></pattern></schema>"""
    added(tmp_path, other, applies_to="urn:x")
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.xml").write_bytes(invoice("<c:ID>1</c:ID>"))
    (files / "b.xml").write_bytes(invoice("<c:Note>1</c:Note>", "urn:x"))
    assert main(["trade", "check", str(files), "--packs", str(tmp_path / "packs")]) == 4
    told = capsys.readouterr().out
    assert "a.xml: partly judged" in told
    assert "b.xml: valid" in told
    worker = RuleWorker(tmp_path / "packs")
    try:
        first = await worker.judge((files / "a.xml").read_bytes())
        running = worker._judging
        second = await worker.judge((files / "b.xml").read_bytes())
        assert worker._judging is running
    finally:
        await worker.close()
    assert (first.outcome, second.outcome) == (Outcome.PARTLY_JUDGED, Outcome.VALID)
    assert any("nobody" in why or "Saxon" in why for why in first.unjudged)


async def test_a_changed_pack_is_left_out_and_named(tmp_path):
    pack = added(tmp_path)
    other = f"""{HEAD}<pattern><rule context="i:Invoice"><assert id="X-1" test="cbc:Note">n
      </assert></rule></pattern></schema>"""
    added(tmp_path, other, applies_to="urn:x")
    (pack.folder / "rules.json").write_bytes(b"{}")
    worker = RuleWorker(tmp_path / "packs")
    try:
        mine = await worker.judge(invoice("<c:Note>1</c:Note>", "urn:x"))
        theirs = await worker.judge(invoice("<c:ID>1</c:ID>"))
    finally:
        await worker.close()
    assert mine.outcome is Outcome.VALID
    assert theirs.outcome is Outcome.PARTLY_JUDGED
    assert any("missing or changed" in why for why in theirs.unjudged)


def test_any_rules_are_a_family_of_their_own_for_the_profile_that_is_named(tmp_path):
    text = f"""{HEAD}<ns prefix="o" uri="{UBL}Order-2"/><pattern><rule context="/*">
      <assert id="PEPPOL-EN16931-X" test="cbc:Note">a note</assert></rule></pattern></schema>"""
    added(tmp_path, text, applies_to="urn:peppol:pint:billing-1@*")
    judge = Judge(*all_packs(tmp_path / "packs"))
    assert judge.judge(invoice("<c:Note>n</c:Note>", PINT)).outcome is Outcome.VALID
    assert judge.judge(invoice("", PINT)).outcome is Outcome.INVALID
    other = judge.judge(invoice("", "urn:peppol:pint:billing-2@sg-1"))
    assert other.outcome is Outcome.PARTLY_JUDGED
    assert "urn:peppol:pint:billing-2@sg-1" in other.remedy
    order = invoice("", PINT).replace(b"Invoice", b"Order")
    assert [f.rule for f in judge.judge(order).findings] == ["PEPPOL-EN16931-X"]
    for nothing in ("*", "  ", "**"):
        with pytest.raises(MalformedInput, match="no pattern"):
            added(tmp_path, text, applies_to=nothing)
