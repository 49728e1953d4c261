"""The one route beside the router: transfers as records, thousands of small requests a second.

It stands behind the same guards as all others (rate, permission to write, bounded bodies) and asks
the same authenticator. A request with a signature, a session or an idempotency key goes the usual
way: only tokens are quick. What it answers is what the usual route answers.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from litestar.types import ASGIApp

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.records import from_bytes
from zhidao.finance.service.payments.bank_transfers import MAY_MOVE, BankTransfers
from zhidao.node.http.authentication import Authenticator

_PATH: Final = re.compile(r"/v1/finance/transfers/([A-Z]{3})/records")
# With one of these a request goes through the router.
_SLOW: Final = frozenset((b"signature-input", b"idempotency-key"))
_HEADERS: Final = [(b"content-type", b"application/json")]


class QuickTransfers:
    """ASGI: answers POST of records by token itself, and leaves everything else to the app."""

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, transfers: BankTransfers
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._transfers = transfers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST" or not _by_token(scope["headers"]):
            await self._app(scope, receive, send)
            return
        met = await self._authenticator.meet(scope)
        MAY_MOVE.admit(met.actor)
        # The guards have bound the body.
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedInput("the connection closed before the body was whole")
        records = from_bytes(message.get("body", b""))
        results = await self._transfers.move_records(met.actor, found[1], records)
        body = msgspec.json.encode([one.value for one in results])
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 201, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})


def _by_token(headers: Any) -> bool:
    names = {name for name, _ in headers}
    return b"authorization" in names and names.isdisjoint(_SLOW)
