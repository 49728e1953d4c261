"""The one route beside the router: transfers as records, thousands of small requests a second.

It stands behind the same guards as all others (rate, permission to write, bounded bodies) and asks
the same doorkeeper. A request with a signature or a session goes the usual way: only tokens are
quick. What it answers is what the usual route answers.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from litestar.types import ASGIApp

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.records import from_bytes
from zhidao.finance.service.bank_transfers import BankTransfers
from zhidao.node.api.doorkeeper import Doorkeeper

_PATH: Final = re.compile(r"/v1/finance/transfers/([A-Z]{3})/records")
_HEADERS: Final = [(b"content-type", b"application/json")]


class QuickTransfers:
    """ASGI: answers POST of records by token itself, and leaves everything else to the app."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, transfers: BankTransfers) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._transfers = transfers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST" or not _by_token(scope["headers"]):
            await self._app(scope, receive, send)
            return
        # The guards have bound the body; asking for it meets the caller first.
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedInput("the connection closed before the body was whole")
        met = await self._doorkeeper.meet(scope)
        records = from_bytes(message.get("body", b""))
        results = await self._transfers.move_records(met.actor, found[1], records)
        body = msgspec.json.encode([one.value for one in results])
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 201, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})


def _by_token(headers: Any) -> bool:
    names = {name for name, _ in headers}
    return b"authorization" in names and b"signature-input" not in names
