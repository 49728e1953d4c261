"""Each role is offered the pages that it may really use, and told whose the others are: on the
pages of a node that `zhidao serve` started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.end_to_end.test_people_by_hand import ADMIN, browser, enter, first_admin, serving

from zhidao.node.web.page_access import needs

__all__ = ["browser"]
pytestmark = [
    *(pytest.mark.browser, pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)),
]

WORDS = "a sentence of this person alone"
PEOPLE = {"olga": "operator", "li": "party", "aud": "auditor"}
ROLES = {"ada": "admin", **PEOPLE}
# Addresses of pages that name no consignment, credit or deal.
_ADDRESSES = {
    entry: "/" if entry == "home" else "/" + entry.replace(".", "/")
    for entry in needs()
    if not entry.startswith(("act.", "consignments"))
}
OFFERED = {
    "admin": {"Roads", "Trust", "People", "Peers", "Node"},
    "operator": {
        *("Roads", "Factory", "Devices", "Declarations", "Money", "Exchange", "Trust"),
        *("People", "Peers", "Node"),
    },
    "auditor": {
        *("Roads", "Factory", "Devices", "Declarations", "Money", "Exchange", "Trust"),
        *("People", "Node"),
    },
    "party": {
        *("Roads", "Papers", "Factory", "Devices", "Declarations", "Money", "Exchange"),
        *("Trust", "People", "Node"),
    },
}


def _let_in(url: str) -> None:
    """A party, and a person of each role, by the API: how people do it is another test's."""
    with httpx.Client(base_url=url, timeout=60) as admin:
        _sign_in(admin, "ada", ADMIN)
        party = {"party": "pumps", "name": "Pumps", "trade_role": "exporter", "country": "CN"}
        assert admin.post("/v1/parties", json=party).status_code == 201
        for name, role in PEOPLE.items():
            acts_for = "pumps" if role == "party" else "corridor"
            body = {"name": name, "password": WORDS, "party": acts_for, "role": role}
            assert admin.post("/v1/people", json=body).status_code == 201
    with httpx.Client(base_url=url, timeout=60) as operator:
        _sign_in(operator, "olga", WORDS)
        assert operator.post("/v1/people/li/agreement").status_code == 200


def _sign_in(http: httpx.Client, name: str, password: str) -> None:
    answer = http.post("/v1/session", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    # The cookies are for TLS alone, which this node has not.
    for each in answer.headers.get_list("set-cookie"):
        key, _, value = each.partition(";")[0].partition("=")
        http.headers["cookie"] = "; ".join(
            part for part in (http.headers.get("cookie", ""), f"{key}={value}") if part
        )
        if key == "zhidao_csrf":
            http.headers["x-csrf-token"] = value


def _quiet(page: Page) -> None:
    expect(page.locator("main h1, main .note").first, page.url).to_be_visible()
    page.wait_for_timeout(250)


def _heard(page: Page) -> list[str]:
    """Answers that say that the caller may not."""
    refused: list[str] = []
    page.on(
        "response",
        lambda answer: (
            refused.append(f"{answer.status} {answer.request.method} {answer.url} on {page.url}")
            if answer.status in (401, 403)
            else None
        ),
    )
    return refused


@pytest.mark.parametrize(
    "names", [pytest.param(["ada"], id="admin"), pytest.param([*PEOPLE], marks=pytest.mark.long)]
)
def test_a_role_opens_what_it_is_offered_and_nothing_is_refused(
    tmp_path: Path, browser: Browser, names: list[str]
) -> None:
    with serving(tmp_path, "corridor", alone=False) as served:
        url = served["url"]
        first_admin(browser, served, "Khorgos Gate").context.close()
        _let_in(url)
        for name in names:
            page = enter(browser, url, name, ADMIN if name == "ada" else WORDS)
            _opens_what_is_offered(page, ROLES[name])
            _is_told_whose_the_others_are(page, url)
            page.context.close()


def _opens_what_is_offered(page: Page, role: str) -> None:
    ways = page.get_by_role("banner").get_by_role("navigation").get_by_role("link")
    expect(ways.first).to_be_visible()
    refused = _heard(page)
    assert set(ways.all_inner_texts()) == OFFERED[role]
    for way in ways.all():
        way.click()
        _quiet(page)
        assert page.get_by_role("main").get_by_role("alert").count() == 0, (role, page.url)
    # What the palette offers leads to pages of the reader's own too.
    for place in range(_offers(page)):
        _offers(page)
        page.get_by_role("dialog").get_by_role("listitem").get_by_role("link").nth(place).click()
        _quiet(page)
        expect(page.get_by_role("heading", name="somebody else’s")).to_have_count(0)
    assert refused == []


def _offers(page: Page) -> int:
    page.keyboard.press("Control+k")
    links = page.get_by_role("dialog").get_by_role("listitem").get_by_role("link")
    expect(links.first).to_be_visible()
    return links.count()


def _is_told_whose_the_others_are(page: Page, url: str) -> None:
    closed: dict[str, Any] = page.evaluate("fetch('/v1/session').then((each) => each.json())")
    refused = _heard(page)
    for entry, address in _ADDRESSES.items():
        page.goto(url + address)
        _quiet(page)
        main = page.get_by_role("main")
        heading = main.get_by_role("heading", name="This page is somebody else’s")
        if entry not in closed["closed"]:
            expect(heading).to_have_count(0)
            continue
        expect(heading).to_be_visible()
        expect(main).to_contain_text("It is for whoever signs in as ")
        for form in ("form", "input", "select", "textarea", "button", "[role=alert]", ".note-stop"):
            assert main.locator(form).count() == 0, (entry, form)
    assert Axe().run(page).response["violations"] == []
    assert refused == []
