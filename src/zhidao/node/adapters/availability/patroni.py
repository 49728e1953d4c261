"""What a Patroni says of itself: whether it reaches etcd, without which nobody takes over.

Source: Patroni 4.0, REST API, `GET /patroni`, member `dcs_last_seen` (seconds since 1970).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from zhidao.core.errors import MalformedInput
from zhidao.core.hosts.answers import ask, bad_answer, no_answer
from zhidao.node.availability.seen import Patroni

_ROLE_CHARS: Final = 40
_ANSWER_S: Final = 5.0


def patroni_of(told: Mapping[str, Any], now_s: float) -> Patroni:
    """What it answered to `GET /patroni`. One that never saw etcd tells no time."""
    seen = told.get("dcs_last_seen")
    away_s = max(0.0, now_s - seen) if isinstance(seen, int | float) else 0.0
    return Patroni(
        role=str(told.get("role", ""))[:_ROLE_CHARS],
        state=str(told.get("state", ""))[:_ROLE_CHARS],
        paused=told.get("pause") is True,
        dcs_away_s=round(away_s, 1),
        may_lead=told.get("sync_standby") is True or told.get("quorum_standby") is True,
    )


class OwnPatroni:
    """The Patroni of this machine. `authority`: PEM file of who vouches for its certificate.

    Raises MalformedInput for an authority that is none.
    """

    def __init__(self, url: str, authority: str) -> None:
        self._url = f"{url.rstrip('/')}/patroni"
        self._trust = _trusting(authority)

    async def dcs_away_s(self) -> float:
        """For how long it has not reached etcd. Raises Unavailable if it does not answer."""
        waits = httpx.Timeout(_ANSWER_S)
        try:
            async with httpx.AsyncClient(verify=self._trust, timeout=waits, trust_env=False) as it:
                answer = await ask(it, "GET", self._url, seconds=_ANSWER_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(self._url, error, waited_s=waits.as_dict()) from error
        # Of one without a running PostgreSQL the status is 503, and the answer the same.
        told = answer.json()
        if not isinstance(told, dict) or "dcs_last_seen" not in told:
            raise bad_answer(self._url, "not what a Patroni says of itself")
        return patroni_of(told, time.time()).dcs_away_s


def _trusting(authority: str) -> ssl.SSLContext:
    if not authority:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=Path(authority))
    except (OSError, ssl.SSLError) as error:
        raise MalformedInput(
            f"ha.authority {authority} holds no certificate: {error}",
            remedy="name the PEM file of the authority of Patroni's certificate",
        ) from error
