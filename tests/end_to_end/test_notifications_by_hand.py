"""Being told, as a person sets it up on the page: a mail address by its code, quiet hours, a browser.

The browser's push service is not there; what it would hand over is handed over by the browser's own
protocol (ServiceWorker.deliverPushMessage), and what the reader then sees is asked of the browser.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect, sync_playwright
from tests.node.adapters.notifications.stubs import Mailbox, mail_server
from tests.node.live_node import admin_of
from tests.node.test_administration import PASSWORD

from zhidao.simulation.node_process import NodeProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd.*"),
]


@pytest.fixture
def corridor(tmp_path: Path) -> Iterator[tuple[NodeProcess, Mailbox]]:
    """A node with a mail server, and aida who runs it."""
    with mail_server() as box, asyncio.Runner() as runner:
        settings = {
            "ZHIDAO_MAIL_HOST": "127.0.0.1",
            "ZHIDAO_MAIL_PORT": str(box.port),
            "ZHIDAO_MAIL_TLS": "off",
            "ZHIDAO_MAIL_FROM": "node@corridor.example",
        }
        node = NodeProcess(tmp_path / "n", settings=settings)

        async def start() -> None:
            await node.start()
            async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
                admin = await admin_of(node, http)
                who = {"name": "aida", "password": PASSWORD, "party": node.name, "role": "admin"}
                await admin.post("/v1/people", who)

        runner.run(start())
        try:
            yield node, box
        finally:
            runner.run(node.stop())


@pytest.fixture
def browser(corridor: object) -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the page was not looked at")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def code_of(box: Mailbox) -> str:
    for _ in range(200):
        for mail in box.mails:
            if found := re.search(r"\b\d{6}\b", mail.get_content()):
                return found[0]
        time.sleep(0.05)
    raise AssertionError("no mail with a code in 10 s")


def test_a_person_sets_up_being_told_on_the_page(
    corridor: tuple[NodeProcess, Mailbox], browser: Browser
) -> None:
    node, box = corridor
    context = browser.new_context(locale="en-GB", timezone_id="Asia/Almaty")
    context.grant_permissions(["notifications"], origin=node.url)
    page = context.new_page()
    page.goto(f"{node.url}/login")
    page.get_by_label("Name").fill("aida")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("Preferences").click()
    page.get_by_role("link", name="Notifications").click()
    expect(page.get_by_text("you are told on these pages only")).to_be_visible()
    page.get_by_text("Add a mail address").click()
    page.get_by_label("Mail address").fill("aida@example.org")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_text("waits for its code")).to_be_visible()
    page.get_by_text("Enter the code").click()
    page.get_by_label("Code from the mail").fill("000000" if code_of(box) != "000000" else "1")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("This is not the code that the mail brought.").first).to_be_visible()
    page.get_by_label("Code from the mail").fill(code_of(box))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("in use", exact=True)).to_be_visible()
    # Told for the first time: by the hours of this browser.
    expect(page.get_by_text("At once. (Asia/Almaty)")).to_be_visible()
    page.get_by_text("Change", exact=True).click()
    page.get_by_label("Quiet hours").check()
    page.get_by_label("Quiet from").fill("21:30")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Quiet from 21:30 to 07:00")).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert [each["id"] for each in violations] == []
    assert pushed(page.context.new_page(), node.url) == ["Corridor: waits for you (1)"]


def pushed(page, url: str) -> list[str]:
    """Hands one push message to the page's worker, twice; titles of what the reader then sees."""
    page.goto(url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = page.context.new_cdp_session(page)
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(each["registrationId"] for each in told["registrations"]),
    )
    session.send("ServiceWorker.enable")
    page.wait_for_timeout(500)
    assert found
    said = {
        "id": "b" * 32,
        "title": "Corridor: waits for you (1)",
        "body": "C-1: the seal",
        "page": "/waiting",
    }
    for _ in range(2):
        session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": url, "registrationId": found[-1], "data": json.dumps(said)},
        )
    page.wait_for_timeout(1000)
    return page.evaluate(
        "navigator.serviceWorker.ready.then((it) => it.getNotifications())"
        ".then((all) => all.map((each) => each.title))"
    )
