"""A party's program: speaks HTTP to a node with the party's token, and asks again when it must."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.retry_policy import RetryPolicy

TIMEOUT_S: Final = 90.0
_PAUSES: Final = RetryPolicy(first_s=0.05, longest_s=0.8)
_AGAIN: Final = frozenset((429, 502, 503, 504))
_ON_ITS_WAY: Final = frozenset((404,))


class NodeRefused(Refused):
    """The node answered with a problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            str(problem.get("detail", "the node refused")),
            code=str(problem.get("code", "refused")),
            where=str(problem.get("where", "")),
        )
        self.status = status


class Caller:
    """HTTP calls of one party. Every route of the node may be repeated safely, so it repeats."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: str = "",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._headers = dict(headers or {})
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def get(self, path: str) -> Any:
        """The JSON answer of a GET."""
        return (await self.ask("GET", path)).json()

    async def post(self, path: str, body: object) -> Any:
        """The JSON answer of a POST, or None."""
        answer = await self.ask("POST", path, json=body)
        return answer.json() if answer.content else None

    async def put(self, path: str, body: object) -> None:
        """A PUT without an answer."""
        await self.ask("PUT", path, json=body)

    async def ask(
        self, method: str, path: str, *, until_there: bool = False, **arguments: Any
    ) -> httpx.Response:
        """One call, repeated while the node is away. Raises NodeRefused, Unavailable.

        `until_there`: repeated too while the node does not know what is asked about, which is on
        its way to it from another.
        """
        deadline_s = asyncio.get_running_loop().time() + TIMEOUT_S
        headers = self._headers | arguments.pop("headers", {})
        failures = 0
        while True:
            problem = ""
            try:
                answer = await self._http.request(method, path, headers=headers, **arguments)
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            else:
                if answer.status_code < 400:
                    return answer
                again = _AGAIN | _ON_ITS_WAY if until_there else _AGAIN
                if answer.status_code not in again:
                    raise NodeRefused(answer.status_code, _problem(answer))
                problem = str(_problem(answer).get("detail", answer.status_code))
            if asyncio.get_running_loop().time() > deadline_s:
                raise Unavailable(f"the node did not answer {method} {path}: {problem}")
            failures += 1
            await asyncio.sleep(_PAUSES.ceiling_s(failures))


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return found if isinstance(found, dict) else {"detail": answer.text[:200]}


def client_of(url: str, *, timeout_s: float) -> httpx.AsyncClient:
    """Speaks to a node here; proxies and certificates of the environment are for others."""
    return httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)
