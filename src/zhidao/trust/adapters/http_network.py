"""Other nodes over HTTP: https, or plain to loopback; bounded in time and size, no redirects."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.service.witness.ports import Answer

if TYPE_CHECKING:
    # Imported with the first question: it costs a sixth of a second of the node's start.
    import httpx

_SECONDS: Final = 5.0
# For a whole answer, however slowly its bytes come.
_WHOLE_S: Final = 60.0
# A bundle holds at most 256 entries of 65,535 bytes with their lengths.
_BYTES_MAX: Final = 256 * 65_537 + 1024
_CONNECTIONS: Final = 32
# Most entries are digests, which do not shrink: the quickest level gets what there is to get.
_PACKING: Final = 1


class HttpNetwork:
    """Implements `Network`. Addresses come from the operator's policy files only.

    `certificates`: what to trust beside the machine's own authorities, or None.
    """

    def __init__(self, certificates: ssl.SSLContext | None = None) -> None:
        self._certificates = certificates
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str) -> Answer:
        """The answer to a GET."""
        return await self._ask("GET", url, b"", "")

    async def post(self, url: str, body: bytes, *, kind: str, packed: bool = False) -> Answer:
        """The answer to a POST."""
        if packed:
            body = await asyncio.to_thread(gzip.compress, body, _PACKING, mtime=0)
        return await self._ask("POST", url, body, kind, packed=packed)

    async def close(self) -> None:
        """Lets go of all connections."""
        if self._client is not None:
            await self._client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=_SECONDS,
                follow_redirects=False,
                verify=self._certificates or True,
                limits=httpx.Limits(max_connections=_CONNECTIONS),
                # The environment's proxies are not the operator's choice of peers.
                trust_env=False,
            )
        return self._client

    async def _ask(
        self, method: str, url: str, body: bytes, kind: str, *, packed: bool = False
    ) -> Answer:
        _check(url)
        import httpx

        headers = {"content-type": kind} if kind else {}
        if packed:
            headers["content-encoding"] = "gzip"
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                self._opened().stream(
                    method, url, content=body or None, headers=headers
                ) as response,
            ):
                data = bytearray()
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > _BYTES_MAX:
                        raise Unavailable(f"{url} answers more than {_BYTES_MAX} bytes")
                return Answer(response.status_code, bytes(data))
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"{url} does not answer: {reason}") from error


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise Refused(f"{url[:120]!r} is neither https nor on this machine", code="bad_url")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
