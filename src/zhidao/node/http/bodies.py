"""Reads request bodies: after the caller is known, within bounds of size and time, strictly.

The application asks for a body only once the router has found a route for it. Then the caller is
met by the headers alone, unless the route is open to strangers, who may send little; only then are
bytes taken from the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from zhidao.core.access import Access
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.node.http.access import ACCESS

# A sign-in or a code is a few hundred bytes.
OPEN_BODY_BYTES_MAX: Final = 64 * 1024
# What a route may say of itself (`opt`): that strangers may send so much more, and compressed.
STRANGERS_BYTES: Final = "strangers_body_bytes"
ENCODINGS: Final = "content_encodings"
# A body has this long, and a second more for each so many bytes that came: the slowest link that
# such a node is for brings more, and a caller who trickles holds a place for a short time only.
BODY_S: Final = 15.0
BODY_BYTES_PER_S_MIN: Final = 8 * 1024
# In the scope of a request whose last byte the server has: nobody waits for more of it.
WHOLE: Final = "zhidao.whole"
# In the scope of a request whose JSON was read strictly, so that its depth is bounded.
READ_STRICTLY: Final = "zhidao.read_strictly"
# Strict reading takes about a millisecond for so much; more is done in another process.
JSON_BYTES_INLINE: Final = 32 * 1024


class TooLarge(MalformedInput):
    """A body beyond the configured size."""

    http_status = 413
    default_code = "body_too_large"


class TooSlow(Refused):
    """A body that does not come in time."""

    http_status = 408
    default_code = "body_too_slow"


class UnsupportedEncoding(MalformedInput):
    """A content encoding that is not read."""

    http_status = 415
    default_code = "unsupported_encoding"


class Bodies:
    """Stands between the connection and whoever asks for its body.

    `meet` raises if the headers name no caller; `accept` raises if what they say does not hold for
    the body, before anything reads it. `workers` read large JSON (None: read at once).
    """

    def __init__(
        self,
        meet: Callable[[Any], Awaitable[object]],
        *,
        bytes_max: int,
        accept: Callable[[Any, bytes], Awaitable[None]] | None = None,
        workers: Executor | None = None,
        timeout_s: float = BODY_S,
    ) -> None:
        self._meet = meet
        self._accept = accept
        self._bytes_max = bytes_max
        self._workers = workers
        self._timeout_s = timeout_s

    def guarded(self, scope: Any, headers: Mapping[bytes, bytes], receive: Any) -> Any:
        """A `receive` that gives the whole body at once, checked, or raises a ZhidaoError."""
        waiting = True

        async def once() -> Any:
            nonlocal waiting
            if not waiting:
                return await receive()
            waiting = False
            body = await self._body(scope, headers, receive)
            return {"type": "http.request", "body": body, "more_body": False}

        return once

    async def _body(self, scope: Any, headers: Mapping[bytes, bytes], receive: Any) -> bytes:
        bytes_max = self._bytes_max
        if _is_open(scope):
            bytes_max = min(bytes_max, _said(scope, STRANGERS_BYTES, OPEN_BODY_BYTES_MAX))
        else:
            await self._meet(scope)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > bytes_max:
            raise TooLarge(f"the body has {int(length)} bytes; at most {bytes_max}")
        encoding = headers.get(b"content-encoding", b"identity")
        if encoding != b"identity" and encoding not in _said(scope, ENCODINGS, ()):
            raise UnsupportedEncoding("a compressed request body is not read; send it plain")
        body = await self._read(receive, bytes_max, whole=WHOLE in scope)
        if self._accept and not _is_open(scope):
            await self._accept(scope, body)
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if body and (kind == b"application/json" or kind.endswith(b"+json")):
            await self._check_json(body)
            scope[READ_STRICTLY] = True
        return body

    async def _read(self, receive: Any, bytes_max: int, *, whole: bool) -> bytes:
        if whole:
            return _piece(await receive(), bytes_max)
        body = bytearray()
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                while True:
                    message = await receive()
                    piece = _piece(message, bytes_max, len(body))
                    if not message.get("more_body", False):
                        return bytes(body) + piece if body else piece
                    body += piece
                    earned_s = len(body) / BODY_BYTES_PER_S_MIN
                    deadline.reschedule(started_s + self._timeout_s + earned_s)
        except TimeoutError as error:
            raise TooSlow(
                f"the body did not come in time: {len(body)} bytes in"
                f" {loop.time() - started_s:.0f} s",
                remedy="send the body without pauses, or in smaller requests",
            ) from error

    async def _check_json(self, body: bytes) -> None:
        if self._workers is None or len(body) <= JSON_BYTES_INLINE:
            parse_strict(body, bytes_max=self._bytes_max)
            return
        loop = asyncio.get_running_loop()
        try:
            wrong = await loop.run_in_executor(self._workers, json_error, body, self._bytes_max)
        except BrokenProcessPool as error:
            raise Unavailable("the process that read the body ended; send it again") from error
        if wrong:
            message, code, where = wrong
            raise MalformedInput(message, code=code, where=where)


def _piece(message: Any, bytes_max: int, held: int = 0) -> bytes:
    """What a message brings, unless it is too much beside what is held already."""
    if message["type"] != "http.request":
        raise MalformedInput("the connection closed before the body was whole")
    piece: bytes = message.get("body", b"")
    if held + len(piece) > bytes_max:
        raise TooLarge(f"the body is larger than {bytes_max} bytes")
    return piece


def json_error(body: bytes, bytes_max: int) -> tuple[str, str, str] | None:
    """What is wrong with a JSON body: message, code, place. For another process, hence plain."""
    try:
        parse_strict(body, bytes_max=bytes_max)
    except MalformedInput as error:
        return str(error.args[0]), error.code, error.where
    return None


def _said(scope: Any, name: str, otherwise: Any) -> Any:
    """What the route that the router found says of itself under a name."""
    return getattr(scope.get("route_handler"), "opt", {}).get(name, otherwise)


def _is_open(scope: Any) -> bool:
    """Whether strangers may use the route that the router found: its declaration says so."""
    found = _said(scope, ACCESS, None)
    return isinstance(found, Access) and found.is_open
