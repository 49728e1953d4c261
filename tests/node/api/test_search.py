"""The route of search: its bounds, and that a stranger's answer is that of one with nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.finance.domain.naming import uetr
from zhidao.node.api import search as search_api
from zhidao.node.api.search import SEARCHED_CHARACTERS_MAX
from zhidao.node.http.problems import HANDLERS
from zhidao.node.search.finding import FOUND_MAX, Named, Search
from zhidao.node.search.memory import MemorySearchIndex


async def _parties(actor: Actor) -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def ask() -> Any:
    index = MemorySearchIndex()
    rows = [f"k{number:03}" for number in range(FOUND_MAX + 10)]
    await index.add([Named("exporter", row, "invoice", row, row, "") for row in rows])

    async def actor(request: Any) -> Actor:
        return Actor(party_id(request.headers["x-party"]), Role.PARTY)

    app = Litestar(
        [search_api.routes(Search(index, _parties, uetr))],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
        openapi_config=None,
    )

    async def ask(party: str = "exporter", **query: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.get("/v1/search", params=query, headers={"x-party": party})

    return ask


@pytest.mark.parametrize(
    ("query", "status", "count"),
    [
        ({"q": "k", "limit": FOUND_MAX}, 200, FOUND_MAX),
        ({"q": "k", "limit": FOUND_MAX + 1}, 400, 0),
        ({"q": "k", "limit": 0}, 400, 0),
        ({"q": "x" * SEARCHED_CHARACTERS_MAX}, 200, 0),
        ({"q": "x" * (SEARCHED_CHARACTERS_MAX + 1)}, 400, 0),
        ({"q": "k" * 10_000}, 400, 0),
        ({"q": ""}, 400, 0),
        ({}, 400, 0),
        ({"q": "%"}, 200, 0),
        ({"q": "\U0001f600"}, 200, 0),
        ({"q": "' or 1=1 --"}, 200, 0),
    ],
)
async def test_bounds_hold(ask: Any, query: dict[str, Any], status: int, count: int) -> None:
    answer = await ask(**query)
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["found"]) == count


async def test_a_stranger_hears_what_one_hears_who_has_nothing(ask: Any) -> None:
    hidden, absent = await ask(party="importer", q="k001"), await ask(party="importer", q="zzz")
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.content == b'{"found":[]}'
