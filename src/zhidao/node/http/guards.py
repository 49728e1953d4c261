"""What stands before every handler: trace, rate, permission to write, and a guarded body."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.types import ASGIApp

from zhidao.core.ambient import Randomness
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.judging import ON_BEHALF_OF
from zhidao.node.http.answer_headers import secured
from zhidao.node.http.authentication import has_body
from zhidao.node.http.bodies import Bodies
from zhidao.node.http.forwarded import NO_PROXIES, Proxies
from zhidao.node.http.head_requests import answer_as_get
from zhidao.node.http.hosts import Hosts
from zhidao.node.http.problems import on_refusal
from zhidao.node.http.refusal_delays import RefusalDelays
from zhidao.node.http.single_headers import check_single
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.tracing import set_trace, trace_of_request
from zhidao.node.operations.write_gate import WriteGate
from zhidao.node.security.sign_in_delays import address_block

_CALLERS_MAX: Final = 20_000
_PATH_CHARACTERS_MAX: Final = 200
# No route has it, so the router refuses it and tells in `Allow` which methods the path has.
_NO_METHOD: Final = "TRACE"


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        randomness: Randomness,
        bodies: Bodies,
        requests_per_second: int,
        refusals_per_second: int,
        writes: WriteGate,
        hosts: Hosts | None = None,
        refusal: Callable[[Request[Any, Any, Any], ZhidaoError], Response[Any]] = on_refusal,
        proxies: Proxies = NO_PROXIES,
    ) -> None:
        """`refusal`: how a request is answered that no route sees. `hosts`: None takes any."""
        self._hosts = hosts
        self._app = app
        self._refusal = refusal
        self._writes = writes
        self._metrics = metrics
        self._randomness = randomness
        self._bodies = bodies
        self._buckets = Buckets(requests_per_second)
        self._delays = RefusalDelays(refusals_per_second)
        self._proxies = proxies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await answer_as_get(self._guarded, scope, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Any, receive: Any, send: Any) -> None:
        if (task := asyncio.current_task()) is not None:
            # By this name a stall of the event loop is told.
            task.set_name(f"{scope['method']} {scope['path'][:_PATH_CHARACTERS_MAX]}")
        headers = dict(scope["headers"])
        client = self._client(scope)
        caller = self._delays.caller(ON_BEHALF_OF.get(), headers)
        if wait_s := self._delays.wait_s(caller, time.monotonic()):
            await asyncio.sleep(wait_s)
        fresh = self._randomness.token(16).hex()
        set_trace(trace_of_request(headers.get(b"traceparent", b"").decode("latin-1"), fresh))
        started = time.perf_counter()
        status = 500

        async def watch(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = secured({**message, "headers": _allowing(message["headers"])}, scope)
            await send(message)

        try:
            if not self._buckets.take(client, time.monotonic()):
                raise TooMany("too many requests from this address; wait a second")
            if self._hosts:
                self._hosts.check(scope)
            check_single(scope)
            if scope["method"] == "OPTIONS":
                await self._app(scope | {"method": _NO_METHOD}, receive, _allowed(watch))
                return
            self._writes.check(scope["method"], scope["path"])
            if scope["method"] != "GET" or has_body(scope):
                receive = self._bodies.guarded(scope, headers, receive)
            await self._app(scope, receive, watch)
        except ZhidaoError as error:
            request: Request[Any, Any, Any] = Request(scope)
            response = self._refusal(request, error).to_asgi_response(app=None, request=request)
            await response(scope, receive, watch)
        finally:
            self._delays.answered(caller, status, time.monotonic())
            self._metrics.request(scope, status, time.perf_counter() - started)

    def _client(self, scope: Any) -> str:
        """The address of whoever asks, noted for all that goes by it."""
        peer = scope.get("client")
        client = self._proxies.client(peer[0] if peer else "", scope["headers"])
        if peer and client != peer[0]:
            scope["client"] = (client, 0)
        ON_BEHALF_OF.set(address_block(client))
        return client


def _allowing(headers: Any) -> list[tuple[bytes, bytes]]:
    """The same header fields; whoever allows GET allows HEAD."""
    return [
        (name, value + b", HEAD")
        if name.lower() == b"allow" and b"GET" in value and b"HEAD" not in value
        else (name, value)
        for name, value in headers
    ]


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
