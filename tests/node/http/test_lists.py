"""Lists over HTTP: their bounds, what they refuse, whom they admit, and the file of the whole."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Router, get
from litestar.di import Provide

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Forbidden, Unauthenticated
from zhidao.core.ids import party_id
from zhidao.node.http.access import ACCESS, gate
from zhidao.node.http.authentication import Met
from zhidao.node.http.lists import LIST_ROWS_MAX, SORT_CHARACTERS_MAX, routes_of_lists
from zhidao.node.http.problems import HANDLERS
from zhidao.node.lists.cursor import CURSOR_CHARACTERS_MAX, Cursors
from zhidao.node.lists.listing import FILTER_CHARACTERS_MAX, FILTERS_MAX, LISTED, Listing
from zhidao.node.lists.reading import Lists

ROWS = 1_050


class Row(msgspec.Struct):
    """A row of the test's list."""

    name: str
    note: str


LISTING = Listing("rows", ("name",), ("name", "note"))


@get("/rows", opt={LISTED: LISTING, ACCESS: access(Role.PARTY)})
async def rows(actor: Actor, limit: int = 10, after: str = "") -> list[Row]:
    if actor.party == "outlaw":
        raise Forbidden("not for you")
    names = [f"{actor.party}-{i:05}" for i in range(ROWS)]
    return [Row(name, "=cmd|' /C calc'!A0") for name in names if name > after][:limit]


async def _meet(scope: Any) -> Met:
    party = dict(scope["headers"]).get(b"x-party", b"").decode()
    if not party:
        raise Unauthenticated("no credential")
    role = Role.ADMIN if party == "admin" else Role.PARTY
    return Met(Actor(party_id(party), role))


@pytest.fixture
def ask() -> Any:
    async def actor(request: Any) -> Actor:
        return (await _meet(request.scope)).actor

    own = Router("/v1", route_handlers=[rows])
    app = Litestar(
        [own, routes_of_lists([own], Lists(Cursors(SeededRandomness(1))))],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
        guards=[gate(_meet)],
        openapi_config=None,
    )

    async def ask(path: str, party: str = "exporter", **query: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            headers = {"x-party": party} if party else {}
            return await client.get(f"/v1/lists/{path}", params=query, headers=headers)

    return ask


async def test_the_last_of_all_rows_is_reached_page_by_page(ask: Any) -> None:
    found: list[str] = []
    after = ""
    while True:
        page = (await ask("rows", limit=LIST_ROWS_MAX, after=after)).json()
        found += [row["name"] for row in page["rows"]]
        after = page["next"]
        if not after:
            break
    assert found == [f"exporter-{i:05}" for i in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("limit", LIST_ROWS_MAX, 200),
        ("limit", LIST_ROWS_MAX + 1, 400),
        ("limit", 0, 400),
        ("limit", -1, 400),
        ("sort", "a" * SORT_CHARACTERS_MAX, 400),
        ("sort", "a" * (SORT_CHARACTERS_MAX + 1), 400),
        ("after", "a" * CURSOR_CHARACTERS_MAX, 400),
        ("after", "a" * (CURSOR_CHARACTERS_MAX + 1), 400),
        ("filter", "a" * FILTER_CHARACTERS_MAX, 200),
        ("filter", "a" * (FILTER_CHARACTERS_MAX + 1), 400),
        ("filter", ["a"] * FILTERS_MAX, 200),
        ("filter", ["a"] * (FILTERS_MAX + 1), 400),
        ("filter", "'; drop table node.person; --", 200),
        ("filter", "%", 200),
        ("filter", "\U0001f600", 200),
        ("filter", "a" * 10_000, 400),
    ],
)
async def test_bounds_hold(ask: Any, name: str, value: Any, status: int) -> None:
    answer = await ask("rows", **{name: value})
    assert answer.status_code == status
    if status != 200:
        # A sort that is as long as one may be is read, and is no column.
        assert answer.json()["code"]


@pytest.mark.parametrize("path", ["rows", "rows/csv"])
async def test_a_list_admits_whom_its_route_admits(ask: Any, path: str) -> None:
    assert (await ask(path, party="")).status_code == 401
    assert (await ask(path, party="admin")).status_code == 403
    refused = await ask(path, party="outlaw")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_cursor_of_another_party_is_refused_in_words(ask: Any) -> None:
    after = (await ask("rows", sort="name")).json()["next"]
    assert (await ask("rows", sort="name", after=after)).status_code == 200
    refused = await ask("rows", party="importer", sort="name", after=after)
    assert (refused.status_code, refused.json()["code"]) == (400, "stale_cursor")
    assert "first page" in refused.json()["remedy"]


async def test_the_file_of_nothing_has_its_head(ask: Any) -> None:
    answer = await ask("rows/csv", sort="name", filter="no such row")
    assert (answer.status_code, answer.content.decode("utf-8-sig")) == (200, "name,note\r\n")


async def test_a_filter_is_text_and_no_pattern(ask: Any) -> None:
    found = {
        word: (await ask("rows", filter=word)).json() for word in ("%00", "_00", "R-0104", "*")
    }
    assert {word: len(page["rows"]) for word, page in found.items()} == {
        **dict.fromkeys(("%00", "_00", "*"), 0),
        "R-0104": 10,
    }


@pytest.mark.parametrize("sort", ["", "-name"])
async def test_the_file_has_all_rows_and_no_formula(ask: Any, sort: str) -> None:
    answer = await ask("rows/csv", sort=sort)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="rows.csv"'
    text = answer.content.decode("utf-8-sig")
    head, *told = csv.reader(io.StringIO(text, newline=""))
    assert head == ["name", "note"]
    assert len(told) == ROWS
    assert {note for _, note in told} == {"'=cmd|' /C calc'!A0"}
