"""The search of every page: by key, by hand, and as a way to pages and acts."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

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
