"""The page of one consignment: what matters first, and what is folded away opens when it is asked for."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.end_to_end.test_people_by_hand import read_code

pytestmark = pytest.mark.browser

# Eleven screens of a phone before; what matters fits into three.
PHONE_PX_MAX = 2_500
TOP_PX_MAX = 1_700
DESK_PX_MAX = 1_900
PRINTED_PAGES_MAX = 2
_PDF_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


def _is_open(page: Page, name: str) -> bool:
    region = page.get_by_role("region", name=name, exact=True)
    return bool(region.locator("details").first.evaluate("each => each.open"))


def _height_px(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_what_matters_fits_into_three_screens_of_a_phone(readers: Any, language: str) -> None:
    # Everybody else's move: nothing is open by itself.
    page = readers(language=language, width=360).open("/consignments/C-2038")
    top = page.locator(".with-contents").evaluate("e => e.getBoundingClientRect().top + scrollY")
    phone = _height_px(page)
    desk = _height_px(readers(language=language).open("/consignments/C-2038"))
    sys.stdout.write(f"{language}: folds begin at {top:.0f} px, phone {phone}, desk {desk}\n")
    assert top <= TOP_PX_MAX
    assert phone <= PHONE_PX_MAX
    assert desk <= DESK_PX_MAX


def test_the_act_that_waits_is_open_and_one_press_away(readers: Any) -> None:
    page = readers(width=360).open("/consignments/C-2042")
    waits = page.get_by_role("region", name="Waits for you")
    expect(waits).to_be_in_viewport()
    # Without a press: the form itself stands open.
    expect(page.get_by_role("button", name="Release", exact=True)).to_be_visible()
    waits.get_by_role("link", name="Decide about the goods").click()
    expect(page.get_by_role("heading", name="What the bank asked for")).to_be_in_viewport()
    assert not _is_open(page, "Money")


def test_a_fold_opens_by_its_link_also_the_second_time(readers: Any) -> None:
    page = readers().open("/consignments/C-2038")
    link = page.get_by_role("navigation", name="On this page").get_by_role("link", name="Money")
    for _ in range(2):
        assert not _is_open(page, "Money")
        link.click()
        expect(page.get_by_text("Payee", exact=True)).to_be_in_viewport()
        page.get_by_role("heading", name="Money", exact=True).click()
    # From another page, and after a reload, the address says which.
    page = readers().open("/consignments/C-2038#arrival-title")
    assert _is_open(page, "Arrival")
    page.reload()
    page.wait_for_selector("main h1")
    assert _is_open(page, "Arrival")


def test_what_the_reader_opened_stays_open_while_the_page_refreshes(readers: Any) -> None:
    reader = readers()
    told: dict[str, str] = {}
    stream = 'retry: 300\nevent: road\ndata: {"consignment": "C-2041"}\n\n'
    reader.context.route(
        "**/v1/stream", lambda route: route.fulfill(content_type="text/event-stream", body=stream)
    )
    reader.context.route(
        "**/v1/consignments/C-2041/road",
        lambda route: route.fulfill(json=route.fetch().json() | told),
    )
    page = reader.open("/consignments/C-2041")
    page.get_by_role("heading", name="Seal", exact=True).click()
    sealed = page.get_by_text("found it whole")
    expect(sealed).to_be_visible()
    # Somebody says something: the stream tells it, and the page reads the road again.
    page.evaluate("document.querySelector('h1').dataset.same = 'yes'")
    told["label"] = "Ceramic valves, 97 crates"
    expect(page.locator("h1[data-same]")).to_have_text(told["label"], timeout=15_000)
    expect(sealed).to_be_visible()
    page.reload()
    expect(sealed).to_be_visible()


def test_a_search_on_the_page_finds_what_is_folded_away(readers: Any) -> None:
    page = readers().open("/consignments/C-2038")
    assert not _is_open(page, "Title to the goods")
    hidden = page.locator("#goods-title").evaluate(
        "e => getComputedStyle(e.closest('details'), '::details-content').contentVisibility"
    )
    # Hidden by content-visibility, which searches look into, and not by display: none.
    assert hidden == "hidden"


def test_no_hash_stands_in_a_sentence_of_the_page(readers: Any) -> None:
    page = readers().open("/consignments/C-2038")
    said = page.locator("main p").evaluate_all("all => all.map(each => each.textContent)")
    assert [text for text in said if re.search(r"\b[0-9a-f]{8,}", text)] == []


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_a_consignment_prints_on_two_pages_with_a_code_that_leads_to_its_check(
    readers: Any, node: Any, language: str
) -> None:
    page = readers(language=language).open("/consignments/C-2038")
    assert len(_PDF_PAGE.findall(page.pdf(prefer_css_page_size=True))) <= PRINTED_PAGES_MAX
    expect(page.locator(".sheet")).to_have_count(0)
    # As it stands on paper, for a look and for a reader of codes.
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sheet = page.locator(".sheet")
    expect(sheet.locator(".sheet-id")).to_contain_text("C-2038")
    expect(sheet.locator("tbody").first.locator("tr")).to_have_count(7)
    assert any("2026" in text for text in sheet.locator("td").all_inner_texts())
    for name in ("Tashkent Medical Supply", "Silk Steppe Carriers", "MSCU6639870"):
        expect(sheet).to_contain_text(name)
    link = f"{node.url}/verify/C-2038"
    expect(sheet).to_contain_text(link)
    assert read_code(sheet.locator(".qr")) == link
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(sheet).to_have_count(0)


def test_whoever_scans_the_sheet_checks_the_proof_without_signing_in(
    readers: Any, node: Any
) -> None:
    node.turn(signed_in=False)
    page = readers(width=360).open("/verify/C-2038")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check the proof of a consignment")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    assert page.url.endswith("/verify/C-2038")


def test_an_unknown_address_is_a_page_with_ways_on_and_the_right_status(readers: Any) -> None:
    reader = readers()
    page = reader.context.new_page()
    answer = page.goto(reader.node.url + "/nonsense")
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no page at this address.")
    expect(page).to_have_title("No such page · Zhidao")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("/")
    expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="To the roads").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Roads")
    # A program gets the refusal that it knows.
    told = reader.context.request.get(reader.node.url + "/nonsense")
    assert told.status == 404
    assert told.json()["code"] == "not_found"
