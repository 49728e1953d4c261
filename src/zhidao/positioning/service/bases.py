"""Base stations beside which arrivals are told to the centimetre: added by the operator."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import Refused
from zhidao.core.events import latest
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc
from zhidao.positioning.events import BaseAdded
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.window import cut_window

MAY_ADD_BASE: Final = access(Role.OPERATOR, Role.ADMIN)

BASE_BODY_BYTES_MAX: Final = 64 * 1024 * 1024
_PLAIN_BYTES_MAX: Final = 256 * 1024 * 1024
_PAGE: Final = 200
# A base's epoch serves a rover for so long; see `rtk.settings`.
_AGE_NS: Final = 10_000_000_000


@dataclass(frozen=True, slots=True)
class _Facts:
    marker: str
    ecef_mm: tuple[int, int, int]
    first_at: str
    last_at: str


def facts_of(data: bytes) -> _Facts:
    """What a base's recording says. Raises MalformedInput, or Refused without a place or epochs."""
    seen = read_observations(data, bytes_max=_PLAIN_BYTES_MAX)
    x, y, z = (round(part * 1000) for part in seen.header.approximate_ecef_m)
    if not (x or y or z):
        raise Refused(
            "the base's header holds no place",
            code="no_place",
            remedy="write its surveyed place into APPROX POSITION XYZ",
        )
    if not len(seen.gpst_ns):
        raise Refused("the base's recording has no epochs", code="no_epochs")
    return _Facts(seen.header.marker, (x, y, z), str(seen.utc(0)), str(seen.utc(-1)))


def part_of(data: bytes, first: Utc, last: Utc) -> bytes:
    """The base's epochs that serve a window, as plain RINEX."""
    return cut_window(plain_text(data), first.plus_ns(-_AGE_NS), last)


class BaseService:
    """Keeps recordings of base stations and finds the one that serves a window."""

    def __init__(self, records: Records, archive: Archive, workers: Executor) -> None:
        self._records = records
        self._archive = archive
        self._workers = workers

    async def add(self, actor: Actor, data: bytes) -> BaseAdded:
        """Takes a RINEX 3 or 4 recording whose header holds the surveyed place of the antenna.

        The same file again changes nothing. Raises Forbidden for others than the operator,
        MalformedInput or Refused for what is no such file.
        """
        MAY_ADD_BASE.admit(actor)
        aggregate = f"base/{digest_of(data)}"
        known = latest(await self._records.history(aggregate), BaseAdded)
        if known:
            return known
        run = asyncio.get_running_loop().run_in_executor
        found = await run(self._workers, facts_of, data)
        fact = BaseAdded(
            digest=await self._archive.put(data),
            marker=found.marker,
            ecef_mm=list(found.ecef_mm),
            first_at=found.first_at,
            last_at=found.last_at,
        )
        await self._records.record(actor, aggregate, [fact], after=0, owner=actor.party)
        return fact

    async def serving(self, reader: Actor, *, first: Utc, last: Utc) -> bytes:
        """The newest recording's part that serves the whole of a window; empty if none does."""
        best: tuple[Utc, str] | None = None
        after = ""
        while True:
            page = await self._records.aggregates("base/", reader, limit=_PAGE, after=after)
            for aggregate in page:
                for event in await self._records.history(aggregate):
                    fact = BaseAdded.of(event)
                    if Utc.parse(fact.first_at) <= first and last <= Utc.parse(fact.last_at):
                        told = (event.recorded_at, fact.digest)
                        best = max(best or told, told)
            if len(page) < _PAGE:
                break
            after = page[-1]
        if best is None:
            return b""
        data = await self._archive.get(best[1])
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._workers, partial(part_of, data, first, last))
