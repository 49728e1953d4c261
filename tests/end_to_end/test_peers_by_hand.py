"""Two operators admit each other's node by invitation, each on the pages of a node of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_money_by_hand import usable
from tests.end_to_end.test_people_by_hand import ADMIN, enter, first_admin, serving

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.timeout(400)]

browser = test_people_by_hand.browser


def test_two_nodes_admit_each_other_by_invitation(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "one", "almaty") as one, serving(tmp_path / "two", "xian") as two:
        pages = {
            "almaty": opened(browser, one, "Alatau Corridor"),
            "xian": opened(browser, two, "Xi'an Dry Port"),
        }
        files = {name: invitation(page, name, tmp_path) for name, page in pages.items()}
        # Whoever takes sees the fingerprint that the other reads out, before anything is admitted.
        admits(pages["almaty"], "xian", files["xian"], fingerprint(pages["xian"]))
        admits(pages["xian"], "almaty", files["almaty"], fingerprint(pages["almaty"]))
        known = pages["xian"].get_by_role("region", name="Nodes that this one exchanges with")
        expect(known.get_by_role("listitem")).to_contain_text("Alatau Corridor")
        lies(pages["xian"], files["almaty"])
        usable(pages["almaty"])


def opened(browser: Browser, served: dict[str, Any], organisation: str) -> Page:
    first_admin(browser, served, organisation)
    page = enter(browser, served["url"], "ada", ADMIN)
    page.get_by_role("link", name="Peers").click()
    expect(page.get_by_text("There is none yet.")).to_be_visible()
    return page


def act(page: Page, name: str) -> None:
    box = page.get_by_role("group").filter(has=page.get_by_text(name, exact=True)).last
    box.get_by_text(name, exact=True).first.click()
    box.get_by_role("button", name=name).click()


def invitation(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        act(page, "Make an invitation")
    assert download.value.suggested_filename == f"{name}.invitation.json"
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def fingerprint(page: Page) -> str:
    region = page.get_by_role("region", name="Invite a node")
    return region.get_by_role("definition").last.inner_text().strip()


def admits(page: Page, other: str, file: Path, said: str) -> None:
    region = page.get_by_role("region", name="Take an invitation")
    with page.expect_file_chooser() as choosing:
        region.get_by_role("button", name="Choose files").click()
    choosing.value.set_files(file)
    expect(region.get_by_role("definition").filter(has_text=said)).to_be_visible()
    act(page, f"Admit {other}")
    expect(region.get_by_role("status").last).to_contain_text("is a peer now.")
    known = page.get_by_role("region", name="Nodes that this one exchanges with")
    expect(known.get_by_role("definition").filter(has_text=said)).to_be_visible()


def lies(page: Page, file: Path) -> None:
    """A card that somebody changed on its way is refused, whatever its fingerprint."""
    region = page.get_by_role("region", name="Take an invitation")
    box = region.get_by_role("textbox", name="or paste its text")
    box.fill("{}")
    expect(region.get_by_role("alert")).to_contain_text("This is no invitation of a node")
    box.fill(file.read_text().replace("Alatau Corridor", "Alatau C0rridor"))
    act(page, "Admit almaty")
    expect(region.get_by_role("alert")).to_be_visible()
    expect(region.get_by_text("is a peer now.")).to_have_count(0)
