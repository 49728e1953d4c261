"""What stands before every handler: trace, limits, strict JSON, headers, and who is asking."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from http import HTTPStatus
from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp

from zhidao.core.actor import Actor
from zhidao.core.ambient import Randomness
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.node.api.problems import needs_credential, problem
from zhidao.node.metrics import Metrics
from zhidao.node.readings import Readings
from zhidao.node.security.gate import Gate
from zhidao.node.security.http_signatures import Message, parse_signature
from zhidao.node.tracing import set_trace, trace_of_request
from zhidao.node.write_gate import WriteGate

SESSION_COOKIE: Final = "zhidao_session"
CSRF_COOKIE: Final = "zhidao_csrf"
_CALLERS_MAX: Final = 20_000
# No route has it, so the router refuses it and tells in `Allow` which methods the path has.
_NO_METHOD: Final = "TRACE"
_LOG: Final = logging.getLogger("zhidao.api")


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        randomness: Randomness,
        body_bytes_max: int,
        requests_per_second: int,
        writes: WriteGate,
    ) -> None:
        self._app = app
        self._writes = writes
        self._metrics = metrics
        self._randomness = randomness
        self._body_bytes_max = body_bytes_max
        self._buckets = Buckets(requests_per_second)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        fresh = self._randomness.token(16).hex()
        set_trace(trace_of_request(headers.get(b"traceparent", b"").decode("latin-1"), fresh))
        started = time.perf_counter()
        status = 500

        async def watch(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            client = scope.get("client")
            if not self._buckets.take(client[0] if client else "", time.monotonic()):
                raise TooMany("too many requests from this address; wait a second")
            if scope["method"] == "OPTIONS":
                await self._app(scope | {"method": _NO_METHOD}, receive, _allowed(watch))
                return
            self._writes.check(scope["method"], scope["path"])
            receive = await self._checked(scope, headers, receive)
            await self._app(scope, receive, watch)
        except ZhidaoError as error:
            response = problem(
                error.http_status,
                code=error.code,
                detail=str(error.args[0]),
                where=error.where,
                remedy=error.remedy,
            ).to_asgi_response(app=None, request=_request(scope))
            await response(scope, receive, watch)
        finally:
            self._metrics.request(scope, status, time.perf_counter() - started)

    async def _checked(self, scope: Any, headers: dict[bytes, bytes], receive: Any) -> Any:
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._body_bytes_max:
            raise TooLarge(f"the body has {int(length)} bytes; at most {self._body_bytes_max}")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise UnsupportedEncoding("a compressed request body is not read; send it plain")
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        body = await self._read(receive)
        if body and (kind == b"application/json" or kind.endswith(b"+json")):
            parse_strict(body, bytes_max=self._body_bytes_max)
        sent = False

        async def again() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        return again

    async def _read(self, receive: Any) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise MalformedInput("the connection closed before the body was whole")
            body += message["body"]
            if len(body) > self._body_bytes_max:
                raise TooLarge(f"the body is larger than {self._body_bytes_max} bytes")
            if not message["more_body"]:
                return bytes(body)


def _allowed(send: Any) -> Any:
    """Turns the refusal of a method into the answer to OPTIONS: no body, all methods in `Allow`."""
    rest = True

    async def answer(message: Any) -> None:
        nonlocal rest
        if (
            message["type"] == "http.response.start"
            and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED
        ):
            headers = [pair for pair in message["headers"] if pair[0].lower() == b"allow"]
            rest = False
            await send(
                {"type": "http.response.start", "status": HTTPStatus.NO_CONTENT, "headers": headers}
            )
        elif rest:
            await send(message)
        elif not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return answer


class TooMany(Refused):
    """More requests than the configured rate."""

    http_status = 429
    default_code = "too_many_requests"


class TooLarge(MalformedInput):
    """A body beyond the configured size."""

    http_status = 413
    default_code = "body_too_large"


class UnsupportedEncoding(MalformedInput):
    """A content encoding that is not read."""

    http_status = 415
    default_code = "unsupported_encoding"


class Buckets:
    """A token bucket for each caller address: `rate` a second, four seconds' worth at once."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._level: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now_s: float) -> bool:
        """Whether this address may send one more request now. `now_s` is monotonic."""
        if self._rate == 0:
            return True
        full = 4.0 * self._rate
        level, since = self._level.pop(address, (full, now_s))
        level = min(full, level + (now_s - since) * self._rate)
        allowed = level >= 1
        self._level[address] = (level - 1 if allowed else level, now_s)
        if len(self._level) > _CALLERS_MAX:
            self._level.popitem(last=False)
        return allowed


class Doorkeeper:
    """Finds the actor behind a request: by token, by session, never by anything else."""

    def __init__(self, gate: Gate, readings: Readings | None = None) -> None:
        self._gate = gate
        self._readings = readings

    async def actor(self, connection: Request[Any, Any, Any]) -> Actor:
        """The actor, whose look at others' data is noted.

        Raises Unauthenticated or, without the CSRF token, Forbidden.
        """
        actor = await self._actor(connection)
        if self._readings:
            await self._readings.look(actor, connection.path_params)
        return actor

    async def _actor(self, connection: Request[Any, Any, Any]) -> Actor:
        if "signature-input" in connection.headers:
            return await self._by_signature(connection)
        authorization = connection.headers.get("authorization")
        if authorization:
            return await self._gate.by_token(authorization)
        cookie = connection.cookies.get(SESSION_COOKIE)
        if cookie:
            method = str(dict(connection.scope)["method"])
            csrf = connection.headers.get("x-csrf-token", "")
            return await self._gate.by_session(cookie, method=method, csrf=csrf)
        raise needs_credential()

    async def _by_signature(self, request: Request[Any, Any, Any]) -> Actor:
        headers: dict[str, list[str]] = {}
        for name, value in request.scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        signed = parse_signature(
            ", ".join(headers["signature-input"]), ", ".join(headers.get("signature", ()))
        )
        message = Message(
            method=str(request.method),
            scheme=str(request.scope["scheme"]),
            authority=headers.get("host", [""])[0],
            path=request.scope["raw_path"].decode("latin-1").partition("?")[0],
            query=request.scope["query_string"].decode("latin-1"),
            headers=headers,
        )
        return await self._gate.by_signature(message, signed, await request.body())


def _request(scope: Any) -> Any:
    return Request(scope)
