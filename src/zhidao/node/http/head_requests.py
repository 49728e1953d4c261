"""HEAD is answered as GET would be, without its body (RFC 9110 section 9.3.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

_ASKED: Final = "zhidao_asked_method"


def asked_method(scope: Any) -> str:
    """The method as the client sent it, which is what its signature covers."""
    return str(scope.get(_ASKED, scope["method"]))


async def answer_as_get(
    app: Callable[[Any, Any, Any], Awaitable[None]], scope: Any, send: Any
) -> None:
    """Lets `app` answer the GET; its body is dropped, and a stream ends where it would begin."""
    begun = ended = heard = False

    async def nobody_reads() -> dict[str, Any]:
        """An empty body, then the news on which a stream gives up."""
        nonlocal heard
        if heard:
            return {"type": "http.disconnect"}
        heard = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def bare(message: Any) -> None:
        nonlocal begun, ended
        if message["type"] == "http.response.start":
            begun = True
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b""})

    await app(scope | {"method": "GET", _ASKED: scope["method"]}, nobody_reads, bare)
    if begun:
        await bare({"type": "http.response.body"})
