"""Entering a consignment, checking a folder and deciding declarations, in a real Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from zhidao.trade.service.document_set import make_set
from zhidao.trade.service.entering import imported
from zhidao.trade.wire import canonical_entry

pytestmark = pytest.mark.browser

DATA = Path(__file__).parents[1] / "trade" / "data"
ENTRY = (DATA / "set_entry.json").read_bytes()
FIELDS, _ = imported(ENTRY)


# Who sits before this page is the node's party `customs`, here as the exporter.
ON_NODES = {
    "consignorParty.nodeId": "customs",
    "consigneeParty.nodeId": "importer",
    "carrierParty.nodeId": "carrier",
    "issuingBankParty.nodeId": "importer-bank",
    "presentingBankParty.nodeId": "exporter-bank",
    "customsParty.nodeId": "health",
    "customsParty.name": "Customs office Haiphong",
    "originStatementDocument.id": "OS-1",
}


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:200]}" for v in found]


def _filled(page: Page, fields: dict[str, str]) -> None:
    page.evaluate("told => sessionStorage.setItem('zhidao.entry', told)", json.dumps(fields))
    page.reload()


def _give(page: Page, files: list[tuple[str, bytes]]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").press("Enter")
    told = [{"name": n, "mimeType": "application/octet-stream", "buffer": d} for n, d in files]
    chooser.value.set_files(told)


def test_a_wrong_value_is_told_beside_its_field(readers: Any) -> None:
    page = readers().open("/papers")
    field = page.locator("[id='consignorParty.leiId']")
    field.fill("300300ZDSIM000000137")
    trouble = page.locator("[id='consignorParty.leiId-trouble']")
    expect(trouble).to_contain_text("The identifier is wrong.")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert _violations(page) == []
    field.fill("300300ZDSIM000000136")
    expect(trouble).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_entry_makes_documents_and_shows_conflicts_side_by_side(
    readers: Any, language: str
) -> None:
    page = readers(language=language).open("/papers")
    _filled(page, FIELDS | {"presentationDocument.drawnAmount": "99000"})
    expect(page.locator(".set-list > li")).to_have_count(13)
    sides = page.locator(".pair").first.locator(".pair-value")
    expect(sides).to_have_count(2)
    assert "99000" in " ".join(sides.all_inner_texts())
    told = {"en": "invoiced and drawn amount do not agree", "zh": "发票金额与支取金额不一致；相差"}
    expect(page.locator(".finding").first).to_contain_text(told[language])
    expect(page.locator(".finding p[lang]")).to_have_count(0)
    places = " ".join(page.locator(".finding").first.locator(".pair-place").all_inner_texts())
    drawn = {"en": "Amount drawn".lower(), "zh": "交单面函：支取金额"}
    assert drawn[language].split("：")[-1] in places
    assert _violations(page) == []
    with page.expect_download() as download:
        page.locator(".set-list .link-button").first.press("Enter")
    assert download.value.path().read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_form_opens_the_consignment_or_says_what_its_road_needs(
    readers: Any, language: str
) -> None:
    page = readers(language=language).open("/papers")
    _filled(page, FIELDS | {"id": f"zd-form-{language}"})
    name = {"en": "Open the consignment", "zh": "开立货物"}[language]
    road = page.locator("section", has=page.locator("#road-title"))
    told = {
        "en": ("The road still needs 8 fields:", "Consignor: Name on the node"),
        "zh": ("货路还缺8个字段：", "发货人：节点上的名称"),
    }[language]
    expect(road).to_contain_text(told[0])
    expect(road.locator("[lang=en]")).to_have_count(0)
    expect(page.get_by_role("button", name=name)).to_be_disabled()
    assert _violations(page) == []
    road.get_by_role("button", name=told[1]).press("Enter")
    assert page.evaluate("document.activeElement.id") == "consignorParty.nodeId"
    # What no single field lacks, the node says when it is asked.
    boxes = re.compile(r"utilizedTransportEquipment\[\d\]\.id|.*equipmentId")
    twice = {path: "CSQU3054383" for path in FIELDS if boxes.fullmatch(path)}
    own = {"originStatementDocument.id": f"OS-{language}", "invoiceDocument.id": f"INV-{language}"}
    whole = FIELDS | ON_NODES | own | {"id": f"zd-form-{language}"}
    _filled(page, whole | twice)
    page.get_by_role("button", name=name).click()
    refused = {"en": "A container stands twice", "zh": "集装箱重复"}[language]
    expect(road.locator(".note-title")).to_contain_text(refused)
    _filled(page, whole)
    page.get_by_role("button", name=name).click()
    page.wait_for_url(f"**/consignments/zd-form-{language}")


def test_a_draft_is_kept_and_found_again(readers: Any) -> None:
    page = readers().open("/papers")
    page.locator("[id='consignorParty.name']").fill("Suzhou Pumps")
    page.get_by_label("Name of the draft").fill("first-one")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("Saved, and saved again as you type")).to_be_visible()
    page.reload()
    expect(page.locator("[id='consignorParty.name']")).to_have_value("Suzhou Pumps")
    page.get_by_role("button", name="Empty the form").click()
    expect(page.locator("[id='consignorParty.name']")).to_have_value("")
    page.get_by_label("Drafts").select_option("first-one")
    expect(page.locator("[id='consignorParty.name']")).to_have_value("Suzhou Pumps")


def test_an_invoice_fills_the_form(readers: Any) -> None:
    page = readers().open("/papers")
    invoice = make_set(canonical_entry.read(ENTRY))[0]
    _give(page, [("invoice.xml", invoice.data)])
    expect(page.get_by_text("fields were taken over")).to_be_visible()
    expect(page.locator("[id='consigneeParty.name']")).to_have_value("Hai Phong Pump Trading JSC")


def test_a_folder_is_read_and_compared(readers: Any) -> None:
    page = readers().open("/papers/folder")
    made = {d.form.kind: d for d in make_set(canonical_entry.read(ENTRY))}
    bill = made["transport_document"].data.replace(b'"CNSHA"', b'"KRPUS"')
    files = [("a.xml", made["invoice_ubl"].data), ("b.json", bill)]
    _give(
        page,
        [
            *files,
            ("c.json", made["packing_list"].data),
            ("photo.jpg", b"\xff\xd8\xff"),
            ("void.xml", b""),
        ],
    )
    expect(page.locator(".pair")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_text(
        "These files are empty and were left out: void.xml"
    )
    assert set(page.locator(".pair-value").all_inner_texts()) == {"KRPUS", "CNSHA"}
    expect(page.get_by_text("Not a known document")).to_be_visible()
    assert _violations(page) == []


def test_a_risk_rule_gives_its_reason_in_chinese(readers: Any) -> None:
    page = readers(language="zh").open("/declarations#IMP-2026-0417")
    expect(page.get_by_text("未对照任何名单")).to_be_visible()
    expect(page.get_by_text("no list was screened")).to_have_count(0)


def test_customs_sees_why_makes_the_decision_again_and_holds(readers: Any) -> None:
    page = readers().open("/declarations#IMP-2026-0417")
    expect(page.get_by_text("screening.list = none")).to_be_visible()
    page.get_by_role("button", name="Make the risk decisions again").press("Enter")
    expect(page.get_by_text("Version 1: yellow again, the same.")).to_be_visible()
    # No list is installed, so nothing is green: what is yellow is released with a reason only.
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".note")).to_contain_text("released with a reason")
    page.get_by_label("Reason").fill("papers are looked at")
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".note")).to_contain_text("no permit of health")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator(".facts")).to_contain_text(["held"])
    assert _violations(page) == []


def test_what_a_person_chose_is_there_in_another_browser(readers: Any) -> None:
    first = readers(language="en")
    page = first.open("/money")
    page.get_by_role("button", name="Holder").first.click()
    page.get_by_text("Preferences").click()
    page.get_by_label("Language").select_option("zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    other = readers(language="en").open("/money")
    expect(other.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(other.locator("th[aria-sort=ascending]")).to_have_count(1)
    assert _violations(other) == []
