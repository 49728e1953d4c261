"""Who is signed in, and what becomes of an open page when that ends, in a real Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

_ENDED = "You are no longer signed in"


def _sign_in(page: Page, name: str = "aigerim") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()


def test_every_tab_of_an_ended_session_is_put_away_and_found_again(readers: Any, node: Any) -> None:
    reader = readers()
    tabs = {path: reader.open(path) for path in ("/consignments/C-2038", "/money")}
    node.turn(signed_in=False)
    for page in tabs.values():
        expect(page).to_have_url(node.url + "/login", timeout=10_000)
        expect(page.get_by_role("status").filter(has_text=_ENDED)).to_be_visible()
    for path, page in tabs.items():
        node.turn(signed_in=False)
        _sign_in(page)
        expect(page).to_have_url(node.url + path)


def test_a_node_that_does_not_answer_leaves_the_page_where_it_is(readers: Any, node: Any) -> None:
    page = readers().open("/consignments/C-2038")
    # The stream ends, and nobody says whether the session still stands.
    page.route("**/v1/session", lambda route: route.fulfill(status=503))
    node.turn(signed_in=False)
    expect(page.get_by_text(re.compile("^Line cut since"))).to_be_visible()
    page.wait_for_timeout(1_500)
    expect(page).to_have_url(node.url + "/consignments/C-2038")
    expect(page.locator("h1")).to_be_visible()
    page.unroute("**/v1/session")
    expect(page).to_have_url(node.url + "/login", timeout=10_000)


_REFUSED = '{"status": 401, "code": "no_session", "detail": "sign in", "where": "", "remedy": ""}'


def test_a_refused_answer_asks_whether_the_session_stands(readers: Any, node: Any) -> None:
    reader = readers()
    # Of a stream that hangs nothing is heard.
    reader.context.route("**/v1/stream", lambda route: None)
    page = reader.open("/consignments/C-2038")
    ways = page.get_by_role("navigation", name="Pages")
    page.route("**/v1/worklist", lambda route: route.fulfill(status=401, body=_REFUSED))
    with page.expect_response("**/v1/session"):
        ways.get_by_role("link", name="Money").click()
    expect(page).to_have_url(node.url + "/money")
    node.turn(signed_in=False)
    ways.get_by_role("link", name="Roads").click()
    expect(page).to_have_url(node.url + "/login")


def test_who_signs_in_comes_to_the_address_that_was_asked(readers: Any, node: Any) -> None:
    node.turn(signed_in=False)
    page = readers().open("/consignments/C-2039")
    expect(page).to_have_url(node.url + "/login")
    expect(page.get_by_text(_ENDED)).to_have_count(0)
    page.reload()
    _sign_in(page)
    expect(page).to_have_url(node.url + "/consignments/C-2039")


def test_who_left_on_purpose_is_not_brought_back(readers: Any, node: Any) -> None:
    page = readers().open("/consignments/C-2039")
    page.locator(".preferences summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(node.url + "/login")
    page.wait_for_timeout(1_500)
    expect(page.get_by_text(_ENDED)).to_have_count(0)
    _sign_in(page)
    expect(page).to_have_url(node.url + "/")


def test_another_person_than_the_one_who_was_put_out_comes_to_the_first_page(
    readers: Any, node: Any
) -> None:
    page = readers().open("/consignments/C-2039")
    node.turn(signed_in=False)
    expect(page).to_have_url(node.url + "/login", timeout=10_000)
    # The fixture knows one person: what was kept is another's.
    page.evaluate(
        "sessionStorage['zhidao-wanted'] = sessionStorage['zhidao-wanted'].replace('Aigerim', 'Li')"
    )
    _sign_in(page)
    expect(page).to_have_url(node.url + "/")


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/", 7, None],
)
def test_no_address_of_another_host_is_ever_opened(
    readers: Any, node: Any, address: object
) -> None:
    node.turn(signed_in=False)
    reader = readers()
    page = reader.open("/login")
    kept = {"to": address, "name": "", "ended": False}
    page.evaluate("kept => { sessionStorage['zhidao-wanted'] = JSON.stringify(kept); }", kept)
    page.reload()
    _sign_in(page)
    expect(page).to_have_url(node.url + "/")
