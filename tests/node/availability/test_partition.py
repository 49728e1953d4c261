"""The leader's machine is cut off from the others by a real network: one side writes, and no other."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.node.availability.cluster_rig import cluster_in, short_folder
from tests.node.availability.events import CALLERS, Watched, needs_a_cluster, told_of
from tests.node.availability.network import NetworkCluster, NetworkRig, why_no_network
from tests.node.leases.books_bench import (
    begin_writing,
    late_order,
    nothing_wrong,
    open_books,
)

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(1800), needs_a_cluster]
__all__ = ["short_folder"]


async def test_of_two_sides_one_writes_and_the_others_callers_hear_503(short_folder: Path) -> None:
    if why := why_no_network():
        pytest.skip(why)
    seed = int.from_bytes(os.urandom(4), "big")
    with cluster_in(short_folder, kind=NetworkCluster) as cluster:
        assert isinstance(cluster, NetworkCluster)
        for machine in cluster.machines:
            cluster.start(machine.name)
        await cluster.well()
        leader = cluster.leader()
        other = cluster.synchronous()
        async with NetworkRig(short_folder, "", name="node", cluster=cluster) as rig:
            there = await rig.start_on(leader)
            await rig.start_on(other)
            books = await open_books(rig, rig.holder().url)
            seen = Watched(cluster, rig, books, seed)
            seen.writers = begin_writing(rig, books, seed, many=CALLERS)
            try:
                await cluster.well()
                assert cluster.leader() == leader
                gap_s = await seen.event("leader cut off", lambda: cluster.cut(leader))
                # What its side may say: a second side that writes would be lost with it.
                said = []
                for number in range(10):
                    said.append(await late_order(there, books, f"late-{number}"))
                    await asyncio.sleep(0.5)
                writes = [each for each in cluster.machines if cluster.recovering(each) is False]
                cluster.heal(leader)
                await cluster.well()
                told = await seen.count()
            finally:
                for writer in seen.writers:
                    writer.cancel()
                await asyncio.gather(*seen.writers, return_exceptions=True)
    told_of(f"seed {seed}: no write for {gap_s:.1f} s; beyond: {sorted(set(said))}")
    assert [each.name for each in writes] == [other]
    assert {each.partition(" ")[0] for each in said} == {"503"}
    assert nothing_wrong(told), told
