"""The whole demonstration, watched to its end in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, Response, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.service]
_ASSETS = Path(__file__).parents[2] / "src" / "zhidao" / "node" / "web" / "assets"
_PICTURE = os.environ.get("ZHIDAO_PICTURE", "")
# Every address of a signed-in reader that names no single credit.
_PAGES = (
    "/",
    "/node",
    "/exchange",
    "/papers",
    "/papers/folder",
    "/declarations",
    "/trust",
    "/money",
    "/money/exchange",
    "/money/credits",
    "/money/receivables",
)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    """A running demonstration and the links that let a viewer in, by what they are called."""
    if not (_ASSETS / "index.html").exists():
        pytest.skip("the pages are not built here: run ./run setup")
    words = [sys.executable, "-m", "zhidao.cli", "demo", "--json", "--stay", "--pace", "0.2"]
    with (tmp_path / "demo.err").open("w") as errors:
        process = subprocess.Popen(
            [*words, "--output", str(tmp_path)], stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def _summary(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        found = json.loads(line)
        if "paid" in found:
            return dict(found)
    raise AssertionError("the demonstration ended without a summary")


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found]


def _troubles_of_an_auditor(page: Page, base: str) -> list[str]:
    """What a reader who may see all and change nothing is refused, page by page.

    The link of a demonstration makes its holder an auditor of a real node, whose rooms each judge
    by themselves who may read.
    """
    found: list[str] = []

    def listen(response: Response) -> None:
        if response.status >= 400:
            found.append(f"{page.url}: {response.status} {response.url}")

    page.on("response", listen)
    for address in _PAGES:
        # While the other consignments are written a page reads again and again: it is never idle.
        page.goto(f"{base}{address}")
        expect(page.locator("main h1").first).to_be_visible()
        expect(page.locator("main p.state[role=status]")).to_have_count(0)
        page.wait_for_timeout(500)
        found += [f"{address}: {told}" for told in page.locator(".note-stop").all_inner_texts()]
        found += [f"{address}: {violation}" for violation in _violations(page)]
    page.remove_listener("response", listen)
    return found


# Every second day; when not, the road runs on real signals (`test_demo`).
@pytest.mark.slow if datetime.now(UTC).toordinal() % 2 else pytest.mark.long
@pytest.mark.timeout(300)
def test_the_road_moves_to_its_end_before_the_readers_eyes(
    browser: Browser, demo: tuple[dict[str, str], subprocess.Popen[str]]
) -> None:
    links, process = demo
    link = links["page"]
    base = link.split("/enter")[0]
    foreign: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((base, "blob:", "data:")):
            foreign.append(request.url)

    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.on("request", watch)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(link)
    # The road appears and its stones become solid while the page is open; nobody reloads it.
    page.wait_for_selector("a.row .pebble", timeout=60_000)
    page.goto(f"{base}/consignments/zd-2026-0417")
    expect(page.locator("body")).to_contain_text("Simulated", timeout=60_000)
    expect(page.locator("body")).to_contain_text(
        re.compile("the payment (has )?posted|payment posted", re.IGNORECASE), timeout=120_000
    )
    summary = _summary(process)
    assert summary["paid"] is True
    assert summary["observations"] == "simulated"
    page.wait_for_timeout(800)
    seals = page.locator(".stone .seal")
    for number in range(seals.count()):
        seals.nth(number).click()
        page.wait_for_selector(".check-outcome", timeout=15_000)
        page.keyboard.press("Escape")
    expect(page.locator(".stone .seal-holds")).to_have_count(seals.count())
    assert seals.count() >= 6
    assert _violations(page) == []
    assert foreign == []
    assert failures == []
    if _PICTURE:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=_PICTURE)
    # Both clocks are named, and the arrival is explained from a replay of what was really stored.
    arrival = page.get_by_role("region", name="Arrival", exact=True)
    arrival.get_by_role("heading", name="Arrival").click()
    expect(arrival.locator(".facts .scale-scenario").first).to_be_visible()
    expect(arrival.locator(".facts .scale-clock").first).to_be_visible()
    # On the road itself there is one scale, and it goes forward.
    on_road = page.locator(".road time").evaluate_all("all => all.map(each => each.dateTime)")
    assert len(on_road) == 7
    assert on_road == sorted(on_road)
    page.goto(f"{base}/consignments/zd-2026-0417/position")
    expect(page.locator(".why .condition-met")).to_have_count(6, timeout=15_000)
    expect(page.locator("figure.chart")).to_have_count(3)
    assert page.locator("svg.sky .s-used").count() >= 5
    assert _violations(page) == []
    if _PICTURE:
        page.screenshot(path=_PICTURE.replace(".png", "-position.png"), full_page=True)
    assert _troubles_of_an_auditor(page, base) == []
    assert foreign == []
    assert failures == []
    for width, locale, theme in ((360, "zh-CN", "dark"), (768, "en-GB", "light")):
        other = browser.new_context(
            viewport={"width": width, "height": 800},
            locale=locale,
            color_scheme=theme,  # type: ignore[arg-type]
            storage_state=context.storage_state(),
        )
        small = other.new_page()
        small.goto(f"{base}/consignments/zd-2026-0417")
        small.wait_for_selector(".stone .seal", timeout=30_000)
        assert _violations(small) == []
        other.close()
    context.close()
    # The exporter's node did not examine the signals, and says who did and where they are.
    side = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = side.new_page()
    page.goto(links["exporter_page"])
    page.wait_for_selector("a.row .pebble", timeout=30_000)
    base = links["exporter_page"].split("/enter")[0]
    assert _troubles_of_an_auditor(page, base) == []
    page.goto(f"{base}/consignments/zd-2026-0417/position")
    expect(page.locator("main")).to_contain_text("examined at importer-side")
    assert _violations(page) == []
    side.close()
