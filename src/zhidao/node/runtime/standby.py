"""What a standby answers: how it is, and everything else by asking the process that serves."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.remedies import remedy_of
from zhidao.node.leases.ports import Member
from zhidao.node.leases.roles import MANY, ROLES, unknown_role
from zhidao.node.operations.alarms import Alarm
from zhidao.node.runtime.reader import Reader

PASSED: Final = b"zhidao-passed"
AGAIN_S: Final = 1
# A holder that takes longer to take a connection is asked no more.
_CONNECT_S: Final = 2.0
# An answer may be a stream that says nothing for a while.
_READ_S: Final = 60.0
_CONNECTIONS: Final = 256
_HOP: Final = frozenset(
    (
        *(b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", PASSED),
    )
)


async def refuse(send: Any, error: ZhidaoError) -> None:
    """A problem (RFC 9457); one that will be over soon says when to ask again."""
    status = error.http_status
    body = {
        "type": f"urn:zhidao:problem:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.code,
        "detail": str(error.args[0]),
        "remedy": remedy_of(error),
    }
    again = [(b"retry-after", b"%d" % AGAIN_S)] if status == 503 else []
    await _answer(send, status, b"application/problem+json", msgspec.json.encode(body), again)


class Standby:
    """Answers for a process without leases.

    `holder`: the process that serves now, None while there is none. `alarms`: what is wrong.
    `reader`: what is answered here without asking anybody, as far as it goes.
    """

    def __init__(
        self,
        holder: Callable[[], Member | None],
        alarms: Callable[[], list[Alarm]],
        reader: Callable[[], Reader | None] = lambda: None,
    ) -> None:
        self._holder = holder
        self._alarms = alarms
        self._reader = reader
        self._client: Any = None
        self._client_of = ("", "")

    async def __call__(self, scope: Any, receive: Any, send: Any, *, passed: bool) -> None:
        """Answers one request. One that was passed on already goes no further."""
        if scope["path"] == "/healthz":
            await _answer(send, 200, b"application/json", b'{"status":"alive"}')
        elif scope["path"] == "/readyz":
            await self._ready(scope, send)
        elif not passed and (reader := self._reader()) and reader.answers(scope):
            await reader(scope, receive, send, lambda: self._ask(scope, receive, send))
        else:
            await self._ask(scope, receive, send, passed=passed)

    async def _ask(self, scope: Any, receive: Any, send: Any, *, passed: bool = False) -> None:
        if (holder := self._holder()) is None or passed:
            error = Unavailable("no process of this node holds its leases now", code="no_holder")
            await refuse(send, error)
        else:
            await self._pass_on(holder, scope, receive, send)

    async def close(self) -> None:
        """Lets go of its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ready(self, scope: Any, send: Any) -> None:
        """Ready for what it passes on; never for what needs a lease."""
        role = parse_qs(scope["query_string"].decode("latin-1")).get("role", [""])[0]
        if role not in ("", *ROLES):
            await refuse(send, unknown_role(role))
            return
        down = ["holder"] if self._holder() is None else []
        if role not in ("", *MANY):
            down.append(role)
        body = {"ready": not down, "down": down, "alarms": self._alarms()}
        status = 503 if down else 200
        await _answer(send, status, b"application/json", msgspec.json.encode(body))

    async def _pass_on(self, holder: Member, scope: Any, receive: Any, send: Any) -> None:
        import httpx

        client = (scope.get("client") or ("",))[0]
        reached = (scope.get("server") or ("",))[0]
        said = f"{holder.password} {client} {reached}".encode("latin-1")
        headers = [pair for pair in scope["headers"] if pair[0] not in _HOP]
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        caller = _Caller(receive)
        request = httpx.Request(
            scope["method"],
            holder.url,
            headers=[*headers, (PASSED, said)],
            content=caller.body() if _has_body(scope["headers"]) else None,
            # As the caller wrote it: its signature covers these bytes.
            extensions={"target": target, "timeout": _TIMEOUT},
        )
        begun = False
        try:
            response = await (await self._to(holder)).send(request, stream=True)
            begun = True
            await _copied(response, caller, send)
        except (httpx.TransportError, OSError) as error:
            # An answer that was begun cannot be taken back; the server cuts it short.
            if not begun:
                reason = str(error) or type(error).__name__
                away = f"the process that holds the leases is away: {reason}"
                await refuse(send, Unavailable(away, code="holder_silent"))

    async def _to(self, holder: Member) -> Any:
        """The client for the one that serves now; it takes no certificate but that one's."""
        import httpx

        if self._client is None or self._client_of != (holder.url, holder.certificate):
            if self._client is not None:
                await self._client.aclose()
            self._client_of = holder.url, holder.certificate
            self._client = httpx.AsyncClient(
                verify=_only(holder.certificate) if holder.certificate else True,
                trust_env=False,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=_CONNECTIONS),
            )
        return self._client


_TIMEOUT: Final = {"connect": _CONNECT_S, "read": _READ_S, "write": _READ_S, "pool": _CONNECT_S}


def _only(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The name is the balancer's; which certificate it is, the node's own database says.
    context.check_hostname = False
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)


class _Caller:
    """Who asked: reads what is sent, and notices when nobody waits any more."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive

    async def body(self) -> AsyncIterator[bytes]:
        """What is sent, as it comes. Raises OSError if the caller leaves."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionAbortedError("the caller left")
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def gone(self) -> None:
        """Returns when the caller has left."""
        while (await self._receive())["type"] != "http.disconnect":
            continue


async def _copied(response: Any, caller: _Caller, send: Any) -> None:
    """Sends an answer on, until it ends or its reader leaves."""
    kept = [(name.lower(), value) for name, value in response.headers.raw]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [pair for pair in kept if pair[0] not in _HOP],
        }
    )

    async def copy() -> None:
        async for part in response.aiter_raw():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    # A stream of events may be silent for minutes: without this its reader would never be missed.
    copying, gone = asyncio.ensure_future(copy()), asyncio.ensure_future(caller.gone())
    try:
        await asyncio.wait((copying, gone), return_when=asyncio.FIRST_COMPLETED)
        if copying.done():
            await copying
    finally:
        for task in (copying, gone):
            task.cancel()
        await response.aclose()


async def _answer(
    send: Any,
    status: int,
    media: bytes,
    body: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    length = (b"content-length", b"%d" % len(body))
    said = [(b"content-type", media), (b"cache-control", b"no-store"), length, *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": said})
    await send({"type": "http.response.body", "body": body})
