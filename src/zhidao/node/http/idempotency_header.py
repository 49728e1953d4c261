"""The header `Idempotency-Key` of every POST: in front of the handler, behind the router.

Whoever is known may send one with any POST; nothing requires it. A stranger cannot be told from
another, so on routes that are open to strangers the header has no meaning, nor where nodes speak to
each other: what they send has one effect by its own identifier.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar.types import ASGIApp

from zhidao.core.access import Access
from zhidao.core.errors import MalformedInput
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import Met
from zhidao.node.security.idempotency import (
    ANSWER_BYTES_MAX,
    KEY_CHARACTERS_MAX,
    Answer,
    Asked,
    Idempotency,
    asked_by,
)

HEADER: Final = "Idempotency-Key"
# As many as `KEY_CHARACTERS_MAX`.
PATTERN: Final = r"^[!-~]{1,255}\Z"
# Said of an answer that was given before.
REPLAYED: Final = b"idempotency-replayed"
_NAME: Final = HEADER.lower().encode()
_FORM: Final = re.compile(PATTERN)
# What of an answer's headers is its own; all others are made anew for each answer.
_KEPT_HEADERS: Final = frozenset((b"content-type", b"location", b"etag"))
_REFUSED: Final = 400
_BROKEN: Final = 500
_UNAVAILABLE: Final = 503


def takes_key(access: object, method: str) -> bool:
    """Whether a route's requests may bear the header with a meaning."""
    return (
        method == "POST"
        and isinstance(access, Access)
        and not access.is_open
        and not access.is_for_nodes
    )


class IdempotencyKeys:
    """ASGI: does what is asked under a key once, and gives its answer again."""

    def __init__(
        self, app: ASGIApp, keys: Idempotency, meet: Callable[[Any], Awaitable[Met]]
    ) -> None:
        self._app = app
        self._keys = keys
        self._meet = meet

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request."""
        given = [value for name, value in scope.get("headers", ()) if name == _NAME]
        access = scope["route_handler"].opt.get(ACCESS)
        if not given or not takes_key(access, scope.get("method", "")):
            await self._app(scope, receive, send)
            return
        met = await self._meet(scope)
        # As the gate does it: nothing is read of whom the route does not admit.
        access.admit(met.actor)
        key = _key(given)
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedInput("the connection closed before the body was whole")
        asked = asked_by(met.actor, key, *_request(scope), message.get("body", b""))
        answer = await self._keys.begin(asked)
        if answer is not None:
            await _send(send, answer)
            return
        await self._do(asked, scope, _again(message, receive), send)

    async def _do(self, asked: Asked, scope: Any, receive: Any, send: Any) -> None:
        held = _Held(self._keys, asked, send)
        try:
            await self._app(scope, receive, held.send)
        finally:
            if not held.ended:
                # Of what broke nobody knows how far it came: the key stays without an answer.
                self._keys.leave(asked)


class _Held:
    """Holds an answer back until it is durable."""

    def __init__(self, keys: Idempotency, asked: Asked, send: Any) -> None:
        self._keys = keys
        self._asked = asked
        self._send = send
        self._start: Any = None
        self._body = bytearray()
        self._passed = False
        # Whether the key is another's to wait for no longer, and perhaps another's already.
        self.ended = False

    async def send(self, message: Any) -> None:
        """Takes a piece of the answer."""
        if self._passed:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")
            more = message.get("more_body", False)
            if not more or len(self._body) > ANSWER_BYTES_MAX:
                await self._end()
                await self._send(self._start)
                await self._send(message | {"body": bytes(self._body)})
                self._passed = True

    async def _end(self) -> None:
        status: int = self._start["status"]
        self.ended = status < _BROKEN or status == _UNAVAILABLE
        if status < _REFUSED:
            kept = [pair for pair in self._start["headers"] if pair[0].lower() in _KEPT_HEADERS]
            await self._keys.finish(self._asked, Answer(status, kept, bytes(self._body)))
        elif self.ended:
            await self._keys.give_up(self._asked)


def _key(given: list[bytes]) -> str:
    text = given[0].decode("latin-1")
    if len(given) > 1 or not _FORM.fullmatch(text):
        raise MalformedInput(
            f"{HEADER} is one text of 1 to {KEY_CHARACTERS_MAX} visible ASCII characters",
            code="bad_idempotency_key",
            where=HEADER,
            remedy="send a new UUID for each thing to be done",
        )
    return text


def _request(scope: Any) -> tuple[bytes, ...]:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return (scope["method"].encode(), scope["raw_path"], scope["query_string"], kind)


def _again(message: Any, receive: Any) -> Any:
    """A `receive` that gives the message that was taken, then what follows."""
    given = False

    async def once() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return message

    return once


async def _send(send: Any, answer: Answer) -> None:
    body = answer.body or b""
    headers = [*answer.headers, (REPLAYED, b"true"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
