"""Reads DID documents and status lists over https, from public addresses only.

Whoever sends a credential chooses these URLs, so: https, no redirect, the address is resolved
once, checked and then connected to, and time and size are bounded.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from zhidao.core.errors import Refused, Unavailable

_SECONDS: Final = 5.0
# For a whole answer, however slowly its bytes come.
_WHOLE_S: Final = 30.0
_BYTES_MAX: Final = 8 * 1024 * 1024
_PORT: Final = 443


class HttpEvidence:
    """Implements `service.gathering.Fetcher`. DNS records are not read: they stay unavailable."""

    def __init__(
        self, certificates: ssl.SSLContext | None = None, *, allow_private: bool = False
    ) -> None:
        """`allow_private`: for a network of one's own, where hosts have private addresses."""
        self._allow_private = allow_private
        self._client = httpx.AsyncClient(
            timeout=_SECONDS, follow_redirects=False, verify=certificates or True, trust_env=False
        )

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._client.aclose()

    async def read(self, url: str) -> bytes:
        """The body of a 200 answer. Raises Refused (`egress_refused`), Unavailable."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or len(url) > 2_000:
            raise Refused(f"only https URLs of hosts are read: {url[:80]}", code="egress_refused")
        port = parts.port or _PORT
        address = await self._address(parts.hostname, port)
        host = f"[{address}]" if address.version == 6 else str(address)
        pinned = urlunsplit(("https", f"{host}:{port}", parts.path, parts.query, ""))
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                self._client.stream(
                    "GET",
                    pinned,
                    headers={"host": parts.netloc},
                    extensions={"sni_hostname": parts.hostname},
                ) as answer,
            ):
                return await _body(answer, url)
        except TimeoutError as error:
            late = f"{url[:80]}: no whole answer within {_WHOLE_S:.0f} s"
            raise Unavailable(late, code="unreachable") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{url[:80]}: {error}", code="unreachable") from error

    async def texts(self, domain: str) -> tuple[str, ...]:
        """Always Unavailable (`issuer_domain_unavailable`)."""
        raise Unavailable(
            f"the DNS records of {domain[:80]} are not read here", code="issuer_domain_unavailable"
        )

    async def _address(self, host: str, port: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        try:
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(_SECONDS):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{host[:80]} has no address: {error}", code="unreachable") from error
        address = ipaddress.ip_address(found[0][4][0])
        if not (address.is_global or self._allow_private) or address.is_multicast:
            raise Refused(f"{host[:80]} is at {address}, no public address", code="egress_refused")
        return address


async def _body(answer: httpx.Response, url: str) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"{url[:80]} answers {answer.status_code}", code="unreachable")
    data = bytearray()
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) > _BYTES_MAX:
            raise Unavailable(
                f"{url[:80]} answers more than {_BYTES_MAX} bytes", code="unreachable"
            )
    return bytes(data)
