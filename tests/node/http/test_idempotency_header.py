"""The header `Idempotency-Key`: which requests it counts for, and what is answered again."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, Response, get, post

from zhidao.core.access import CALLER, OPEN
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.idempotency import MemoryIdempotency
from zhidao.node.http.access import ACCESS, gate
from zhidao.node.http.authentication import Met
from zhidao.node.http.idempotency_header import HEADER, IdempotencyKeys
from zhidao.node.http.problems import HANDLERS
from zhidao.node.security.idempotency import ANSWER_BYTES_MAX, KEY_CHARACTERS_MAX, Idempotency

KEY = {HEADER: '"one"'}


class Counted:
    """An application whose every act is counted."""

    def __init__(self) -> None:
        self.done = 0
        self.fails: Exception | None = None
        self.answer = b"made"

        @post("/things", opt={ACCESS: CALLER})
        async def thing(request: Request[Any, Any, Any]) -> Response[bytes]:
            assert await request.body()
            await asyncio.sleep(0.01)
            if self.fails:
                raise self.fails
            self.done += 1
            headers = {"Location": f"/things/{self.done}", "Set-Cookie": "a=b"}
            return Response(self.answer, headers=headers, media_type="text/plain")

        @post("/open", opt={ACCESS: OPEN})
        async def anybody() -> str:
            self.done += 1
            return "made"

        @get("/things", opt={ACCESS: CALLER})
        async def things() -> int:
            return self.done

        self.store = MemoryIdempotency()
        self.restart(thing, anybody, things)

    def restart(self, *routes: Any) -> None:
        self.routes = routes or self.routes
        keys = Idempotency(
            self.store,
            HandClock(Utc.parse("2026-03-01T08:00:00Z")),
            SeededRandomness(1),
            SoftwareKey(Algorithm.ED25519, b"k" * 32),
        )
        app = Litestar(
            list(self.routes),
            middleware=[lambda app: IdempotencyKeys(app, keys, meet)],
            guards=[gate(meet)],
            exception_handlers=HANDLERS,
            openapi_config=None,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def ask(self, content: bytes = b"x", who: str = "a", **headers: str) -> httpx.Response:
        return await self.http.post(
            "/things", content=content, headers=KEY | {"x-who": who} | headers
        )


async def meet(scope: Any) -> Met:
    who = dict(scope["headers"]).get(b"x-who", b"a").decode()
    return Met(Actor(PartyId(who), Role.PARTY, "", f"token {who}"))


@pytest.fixture
def app() -> Counted:
    return Counted()


async def test_the_first_answer_is_given_again(app: Counted) -> None:
    first, *others = [await app.ask() for _ in range(3)]
    app.restart()
    others.append(await app.ask())
    assert app.done == 1
    for other in others:
        assert (other.status_code, other.content) == (first.status_code, first.content)
        for name in ("location", "content-type"):
            assert other.headers[name] == first.headers[name]
        assert "set-cookie" not in other.headers
        assert other.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_of_many_at_once_one_is_done(app: Counted) -> None:
    answers = await asyncio.gather(*(app.ask() for _ in range(20)))
    assert app.done == 1
    assert {(one.status_code, one.content) for one in answers} == {(201, b"made")}
    assert sum("idempotency-replayed" in one.headers for one in answers) == 19


async def test_a_key_is_of_one_caller_and_one_request(app: Counted) -> None:
    await app.ask()
    assert (await app.ask(who="b")).status_code == 201
    assert app.done == 2
    for more in ({"content": b"y"}, {"content-type": "text/xml"}):
        answer = await app.ask(**more)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert app.done == 2


@pytest.mark.parametrize("error", [Refused("no"), Unavailable("later")])
async def test_a_refusal_is_not_kept(app: Counted, error: Exception) -> None:
    app.fails = error
    assert not (await app.ask()).is_success
    app.fails = None
    assert (await app.ask()).status_code == 201
    assert app.done == 1


async def test_what_broke_half_way_is_not_done_again(app: Counted) -> None:
    app.fails = RuntimeError("a bug")
    assert (await app.ask()).status_code == 500
    app.fails = None
    answer = await app.ask()
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_unanswered")
    assert app.done == 0


async def test_an_answer_too_large_to_keep_comes_once(app: Counted) -> None:
    app.answer = b"x" * (ANSWER_BYTES_MAX + 1)
    assert (await app.ask()).content == app.answer
    answer = await app.ask()
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_gone")
    assert app.done == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "\u00e4", "x" * (KEY_CHARACTERS_MAX + 1)])
async def test_a_key_of_another_form_is_refused(app: Counted, key: str) -> None:
    answer = await app.http.post("/things", content=b"x", headers=[(HEADER, key.encode())])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
    assert app.done == 0


async def test_two_keys_are_refused_and_the_longest_is_taken(app: Counted) -> None:
    two = [(HEADER, b"a"), (HEADER, b"b")]
    assert (await app.http.post("/things", content=b"x", headers=two)).status_code == 400
    longest = {HEADER: "x" * KEY_CHARACTERS_MAX}
    assert (await app.http.post("/things", content=b"x", headers=longest)).status_code == 201


async def test_where_strangers_are_let_in_and_where_nothing_is_made_it_means_nothing(
    app: Counted,
) -> None:
    for _ in range(2):
        assert (await app.http.post("/open", headers=KEY)).status_code == 201
        assert (await app.http.get("/things", headers=KEY)).status_code == 200
    assert app.done == 2
