"""A node on three machines from the files of a plan: etcd, Patroni, NATS and PostgreSQL as they are.

Three repeats of each event, or `ZHIDAO_REPEATS` of them (the bars' twenty). Figures of one machine
on which all three stand: what a network adds is in none of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest
from tests.node.availability.cluster_rig import Cluster, HaRig, cluster_in, short_folder
from tests.node.availability.events import (
    CALLERS,
    Watched,
    needs_a_cluster,
    standbys_lost,
    three_events,
    told_of,
    watched,
)
from tests.node.leases.books_bench import begin_writing, nothing_wrong, open_books

from zhidao.cli.main import main
from zhidao.node.availability.findings import Finding

pytestmark = [pytest.mark.service, pytest.mark.long, pytest.mark.timeout(1800), needs_a_cluster]
__all__ = ["short_folder"]
REPEATS = int(os.environ.get("ZHIDAO_REPEATS", "3"))
# Seconds without an acknowledged write on whatever machine this is; the bars (25, 8, 3) are told by
# `./run bench operations`.
HOST_S, POSTMASTER_S, SWITCHOVER_S, ALARM_S = 40.0, 25.0, 15.0, 10.0


@pytest.fixture
def seed() -> int:
    return int.from_bytes(os.urandom(4), "big")


# What callers may hear meanwhile: 503 with these codes, each with Retry-After.
ALLOWED = {
    *("database_unavailable", "database_read_only", "lease_unsure", "lease_lost", "no_holder"),
    "transport",
}


def codes(found: list[Finding]) -> set[str]:
    return {each.code for each in found}


async def found_within(cluster: Cluster, wanted: set[str], seconds: float = 60.0) -> list[Finding]:
    """Asks until these are found; what was found then."""
    ends_s, found = time.monotonic() + seconds, list[Finding]()
    while time.monotonic() < ends_s:
        found = await cluster.findings()
        if wanted <= codes(found):
            return found
        await asyncio.sleep(0.3)
    raise AssertionError(f"wanted {wanted}: {found}")


async def test_the_check_names_what_is_lost_and_what_to_do(
    short_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster_in(short_folder) as cluster:
        capsys.readouterr()
        words = ["ha", "check", "--plan", str(cluster.plan), "--json"]
        assert await asyncio.to_thread(main, words) == 3
        assert capsys.readouterr().out.count("machine_lost") == 3
        for machine in cluster.machines:
            cluster.start(machine.name)
        await cluster.well()
        leader, synchronous = cluster.leader(), cluster.synchronous()
        cluster.kill(synchronous)
        found = await found_within(cluster, {"machine_lost"})
        assert {each.machine for each in found if each.code == "machine_lost"} == {synchronous}
        cluster.start(synchronous)
        await cluster.well()
        # The other two members of etcd: the leader goes on, and nobody could take over.
        others = [each.name for each in cluster.machines if each.name != leader]
        for name in others:
            cluster.kill(name, "etcd")
        await found_within(cluster, {"etcd_away", "etcd_no_quorum"})
        assert cluster.leader() == leader
        for name in others:
            cluster.start(name, "etcd")
        await cluster.well()
        # Both standbys.
        for name in others:
            cluster.kill(name, "patroni")
        await found_within(cluster, {"no_synchronous_standby", "database_away", "patroni_away"})
        for name in others:
            cluster.start(name, "patroni")
        await cluster.well()
        assert cluster.patronictl(leader, "pause", "--wait").returncode == 0
        await found_within(cluster, {"patroni_paused"})
        # Two write at once only if somebody makes it so; then it is told by their names.
        other = cluster.synchronous()
        cluster.ask(other, "select pg_promote()")
        found = await found_within(cluster, {"two_leaders"})
        [two] = [each for each in found if each.code == "two_leaders"]
        assert leader in two.sentence
        assert other in two.sentence
        capsys.readouterr()
        assert await asyncio.to_thread(main, words) == 1
        told = json.loads(capsys.readouterr().out)
        assert {"two_leaders", "node_away"} <= {each["code"] for each in told["findings"]}
        assert len(told["machines"]) == 3


async def test_the_leaders_host_the_postmaster_and_a_switchover(
    short_folder: Path, seed: int
) -> None:
    async with watched(short_folder, seed) as seen:
        waits = await three_events(seen, REPEATS)
        told = await seen.count()
    told_of(str({name: [round(each, 1) for each in many] for name, many in waits.items()}))
    assert nothing_wrong(told), told
    assert set(seen.books.seen) <= ALLOWED, seen.books.seen
    assert max(waits["host"]) <= HOST_S, waits
    assert max(waits["postmaster"]) <= POSTMASTER_S, waits
    assert max(waits["switchover"]) <= SWITCHOVER_S, waits


async def test_with_the_synchronous_standbys_lost_the_node_says_so_and_writes_on(
    short_folder: Path, seed: int
) -> None:
    async with watched(short_folder, seed) as seen:
        assert (await seen.alarms(seen.cluster.machines[0].name))[2] == []
        alarm_s = await standbys_lost(seen)
        told = await seen.count()
    assert nothing_wrong(told), told
    assert alarm_s <= ALARM_S


async def test_a_strict_node_writes_nothing_without_a_synchronous_standby(
    short_folder: Path, seed: int
) -> None:
    async with watched(short_folder, seed, "--strict") as seen:
        cluster, name = seen.cluster, seen.cluster.machines[0].name
        await seen.flowing()
        leader = cluster.leader()
        others = [each.name for each in cluster.machines if each.name != leader]
        for other in others:
            cluster.kill(other, "patroni")
        await seen.until_alarm(name, "replication_degraded")
        # Whatever was on its way is through by then.
        await asyncio.sleep(12)
        before = len(seen.books.orders) + len(seen.books.transfers)
        await asyncio.sleep(5)
        assert len(seen.books.orders) + len(seen.books.transfers) == before
        assert "signing" in (await seen.alarms(name))[1]
        assert seen.books.seen["replication_degraded"] > 0
        for other in others:
            cluster.start(other, "patroni")
        await seen.flowing()
        told = await seen.count()
    assert nothing_wrong(told), told


async def test_without_a_quorum_of_etcd_writing_goes_on_and_it_is_told(
    short_folder: Path, seed: int
) -> None:
    async with watched(short_folder, seed) as seen:
        cluster = seen.cluster
        others = [each.name for each in cluster.machines if each.name != cluster.leader()]
        for other in others:
            cluster.kill(other, "etcd")
        name = cluster.machines[0].name
        alarm_s = await seen.until_alarm(name, "takeover_away")
        told_of(f"seed {seen.seed}: alarm after {alarm_s:.1f} s")
        # Longer than the leader's time to live: it asks the other members itself.
        await asyncio.sleep(20)
        await seen.flowing()
        assert "etcd_no_quorum" in codes(await cluster.findings())
        for other in others:
            cluster.start(other, "etcd")
        await cluster.well()
        await seen.until_alarm(name, "takeover_away", stands=False)
        told = await seen.count()
    assert nothing_wrong(told), told


async def test_one_and_two_servers_of_nats_lost(short_folder: Path, seed: int) -> None:
    async with watched(short_folder, seed) as seen:
        cluster, name = seen.cluster, seen.cluster.machines[0].name
        first, second = (each.name for each in cluster.machines[:2])
        cluster.kill(first, "bus")
        degraded_s = await seen.until_alarm(name, "bus_degraded")
        status, down, alarms = await seen.alarms(name)
        assert (status, down, alarms) == (200, [], ["bus_degraded"])
        await seen.flowing()
        cluster.kill(second, "bus")
        down_s = await seen.until_alarm(name, "bus")
        await seen.flowing()
        cluster.start(first, "bus")
        cluster.start(second, "bus")
        back_s = await seen.until_alarm(name, "bus", stands=False)
        await seen.until_alarm(name, "bus_degraded", stands=False)
        await cluster.well()
        told = await seen.count()
    told_of(f"seed {seed}: degraded {degraded_s:.1f} s, down {down_s:.1f} s, back {back_s:.1f} s")
    assert nothing_wrong(told), told


async def test_a_host_is_lost_with_the_database_and_the_process_that_serves(
    short_folder: Path, seed: int
) -> None:
    """One of a pair of processes goes with the leader: the other takes over, and nothing is lost."""
    with cluster_in(short_folder) as cluster:
        for machine in cluster.machines:
            cluster.start(machine.name)
        await cluster.well()
        async with HaRig(short_folder, "", name="node", cluster=cluster) as rig:
            leader, after = cluster.leader(), cluster.synchronous()
            holder = await rig.start_on(leader)
            await rig.start_on(after)
            assert rig.holder() is holder
            books = await open_books(rig, holder.url)
            seen = Watched(cluster, rig, books, seed)
            seen.writers = begin_writing(rig, books, seed, many=CALLERS)
            try:
                await cluster.well()

                async def lost() -> None:
                    holder.send(signal.SIGKILL)
                    cluster.kill(leader)
                    await holder.child.wait()

                gap_s = await seen.event("leader's host with the node lost", lost)
                assert cluster.leader() == after
                cluster.start(leader)
                await cluster.well()
                told = await seen.count()
            finally:
                for writer in seen.writers:
                    writer.cancel()
                await asyncio.gather(*seen.writers, return_exceptions=True)
    assert nothing_wrong(told), told
    assert gap_s <= HOST_S
