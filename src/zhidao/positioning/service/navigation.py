"""Broadcast navigation data: added by the operator, found again by time."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import latest
from zhidao.core.journal import Records
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.events import NavigationAdded
from zhidao.positioning.wire.rinex.concatenation import PARTS_MAX, concatenated, parts_of
from zhidao.positioning.wire.rinex.navigation import NAVIGATION_BYTES_MAX, read_navigation

MAY_ADD_NAVIGATION: Final = access(Role.OPERATOR, Role.ADMIN)

NAVIGATION_BODY_BYTES_MAX: Final = 16 * 1024 * 1024
_PAGE: Final = 200
# An ephemeris serves two hours before and after its reference time.
_REACH_NS: Final = 7_200 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class NavigationFacts:
    """What a navigation file holds."""

    systems: str
    ephemerides: int
    first_at: str
    last_at: str


def facts_of(data: bytes) -> NavigationFacts:
    """Contents of a navigation file. Raises MalformedInput, or Refused if it has no ephemeris."""
    store = read_navigation(data).ephemerides
    if not len(store):
        raise Refused(
            "the file holds no BDS, GPS, Galileo or QZSS ephemeris", code="no_ephemerides"
        )
    return NavigationFacts(
        systems="".join(sorted({SYSTEMS[n // 100] for n in store.satellite.tolist()})),
        ephemerides=len(store),
        first_at=str(Gpst(int(store.toe_ns.min())).to_utc()),
        last_at=str(Gpst(int(store.toe_ns.max())).to_utc()),
    )


class NavigationService:
    """Keeps navigation files in the archive and knows which one fits a time."""

    def __init__(self, records: Records, archive: Archive, workers: Executor) -> None:
        self._records = records
        self._archive = archive
        self._workers = workers

    async def add(self, actor: Actor, data: bytes) -> NavigationAdded:
        """Takes a RINEX navigation file, plain or gzipped; the same file again changes nothing.

        Raises Forbidden for others than the operator, MalformedInput for what is no such file.
        """
        MAY_ADD_NAVIGATION.admit(actor)
        digest = digest_of(data)
        aggregate = f"navigation/{digest}"
        known = latest(await self._records.history(aggregate), NavigationAdded)
        if known:
            return known
        found = await asyncio.get_running_loop().run_in_executor(self._workers, facts_of, data)
        fact = NavigationAdded(
            digest=await self._archive.put(data),
            systems=found.systems,
            ephemerides=found.ephemerides,
            first_at=found.first_at,
            last_at=found.last_at,
        )
        try:
            await self._records.record(actor, aggregate, [fact], after=0, owner=actor.party)
        except Conflict:
            # The same file came twice at once: the other's fact stands for both.
            known = latest(await self._records.history(aggregate), NavigationAdded)
            if known is None:
                raise
            return known
        return fact

    async def fitting(self, reader: Actor, *, systems: str, first: Utc, last: Utc) -> str:
        """Digest of what serves a time for some systems; empty if nothing serves any of them.

        The newest file that serves all of them the whole time; else, as across midnight, all that
        serve a part of it, put together and kept under a digest of their own.
        """
        found = [
            file
            for file in await self._files(reader)
            if set(systems) & set(file.fact.systems) and _reaches(file.fact, first, last)
        ]
        told = set(systems) & {letter for file in found for letter in file.fact.systems}
        whole = [
            file
            for file in found
            if told <= set(file.fact.systems) and _serves(file.fact, first, last)
        ]
        if whole:
            return max(whole, key=lambda file: (file.recorded_at, file.fact.digest)).fact.digest
        # In the order of time; of equal messages that of the later file counts.
        found.sort(key=lambda file: (Utc.parse(file.fact.first_at), file.recorded_at))
        # One place is left for a base.
        newest = found[-(PARTS_MAX - 1) :]
        if len(newest) < 2:
            return newest[0].fact.digest if newest else ""
        return await self._kept([await self._archive.get(file.fact.digest) for file in newest])

    async def with_base(self, digest: str, base: bytes) -> str:
        """Digest of navigation data with a base's observations behind them, kept as one file."""
        known = parts_of(await self._archive.get(digest), bytes_max=NAVIGATION_BYTES_MAX)
        return await self._kept([*known, base])

    async def _kept(self, files: list[bytes]) -> str:
        run = asyncio.get_running_loop().run_in_executor
        joined = partial(concatenated, files, bytes_max=NAVIGATION_BYTES_MAX)
        return await self._archive.put(await run(self._workers, joined))

    async def _files(self, reader: Actor) -> list[_File]:
        found = []
        after = ""
        while True:
            page = await self._records.aggregates("navigation/", reader, limit=_PAGE, after=after)
            for aggregate in page:
                events = await self._records.history(aggregate)
                found += [_File(NavigationAdded.of(each), each.recorded_at) for each in events]
            if len(page) < _PAGE:
                return found
            after = page[-1]

    async def data(self, digest: str) -> bytes:
        """The bytes of a navigation file; empty for the empty digest."""
        return await self._archive.get(digest) if digest else b""


class _File(NamedTuple):
    """A navigation file and when it was added."""

    fact: NavigationAdded
    recorded_at: Utc


def _reach(fact: NavigationAdded) -> tuple[Utc, Utc]:
    begins = Utc.parse(fact.first_at).plus_ns(-_REACH_NS)
    return begins, Utc.parse(fact.last_at).plus_ns(_REACH_NS)


def _serves(fact: NavigationAdded, first: Utc, last: Utc) -> bool:
    """The whole of a time."""
    begins, ends = _reach(fact)
    return begins <= first and last <= ends


def _reaches(fact: NavigationAdded, first: Utc, last: Utc) -> bool:
    """A part of a time."""
    begins, ends = _reach(fact)
    return begins <= last and first <= ends
