"""Who may act, as people set it up: on the pages of a node that `zhidao serve` started, no request
of the test's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from tests.stalls import check_stalls
from tests.web.unspoken import unspoken

from zhidao.core.programs.child import free_port
from zhidao.node.web.pages import ASSETS

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.timeout(300)]

ADMIN, LEADER, SELLER = "a sentence of an admin", "a sentence of the operator", "the seller's words"


@contextmanager
def serving(
    folder: Path, name: str, *, tls: str = "off", alone: bool = True
) -> Iterator[dict[str, Any]]:
    """A new node, as somebody starts it who has read the README.

    `alone`: it has the machine for itself, so that its loop must not stand still.
    """
    folder.mkdir(exist_ok=True)
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("the passphrase of this test")
    environment = os.environ | {
        "ZHIDAO_NODE_NAME": name,
        "ZHIDAO_HTTP_TLS": tls,
        "ZHIDAO_HTTP_PORT": str(free_port()),
        "ZHIDAO_DEVICES_PORT": str(free_port()),
        "ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase),
        # Its machines are where the operator says.
        "ZHIDAO_INDUSTRY_MACHINE_NETWORKS": "127.0.0.0/8",
    }
    words = [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(folder / "n")]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, env=environment, stdout=output, stderr=output)
    try:
        yield _state(folder / "n" / "node.json", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    if alone:
        check_stalls(log.read_bytes(), log)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """One node of that kind."""
    with serving(tmp_path, "corridor") as state:
        yield state


def first_admin(browser: Browser, served: dict[str, Any], organisation: str) -> Page:
    """The page on which somebody made the first admin by the link of the first start."""
    page = browser.new_context(locale="en").new_page()
    page.goto(f"{served['url']}/start#{served['first_admin_code']}")
    page.get_by_label("Name of your organisation").fill(organisation)
    page.get_by_label("Name", exact=True).fill("ada")
    page.get_by_label("Password").fill(ADMIN)
    page.get_by_role("button", name="Make the administrator").click()
    expect(page.get_by_text("The administrator exists")).to_be_visible()
    return page


def _state(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    for _ in range(900):
        if file.exists() and file.read_bytes().endswith(b"}"):
            state: dict[str, Any] = json.loads(file.read_bytes())
            if state["pid"] == process.pid:
                return state
        assert process.poll() is None, "the node ended"
        time.sleep(0.1)
    raise AssertionError("the node does not come up")


@pytest.fixture
def browser() -> Iterator[Browser]:
    if not (ASSETS / "index.html").exists():
        pytest.skip("the pages are not built here: run python hatch_build.py")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine: nobody walked the pages")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def enter(browser: Browser, url: str, name: str, password: str) -> Page:
    page = browser.new_context(locale="en", viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{url}/login")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def form(page: Page, title: str) -> Any:
    """The form behind a button of this title."""
    box = page.locator("details.adding", has=page.get_by_text(title, exact=True)).last
    if not box.evaluate("each => each.open"):
        box.locator("summary").click()
    return box


def add_person(page: Page, name: str, party: str, role: str, password: str) -> None:
    box = form(page, "Add a person")
    box.get_by_label("Name", exact=True).fill(name)
    box.get_by_role("combobox", name="Acts for").select_option(party)
    box.get_by_role("radio", name=re.compile(f"^{role} ")).check()
    box.get_by_label("Password").fill(password)
    box.get_by_role("button", name="Add this person").click()
    expect(box.get_by_role("status")).to_have_text("Done.")


def row(page: Page, section: str, name: str) -> Any:
    # The name as a word: "li" is not "New link".
    word = re.compile(rf"\b{re.escape(name)}\b")
    return page.get_by_role("region", name=section).get_by_role("listitem").filter(has_text=word)


def test_a_page_that_is_opened_first_has_all_its_words(
    served: dict[str, Any], browser: Browser
) -> None:
    admin = first_admin(browser, served, "Khorgos Gate")
    pages = {"/node": "Growth", "/people": "Journal of administration", "/access": "Passkeys"}
    for path, last in pages.items():
        admin.goto(served["url"] + path)
        expect(admin.get_by_role("heading", name=last, exact=True)).to_be_visible()
        assert unspoken(admin) == [], path
    admin.goto(served["url"])
    expect(admin.get_by_role("button", name="Search")).to_be_visible()
    admin.keyboard.press("Control+k")
    expect(admin.get_by_role("dialog")).to_be_visible()
    assert unspoken(admin) == []


@pytest.mark.every_days(2)
def test_a_party_its_people_and_a_leaver(served: dict[str, Any], browser: Browser) -> None:
    url = served["url"]
    admin = browser.new_context(locale="en", viewport={"width": 1280, "height": 900}).new_page()
    admin.set_default_timeout(30_000)
    # The console's link brings its code; the address forgets it at once.
    admin.goto(f"{url}/start#{served['first_admin_code']}")
    expect(admin.get_by_label("One-time code")).to_have_value(served["first_admin_code"])
    assert "#" not in admin.url
    admin.get_by_label("Name of your organisation").fill("Khorgos Gate")
    admin.get_by_label("Name", exact=True).fill("ada")
    admin.get_by_label("Password").fill(ADMIN)
    admin.get_by_role("button", name="Make the administrator").click()
    expect(admin.get_by_text("The administrator exists")).to_be_visible()

    admin.get_by_role("link", name="People").click()
    # What an admin may not open is not offered.
    expect(admin.get_by_role("link", name="Money")).to_have_count(0)
    box = form(admin, "Add a party")
    box.get_by_label("Name of the party").fill("Khorgos Pumps")
    box.get_by_label("Short name").fill("pumps")
    box.get_by_label("Country").fill("cn")
    box.get_by_role("button", name="Add this party").click()
    expect(row(admin, "Parties", "Khorgos Pumps")).to_be_visible()
    add_person(admin, "olga", "corridor", "operator", LEADER)
    add_person(admin, "li", "pumps", "party", SELLER)
    expect(row(admin, "People", "li").get_by_text("waits for a word")).to_be_visible()
    expect(row(admin, "Waits for a word", "li").get_by_role("button")).to_have_count(0)

    # Nobody enters for a party that has not agreed.
    outside = enter(browser, url, "li", SELLER)
    expect(outside.get_by_role("alert")).to_be_visible()

    # The party has nobody yet, so the operator may agree; the page says that it was he.
    operator = enter(browser, url, "olga", LEADER)
    operator.get_by_role("link", name="People").click()
    row(operator, "Waits for a word", "li").get_by_role("button", name="Agree for").click()
    expect(row(operator, "People", "li").get_by_text("agreed by the operator")).to_be_visible()
    expect(
        row(operator, "Parties", "Khorgos Pumps").get_by_text("only the operator")
    ).to_be_visible()

    li = enter(browser, url, "li", SELLER)
    li.get_by_role("link", name="People").click()
    row(li, "Waits for a word", "li").get_by_role("button", name="Agree for").click()
    expect(row(li, "Parties", "Khorgos Pumps").get_by_text("only the operator")).to_have_count(0)

    own_password(li, browser)
    invitations(admin, browser)
    another_role(admin, browser, url)

    stale_and_cut(admin, browser, url)

    # A leaver is out at once, with what he has open.
    second = li.context.new_page()
    second.goto(f"{url}/people")
    expect(second.get_by_role("heading", name="People", exact=True).first).to_be_visible()
    admin.reload()
    leaving = row(admin, "People", "li")
    leaving.get_by_text("Withdraw", exact=True).first.click()
    leaving.get_by_role("button", name="Withdraw").click()
    # Both open pages are put away by themselves, with words.
    for page in (li, second):
        expect(page.get_by_text("You are no longer signed in")).to_be_visible(timeout=10_000)
        expect(page.get_by_role("heading", name="People", exact=True)).to_have_count(0)
    expect(row(admin, "People", "li").get_by_text("withdrawn")).to_be_visible()
    expect(admin.get_by_role("region", name="Journal of administration")).to_contain_text(
        "withdrew a person"
    )
    li.reload()
    expect(li.get_by_role("button", name="Sign in")).to_be_visible()

    olga = enter(browser, url, "olga", LEADER)
    olga.get_by_role("link", name="People").click()
    olga.get_by_role("link", name="Your access").last.click()
    for page in (admin, olga):
        usable(page)


def stale_and_cut(admin: Page, browser: Browser, url: str) -> None:
    """A page that shows what is no longer so sends nothing, and neither does one without a line."""
    other = enter(browser, url, "ada", ADMIN)
    other.get_by_role("link", name="People").click()
    admin.reload()
    expect(row(admin, "People", "ada")).to_be_visible()
    add_person(other, "zoe", "corridor", "auditor", LEADER)
    box = filled_in(admin, "zoe")
    box.get_by_role("button", name="Add this person").click()
    expect(box.get_by_role("alert")).to_contain_text("nothing was sent")
    expect(box.get_by_role("alert")).to_contain_text(re.compile(r"Changed since .*: zoe is new\."))
    expect(row(admin, "People", "zoe")).to_be_visible()
    # What the act does not name may change meanwhile.
    add_person(other, "vera", "corridor", "auditor", LEADER)
    box = filled_in(admin, "yan")
    box.get_by_role("button", name="Add this person").click()
    expect(box.get_by_role("status")).to_have_text("Done.")
    # A cut line: nothing goes out, and nothing waits to go later.
    box = filled_in(admin, "xin")
    admin.context.set_offline(True)
    box.get_by_role("button", name="Add this person").click()
    expect(box.get_by_role("alert")).to_contain_text("Nothing was sent")
    admin.context.set_offline(False)
    # An answer that was lost: the object itself says what became of the act.
    admin.route("**/v1/people", _lose)
    box.get_by_role("button", name="Add this person").click()
    box.get_by_role("button", name="See what became of it").click()
    expect(box.get_by_role("alert")).to_contain_text("Since then: xin is new.")
    admin.unroute("**/v1/people")
    admin.reload()


def _lose(asked: Route) -> None:
    """The act reaches the node; its answer reaches nobody."""
    if asked.request.method == "GET":
        asked.continue_()
    else:
        asked.fetch()
        asked.abort("timedout")


def filled_in(page: Page, name: str) -> Any:
    box = form(page, "Add a person")
    box.get_by_label("Name", exact=True).fill(name)
    box.get_by_role("combobox", name="Acts for").select_option("corridor")
    box.get_by_role("radio", name=re.compile("^auditor ")).check()
    box.get_by_label("Password").fill(LEADER)
    return box


def usable(page: Page) -> None:
    """No finding of axe and nothing to push sideways, narrow and wide, every form open."""
    for each in page.locator("details.adding > summary").all():
        each.click()
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        # Colours of what the mouse left change for a moment.
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        found = Axe().run(page).response["violations"]
        assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found] == []
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )


def own_password(page: Page, browser: Browser) -> None:
    """Somebody changes the own password, stays in here, and enters with the new one only."""
    page.get_by_role("link", name="Your access").last.click()
    box = form(page, "Change the password")
    box.get_by_label("Password until now").fill("not the seller's words")
    box.get_by_label("New password").fill(SELLER[::-1])
    box.get_by_role("button", name="Change it").click()
    expect(box.get_by_role("alert")).to_be_visible()
    box.get_by_label("Password until now").fill(SELLER)
    box.get_by_role("button", name="Change it").click()
    expect(box.get_by_role("status")).to_contain_text("The password is changed")
    page.reload()
    expect(page.get_by_role("heading", name="Your access")).to_be_visible()
    again = enter(browser, page.url.removesuffix("/access"), "li", SELLER)
    expect(again.get_by_role("alert")).to_be_visible()


def invitation(page: Page, name: str, party: str, role: str) -> str:
    """The link that an admin gets for somebody new, which its QR code says as well."""
    box = form(page, "Invite a person")
    box.get_by_label("Name", exact=True).fill(name)
    box.get_by_role("combobox", name="Acts for").select_option(party)
    box.get_by_role("radio", name=re.compile(f"^{role} ")).check()
    box.get_by_role("button", name="Make the link").click()
    note = page.get_by_role("status").filter(has_text=f"The link for {name}")
    code = note.get_by_role("img", name=f"QR code of the link for {name}")
    expect(code).to_be_visible()
    link = note.locator("code").inner_text()
    assert read_code(code) == link
    return link


def read_code(code: Any) -> str:
    """What a reader of others finds in a code as it is drawn: each module eight pixels."""
    zxingcpp = pytest.importorskip("zxingcpp", reason="setup is due: a reader of QR codes")
    side = int(code.get_attribute("viewBox").split()[2])
    drawn = np.full((side, side), 255, np.uint8)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", code.locator(".qr-ink").get_attribute("d")):
        drawn[int(y), int(x)] = 0
    [found] = zxingcpp.read_barcodes(np.kron(drawn, np.ones((8, 8), np.uint8)))
    return str(found.text)


def joins(browser: Browser, link: str, password: str) -> Page:
    page = browser.new_context(locale="en", viewport={"width": 1280, "height": 900}).new_page()
    page.goto(link)
    expect(page.get_by_text("invites you.")).to_be_visible()
    assert "#" not in page.url
    page.get_by_label("Your own password").fill(password)
    usable(page)
    page.get_by_role("button", name="Set the password and enter").click()
    return page


def invitations(admin: Page, browser: Browser) -> None:
    """Invited people set their own passwords; a link says when it was used or withdrawn."""
    for name, role in (("nora", "auditor"), ("ruslan", "operator")):
        link = invitation(admin, name, "corridor", role)
        expect(row(admin, "People", name)).to_contain_text("invited; has not set a password yet")
        if name == "nora":
            nora = joins(browser, link, "nora's very own words")
            expect(nora.get_by_role("link", name="People")).to_be_visible()
            said = "was used already"
        else:
            leaving = row(admin, "People", name)
            leaving.get_by_text("Withdraw", exact=True).first.click()
            leaving.get_by_role("button", name="Withdraw").click()
            expect(row(admin, "People", name).get_by_text("withdrawn")).to_be_visible()
            said = "was withdrawn"
        late = browser.new_context(locale="en").new_page()
        late.goto(link)
        expect(late.get_by_role("alert")).to_contain_text(said)
    # For another party: its own person sees who joined, and agrees.
    joins(browser, invitation(admin, "mei", "pumps", "party"), "mei's very own words")
    # nora ends another session of hers, and stays.
    other = enter(browser, nora.url.removesuffix("/"), "nora", "nora's very own words")
    expect(other.get_by_role("link", name="People")).to_be_visible()
    nora.get_by_text("Preferences").click()
    nora.get_by_role("link", name="Your access").click()
    box = nora.get_by_role("region", name="Sessions")
    expect(box.get_by_text("This browser")).to_be_visible()
    box.get_by_text("End this session", exact=True).first.click()
    box.get_by_role("button", name="End this session").click()
    expect(box.get_by_text("Another browser")).to_have_count(0)
    other.reload()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    usable(nora)


def another_role(admin: Page, browser: Browser, url: str) -> None:
    """An operator becomes an auditor; the last admin is offered nothing of the kind."""
    add_person(admin, "otto", "corridor", "operator", LEADER)
    box = row(admin, "People", "otto").locator("details.adding", has_text="Another role")
    box.locator("summary").click()
    box.get_by_role("radio", name=re.compile("^auditor ")).check()
    box.get_by_role("button", name="Give this role").click()
    expect(row(admin, "People", "otto")).to_contain_text("auditor")
    expect(row(admin, "People", "ada").get_by_text("Another role")).to_have_count(0)
    otto = enter(browser, url, "otto", LEADER)
    expect(otto.get_by_role("link", name="People")).to_be_visible()
