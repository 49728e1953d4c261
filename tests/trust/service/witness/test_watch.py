from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from tests.trust.watch_bench import Corridor, fork_of

from zhidao.core.errors import Refused
from zhidao.trust.domain.fraud import FraudKind
from zhidao.trust.wire.log.fraud import decode_fraud


async def kinds(corridor: Corridor, node: int) -> set[FraudKind]:
    book = corridor.nodes[node].frauds
    return {decode_fraud(await book.read(name) or b"").kind for name in await book.names()}


async def everywhere(corridor: Corridor, kind: FraudKind) -> None:
    async with asyncio.timeout(5):
        while not all([kind in await kinds(corridor, at) for at in range(len(corridor.nodes))]):
            await asyncio.sleep(0.01)


async def test_two_roots_of_one_size_become_a_proof_at_every_node() -> None:
    async with Corridor(3) as corridor:
        fork = await fork_of(corridor.log, shared=2)
        await fork.grow(b"x", b"y")
        await corridor.log.grow(b"c", b"d")
        await corridor.submit(0, corridor.log)
        await corridor.submit(1, fork)
        await everywhere(corridor, FraudKind.SPLIT_VIEW)
        assert all(corridor.log.origin in node.watch.convicted for node in corridor.nodes)
        with pytest.raises(Refused) as refusal:
            await corridor.submit(2, corridor.log)
        assert refusal.value.code == "log_convicted"


async def test_a_rewritten_beginning_is_proven_with_the_mirrors_hashes() -> None:
    async with Corridor(3) as corridor:
        fork = await fork_of(corridor.log, shared=1)
        await fork.grow(b"x", b"y", b"z", b"w", b"v")
        await corridor.log.grow(b"c", b"d")
        corridor.served = {0: corridor.log, 1: fork, 2: fork}
        await corridor.submit(0, corridor.log)
        await corridor.submit(1, fork)
        await everywhere(corridor, FraudKind.REWRITTEN)


async def test_a_head_dated_later_and_smaller_convicts_the_timed_key() -> None:
    async with Corridor(2) as corridor:
        fork = await fork_of(corridor.log, shared=2)
        await corridor.log.grow(b"c", b"d", b"e")
        await corridor.submit(0, corridor.log)
        corridor.clock.advance(100)
        await fork.grow(b"c")
        await corridor.submit(1, fork)
        await everywhere(corridor, FraudKind.TURNED_BACK)


@pytest.mark.bound("trust.service.witness.watch._FRAUDS_MAX")
@pytest.mark.parametrize("kept", [999, 1_000])
async def test_a_full_book_keeps_no_more_proofs_and_the_log_is_convicted_nevertheless(
    kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with Corridor(1) as corridor:
        [node] = corridor.nodes
        for number in range(kept):
            await node.frauds.keep(f"{number:064x}", b"kept before")
        fork = await fork_of(corridor.log, shared=2)
        await fork.grow(b"x")
        await corridor.log.grow(b"c")
        await corridor.submit(0, corridor.log)
        with pytest.raises(Refused):
            await corridor.submit(0, fork)
        async with asyncio.timeout(5):
            while corridor.log.origin not in node.watch.convicted or len(caplog.records) < 2:
                await asyncio.sleep(0.01)
        assert len(await node.frauds.names()) == 1_000
        # Two keys signed both heads; there was room for one proof, or for none.
        told = [record.getMessage() for record in caplog.records]
        assert len([line for line in told if "1000 proofs of fraud are kept" in line]) == (
            1 if kept < 1_000 else 2
        )


async def test_heads_of_one_history_prove_nothing() -> None:
    async with Corridor(2) as corridor:
        for leaves in ([b"c"], [b"d", b"e"]):
            await corridor.log.grow(*leaves)
            await corridor.submit(0, corridor.log)
            corridor.clock.advance(1)
        await corridor.submit(1, corridor.log)
        async with asyncio.timeout(5):
            for node in corridor.nodes:
                copy = node.mirrors.of(corridor.log.origin)
                while copy is None or await copy.size() < 5:
                    await asyncio.sleep(0.01)
        assert not any([await kinds(corridor, at) for at in range(2)])
        assert not any(node.watch.unresolved for node in corridor.nodes)


async def test_an_accusation_that_proves_nothing_is_refused() -> None:
    async with Corridor(2) as corridor:
        fork = await fork_of(corridor.log, shared=2)
        await fork.grow(b"x")
        await corridor.log.grow(b"c")
        await corridor.submit(0, corridor.log)
        await corridor.submit(1, fork)
        await everywhere(corridor, FraudKind.SPLIT_VIEW)
        [name, *_] = await corridor.nodes[0].frauds.names()
        data = await corridor.nodes[0].frauds.read(name) or b""
        assert await corridor.nodes[1].watch.accuse(data) == name
        harmless = data.replace(b"split_view", b"turned_back")
        with pytest.raises(Refused) as refusal:
            await corridor.nodes[1].watch.accuse(harmless)
        assert refusal.value.code == "not_proven"
        with suppress(Refused):
            await corridor.submit(1, corridor.log)
