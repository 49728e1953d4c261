"""Why an arrival is proven, a proof that is dropped on the page, leaves, titles and frauds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
GOLDEN = Path(__file__).parents[1] / "golden"


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:200]}" for v in found]


def _give(page: Page, *files: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").press("Enter")
    chooser.value.set_files(files)


def test_the_position_page_says_why_an_arrival_is_proven(readers: Any) -> None:
    page = readers().open("/consignments/C-2038/position")
    expect(page.locator(".position-head")).to_contain_text("The arrival at Chukursay terminal is")
    expect(page.locator(".why > li")).to_have_count(6)
    expect(page.locator(".why .condition-met")).to_have_count(6)
    expect(page.locator(".why")).to_contain_text("60 positions from 60 epochs")
    charts = page.locator("figure.chart")
    expect(charts).to_have_count(3)
    expect(charts.nth(0)).to_contain_text("The chance of being outside stays below what was asked")
    # Each chart has a table that says the same: one row an epoch, one row a satellite.
    charts.nth(0).locator("summary").click()
    expect(charts.nth(0).locator("tbody tr")).to_have_count(60)
    charts.nth(1).locator("summary").click()
    drawn = charts.nth(1).locator("svg .s-used, svg .s-unused, svg .s-out").count()
    expect(charts.nth(1).locator("tbody tr")).to_have_count(drawn)
    assert charts.nth(1).locator("tbody tr", has_text="dB-Hz").count() >= 8


def test_the_position_page_says_why_an_arrival_is_not_proven(readers: Any) -> None:
    page = readers(language="zh").open("/consignments/C-2039/position")
    expect(page.locator(".position-head")).to_contain_text("未证明到达")
    inside = page.locator(".why > li").nth(3)
    expect(inside).to_have_class(re.compile("condition-failed"))
    expect(inside).to_contain_text("不成立")
    expect(page.locator(".c-bound-alone")).to_have_count(1)
    expect(page.locator(".c-stretch")).to_have_count(0)
    expect(page.locator("figure.chart").first).to_contain_text("在外的概率未能保持低于所要求的值")


def test_an_epoch_is_chosen_by_keyboard_and_the_sky_follows(readers: Any) -> None:
    page = readers().open("/consignments/C-2038/position")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".epoch")).to_contain_text("Epoch 1 of 60")
    first = page.locator("figure.chart").nth(2).locator("h3").inner_text()
    page.keyboard.press("End")
    expect(page.locator(".epoch")).to_contain_text("Epoch 60 of 60")
    assert page.locator("figure.chart").nth(2).locator("h3").inner_text() != first
    page.locator(".position-head a").click()
    expect(page.locator("h1")).to_have_text("Pulse oximeters, 420 cartons")
    contents = page.get_by_role("navigation", name="On this page")
    contents.get_by_role("link", name="Arrival").click()
    page.locator("a", has_text="Sky, residuals and bound").click()
    expect(page).to_have_url(re.compile("/consignments/C-2038/position$"))


def test_an_arrival_without_a_window_says_so(readers: Any) -> None:
    page = readers().open("/consignments/C-2043/position")
    expect(page.locator("main")).to_contain_text("No window of satellite signals")


@pytest.mark.parametrize("name", ["road-circle-v1", "road-circle-v3", "road-circle-compact-v3"])
def test_a_dropped_proof_is_checked_in_the_browser(readers: Any, name: str) -> None:
    page = readers().open("/trust")
    _give(page, GOLDEN / f"{name}.zdproof")
    verdict = page.locator(".file-verdict")
    expect(verdict).to_be_visible(timeout=15_000)
    # The road's chain keys are not Ed25519, but no event is signed with one: all can be checked.
    # The last says what its entry promised, or that it is of before promises.
    expect(verdict.locator(".mark-done")).to_have_count(7)
    expect(verdict).to_contain_text("compare their fingerprints")
    assert _violations(page) == []


def test_a_changed_proof_and_another_list_are_refused_in_the_browser(
    readers: Any, tmp_path: Path
) -> None:
    data = json.loads((GOLDEN / "road-circle-v1.zdproof").read_bytes())
    data["events"][3]["index"] += 1
    spoiled = tmp_path / "spoiled.zdproof"
    spoiled.write_text(json.dumps(data, separators=(",", ":"), sort_keys=True, ensure_ascii=False))
    page = readers().open("/trust")
    _give(page, spoiled)
    verdict = page.locator(".file-verdict")
    expect(verdict.locator(".note-title")).to_contain_text("does not hold", timeout=15_000)
    _give(page, GOLDEN / "road-circle-v3.zdproof", GOLDEN / "road-polygon-v1.trust.json")
    verdict = page.locator(".file-verdict")
    expect(verdict).to_contain_text("knows no key of", timeout=15_000)
    # As the command says it: nothing of the proof is wrong, and nobody vouches for it.
    expect(verdict).to_contain_text("Untrusted root")
    expect(verdict).to_contain_text("zhidao trust add TRUSTFILE")
    expect(verdict).not_to_contain_text("does not hold")
    assert _violations(page) == []


def test_a_leaf_is_shown_with_its_way_and_a_title_with_its_story(readers: Any) -> None:
    page = readers().open("/trust")
    page.locator(".leaf-form input").fill("0")
    page.locator(".leaf-form button").click()
    expect(page.locator(".leaf-form [role=status]")).to_contain_text("Leaf 0 is in the log")
    page.locator(".title-story > summary").click()
    expect(page.locator(".title-story .told-list li")).to_have_count(2)


def test_a_proven_fraud_stands_first_on_the_page(readers: Any, node: Any) -> None:
    node.turn(alarm=True)
    try:
        page = readers().open("/trust")
        expect(page.locator(".alarms")).to_contain_text("split_view-3f2a", timeout=15_000)
        assert _violations(page) == []
    finally:
        node.turn()
