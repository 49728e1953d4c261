"""What is found, and the corridor at a glance with its map, in a real Chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.web.conftest import Node, Readers

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("key", ["/", "Control+k"])
@pytest.mark.parametrize("width", [360, 1440])
def test_a_key_opens_the_search_and_a_name_leads_to_its_page(
    readers: Any, key: str, width: int
) -> None:
    page = readers(language="en", width=width).open("/node")
    page.keyboard.press(key)
    field = page.get_by_label("A name, or the beginning of one")
    expect(field).to_be_focused()
    field.type("c 2038")
    page.get_by_role("link", name="C-2038 consignment").wait_for()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Enter")
    page.wait_for_url("**/consignments/C-2038")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_slash_that_is_typed_stays_where_it_is_typed(readers: Any) -> None:
    page = readers(language="en").open("/trust")
    field = page.locator("input").first
    field.wait_for()
    field.focus()
    page.keyboard.press("/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_the_palette_leads_to_pages_and_acts_of_the_reader_only(readers: Any) -> None:
    page = readers(language="en").open("/node")
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Open a deal act")).to_be_visible()
    # An admin's, and the reader is a party.
    expect(dialog.get_by_role("link", name="Invite a person act")).to_have_count(0)
    page.get_by_label("A name, or the beginning of one").type("money")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link", name="Money page")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("A name, or the beginning of one")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_what_is_not_there_is_said(readers: Any) -> None:
    page = readers(language="en").open("/node")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_label("A name, or the beginning of one")).to_be_focused()
    page.get_by_label("A name, or the beginning of one").type("zzz")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing that you may see begins so.")


def _figure(page: Page, words: str) -> Any:
    return page.locator(".glance-figure", has_text=words)


def test_each_figure_leads_to_the_roads_that_it_counts(readers: Any) -> None:
    page = readers().open("/")
    held = _figure(page, "held until the conditions are met")
    expect(held).to_contain_text("USD 367,555.00")
    expect(held).to_contain_text("2 consignments, 2 simulated")
    held.click()
    expect(held).to_have_attribute("aria-pressed", "true")
    expect(page.locator("main .row-label")).to_have_text(["Infusion pumps, 64 cartons", "Ceramic valves, 96 crates"])  # fmt: skip
    # The address says what is shown, and opens it again.
    page.reload()
    expect(page.locator("main .row-label")).to_have_count(2)
    _figure(page, "paid today").click()
    expect(page.locator("main .row-label")).to_have_text(["Pulse oximeters, 420 cartons"])
    page.get_by_role("button", name="Show all roads").click()
    expect(page.locator("main .row-label")).to_have_count(5)
    page.get_by_role("list", name="What waits").get_by_role("button", name=re.compile("sealed")).click()  # fmt: skip
    expect(page.locator("main .row-label")).to_have_text(["Microscope parts, 31 crates"])
    assert Axe().run(page).response["violations"] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [360, 1440])
def test_the_map_names_both_ends_the_countries_and_the_crossing(readers: Any, width: int) -> None:
    page = readers(width=width).open("/")
    page.wait_for_selector("a.moving", timeout=30_000)
    page.wait_for_timeout(1000)
    seen = page.evaluate(
        """() => [...document.querySelectorAll('.map-place > span, .map-country')].filter((e) => {
          const s = getComputedStyle(e);
          return e.offsetWidth && s.visibility === 'visible' && s.opacity !== '0' && !e.hidden;
        }).map((e) => e.textContent)"""
    )
    assert {"Khorgos", "Xi’an", "Chukursay terminal", "China", "Kazakhstan", "Uzbekistan"} <= {
        *seen
    }


def test_a_claim_and_a_proof_have_two_shapes_and_two_words(readers: Any) -> None:
    page = readers().open("/")
    page.wait_for_selector("a.moving", timeout=30_000)
    claimed = page.locator("a.moving-claimed").first
    proven = page.locator("a.moving-proven").first
    expect(claimed).to_have_accessible_name(re.compile("said so$"))
    expect(proven).to_have_accessible_name(re.compile("proven$"))
    corner = "each => getComputedStyle(each.querySelector('.moving-dot')).borderTopLeftRadius"
    assert (claimed.evaluate(corner), proven.evaluate(corner)) == ("50%", "0px")


@pytest.fixture
def blind(browser: Browser, node: Node) -> Iterator[Readers]:
    """Readers whose Chromium was started without WebGL."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(path for path in map(shutil.which, names) if path)
    flags = ["--no-sandbox", "--disable-3d-apis", "--disable-software-rasterizer"]
    opened = browser.browser_type.launch(executable_path=found, args=flags)
    yield Readers(opened, node)
    opened.close()


def test_without_webgl_the_list_says_what_the_map_says(blind: Readers) -> None:
    page = blind(width=360).open("/")
    assert page.evaluate("document.createElement('canvas').getContext('webgl2')") is None
    expect(page.locator(".map")).to_contain_text("The map cannot be drawn here now.")
    expect(page.locator(".maplibregl-canvas")).to_have_count(0)
    rows = page.locator(".map-table tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_be_visible()
    expect(page.locator(".map-table")).to_contain_text("China, Kazakhstan and Uzbekistan")
    valves = rows.filter(has_text="Ceramic valves")
    expect(valves).to_contain_text("by Khorgos")
    expect(valves).to_contain_text("said so")
    expect(rows.filter(has_text="Infusion pumps")).to_contain_text("proven")
    expect(valves.get_by_role("link")).to_have_attribute("href", re.compile("/consignments/"))
    assert Axe().run(page).response["violations"] == []
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)
