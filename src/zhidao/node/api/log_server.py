"""A log over HTTP and nothing else: C2SP tlog-tiles for readers, commitments for writers.

One small ASGI application, for logs that take more than a node's API should carry beside its other
work. It stands behind whatever decides who may write: `may_write` sees the request's headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput, NotFound, Unauthenticated, ZhidaoError
from zhidao.trust.service.entries import (
    COMMITMENT_BYTES,
    COMMITMENTS_MAX,
    Entries,
    commitment_leaves,
)
from zhidao.trust.service.log_reader import LogReader
from zhidao.trust.wire.tiles import parse_tile_path

_BODY_BYTES_MAX: Final = COMMITMENT_BYTES * COMMITMENTS_MAX
_BODY_S: Final = 10.0
_TEXT: Final = b"text/plain; charset=utf-8"
_BYTES: Final = b"application/octet-stream"
_FRESH: Final = (b"cache-control", b"no-cache")
_FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")


class LogServer:
    """`GET /checkpoint`, `GET /tile/…`, `POST /add`: 1 to 256 commitments of 32 bytes.

    The answer to `/add` is `<first> <count>`, a newline, and the signed head that covers them.
    """

    def __init__(
        self,
        reader: LogReader,
        entries: Entries,
        may_write: Callable[[Mapping[bytes, bytes]], bool],
    ) -> None:
        self._reader = reader
        self._entries = entries
        self._may_write = may_write

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        try:
            status, kind, body, cache = await self._answer(scope, receive)
        except ZhidaoError as error:
            problem: dict[str, Json] = {
                "code": error.code,
                "detail": str(error),
                "status": error.http_status,
            }
            status, kind, cache = error.http_status, b"application/problem+json", _FRESH
            body = jcs(problem)
        length = (b"content-length", b"%d" % len(body))
        headers = [(b"content-type", kind), length, cache]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: Any, receive: Callable[[], Awaitable[Any]]
    ) -> tuple[int, bytes, bytes, tuple[bytes, bytes]]:
        method, path = scope["method"], scope["path"]
        if method == "POST" and path == "/add":
            if not self._may_write(dict(scope["headers"])):
                raise Unauthenticated("this caller may not write to the log")
            async with asyncio.timeout(_BODY_S):
                body = await _body(receive)
            done = await self._entries.add(commitment_leaves(body))
            head = b"%d %d\n" % (done.first, done.count)
            return 200, _TEXT, head + done.checkpoint, _FRESH
        if method in ("GET", "HEAD") and path == "/checkpoint":
            return 200, _TEXT, await self._reader.checkpoint(), _FRESH
        if method in ("GET", "HEAD") and path.startswith("/tile/"):
            try:
                name = parse_tile_path(path.removeprefix("/tile/"))
            except MalformedInput as error:
                raise NotFound(str(error)) from error
            return 200, _BYTES, await self._reader.tile(name), _FOREVER
        raise NotFound(f"nothing is at {path[:80]}")


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedInput("the connection closed before the body was whole")
        body += message["body"]
        if len(body) > _BODY_BYTES_MAX:
            raise MalformedInput(f"at most {COMMITMENTS_MAX} commitments of 32 bytes at once")
        if not message.get("more_body"):
            return bytes(body)
