"""What a newcomer meets: typed words stay, rows of like goods differ, commands work as they are copied."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

_STREAM = 'retry: 300\nevent: road\ndata: {"consignment": "C-2041"}\n\n'
_HTTPS = "https://node.example:9443"


@pytest.mark.slow
def test_what_is_typed_stays_when_something_new_is_said(readers: Any) -> None:
    reader = readers()
    road = _road(reader, "C-2041") | {"money": None}
    awaited = {
        "expected": {
            "terminal": "T-2041",
            "site": road["site"],
            "not_before": "2026-03-03T00:00:00Z",
            "not_after": "2026-04-03T00:00:00Z",
            "risk_ppb": 10_000,
        },
        "containers": [],
        "awaited_by": "customs",
        "state": "awaited",
        "version": 1,
    }
    _answer(reader, "**/v1/consignments/C-2041/road", lambda: road)
    _answer(reader, "**/v1/positioning/arrivals/C-2041", lambda: awaited)
    reader.context.route(
        "**/v1/stream", lambda route: route.fulfill(content_type="text/event-stream", body=_STREAM)
    )
    page = reader.open("/consignments/C-2041#arrival-title")
    arrival = page.get_by_role("region", name="Arrival", exact=True)
    arrival.locator(".act-form > summary").first.click()
    field = arrival.get_by_label("Terminal").first
    field.fill("T-9999")
    # The road tells something that has nothing to do with what is awaited.
    fresh = road["said"][-1] | {"id": "0198aaaa-0000-7000-8000-000000000001"}
    road |= {"said": [*road["said"], fresh], "label": "Ceramic valves, 97 crates"}
    expect(page.locator("h1")).to_have_text(road["label"], timeout=15_000)
    page.wait_for_timeout(500)
    expect(field).to_be_visible()
    expect(field).to_have_value("T-9999")
    # What is awaited itself was changed elsewhere: the form shows that.
    awaited |= {"version": 2, "expected": awaited["expected"] | {"terminal": "T-2050"}}
    expect(arrival.get_by_label("Terminal").first).to_have_value("T-2050", timeout=15_000)


def test_each_row_of_the_home_and_of_the_search_names_its_consignment(readers: Any) -> None:
    reader = readers()
    asked: list[str] = []
    reader.context.on("request", lambda each: asked.append(each.url))
    page = reader.open("/")
    rows = page.locator(".road-list .row")
    expect(rows.first).to_be_visible()
    assert all(re.search(r"\bC-\d{4}\b", text) for text in rows.all_inner_texts())
    # The count in the head of the page is one question.
    page.wait_for_load_state("load")
    assert len([url for url in asked if url.endswith("/v1/worklist")]) == 1
    box = {"kind": "container", "subject": "CSQU3054383", "label": "CSQU3054383"}
    found = {"found": [box | {"consignment": "C-2041"}]}
    reader.context.route("**/v1/search?*", lambda route: route.fulfill(json=found))
    page.keyboard.press("/")
    page.get_by_label("A name, or the beginning of one").fill("csqu")
    expect(page.get_by_role("link", name="CSQU3054383 container · C-2041")).to_be_visible()


def test_a_day_far_away_shows_its_year_and_a_near_one_does_not(readers: Any) -> None:
    reader = readers()
    told = {"made": True, "names": ["node"], "fingerprint": "AB:CD"}
    ends = {"at": "2036-11-28T20:52:00Z"}
    _answer(reader, "**/v1/node/authority", lambda: told | {"ends_at": ends["at"]})
    page = reader.open("/certificate")
    expect(page.locator("main time")).to_contain_text("2036")
    soon = page.evaluate("new Date(Date.now() + 60 * 86400000).toISOString()")
    ends["at"] = soon
    page.reload()
    expect(page.locator("main time")).to_be_visible()
    expect(page.locator("main time")).not_to_contain_text(soon[:4])


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("invitation_used", "this invitation was used already"),
        ("invitation_replaced", "this invitation was replaced by something newer"),
        ("invitation_unknown", "no such invitation"),
        ("invitation_expired", "this invitation ran out at 2026-11-29T20:52:00Z"),
    ],
)
def test_a_refused_invitation_says_so_once(readers: Any, code: str, detail: str) -> None:
    reader = readers()
    problem = {"code": code, "detail": detail}
    reader.context.route(
        "**/v1/invitations/look", lambda route: route.fulfill(status=422, json=problem)
    )
    page = reader.open("/join#code")
    expect(page.locator("main .note p")).to_have_text([detail[0].upper() + detail[1:]])


def test_the_journal_is_narrowed_by_the_words_that_it_shows(readers: Any) -> None:
    reader = readers()
    row = {"party": "customs", "by": "operator", "person": "ada", "at": "2026-03-04T09:12:31Z"}
    acts = ["invitation_accepted", *["signed_in"] * 8]
    rows = [
        row | {"id": f"a{n}", "act": act, "subject": "Dana", "leaf": n}
        for n, act in enumerate(acts)
    ]

    def administration(route: Route) -> None:
        wanted = re.search(r"where=act%3D(\w+)", route.request.url)
        shown = [each for each in rows if not wanted or each["act"] == wanted[1]]
        route.fulfill(json={"rows": shown, "next": ""})

    reader.context.route("**/v1/lists/administration?*", administration)
    page = reader.open("/people")
    journal = page.get_by_role("region", name="Journal of administration")
    expect(journal.locator("tbody tr")).to_have_count(9)
    journal.get_by_role("combobox", name="Act", exact=True).select_option(
        label="used an invitation"
    )
    expect(journal.locator("tbody tr")).to_have_count(1)
    expect(journal.locator("tbody tr")).to_contain_text("used an invitation")


def test_commands_name_this_node_and_the_authority_that_vouches_for_it(readers: Any) -> None:
    reader = readers()
    page = reader.open("/start")
    commands = page.locator(".three code")
    expect(commands.first).to_contain_text(f"--url {reader.node.url}")
    expect(commands.first).not_to_contain_text("--ca")
    expect(page.locator("main")).not_to_contain_text("localhost:8443")
    page = _under_https(reader, "/start")
    expect(commands_of(page).first).to_contain_text(f"--url {_HTTPS}")
    expect(commands_of(page).first).to_contain_text("--ca zhidao-authority.crt")
    expect(page.get_by_role("link", name="Trust this node")).to_be_visible()


def commands_of(page: Page) -> Any:
    """The commands of the first start."""
    return page.locator(".three code")


def _under_https(reader: Any, path: str) -> Page:
    """The fixture's pages as a node shows them that made a certificate authority of its own."""

    def answer(route: Route) -> None:
        if route.request.url.endswith("/v1/node/authority"):
            route.fulfill(json={"made": True, "names": [], "fingerprint": "", "ends_at": ""})
            return
        route.fulfill(response=route.fetch(url=route.request.url.replace(_HTTPS, reader.node.url)))

    reader.context.route(f"{_HTTPS}/**", answer)
    reader.context.route(f"{_HTTPS}/v1/stream", lambda route: route.abort())
    page = reader.context.new_page()
    page.goto(_HTTPS + path)
    page.wait_for_selector("main h1")
    return page


def _road(reader: Any, consignment: str) -> dict[str, Any]:
    url = f"{reader.node.url}/v1/consignments/{consignment}/road"
    road: dict[str, Any] = reader.context.request.get(url).json()
    return road


def _answer(reader: Any, path: str, value: Any) -> None:
    reader.context.route(path, lambda route: route.fulfill(json=value()))
