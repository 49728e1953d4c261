"""Acts of administration are read page by page, and a page is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.node.security.gate_world import ADMIN, World

from zhidao.core.actor import Actor
from zhidao.node.api.people import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.store.reading import Stored


@pytest.mark.bound("node.api.people.ACTS_MAX")
@pytest.mark.parametrize(("limit", "status"), [(200, 200), (201, 400)])
async def test_a_page_of_acts_has_two_hundred_at_most(limit: int, status: int) -> None:
    asked: list[object] = []

    async def read_acts(**given: object) -> Sequence[Stored]:
        asked.append(given["limit"])
        return []

    async def actor() -> Actor:
        return ADMIN

    app = Litestar(
        [routes(World().people, cast(Any, None), read_acts, ADMIN.party)],
        dependencies={"actor": Provide(actor)},
        exception_handlers=HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        answer = await client.get(f"/v1/administration?limit={limit}")
    assert answer.status_code == status
    assert asked == ([limit] if status == 200 else [])
    assert ("200" in answer.text) == (status == 400)
