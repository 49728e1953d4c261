"""Several processes of one node: one is killed again and again while callers write.

Two `zhidao serve` on one PostgreSQL and one NATS; four callers write orders and transfers to
either, and repeat what was answered by 503. Measured: from the kill to the next acknowledged
write, and from the tables what was lost or doubled. Four kills, or forty with `--long`; half of
them between processes of one machine, half as between two machines, where only silence tells.

Then a node on three machines from the files of `zhidao ha plan`, all on this one (etcd, Patroni
and PostgreSQL 17 are needed, else it says so): a switchover, a lost postmaster, a lost host while
eight callers write, once or 20 times with `--long`.

Then signed reads (RFC 9421) of a lot by wrk, 64 connections at once: at the one process `all`, at
one process of the roles api and page beside it, and at two of them on one port, in turns. Cores
are shared with the database and wrk, so what counts is the ratio by processor-second.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import claim, cpu_s
from zhidao.core.keys import Algorithm, SoftwareKey

CONNECTIONS = 64
READ_S = 6


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"operations: seed {seed}", file=sys.stderr)
    from tests.node.leases.processes_bench import database_in

    kills, sums = 20 if long else 2, dict[str, int]()
    for machine, name in (("", "kill"), ("-2", "kill_elsewhere")):
        with tempfile.TemporaryDirectory(prefix="zd-") as folder, database_in(Path(folder)) as url:
            waits, told = asyncio.run(_killed(Path(folder), url, kills, seed, machine))
        yield claim(f"{name}_to_next_write_p50_s", waits, "s")
        yield claim(f"{name}_to_next_write_slowest_s", [max(waits)], "s", target=6, at_most=True)
        sums = {each: sums.get(each, 0) + many for each, many in told.items()}
    yield claim("acknowledged_writes", [sums["acknowledged"]], "")
    yield claim("acknowledged_lost", [sums["lost"]], "", target=0, at_most=True)
    yield claim("doubled", [sums["doubled"] + sums["leaves_doubled"]], "", target=0, at_most=True)
    yield claim("histories_that_differ", [sums["forks"]], "", target=0, at_most=True)
    yield from _three_machines(20 if long else 1, seed)
    if shutil.which("wrk") is None:
        print("operations: no wrk here (Debian: apt-get install wrk)", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="zd-") as folder, database_in(Path(folder)) as url:
        rounds = asyncio.run(_read(Path(folder), url, 5 if long else 3))
    for name in ("all", "api_1", "api_2"):
        found = [one[name] for one in rounds]
        yield claim(f"signed_reads_{name}_per_s", [per_s for per_s, _ in found], "1/s")
        yield claim(f"signed_reads_{name}_cpu_us", [cpu_us for _, cpu_us in found], "us")
    by_clock = [one["api_2"][0] / one["api_1"][0] for one in rounds]
    by_cpu = [one["api_1"][1] / one["api_2"][1] for one in rounds]
    yield claim("api_2_to_api_1_by_clock", by_clock, "ratio", target=1.7)
    yield claim("api_2_to_api_1_by_processor_second", by_cpu, "ratio", target=0.9)


def _three_machines(repeats: int, seed: int) -> Iterator[dict[str, Any]]:
    """A node on etcd, Patroni and NATS of three machines that all stand on this one."""
    from tests.node.availability.cluster_rig import what_is_missing

    if missing := what_is_missing():
        print(f"operations: three machines left out: {missing}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="zd-ha-") as folder:
        waits, alarm_s, told = asyncio.run(_lost(Path(folder), repeats, seed))
    for name, bar in (("host", 25), ("postmaster", 8), ("switchover", 3)):
        slowest = sorted(waits[name])[: max(1, round(0.95 * len(waits[name])))][-1]
        yield claim(f"ha_{name}_to_next_write_p50_s", waits[name], "s")
        yield claim(f"ha_{name}_to_next_write_p95_s", [slowest], "s", target=bar, at_most=True)
    yield claim("ha_standbys_lost_to_alarm_s", [alarm_s], "s", target=10, at_most=True)
    yield claim("ha_acknowledged_writes", [told["acknowledged"]], "")
    yield claim("ha_acknowledged_lost", [told["lost"]], "", target=0, at_most=True)
    yield claim("ha_doubled", [told["doubled"]], "", target=0, at_most=True)


async def _lost(
    folder: Path, repeats: int, seed: int
) -> tuple[dict[str, list[float]], float, dict[str, int]]:
    from tests.node.availability.events import standbys_lost, three_events, watched

    async with watched(folder, seed) as seen:
        waits = await three_events(seen, repeats)
        alarm_s = await standbys_lost(seen)
        return waits, alarm_s, await seen.count()


async def _killed(
    folder: Path, url: str, kills: int, seed: int, machine: str
) -> tuple[list[float], dict[str, int]]:
    from tests.node.leases.books_bench import (
        begin_writing,
        check_books,
        end_writing,
        kill_and_wait,
        open_books,
    )
    from tests.node.leases.processes_bench import Rig

    chance, waits, machines = random.Random(seed), list[float](), ["", machine]
    async with Rig(folder, url) as rig:
        first = await rig.start(machine=machines[0])
        books = await open_books(rig, first.url)
        await rig.start(machine=machines[1])
        writers = begin_writing(rig, books, seed)
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            waits.append(await kill_and_wait(rig, books))
            # The next one where the dead one was, so that they stay apart.
            await rig.start(machine=machines[0])
            machines.reverse()
        await end_writing(writers, rig)
    return waits, check_books(url, books)


async def _read(folder: Path, url: str, rounds: int) -> list[dict[str, tuple[float, float]]]:
    """Reads a second and processor-microseconds of a read, by who answers, in each round."""
    from tests.node.leases.books_bench import finished_lot, open_books
    from tests.node.leases.processes_bench import Rig

    async with Rig(folder, url) as rig:
        whole = await rig.start()
        books = await open_books(rig, whole.url)
        path = await finished_lot(whole.url, books)
        key = SoftwareKey(Algorithm.ED25519, secrets.token_bytes(32))
        token = await _signing_token(whole.url, books, key)
        shared = {"ZHIDAO_HTTP_PORT_SHARED": "true"}
        first = await rig.start("--roles", "api,page", **shared)
        shared["ZHIDAO_HTTP_PORT"] = str(first.port)
        found = []
        for _ in range(rounds):
            one = {
                "all": await _wrk([whole], path, key, token),
                "api_1": await _wrk([first], path, key, token),
            }
            second = await rig.start("--roles", "api,page", **shared)
            await asyncio.sleep(1)
            one["api_2"] = await _wrk([first, second], path, key, token)
            await rig.stop(second)
            rig.processes.remove(second)
            found.append(one)
    return found


async def _signing_token(url: str, books: Any, key: SoftwareKey) -> str:
    """A token of the maker whose requests this key signs."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        asked = {"party": "maker", "role": "party", "key": key.public.multikey}
        made = await http.post("/v1/tokens", json=asked, headers=books.admin)
        named = str(made.raise_for_status().json()["token"]).split("_")[1]
        by = {"Authorization": f"Bearer {books.operator}"}
        (await http.post(f"/v1/tokens/{named}/agreement", headers=by)).raise_for_status()
    return named


