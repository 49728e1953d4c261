"""The way to a peer: straight from the commit, two bundles at once, in order, and carefully."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from tests.exchange.two_nodes import Line, Node, make_pair

from zhidao.core.errors import Unavailable
from zhidao.exchange.adapters.memory import MemoryExchange
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.wire.bundle import ENVELOPE, decode_bundle
from zhidao.exchange.wire.envelope import decode_envelope


class Gate:
    """A transport that holds every bundle until it is let through; `seen`: documents of each."""

    def __init__(self, node: Node, other: Node) -> None:
        self._node, self._other = node, other
        self.seen: list[list[int]] = []
        self.open: list[asyncio.Event] = []
        self.fails = 0

    async def get_ready(self, peer: Peer) -> None:
        pass

    async def post(self, peer: Peer, bundle: bytes) -> bytes:
        found = [decode_envelope(i.data) for i in decode_bundle(bundle) if i.kind == ENVELOPE]
        self.seen.append([each.heading.document.int for each in found])
        if self.fails:
            self.fails -= 1
            raise Unavailable("the line is cut")
        gate = asyncio.Event()
        self.open.append(gate)
        await gate.wait()
        here = self._other.peers.of(self._node.name)
        return await self._other.exchange.take_bundle(here, bundle)

    async def sees(self, bundles: int) -> None:
        async with asyncio.timeout(5):
            while len(self.seen) < bundles:
                await asyncio.sleep(0.001)


class Counting(MemoryExchange):
    """Counts how often it is asked what waits."""

    asked = 0

    async def waiting(self, *args, **more):
        self.asked += 1
        return await super().waiting(*args, **more)


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Node, Node, Gate, Counting]]:
    store = Counting()
    one, two = await make_pair(Line(), (store, MemoryExchange()))
    gate = Gate(one, two)
    one.dispatcher._transport = gate
    one.outbox.committed = one.dispatcher.committed
    one.outbox.wake = one.dispatcher.wake
    work = asyncio.create_task(one.dispatcher.run())
    await asyncio.sleep(0.01)
    try:
        yield one, two, gate, store
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def states(node: Node) -> list[str]:
    rows = await node.outbox.listed(node.party)
    return [row.state for row in reversed(rows)]


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_woken_and_ended_in_the_same_moment_ends(turns: int) -> None:
    async with asyncio.timeout(5):
        async with running() as (one, two, _, _):
            await asyncio.sleep(0.02)
            one.dispatcher.wake(two.name)
            for _ in range(turns):
                await asyncio.sleep(0)


async def settled(node: Node, count: int) -> None:
    async with asyncio.timeout(5):
        while await states(node) != ["accepted"] * count:
            await asyncio.sleep(0.001)


async def test_what_was_on_its_way_when_the_work_ended_goes_again():
    async with running() as (one, two, gate, _):
        for number in (1, 2):
            await one.send(number, two)
            await gate.sees(number)
    again = asyncio.create_task(one.dispatcher.run())
    await gate.sees(3)
    assert gate.seen[2] == [1, 2]
    gate.open[2].set()
    await settled(one, 2)
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_a_peer_that_goes_and_comes_again_gets_what_was_on_its_way():
    async with running() as (one, two, gate, _):
        await one.send(1, two)
        await gate.sees(1)
        peer = one.peers._peers.pop(two.name)
        one.dispatcher.peers_changed()
        await asyncio.sleep(0.01)
        one.peers._peers[two.name] = peer
        one.dispatcher.peers_changed()
        await gate.sees(2)
        gate.open[1].set()
        await settled(one, 1)


async def test_a_committed_document_leaves_without_asking_the_store():
    async with running() as (one, two, gate, store):
        before = store.asked
        await one.send(1, two)
        await gate.sees(1)
        assert store.asked == before
        gate.open[0].set()
        await settled(one, 1)


async def test_two_bundles_are_on_their_way_and_no_third():
    async with running() as (one, two, gate, _):
        for number in (1, 2, 3, 4):
            await one.send(number, two)
            await gate.sees(min(number, 2))
        await asyncio.sleep(0.03)
        assert gate.seen == [[1], [2]], "the others wait for room"
        gate.open[0].set()
        await gate.sees(3)
        assert gate.seen[2] == [3, 4], "what gathered meanwhile goes together"
        for each in gate.open[1:]:
            each.set()
        await settled(one, 4)


async def test_a_bundle_that_overtakes_another_changes_no_order():
    async with running() as (one, two, gate, _):
        for number in (1, 2):
            await one.send(number, two)
            await gate.sees(number)
        gate.open[1].set()
        await asyncio.sleep(0.02)
        assert [each.document for each in two.told] == []
        gate.open[0].set()
        async with asyncio.timeout(5):
            while len(two.told) < 2:
                await asyncio.sleep(0.001)
        assert [UUID(each.document).int for each in two.told] == [1, 2]


async def test_after_a_failure_one_bundle_goes_at_a_time_until_one_arrives():
    async with running() as (one, two, gate, _):
        gate.fails = 1
        await one.send(1, two)
        await gate.sees(1)
        await one.send(2, two)
        await gate.sees(2)
        assert gate.seen[1] == [1, 2], "everything again, in its order"
        await one.send(3, two)
        await asyncio.sleep(0.02)
        assert len(gate.seen) == 2
        gate.open[0].set()
        await gate.sees(3)
        gate.open[1].set()
        await settled(one, 3)


async def test_more_than_memory_holds_waits_in_the_store(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zhidao.exchange.service.dispatch.READY_MAX", 2)
    async with running() as (one, two, gate, _):
        for number in range(1, 9):
            await one.send(number, two)
        await gate.sees(2)
        seen = 0
        async with asyncio.timeout(5):
            while await states(one) != ["accepted"] * 8:
                for each in gate.open[seen:]:
                    each.set()
                await asyncio.sleep(0.002)
        order = [UUID(each.document).int for each in two.told]
        assert order == sorted(order)
        assert len(order) == 8
