from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any

import pytest

from zhidao.core import access
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.node.http.access import ACCESS
from zhidao.node.http.bodies import (
    ENCODINGS,
    JSON_BYTES_INLINE,
    OPEN_BODY_BYTES_MAX,
    STRANGERS_BYTES,
    WHOLE,
    Bodies,
    TooLarge,
    TooSlow,
    UnsupportedEncoding,
    json_error,
)

OPEN = SimpleNamespace(opt={ACCESS: access.OPEN})
CLOSED = SimpleNamespace(opt={ACCESS: access.CALLER})
TOKEN = (b"authorization", b"Bearer right")


async def meet(scope: Any) -> None:
    if TOKEN not in scope["headers"]:
        raise Unauthenticated("nobody")


def scope_of(handler: Any, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"headers": [*headers, (b"content-type", b"application/json")], "route_handler": handler}


class Line:
    """A connection that brings these pieces and then, if asked to, nothing more."""

    def __init__(self, pieces: Iterable[bytes], *, ends: bool = True) -> None:
        self._pieces = list(pieces)
        self._ends = ends
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        if not self._pieces:
            await asyncio.Event().wait()
        self.taken += 1
        piece = self._pieces.pop(0)
        more = bool(self._pieces) or not self._ends
        return {"type": "http.request", "body": piece, "more_body": more}


async def body_of(bodies: Bodies, scope: dict[str, Any], line: Line) -> bytes:
    return (await bodies.guarded(scope, dict(scope["headers"]), line.receive)())["body"]


async def test_a_body_that_the_server_has_whole_is_bounded_all_the_same() -> None:
    bodies = Bodies(meet, bytes_max=10)
    scope = scope_of(CLOSED, TOKEN) | {WHOLE: True}
    assert await body_of(bodies, scope, Line([b"12345678"])) == b"12345678"
    with pytest.raises(TooLarge):
        await body_of(bodies, scope, Line([b"1" * 11]))


async def test_nothing_of_a_strangers_body_is_read() -> None:
    line = Line([b"{}"])
    with pytest.raises(Unauthenticated):
        await body_of(Bodies(meet, bytes_max=1000), scope_of(CLOSED), line)
    with pytest.raises(Unauthenticated):
        await body_of(Bodies(meet, bytes_max=1000), scope_of(None), line)
    assert line.taken == 0
    assert await body_of(Bodies(meet, bytes_max=1000), scope_of(CLOSED, TOKEN), line) == b"{}"


@pytest.mark.bound("node.http.bodies.OPEN_BODY_BYTES_MAX")
async def test_open_routes_take_little_and_callers_what_is_configured() -> None:
    bodies = Bodies(meet, bytes_max=4 * OPEN_BODY_BYTES_MAX)
    large = b'"' + b"x" * (OPEN_BODY_BYTES_MAX - 1) + b'"'
    with pytest.raises(TooLarge, match=str(OPEN_BODY_BYTES_MAX)):
        await body_of(bodies, scope_of(OPEN), Line([large]))
    fits = b'"' + b"x" * (OPEN_BODY_BYTES_MAX - 2) + b'"'
    assert await body_of(bodies, scope_of(OPEN), Line([fits])) == fits
    assert await body_of(bodies, scope_of(CLOSED, TOKEN), Line([large[:9], large[9:]])) == large


async def test_a_route_may_let_strangers_send_more_and_compressed() -> None:
    bodies = Bodies(meet, bytes_max=4 * OPEN_BODY_BYTES_MAX)
    opt = {ACCESS: access.OPEN, STRANGERS_BYTES: 2 * OPEN_BODY_BYTES_MAX, ENCODINGS: (b"gzip",)}
    handler = SimpleNamespace(opt=opt)
    plain = {"headers": [], "route_handler": handler}
    more = b"x" * 2 * OPEN_BODY_BYTES_MAX
    assert await body_of(bodies, plain, Line([more])) == more
    with pytest.raises(TooLarge):
        await body_of(bodies, plain, Line([more + b"x"]))
    with pytest.raises(TooLarge):
        await body_of(Bodies(meet, bytes_max=10), plain, Line([b"x" * 11]))
    zipped = plain | {"headers": [(b"content-encoding", b"gzip")]}
    assert await body_of(bodies, zipped, Line([b"x"])) == b"x"
    with pytest.raises(UnsupportedEncoding):
        await body_of(bodies, zipped | {"route_handler": OPEN}, Line([b"x"]))
    brotli = plain | {"headers": [(b"content-encoding", b"br")]}
    with pytest.raises(UnsupportedEncoding):
        await body_of(bodies, brotli, Line([b"x"]))


async def test_a_declared_length_is_refused_without_reading() -> None:
    line = Line([b"1"])
    with pytest.raises(TooLarge):
        await body_of(Bodies(meet, bytes_max=9), scope_of(OPEN, (b"content-length", b"10")), line)
    assert line.taken == 0


async def test_a_body_that_stops_coming_is_refused() -> None:
    bodies = Bodies(meet, bytes_max=1000, timeout_s=0.02)
    with pytest.raises(TooSlow) as caught:
        await body_of(bodies, scope_of(OPEN), Line([b"{"], ends=False))
    assert caught.value.http_status == 408


async def test_large_json_is_read_in_another_process_and_refused_with_its_place() -> None:
    good = b'{"a":"' + b"x" * JSON_BYTES_INLINE + b'"}'
    # As a node makes it; a fork of a process with threads may never answer.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        bodies = Bodies(meet, bytes_max=2 * len(good), workers=workers)
        assert await body_of(bodies, scope_of(CLOSED, TOKEN), Line([good])) == good
        with pytest.raises(MalformedInput) as caught:
            await body_of(bodies, scope_of(CLOSED, TOKEN), Line([good[:-1] + b',"a":1}']))
    assert caught.value.code == "duplicate_key"


def test_an_error_crosses_to_the_node_as_plain_words() -> None:
    assert json_error(b"{}", 9) is None
    assert json_error(b"[1,", 9) == (
        "not JSON: Expecting value",
        "malformed_input",
        "line 1 column 4",
    )
