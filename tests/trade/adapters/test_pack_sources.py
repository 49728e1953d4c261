"""Packs from an operator's file: read whole, known by family, used without a network."""

from __future__ import annotations

import json
import shutil

import pytest
from tests.trade.whole_rules import padding

from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.rules import parse_xml, snapshot
from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import (
    all_packs,
    default_folder,
    load_pack,
    pack_folders,
    readable_packs,
)
from zhidao.trade.adapters.rule_engine import rules_of
from zhidao.trade.adapters.rule_process import Judge, applicable
from zhidao.trade.domain.rule_families import CII, EN16931, FAMILIES, INVOICE, family_of
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
{padding("en16931-ubl")}</schema>"""
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


def of(space: str, *asserts: str, context: str = "/d:*") -> str:
    return f"""<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
<title>mine</title><ns prefix="d" uri="{space}"/>
<ns prefix="cii" uri="{CII[1:].partition("}")[0]}"/>
<pattern><rule context="{context}">{"".join(asserts)}</rule></pattern></schema>"""


@pytest.mark.parametrize("space", [INVOICE, CII])
@pytest.mark.parametrize("name", ["UBL-SR-01", "CII-SR-001", "BR-DE-1", "PEPPOL-EN16931-R001"])
def test_one_rule_under_a_familys_name_is_not_that_family(tmp_path, space, name):
    file = tmp_path / "one.sch"
    file.write_text(of(space[1:].partition("}")[0], f'<assert id="{name}" test="true()"/>'))
    with pytest.raises(Refused) as refused:
        add_packs(PackOrder(str(file)), tmp_path / "packs")
    assert refused.value.code == "no_known_rules"
    assert "--applies-to" in refused.value.remedy
    if not name.startswith("UBL" if space == CII else "CII"):
        assert "1 rules of" in str(refused.value)
        assert "at least" in str(refused.value)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_is_known_by_all_of_its_core_and_enough_of_its_rules(family):
    known = FAMILIES[family]
    spaces = frozenset(root[1:].partition("}")[0] for root in known.roots)
    whole = known.core | {f"{known.marks[0]}P{n}" for n in range(known.least)}
    assert family_of(whole, spaces) == family
    fewer = sorted(name for name in whole if name.startswith(known.marks))[: known.least - 1]
    for lacking in (*(whole - {each} for each in sorted(known.core)), known.core | set(fewer[1:])):
        if sum(name.startswith(known.marks) for name in lacking) < known.least or (
            known.core - lacking
        ):
            assert family_of(frozenset(lacking), spaces) == ""


def test_the_packs_of_set_up_are_whole_by_that_measure():
    try:
        packs = all_packs(default_folder())
    except Unavailable as error:
        pytest.skip(str(error))
    for pack in packs:
        rules = rules_of(pack)
        ids = frozenset(one.id for one in rules.asserts())
        assert family_of(ids, frozenset(rules.namespaces.values())) == pack.identity.family


@pytest.mark.parametrize(
    "profile",
    [
        EN16931,
        f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
        f"{EN16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    ],
)
def test_rules_of_ones_own_make_no_known_profile_valid(tmp_path, profile):
    file = tmp_path / "own.sch"
    file.write_text(of(f"{UBL}Invoice-2", '<assert id="MY-1" test="true()"/>'))
    judge = Judge(*add_packs(PackOrder(str(file), applies_to=profile), tmp_path / "packs"))
    named = f"<c:CustomizationID>{profile}</c:CustomizationID>"
    assert judge.judge(invoice(named)).outcome is Outcome.PARTLY_JUDGED


@pytest.mark.parametrize("only_saxon", [False, True], ids=["compiled", "saxon"])
@pytest.mark.parametrize(
    ("context", "outcome"),
    [
        ("/d:Invoice", Outcome.VALID),
        ("cii:CrossIndustryInvoice", Outcome.PARTLY_JUDGED),
        ("d:InvoiceLine", Outcome.PARTLY_JUDGED),
    ],
)
def test_rules_about_nothing_in_a_document_call_it_valid_never(
    tmp_path, context, outcome, only_saxon
):
    file = tmp_path / "own.sch"
    text = of(f"{UBL}Invoice-2", '<assert id="MY-1" test="true()"/>', context=context)
    file.write_text(text)
    packs = add_packs(PackOrder(str(file), applies_to="urn:mine"), tmp_path / "packs")
    judge = Judge(*packs, only_saxon=only_saxon)
    verdict = judge.judge(invoice("<c:CustomizationID>urn:mine</c:CustomizationID>"))
    assert verdict.outcome is outcome
    assert ("no rule of urn:mine mine" in "".join(verdict.unjudged)) is (outcome != Outcome.VALID)


@pytest.mark.parametrize(
    ("written", "outcome"),
    [(" urn:mine\n", Outcome.VALID), ("\u00a0urn:mine", Outcome.PARTLY_JUDGED)]
    + [(f"urn:mine{blank}", Outcome.PARTLY_JUDGED) for blank in "\u00a0\u2003\u200b"],
)
def test_a_profile_with_another_blank_than_xmls_is_another_profile(tmp_path, written, outcome):
    file = tmp_path / "own.sch"
    file.write_text(of(f"{UBL}Invoice-2", '<assert id="MY-1" test="true()"/>'))
    judge = Judge(*add_packs(PackOrder(str(file), applies_to="urn:mine"), tmp_path / "packs"))
    verdict = judge.judge(invoice(f"<c:CustomizationID>{written}</c:CustomizationID>"))
    if outcome is Outcome.VALID:
        assert verdict.outcome is outcome
    else:
        assert verdict.outcome in (Outcome.PARTLY_JUDGED, Outcome.INVALID)


@pytest.mark.parametrize(
    "manifest",
    ["[]", "{}", "null", "", '{"name": 1}', '{"name": "n", "files": []}', "\udcff", "[" * 5000],
)
def test_a_broken_manifest_is_named_and_stops_nothing_else(source, tmp_path, capsys, manifest):
    packs = tmp_path / "packs"
    add_packs(PackOrder(str(source)), packs)
    broken = packs / "another" / "pack.json"
    broken.parent.mkdir()
    broken.write_bytes(manifest.encode("utf-8", "surrogateescape"))
    found, told = readable_packs(pack_folders(packs))
    assert [pack.identity.family for pack in found] == ["en16931-ubl"]
    assert [str(broken.parent) in why for why in told] == [True]
    assert main(["trade", "packs", "list", "--packs", str(packs)]) == 4
    told_here = capsys.readouterr()
    assert "en16931-ubl" in told_here.out
    assert str(broken.parent) in told_here.err
    file = tmp_path / "a.xml"
    file.write_bytes(invoice("<c:ID>Z</c:ID>"))
    assert main(["trade", "check", str(file), "--packs", str(packs)]) == 1


def test_an_added_pack_says_in_whose_place_it_judges(source, tmp_path, capsys):
    packs = tmp_path / "packs"
    words = ["trade", "packs", "add", str(source), "--packs", str(packs)]
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    source.write_text(SCH.replace("Rules made", "Other rules made"))
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "documents of every day in the place of" in said
    assert "Rules made for a test" in said
    assert main([*words, "--valid-from", "2026-05-01"]) == 0
    assert "from 2026-05-01 on" in capsys.readouterr().err


def test_a_pack_of_few_rules_that_an_earlier_release_took_is_named_and_left_out(source, tmp_path):
    packs = tmp_path / "packs"
    (whole,) = add_packs(PackOrder(str(source)), packs)
    few = packs / "en16931-ubl-few"
    shutil.copytree(whole.folder, few)
    plain = json.loads((few / "pack.json").read_text())
    (few / "pack.json").write_text(json.dumps(plain | {"asserts": 1}))
    found, told = readable_packs(pack_folders(packs))
    assert [pack.folder for pack in found] == [whole.folder]
    assert "1 rules of en16931-ubl" in told[0]