async def _wrk(
    processes: Sequence[Any], path: str, key: SoftwareKey, token: str
) -> tuple[float, float]:
    """Reads a second, and processor-microseconds of the processes for each."""
    host = processes[0].url.partition("//")[2]
    signed = f'("@method" "@path" "@authority");created={int(time.time())};keyid="{token}"'
    base = f'"@method": GET\n"@path": {path}\n"@authority": {host}\n"@signature-params": {signed}'
    signature = base64.b64encode(key.sign(base.encode())).decode()
    words = ["-t1", f"-c{CONNECTIONS}", f"-d{READ_S}", "--timeout", "30"]
    headers = ["-H", f"Signature-Input: s={signed}", "-H", f"Signature: s=:{signature}:"]
    before_s = sum(cpu_s(each.child.pid) for each in processes)
    child = await asyncio.create_subprocess_exec(
        "wrk", *words, *headers, processes[0].url + path, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    used_s = sum(cpu_s(each.child.pid) for each in processes) - before_s
    told = out.decode()
    if "Non-2xx" in told:
        raise SystemExit(f"operations: reads were refused: {told}")
    done = re.search(r"(\d+) requests in ([0-9.]+)s", told)
    if done is None:
        raise SystemExit(f"operations: wrk said {told}")
    count, took_s = int(done[1]), float(done[2])
    return count / took_s, used_s / count * 1e6
