"""Asks a running node on this machine how it is, without a token."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.core.files.bounded import read_kept
from zhidao.core.hosts.answers import ask
from zhidao.node.operations.alarms import Alarm

_ANSWER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """Parts that do not answer, and alarms that stand."""

    down: tuple[str, ...]
    alarms: tuple[Alarm, ...]


def ask_node(url: str, certificate: Path) -> NodeAnswer:
    """What `/readyz` says; `certificate` is the node's own, if it made one.

    Raises Unavailable if nothing answers, or something else does.
    """
    import httpx

    own = read_kept(certificate).decode("ascii", "replace") if certificate.exists() else None
    context = ssl.create_default_context(cadata=own)

    async def told() -> Any:
        async with httpx.AsyncClient(verify=context, timeout=_ANSWER_S) as client:
            return (await ask(client, "GET", f"{url}/readyz", seconds=_ANSWER_S)).json()

    try:
        document = asyncio.run(told())
        alarms = [Alarm(**alarm) for alarm in document.get("alarms", [])]
        return NodeAnswer(tuple(map(str, document["down"])), tuple(alarms))
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise Unavailable(
            f"the node of this data folder does not answer at {url}/readyz: {error}",
            remedy="zhidao serve",
        ) from error
