"""The HTTP connection of uvicorn with time-outs for all that a client sends.

uvicorn times only connections that rest between two requests. This one also ends a connection
whose request line and headers do not come in time or are too many, and one that goes on sending a
body after its answer is out. How long the body of a request in work may take is bounded where it
is read (`node.http.bodies`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zhidao.node.http.bodies import WHOLE
from zhidao.node.http.one_write import OneWrite

HEAD_S: Final = 15.0
HEAD_BYTES_MAX: Final = 64 * 1024
REST_S: Final = 10.0


class PatientHttp(HttpToolsProtocol):
    """One connection. `head_s`: from its begin, or a request's first byte, to all headers.

    A request that comes whole in one piece on a kept connection starts no timer.
    """

    head_s = HEAD_S
    rest_s = REST_S
    # Told of the file number of each connection whose handshake is done.
    shook: Callable[[int], None] = staticmethod(lambda _: None)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        if (endpoint := transport.get_extra_info("socket")) is not None:
            self.shook(endpoint.fileno())
        super().connection_made(cast("asyncio.Transport", OneWrite(transport, self.loop)))
        self._wait(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes bytes in; what of them belongs to an unfinished head is counted and timed."""
        super().data_received(data)
        if not self._in_head():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers_too_large",
                f"request line and headers are larger than {HEAD_BYTES_MAX} bytes",
            )
        elif self._timer is None:
            self._wait(self.head_s)

    def on_headers_complete(self) -> None:
        """Hands the request over."""
        if self._timer is not None:
            self._stop_waiting()
        self._head_bytes = 0
        if not self.url.startswith((b"/", b"*")):
            self._take_authority()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Notes that the body is whole, also one that nobody reads any more."""
        if self._timer is not None:
            self._stop_waiting()
        super().on_message_complete()
        # uvicorn does not say so of a body whose answer is out already.
        self.cycle.more_body = False
        # Nothing more is to come, so nobody needs a clock to wait by (`node.http.bodies`).
        self.scope[WHOLE] = True  # type: ignore[typeddict-unknown-key]

    def on_response_complete(self) -> None:
        """Lets the next request come, once the rest of this one's body is there."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait(self.rest_s)

    def _take_authority(self) -> None:
        """The host in an absolute request target stands in place of Host (RFC 9112 3.2.2)."""
        target = httptools.parse_url(self.url)
        port = f":{target.port}".encode() if target.port is not None else b""
        host = (target.host or b"") + port
        self.headers[:] = [(b"host", host), *(one for one in self.headers if one[0] != b"host")]

    def _in_head(self) -> bool:
        """Whether the next byte belongs to a request line or a header."""
        if self.transport.is_closing():
            return False
        cycle = self.cycle
        return cycle is None or (cycle.response_complete and not cycle.more_body)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self._in_head() and self._head_bytes:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                "headers_too_slow",
                f"request line and headers did not come within {self.head_s:g} s",
            )
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        self._stop_waiting()
        problem = {
            "type": f"urn:zhidao:problem:{code}",
            "title": status.phrase,
            "status": status,
            "code": code,
            "detail": detail,
        }
        body = json.dumps(problem).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
