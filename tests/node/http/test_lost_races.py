"""A request that lost a race is done again; every other refusal is told at once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, Response, post

from zhidao.core.access import CALLER, OPEN
from zhidao.core.errors import Conflict, WrittenMeanwhile
from zhidao.node.http.access import ACCESS
from zhidao.node.http.lost_races import TRIES_MAX, LostRaces
from zhidao.node.http.problems import handlers_with


class Racing:
    """An application whose first acts are refused."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.bodies: list[bytes] = []

        async def act(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.bodies.append(await request.body())
            if self.refusals:
                raise self.refusals.pop(0)
            return Response(b"made")

        closed = post("/things", opt={ACCESS: CALLER})(act)
        opened = post("/open", opt={ACCESS: OPEN})(act)
        app = Litestar(
            [closed, opened],
            middleware=[LostRaces],
            exception_handlers=handlers_with({}),
            openapi_config=None,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def ask(self, path: str = "/things") -> httpx.Response:
        return await self.http.post(path, content=b"one")


def lost(times: int) -> list[Exception]:
    return [WrittenMeanwhile(f"lost {n}") for n in range(times)]


async def test_what_lost_a_race_is_done_again_with_the_same_body() -> None:
    app = Racing(*lost(TRIES_MAX - 1))
    answer = await app.ask()
    assert (answer.status_code, answer.content) == (201, b"made")
    assert app.bodies == [b"one"] * TRIES_MAX


async def test_whoever_loses_always_is_told() -> None:
    app = Racing(*lost(TRIES_MAX + 1))
    answer = await app.ask()
    assert (answer.status_code, answer.json()["detail"]) == (409, f"lost {TRIES_MAX - 1}")
    assert len(app.bodies) == TRIES_MAX


@pytest.mark.parametrize("error", [Conflict("other content"), RuntimeError("a bug")])
async def test_another_refusal_is_told_at_once(error: Exception) -> None:
    app = Racing(error)
    assert (await app.ask()).status_code in (409, 500)
    assert app.bodies == [b"one"]


async def test_after_a_lost_race_another_refusal_is_the_answer() -> None:
    app = Racing(*lost(1), Conflict("other content"))
    answer = await app.ask()
    assert (answer.status_code, answer.json()["detail"]) == (409, "other content")
    assert len(app.bodies) == 2


async def test_a_strangers_request_uses_up_what_it_brings_and_is_not_repeated() -> None:
    app = Racing(*lost(1))
    assert (await app.ask("/open")).status_code == 409
    assert len(app.bodies) == 1
