"""What a process without leases answers by itself, and what it leaves to the holder."""

from __future__ import annotations

from typing import Any

import pytest

from zhidao.core.errors import Unavailable
from zhidao.node.runtime.reader import Reader, Reading

PATHS = ("/", "/assets/{name:str}", "/log/tile/{path:path}", "/v1/trust/log/{index:int}")


def scope(path: str, method: str = "GET", *headers: bytes) -> dict[str, Any]:
    return {"method": method, "path": path, "headers": [(name, b"1") for name in headers]}


def answering(status: int) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive
        scope["noted"] = True
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    return app


async def asked(status: int) -> tuple[list[Any], int, dict[str, Any]]:
    sent: list[Any] = []
    passed_on = 0
    about = scope("/")

    async def send(message: Any) -> None:
        sent.append(message)

    async def otherwise() -> None:
        nonlocal passed_on
        passed_on += 1

    await Reader(answering(status), PATHS)(about, None, send, otherwise)
    return sent, passed_on, about


@pytest.mark.parametrize(
    "path", ["/", "/assets/a.js", "/log/tile/0/x001/067", "/log/tile/entries/0", "/v1/trust/log/7"]
)
def test_it_answers_reads_of_its_own_addresses(path: str):
    reader = Reader(answering(200), PATHS)
    assert reader.answers(scope(path))
    assert reader.answers(scope(path, "HEAD"))
    assert not reader.answers(scope(path, "POST"))
    assert not reader.answers(scope(path, "GET", b"content-length"))
    assert not reader.answers(scope(path, "GET", b"transfer-encoding"))


@pytest.mark.parametrize(
    "path", ["/v1/parties", "/assets/", "/assets/a/b", "/v1/trust/log/x", "/v1/trust/log/7/8", "//"]
)
def test_other_addresses_are_the_holders(path: str):
    assert not Reader(answering(200), PATHS).answers(scope(path))


@pytest.mark.parametrize("status", [200, 304, 429])
async def test_what_it_decides_it_says(status: int):
    sent, passed_on, about = await asked(status)
    assert [message.get("status") for message in sent] == [status, None]
    assert passed_on == 0
    assert "noted" not in about


@pytest.mark.parametrize("status", [400, 401, 403, 404, 421, 500, 503])
async def test_what_it_refuses_the_holder_is_asked(status: int):
    sent, passed_on, _ = await asked(status)
    assert sent == []
    assert passed_on == 1


async def test_a_database_that_is_away_is_tried_again_and_let_go_of_once():
    tries, closed = 0, 0

    async def close() -> None:
        nonlocal closed
        closed += 1

    async def opened() -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("away")
        return Reader(answering(200), PATHS), close

    reading = Reading(opened)
    await reading.open()
    assert reading.reader() is None
    await reading.open()
    await reading.open()
    assert reading.reader() is not None
    assert tries == 2
    await reading.close()
    await reading.close()
    assert (reading.reader(), closed) == (None, 1)
