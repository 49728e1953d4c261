"""One gate before all handlers: no declaration, no start; the wrong role, no byte of a body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get, post

from zhidao.core.access import CALLER, OPEN, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused, Unauthenticated
from zhidao.core.ids import party_id
from zhidao.node.http.access import ACCESS, check_declared, gate
from zhidao.node.http.authentication import Met
from zhidao.node.http.problems import HANDLERS

MAY_PAY = access(Role.PARTY)


@post("/pay", opt={ACCESS: MAY_PAY})
async def pay(request: Request[Any, Any, Any]) -> str:
    return (await request.body()).decode()


@get("/open", opt={ACCESS: OPEN})
async def everybody() -> str:
    return "open"


@get("/callers", opt={ACCESS: CALLER})
async def callers() -> str:
    return "callers"


@get("/forgotten")
async def forgotten() -> str:
    return "nobody said who may"


async def _meet(scope: Any) -> Met:
    role = dict(scope["headers"]).get(b"x-role", b"").decode()
    if not role:
        raise Unauthenticated("no credential")
    return Met(Actor(party_id("importer"), Role(role)))


def _app(*handlers: Any) -> Litestar:
    return Litestar(
        list(handlers), guards=[gate(_meet)], exception_handlers=HANDLERS, openapi_config=None
    )


async def _ask(app: Litestar, method: str, path: str, role: str = "", **more: Any) -> Any:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        return await client.request(method, path, headers={"x-role": role} if role else {}, **more)


def test_a_route_that_declares_nothing_stops_the_start() -> None:
    check_declared(_app(pay, everybody, callers))
    with pytest.raises(Refused) as refused:
        check_declared(_app(pay, forgotten))
    assert refused.value.code == "undeclared_route"
    assert "/forgotten" in str(refused.value)
    assert refused.value.remedy


async def test_a_route_that_declares_nothing_answers_nobody_either() -> None:
    answer = await _ask(_app(forgotten), "GET", "/forgotten", "party")
    assert (answer.status_code, answer.json()["code"]) == (422, "undeclared_route")


@pytest.mark.parametrize("role", [role.value for role in Role if role is not Role.PARTY])
async def test_the_wrong_role_is_refused_before_a_byte_of_the_body_is_asked_for(role: str) -> None:
    read = []

    async def body() -> Any:
        read.append(True)
        yield b"all of it"

    transport = _Untouched(_app(pay))
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        answer = await client.post("/pay", content=body(), headers={"x-role": role})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert transport.asked == 0


async def test_the_right_role_is_admitted_and_a_stranger_told_to_say_who_he_is() -> None:
    app = _app(pay, everybody, callers)
    assert (await _ask(app, "POST", "/pay", "party", content=b"1")).text == "1"
    assert (await _ask(app, "POST", "/pay", content=b"1")).status_code == 401
    assert (await _ask(app, "GET", "/open")).text == "open"
    assert (await _ask(app, "GET", "/callers")).status_code == 401
    for role in ("admin", "operator", "party", "auditor"):
        assert (await _ask(app, "GET", "/callers", role)).text == "callers"


class _Untouched(httpx.ASGITransport):
    """Counts how often the application asked for the body before it began to answer."""

    def __init__(self, app: Litestar) -> None:
        self.asked = 0

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            answering = False

            async def asked() -> Any:
                if not answering:
                    self.asked += 1
                return await receive()

            async def sent(message: Any) -> None:
                nonlocal answering
                answering = True
                await send(message)

            await app(scope, asked, sent)

        super().__init__(counting)


def test_a_route_of_another_package_declares_itself_by_the_same_word() -> None:
    @get("/elsewhere", opt={"access": OPEN})
    async def elsewhere() -> str:
        return ""

    check_declared(_app(elsewhere))
