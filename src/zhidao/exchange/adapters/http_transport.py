"""Bundles to peers over HTTPS, signed, bounded in time and size, without redirects."""

from __future__ import annotations

import asyncio
import ssl
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from zhidao.core.ambient import Clock
from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS
from zhidao.exchange.domain.limits import BUNDLE_BYTES_MAX
from zhidao.exchange.domain.peer import Peer, check_url
from zhidao.exchange.service.dispatch import PeerRefused
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.exchange.wire.bundle import BUNDLE_TYPE
from zhidao.exchange.wire.request import signed_headers

if TYPE_CHECKING:
    # Imported with the first bundle: it costs a sixth of a second of the node's start.
    import httpx

BUNDLE_PATH: Final = "/exchange/bundle"
_PIECE_S, _CONNECT_S = 15.0, 5.0
# For a bundle and its whole answer, however slowly the bytes come.
_ANSWER_S: Final = 120.0
_OK: Final = 200
# What no repetition mends: RFC 9110 sections 15.5.1, 15.5.14, 15.5.16 and 15.5.21.
_FOR_GOOD: Final = frozenset((400, 413, 415, 422))
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class HttpTransport:
    """Implements `service.ports.Transport`. Addresses come from admitted peers only."""

    def __init__(self, identity: SigningIdentity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._clients: dict[PartyId, tuple[Peer, httpx.AsyncClient]] = {}

    async def get_ready(self, peer: Peer) -> None:
        """Loads the client before the first bundle asks for it; see the port."""
        await self._client(peer)

    async def post(self, peer: Peer, bundle: bytes) -> bytes:
        """The peer's answer; see the port."""
        client = await self._client(peer)
        import httpx  # It is loaded by now.

        parts = urlsplit(peer.url)
        headers = signed_headers(
            authority=parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme]),
            path=BUNDLE_PATH,
            body=bundle,
            content_type=BUNDLE_TYPE,
            signer=self._identity.to(peer.node),
            created_s=self._clock.now().unix_ns // NS,
        )
        url = f"{peer.url}{BUNDLE_PATH}"
        try:
            async with (
                asyncio.timeout(_ANSWER_S),
                client.stream("POST", url, content=bundle, headers=headers) as response,
            ):
                body = await _bounded(response, url)
                status = response.status_code
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"{peer.url} does not answer: {reason}", code="no_answer") from error
        if status == _OK:
            return body
        said = _problem(body)
        sentence = f"{peer.node} answers {status}: {said.get('detail', 'without a reason')}"
        code = str(said.get("code", "peer_refused"))[:64]
        if status in _FOR_GOOD:
            raise PeerRefused(sentence, code=code, remedy=str(said.get("remedy", ""))[:200])
        raise Unavailable(sentence, code=f"peer_{code}"[:64])

    async def close(self) -> None:
        """Lets go of all connections."""
        for _, client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _client(self, peer: Peer) -> httpx.AsyncClient:
        if client := self._standing(peer):
            return client
        check_url(peer.url)
        # In a thread, so that loading it holds up nobody else.
        library = await asyncio.to_thread(import_module, "httpx")
        if client := self._standing(peer):
            return client
        if former := self._clients.pop(peer.node, None):
            await former[1].aclose()
        made: httpx.AsyncClient = library.AsyncClient(
            timeout=library.Timeout(_PIECE_S, connect=_CONNECT_S),
            follow_redirects=False,
            verify=_certificates(peer),
            limits=library.Limits(max_connections=4, keepalive_expiry=25.0),
            # The environment's proxies are not the operator's choice of peers.
            trust_env=False,
        )
        self._clients[peer.node] = (peer, made)
        return made

    def _standing(self, peer: Peer) -> httpx.AsyncClient | None:
        if peer.node not in self._clients:
            return None
        known, client = self._clients[peer.node]
        same = (known.url, known.certificate) == (peer.url, peer.certificate)
        return client if same else None


def _certificates(peer: Peer) -> ssl.SSLContext | bool:
    if not peer.certificate:
        return True
    try:
        return ssl.create_default_context(cadata=peer.certificate)
    except (ssl.SSLError, ValueError) as error:
        raise MalformedInput(
            f"the certificate of {peer.node} cannot be read", where="certificate"
        ) from error


async def _bounded(response: httpx.Response, url: str) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > BUNDLE_BYTES_MAX:
            raise Unavailable(f"{url} answers more than {BUNDLE_BYTES_MAX} bytes")
    return bytes(body)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = decode_json(body, dict[str, Any])
    except (MalformedInput, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found
