"""Two operators admit each other's node by invitation, each on the pages of a node of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.end_to_end import test_people_by_hand
from tests.end_to_end.test_money_by_hand import usable
from tests.end_to_end.test_people_by_hand import ADMIN, enter, first_admin, serving

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.timeout(400)]

browser = test_people_by_hand.browser


@pytest.mark.every_days(2)
def test_two_nodes_admit_each_other_by_invitation(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "one", "almaty") as one, serving(tmp_path / "two", "xian") as two:
        pages = {
            "almaty": opened(browser, one, "Alatau Corridor"),
            "xian": opened(browser, two, "Xi'an Dry Port"),
        }
        link, prints = made_link(pages["almaty"]), {}
        prints["almaty"] = own_print(pages["almaty"])
        prints["xian"] = takes(pages["xian"], "almaty", link, prints["almaty"])
        taker(pages["almaty"], "xian", prints["xian"])
        known = pages["xian"].get_by_role("region", name="Nodes that this one exchanges with")
        expect(known.get_by_role("listitem")).to_contain_text("Alatau Corridor")
        void_links(pages["almaty"], pages["xian"], link)
        by_a_phone(browser, link, prints["almaty"])
        file = invitation(pages["almaty"], "almaty", tmp_path)
        assert fingerprint(pages["almaty"]) == prints["almaty"]
        lies(pages["xian"], file)
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


def made_link(page: Page) -> str:
    act(page, "Make a link")
    region = page.get_by_role("region", name="Invite a node")
    expect(region.get_by_role("img", name="QR code of the link")).to_be_visible()
    return region.get_by_text(re.compile("^https?://.*/meet#")).inner_text()


def own_print(page: Page) -> str:
    region = page.get_by_role("region", name="Invite a node")
    return region.get_by_role("definition").first.inner_text().strip()


def looks(page: Page, link: str) -> Locator:
    region = page.get_by_role("region", name="Take an invitation")
    region.get_by_role("textbox", name="Link, or the text of a file").fill(link)
    region.get_by_role("button", name="Look at it").click()
    return region


def takes(page: Page, other: str, link: str, said: str) -> str:
    """Whoever takes sees both fingerprints before anything is admitted; the own one to read out."""
    region = looks(page, link)
    expect(region.get_by_role("definition").filter(has_text=said)).to_be_visible()
    # The page asks for its own fingerprint by itself: until then the last one is the other's.
    expect(region.get_by_role("term").last).to_contain_text("Your own fingerprint")
    own: str = region.get_by_role("definition").last.inner_text().strip()
    act(page, f"Admit {other}")
    expect(region.get_by_role("status").last).to_contain_text("is a peer now.")
    known = page.get_by_role("region", name="Nodes that this one exchanges with")
    expect(known.get_by_role("definition").filter(has_text=said)).to_be_visible()
    return own


def taker(page: Page, other: str, said: str) -> None:
    """Whoever made the link sees who took it, by the fingerprint that the other reads out."""
    page.reload()
    region = page.get_by_role("region", name="Invite a node")
    expect(region.get_by_role("listitem")).to_contain_text("taken by Xi'an Dry Port")
    expect(region.get_by_role("definition").filter(has_text=said)).to_be_visible()
    known = page.get_by_role("region", name="Nodes that this one exchanges with")
    expect(known.get_by_role("listitem")).to_have_count(0)
    act(page, f"Admit {other}")
    expect(known.get_by_role("definition").filter(has_text=said)).to_be_visible()


def void_links(maker: Page, page: Page, used: str) -> None:
    """A link that was used or taken back says so; one that nobody made, too."""
    expect(looks(page, used).get_by_role("alert")).to_contain_text("was used already")
    back = made_link(maker)
    act(maker, "Take it back")
    expect(maker.get_by_text("taken back")).to_be_visible()
    expect(looks(page, back).get_by_role("alert")).to_contain_text("was taken back")
    head, key = used.partition("#")[0], used.rpartition(".")[2]
    never = f"{head}#{'A' * 32}.{key}"
    expect(looks(page, never).get_by_role("alert")).to_contain_text("No such invitation")


def by_a_phone(browser: Browser, link: str, said: str) -> None:
    """Whoever scans the code sees whose it is and what to do with it, signed in nowhere."""
    page = browser.new_context(locale="en", viewport={"width": 360, "height": 740}).new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="A node invites yours")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=said)).to_be_visible()
    usable(page)


def lies(page: Page, file: Path) -> None:
    """A card that somebody changed on its way is refused, whatever its fingerprint."""
    region = page.get_by_role("region", name="Take an invitation")
    box = region.get_by_role("textbox", name="Link, or the text of a file")
    box.fill("{}")
    expect(region.get_by_role("alert")).to_contain_text("This is no invitation of a node")
    box.fill(file.read_text().replace("Alatau Corridor", "Alatau C0rridor"))
    act(page, "Admit almaty")
    expect(region.get_by_role("alert")).to_be_visible()
    expect(region.get_by_text("is a peer now.")).to_have_count(0)
