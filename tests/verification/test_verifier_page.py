"""The verifier as one file for a browser says what the command says, without a network."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.verification.altered import altered
from tests.verification.corridor_bench import Corridor
from tests.verification.test_independent import GOLDEN, compared
from tests.verification.verifier_page import asked, make_page

from zhidao.trust.wire.governance.trust_list import trust_list_fingerprint

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
PROOF, LIST = GOLDEN / "road-promised-compact-v3.zdproof", GOLDEN / "road-promised.trust.json"
SEED = 2026


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: nobody opened the page")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("verifier"))


def opened(browser: Browser, file: Path, **more: Any) -> Page:
    """The page from a disk, at a browser without a network."""
    page = browser.new_context(offline=True, **more).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    assert complaints == []
    return page


def give(page: Page, *files: Path) -> None:
    page.get_by_label("Choose files").set_input_files(files)


@pytest.mark.parametrize(
    "count", [60, pytest.param(1_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_it_says_what_the_command_says_of_altered_proofs(
    browser: Browser, file: Path, count: int
) -> None:
    corridor = Corridor()
    # The browser's driver has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as beside:
        data = beside.submit(lambda: asyncio.run(corridor.proof())).result()
    bundles = list(altered(data, corridor.trust(), count=count, seed=SEED))
    answers = asked(opened(browser, file), bundles)
    assert [name for name, same in compared(bundles, answers) if not same] == []
    assert {each["verdict"] for each in answers} >= {"holds_in_part", "refused", "malformed"}


def test_a_person_drops_a_proof_and_a_list(browser: Browser, file: Path, tmp_path: Path) -> None:
    page = opened(browser, file, locale="en")
    # Before anything is dropped, too, the page has words only.
    expect(page.locator("body")).not_to_contain_text(re.compile("undefined|null"))
    give(page, PROOF)
    expect(page.locator("body")).not_to_contain_text(re.compile("undefined|null"))
    expect(page.get_by_text("A trust list is missing")).to_be_visible()
    give(page, LIST)
    expect(page.get_by_role("heading", name="HOLDS", exact=True)).to_be_focused()
    expect(page.get_by_text("SIMULATED")).to_be_visible()
    expect(page.get_by_text(trust_list_fingerprint(LIST.read_bytes()))).to_be_visible()
    page.get_by_label("witnessed").check()
    expect(page.get_by_role("heading", name="HOLDS IN PART")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="witnessed")).to_be_visible()
    cut = tmp_path / "cut.zdproof"
    cut.write_bytes(PROOF.read_bytes()[:-9])
    give(page, cut)
    expect(page.get_by_role("heading", name="CANNOT BE READ")).to_be_visible()


def test_another_corridors_list_vouches_for_nothing(browser: Browser, file: Path) -> None:
    page = opened(browser, file, locale="en")
    give(page, PROOF, GOLDEN / "road-circle-v1.trust.json")
    expect(page.get_by_role("heading", name="UNTRUSTED ROOT")).to_be_visible()
    expect(page.get_by_text("untrusted_root", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "width", "scheme", "word"),
    [("en", 1440, "light", "HOLDS"), ("zh-CN", 360, "dark", "成立")],
)
def test_it_is_usable_by_all(
    browser: Browser, file: Path, locale: str, width: int, scheme: Any, word: str
) -> None:
    viewport: Any = {"width": width, "height": 800}
    page = opened(browser, file, locale=locale, viewport=viewport, color_scheme=scheme)
    page.locator("input[type=file]").set_input_files([PROOF, LIST])
    expect(page.get_by_role("heading", name=word, exact=True)).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [f"{each['id']}: {each['help']}" for each in found] == []
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)


def test_it_is_one_small_file(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text) < 250_000
    assert "%" + "WORDS%" not in text
    assert "src=" not in text.split("<script", 1)[0]
