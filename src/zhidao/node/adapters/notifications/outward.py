"""Requests to addresses that persons named: public ones, https, pinned, no redirect, bounded.

Whoever adds a webhook chooses its URL, so the name is resolved once, the address checked and then
connected to. Networks of the operator's own are open where the settings name them; there, at the
machine itself, plain HTTP is allowed too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

from zhidao.core.errors import MalformedInput, Refused, Unavailable

if TYPE_CHECKING:
    # Imported with the first request: it costs a sixth of a second of the node's start.
    import httpx

_SECONDS: Final = 10.0
# For a whole answer, however slowly its bytes come.
_WHOLE_S: Final = 30.0
_ANSWER_BYTES: Final = 64 * 1024
URL_CHARACTERS_MAX: Final = 2_000
_PORTS: Final = {"https": 443, "http": 80}
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str, *, name: str) -> tuple[Network, ...]:
    """Networks by commas. Raises MalformedInput."""
    found = []
    for word in filter(None, (each.strip() for each in text.split(","))):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            raise MalformedInput(f"{word[:60]!r} is no network", where=name) from error
    return tuple(found)


def check_url(url: str) -> SplitResult:
    """A URL that may be named. Raises MalformedInput, Refused (`no_public_address`)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise MalformedInput("this is no URL", where="target") from error
    plain = url.isascii() and not any(each <= " " for each in url)
    if len(url) > URL_CHARACTERS_MAX or not plain or not _names_a_host(parts, port):
        raise Refused("only https URLs of hosts are written to", code="no_public_address")
    return parts


def _names_a_host(parts: SplitResult, port: int | None) -> bool:
    return parts.scheme in _PORTS and bool(parts.hostname) and not parts.username and port != 0


class Outward:
    """Posts to where the settings allow it."""

    def __init__(
        self, private: Sequence[Network] = (), certificates: ssl.SSLContext | None = None
    ) -> None:
        """`private`: networks of one's own; `certificates`: beside the machine's authorities."""
        self._private = private
        self._certificates = certificates
        self._client: httpx.AsyncClient | None = None

    async def check(self, url: str) -> None:
        """Raises Refused (`no_public_address`) for an address that is never written to."""
        parts = check_url(url)
        await self._address(parts)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises Refused (`no_public_address`), Unavailable."""
        parts = check_url(url)
        address = await self._address(parts)
        host = f"[{address}]" if address.version == 6 else str(address)
        port = parts.port or _PORTS[parts.scheme]
        pinned = urlunsplit((parts.scheme, f"{host}:{port}", parts.path or "/", parts.query, ""))
        client = await self._opened()
        import httpx  # It is loaded by now.

        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                client.stream(
                    "POST",
                    pinned,
                    content=body,
                    headers={"host": parts.netloc, **headers},
                    extensions={"sni_hostname": parts.hostname},
                ) as answer,
            ):
                read = 0
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > _ANSWER_BYTES:
                        break
                return answer.status_code
        except (httpx.HTTPError, OSError) as error:
            said = str(error) or type(error).__name__
            raise Unavailable(f"{parts.hostname} does not answer: {said}", code="no_answer") from (
                error
            )

    async def close(self) -> None:
        """Lets go of all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # In a thread, so that loading it and its authorities holds up nobody else.
            made = await asyncio.to_thread(self._made)
            if self._client is None:
                self._client = made
        return self._client

    def _made(self) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(
            timeout=_SECONDS,
            follow_redirects=False,
            verify=self._certificates or True,
            trust_env=False,
        )

    async def _address(self, parts: SplitResult) -> _Address:
        host = str(parts.hostname)
        try:
            async with asyncio.timeout(_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(
                    host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM
                )
        except (OSError, TimeoutError, UnicodeError) as error:
            raise Unavailable(f"{host[:80]} has no address", code="no_answer") from error
        address = ipaddress.ip_address(found[0][4][0])
        own = any(address in each for each in self._private)
        if not (address.is_global or own) or address.is_multicast:
            raise Refused(
                f"{host[:80]} is at {address}, no public address", code="no_public_address"
            )
        if parts.scheme == "http" and not (own and address.is_loopback):
            raise Refused("only https URLs of hosts are written to", code="no_public_address")
        return address
