"""What callers of a node on three machines live through: writers, events, and what was kept."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.availability.cluster_rig import Cluster, HaRig, cluster_in, what_is_missing
from tests.node.leases.books_bench import (
    Books,
    begin_writing,
    check_books,
    end_writing,
    open_books,
)

CALLERS = 8
# Callers of a busy machine are silent for as long without any event.
SILENCE_S = 1.0
# The longest that callers may wait for the next acknowledged write, whatever happened.
PATIENCE_S = 120.0


@dataclass
class Watched:
    """A node on a cluster with callers that write. `waits`: from each event to the next write."""

    cluster: Cluster
    rig: HaRig
    books: Books
    seed: int
    writers: list[asyncio.Task[None]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)

    async def event(self, what: str, act: Callable[[], Awaitable[object] | object]) -> float:
        """Does it while callers write; the longest time without an acknowledged write, in seconds.

        What was on its way may still be answered after the event, so every silence is looked at
        until one was followed by three seconds of writing, or none came in 45 s.
        """
        await self.flowing()
        begun, begun_s = time.strftime("%H:%M:%S", time.gmtime()), time.monotonic()
        acting = asyncio.create_task(_done(act))
        count, last_s, gap_s, ended_s = self._acknowledged(), begun_s, 0.0, begun_s
        while time.monotonic() < begun_s + PATIENCE_S:
            await asyncio.sleep(0.02)
            if self._acknowledged() == count:
                continue
            count, now_s = self._acknowledged(), time.monotonic()
            if now_s - last_s > SILENCE_S:
                gap_s, ended_s = max(gap_s, now_s - last_s), now_s
            last_s = now_s
            over_s = 3.0 if gap_s else 45.0
            if acting.done() and now_s > ended_s + over_s:
                break
        else:
            raise AssertionError(f"seed {self.seed}: {what}: no write for {PATIENCE_S} s")
        await acting
        self.waits.append(gap_s)
        told_of(f"seed {self.seed}: {what} at {begun} UTC, no write for {gap_s:.1f} s")
        return gap_s

    async def flowing(self) -> None:
        """Waits until callers write steadily."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                before = self._acknowledged()
                await asyncio.sleep(1)
                for writer in self.writers:
                    if writer.done():
                        # A caller was told what it may not be told.
                        writer.result()
                if self._acknowledged() >= before + 5:
                    return

    def _acknowledged(self) -> int:
        return len(self.books.orders) + len(self.books.transfers)

    async def count(self) -> dict[str, int]:
        """Ends the callers, then counts in the tables what they were promised."""
        await self.cluster_writes()
        await end_writing(self.writers, self.rig)
        self.writers = []
        # Recorded from the log, which is read by nobody else here.
        self.told = await asyncio.to_thread(check_books, self.cluster.url(), self.books)
        told_of(f"seed {self.seed}: {self.told}, refusals seen: {self.books.seen}")
        return self.told

    async def cluster_writes(self) -> None:
        """Waits until a write was acknowledged just now."""
        await self.flowing()

    async def alarms(self, name: str) -> tuple[int, list[str], list[str]]:
        """Status of a node's /readyz, what is down, and its alarms."""
        machine = self.cluster.machine(name)
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.get(f"http://{machine.address}:{machine.ports.node}/readyz")
        told: dict[str, Any] = answer.json()
        return answer.status_code, told["down"], [each["code"] for each in told["alarms"]]

    async def until_alarm(self, name: str, code: str, *, stands: bool = True) -> float:
        """Seconds until an alarm stands, or does no more."""
        begun_s = time.monotonic()
        seen: object = None
        while time.monotonic() < begun_s + PATIENCE_S:
            with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
                seen = await self.alarms(name)
                if (code in seen[2] or code in seen[1]) == stands:
                    return time.monotonic() - begun_s
            await asyncio.sleep(0.2)
        raise AssertionError(f"seed {self.seed}: {code} {stands=}: {seen}")


@contextlib.asynccontextmanager
async def watched(
    folder: Path, seed: int, *plan_words: str, nodes: int = 1, callers: int = CALLERS
) -> AsyncIterator[Watched]:
    """A cluster that is well, a node on it, and callers that write to it."""
    with cluster_in(folder, *plan_words) as cluster:
        for machine in cluster.machines:
            cluster.start(machine.name)
        await cluster.well()
        rig = HaRig(folder, "", name="node", cluster=cluster)
        async with rig:
            for machine in cluster.machines[:nodes]:
                await rig.start_on(machine.name)
            books = await open_books(rig, rig.holder().url)
            seen = Watched(cluster, rig, books, seed)
            seen.writers = begin_writing(rig, books, seed, many=callers)
            try:
                yield seen
            finally:
                for writer in seen.writers:
                    writer.cancel()
                await asyncio.gather(*seen.writers, return_exceptions=True)


async def three_events(seen: Watched, repeats: int) -> dict[str, list[float]]:
    """A switchover, a lost postmaster, a lost host, again and again; seconds without a write.

    Each begins when all is well: what a second failure within seconds of the first does is said in
    docs/how-to/high-availability.md.
    """
    cluster = seen.cluster
    waits: dict[str, list[float]] = {"switchover": [], "postmaster": [], "host": []}
    for _ in range(repeats):
        await cluster.well()
        leader, after = cluster.leader(), cluster.synchronous()
        words = ("switchover", "--force", "--leader", leader, "--candidate", after)
        waits["switchover"].append(
            await seen.event("switchover", _in_thread(cluster.patronictl, leader, *words))
        )
        assert cluster.leader() == after
        await cluster.well()
        leader = cluster.leader()
        waits["postmaster"].append(
            await seen.event("postmaster lost", partial(cluster.kill_postmaster, leader))
        )
        await cluster.well()
        leader = cluster.leader()
        waits["host"].append(await seen.event("leader's host lost", partial(cluster.kill, leader)))
        assert cluster.leader() != leader
        cluster.start(leader)
        await cluster.well()
    return waits


async def standbys_lost(seen: Watched) -> float:
    """Both standbys are lost and come back; seconds until the node says so. It writes on."""
    cluster, name = seen.cluster, seen.cluster.machines[0].name
    others = [each.name for each in cluster.machines if each.name != cluster.leader()]
    for other in others:
        cluster.kill(other, "patroni")
    alarm_s = await seen.until_alarm(name, "replication_degraded")
    await seen.flowing()
    for other in others:
        cluster.start(other, "patroni")
    over_s = await seen.until_alarm(name, "replication_degraded", stands=False)
    told_of(f"seed {seen.seed}: alarm after {alarm_s:.1f} s, taken back after {over_s:.1f} s")
    return alarm_s


def _in_thread(act: Callable[..., object], *words: str) -> Callable[[], Awaitable[object]]:
    return lambda: asyncio.to_thread(act, *words)


def told_of(line: str) -> None:
    """A line for whoever runs this with -s."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _done(act: Callable[[], Awaitable[object] | object]) -> None:
    done = act()
    if isinstance(done, Awaitable):
        await done


needs_a_cluster = pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing())
