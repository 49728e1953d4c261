"""The corridor at a glance and its map, in a real Chromium, with and without something to draw on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.web.conftest import _FLAGS, Node, Readers

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
    flags = [*_FLAGS, "--disable-3d-apis", "--disable-software-rasterizer"]
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
