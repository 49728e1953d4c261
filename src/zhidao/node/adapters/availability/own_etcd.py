"""What the etcd of this machine says of its health.

Source: etcd 3.5 operations guide, monitoring: `/health` of `listen-metrics-urls` answers 200 and
{"health": "true"}, or 503 and {"health": "false", "reason": …} where a read by quorum fails.
"""

from __future__ import annotations

from typing import Final

import httpx

from zhidao.core.errors import Unavailable
from zhidao.core.hosts.answers import ask, bad_answer, no_answer
from zhidao.core.hosts.shown import escaped

# It waits for a quorum as long as five seconds and a round of elections (--election-timeout).
_ANSWER_S: Final = 10.0
_REASON_CHARS: Final = 120


class OwnEtcd:
    """The etcd beside this node. `url`: where it tells its health."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/health"

    async def ill(self) -> str:
        """Why it has no quorum, or does not answer; empty if it is well."""
        try:
            return await self._told()
        except Unavailable as error:
            return f"it does not answer: {error.args[0]}"

    async def _told(self) -> str:
        waits = httpx.Timeout(_ANSWER_S)
        try:
            async with httpx.AsyncClient(timeout=waits, trust_env=False) as client:
                answer = await ask(client, "GET", self._url, seconds=_ANSWER_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(self._url, error, waited_s=waits.as_dict()) from error
        told = answer.json()
        if not isinstance(told, dict) or told.get("health") not in ("true", "false"):
            raise bad_answer(self._url, "not what an etcd says of its health")
        if told["health"] == "true":
            return ""
        return escaped(str(told.get("reason") or "no quorum"))[:_REASON_CHARS]
