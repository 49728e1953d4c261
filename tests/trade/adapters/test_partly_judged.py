"""`valid` is said by the rules of the declared profile or not at all; by the packs of set-up."""

from __future__ import annotations

import json

import pytest
from tests.trade.rules_in_process import RulesInProcess

from zhidao.cli.main import main
from zhidao.core.errors import Unavailable
from zhidao.trade.adapters.packs import all_packs, default_folder
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.domain.verdict import Outcome
from zhidao.trade.service.validation import Validation

PROFILE = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
CVD = f"{PROFILE}#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9"


@pytest.fixture(scope="module")
def packs() -> Judge:
    try:
        return Judge(*all_packs(default_folder()))
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def xrechnung(shared) -> str:
    file = shared / "trade/xrechnung/business-cases/standard/01.01a-INVOICE_ubl.xml"
    return file.read_text(encoding="utf-8")


def of_day(text: str, day: str) -> bytes:
    start = text.index("<cbc:IssueDate>") + len("<cbc:IssueDate>")
    return (text[:start] + day + text[start + 10 :]).encode()


def without_buyer_reference(text: str) -> str:
    start, end = text.index("<cbc:BuyerReference>"), text.index("</cbc:BuyerReference>")
    return text[:start] + text[end + len("</cbc:BuyerReference>") :]


async def test_an_invoice_from_before_its_rules_is_judged_in_part(packs, xrechnung):
    bare = without_buyer_reference(xrechnung)
    early = packs.judge(of_day(bare, "2026-03-01"))
    assert (early.outcome, early.fatal) == (Outcome.PARTLY_JUDGED, ())
    assert "xrechnung-ubl for 2026-03-01" in early.summary()
    later = packs.judge(of_day(bare, "2026-09-01"))
    assert [f.rule for f in later.fatal] == ["BR-DE-15"]
    assert packs.judge(of_day(xrechnung, "2026-09-01")).outcome is Outcome.VALID
    with pytest.raises(Unavailable, match="xrechnung-ubl") as refused:
        await Validation(RulesInProcess(packs)).valid(of_day(bare, "2026-03-01"))
    assert refused.value.code == "no_rules"


@pytest.mark.parametrize(
    ("name", "status"),
    [("guide-example1.xml", 0), ("BIS_Billing_30-DataIT.xml", 4), ("broken.xml", 1)],
)
def test_the_command_says_partly_judged_by_a_status_of_its_own(
    packs, shared, tmp_path, capsys, name, status
):
    folder = shared / "trade/en16931/valid-ubl"
    source = folder / ("BIS_Billing_30-DataIT.xml" if name == "broken.xml" else name)
    text = source.read_text(encoding="utf-8")
    file = tmp_path / name
    file.write_text(text.replace("<cbc:ID>", "<cbc:ID> </cbc:ID><cbc:ID>", 1 * (status == 1)))
    assert main(["trade", "check", str(file), "--json"]) == status
    told = json.loads(capsys.readouterr().out)
    if status == 4:
        assert told["outcome"] == "partly judged"
        assert "peppol-bis3-ubl" in told["unjudged"][0]
        assert "zhidao trade packs add" in told["remedy"]


def test_the_scheme_of_clean_vehicles_breaks_nothing_in_the_profile_that_asks_for_it(
    packs, xrechnung
):
    text = xrechnung.replace(PROFILE, CVD)
    item = (
        "<cac:CommodityClassification><cbc:ItemClassificationCode listID='CVD'>M1"
        "</cbc:ItemClassificationCode></cac:CommodityClassification><cac:ClassifiedTaxCategory>"
    )
    text = text.replace("<cac:ClassifiedTaxCategory>", item, 1)
    weights = {f.rule: f.flag.value for f in packs.judge(of_day(text, "2026-09-01")).findings}
    assert weights["BR-CL-13"] == "information"
    plain = packs.judge(of_day(text.replace(CVD, PROFILE), "2026-09-01"))
    assert {f.rule: f.flag.value for f in plain.findings}["BR-CL-13"] == "fatal"
