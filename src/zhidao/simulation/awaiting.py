"""Waits, as a party at its own node does, for what the other side says by exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from zhidao.core.errors import Unavailable
from zhidao.simulation.client import Caller

T = TypeVar("T")
_TIMEOUT_S: Final = 90.0
_POLL_S: Final = 0.1


async def decided_of(party: Caller, consignment: str, document: str) -> dict[str, Any]:
    """What the other side decided about a document of the party's. Raises Unavailable."""
    path = f"/v1/exchange/outbox?consignment={consignment}&limit=200"

    async def look() -> dict[str, Any] | None:
        rows = (row for row in await party.get(path) if row["document"] == document)
        return next((dict(row) for row in rows if row["state"] in ("decided", "dead")), None)

    return await _until(look, f"nobody decided about document {document}")


async def arrived(party: Caller, consignment: str, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """The party's documents of these kinds, once they are in its inbox. Raises Unavailable."""
    path = f"/v1/exchange/inbox?consignment={consignment}&limit=200"

    async def look() -> list[dict[str, Any]] | None:
        found = {row["kind"]: row for row in await party.get(path) if row["content"]}
        return [found[kind] for kind in kinds] if all(kind in found for kind in kinds) else None

    return await _until(look, f"{', '.join(kinds)} did not come")


async def ended(party: Caller, consignment: str) -> str:
    """How the road ended by the party's own node, once that knows. Raises Unavailable."""

    async def look() -> str | None:
        state = str((await party.get(f"/v1/consignments/{consignment}/road"))["state"])
        return None if state == "under_way" else state

    return await _until(look, "the party's own node did not hear how it ended")


async def _until(look: Callable[[], Awaitable[T | None]], otherwise: str) -> T:
    """The first answer that is one."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + _TIMEOUT_S
    while loop.time() < deadline_s:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(_POLL_S)
    raise Unavailable(otherwise)
