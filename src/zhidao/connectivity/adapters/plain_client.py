"""An HTTP client for servers of others: no redirect, no settings of the machine, nothing packed.

What is packed would be unpacked as a whole before anybody counts its bytes.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx

from zhidao.core.hosts.answers import bad_answer

_AS_IT_IS = ("", "identity")


class PlainClient:
    """Makes its client with the first request."""

    def __init__(self, seconds: float, authority: str = "") -> None:
        """seconds: for each part of an answer. authority: PEM that holds certificates."""
        self._seconds = seconds
        self._authority = authority
        self._client: httpx.AsyncClient | None = None

    async def opened(self) -> httpx.AsyncClient:
        """The client."""
        if self._client is None:
            # In a thread, so that loading the machine's authorities holds up nobody else.
            made = await asyncio.to_thread(self._made)
            self._client = self._client or made
        return self._client

    async def close(self) -> None:
        """Lets go of all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _made(self) -> httpx.AsyncClient:
        trusted = ssl.create_default_context()
        if self._authority:
            trusted.load_verify_locations(cadata=self._authority)
        return httpx.AsyncClient(
            timeout=self._seconds,
            follow_redirects=False,
            trust_env=False,
            verify=trusted,
            headers={"accept-encoding": "identity"},
            event_hooks={"response": [_refuse_packed]},
        )


async def _refuse_packed(response: httpx.Response) -> None:
    if response.headers.get("content-encoding", "").strip().lower() not in _AS_IT_IS:
        raise bad_answer(str(response.url), "in a packing that nobody asked for")
