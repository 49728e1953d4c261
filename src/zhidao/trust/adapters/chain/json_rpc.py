"""Ethereum JSON-RPC over HTTP: several endpoints of one chain, asked in turn until one answers."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.trust.service.chain.json_rpc import RpcRefusal

_SECONDS: Final = 10.0
_PIECES: Final = 3
_BYTES_MAX: Final = 8 * 1024 * 1024
_ENDPOINTS_MAX: Final = 16


class JsonRpc:
    """Implements `service.rpc_chain.Rpc`. Addresses come from the operator's settings only."""

    def __init__(self, urls: Sequence[str], *, seconds: float = _SECONDS) -> None:
        """https, or plain HTTP to loopback. The one that answered last is asked first."""
        if not 1 <= len(urls) <= _ENDPOINTS_MAX:
            raise Refused(f"between one and {_ENDPOINTS_MAX} endpoints are needed")
        for url in urls:
            _check(url)
        self._urls = list(urls)
        self._made = 0
        # For a whole answer, however slowly its bytes come.
        self._whole_s = _PIECES * seconds
        self._client = httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._client.aclose()

    async def call(self, method: str, *parameters: Any) -> Any:
        """The result. Raises RpcRefusal for the chain's own no, Unavailable if nobody answers."""
        self._made += 1
        body = {"jsonrpc": "2.0", "id": self._made, "method": method, "params": list(parameters)}
        trouble = "no endpoint"
        for url in tuple(self._urls):
            try:
                answer = await self._ask(url, body)
            except (httpx.HTTPError, MalformedInput, TimeoutError) as error:
                trouble = f"{urlsplit(url).hostname}: {_sentence(error)}"
                continue
            if self._urls[0] != url:
                self._urls.remove(url)
                self._urls.insert(0, url)
            return _result(answer)
        raise Unavailable(f"the chain does not answer: {trouble}", code="chain_unavailable")

    async def _ask(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        async with (
            asyncio.timeout(self._whole_s),
            self._client.stream("POST", url, json=body) as response,
        ):
            response.raise_for_status()
            data = bytearray()
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > _BYTES_MAX:
                    raise MalformedInput(f"an answer of more than {_BYTES_MAX} bytes")
        answer = parse_strict(bytes(data))
        if not isinstance(answer, dict) or answer.get("id") != body["id"]:
            raise MalformedInput("no answer to this question")
        return answer


def _sentence(error: Exception) -> str:
    """What went wrong, without the address: many bear the operator's key in their path."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    return str(error) if isinstance(error, MalformedInput) else type(error).__name__


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        data = error.get("data")
        raise RpcRefusal(str(error.get("message", "refused"))[:400], data=data)
    return answer.get("result")


def _check(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        where = f"{parts.scheme}://{host}"[:80]
        raise Refused(f"a chain is asked over https, or on loopback: {where}", code="bad_url")
