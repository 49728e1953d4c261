"""The page of the API, over the true description: found, read, tried, in four languages."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.docs.test_docs import from_code

__all__ = ["from_code"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
TITLES = {"en": "API of this node", "zh": "本节点的接口", "ru": "API этого узла"}
TITLES["kk"] = "Осы түйіннің API-і"


@pytest.fixture(scope="module")
def described(from_code: ModuleType) -> str:
    return json.dumps(from_code.openapi())


def _open(readers: Any, described: str, **more: Any) -> Page:
    reader = readers(**more)
    reader.context.route(
        "**/schema/openapi.json",
        lambda route: route.fulfill(body=described, content_type="application/json"),
    )
    page: Page = reader.open("/api")
    page.get_by_role("heading", level=1).wait_for()
    return page


def _sound(page: Page, width: int) -> None:
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", sorted(TITLES))
@pytest.mark.parametrize("width", [360, 1440])
def test_an_operation_is_found_and_read_whole(
    readers: Any, described: str, language: str, width: int
) -> None:
    page = _open(readers, described, language=language, width=width)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLES[language])
    _sound(page, width)
    page.get_by_role("searchbox").fill("sealsclose")
    page.get_by_text("/v1/devices/seals", exact=True).click()
    detail = page.locator(".api-detail")
    expect(detail).to_contain_text("V1DevicesSealsClose")
    expect(detail).to_contain_text("zhidao seal put")
    # The example, as the request that sends it.
    expect(detail).to_contain_text("ZD-884500")
    expect(detail).to_contain_text("curl -X POST")
    expect(detail).to_contain_text("The seal's number")
    _sound(page, width)


def test_what_only_reads_is_asked_as_the_signed_in_person(readers: Any, described: str) -> None:
    page = _open(readers, described, language="en")
    page.get_by_role("searchbox").fill("V1Session who")
    page.get_by_text("/v1/session", exact=True).first.click()
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".api-try + div pre")).to_contain_text('"name": "Aigerim"')
    page.get_by_role("searchbox").fill("V1TradeConsignmentsEnter")
    page.get_by_text("/v1/trade/consignments", exact=True).click()
    expect(page.locator(".api-detail").last).to_contain_text("zhidao consignment")
    expect(page.get_by_role("button", name="Ask")).to_have_count(0)


def test_the_list_narrows_to_who_may_use_what(readers: Any, described: str) -> None:
    page = _open(readers, described, language="en")
    everything = int(page.locator("main p[role=status]").first.inner_text().split()[0])
    assert everything > 240
    page.get_by_label("Who may use it").select_option("admin")
    some = int(page.locator("main p[role=status]").first.inner_text().split()[0])
    assert 50 < some < everything
    page.get_by_role("searchbox").fill("V1FinanceDealsOpenDeal")
    expect(page.get_by_text("0 operations")).to_be_visible()
