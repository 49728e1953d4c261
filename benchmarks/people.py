"""What people wait for: the walk by hand, the first page, search, lists, notices, help.

Every figure goes through what a user takes: the walk is the end-to-end test by five browsers, the
page is Chromium's over a running node, search and lists are the node's routes over rows that its
own routes made, a notification is a mail that a server of others took, help is the program's.

Rows: 300 consignments and 2,000 terminals; with --long 100,000 and 10,000, which takes hours: each
consignment is entered, judged, signed and logged as any other. Claims name how many there were.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import httpx
from tests.node.live_node import admin_of, operator_of
from tests.node.test_notifications import corridor

from benchmarks.measuring import claim
from zhidao.cli.console.commands import COMMANDS
from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess

WALK: Final = "tests/end_to_end/test_by_hand.py::test_five_people_walk_the_road_on_two_nodes"
KEYED: Final = re.compile(r"keyed by hand: .*?, (\d+) in sum; (\d+) s")
CONSIGNMENTS: Final = (300, 100_000)
TERMINALS: Final = (2_000, 10_000)
AT_ONCE: Final = 16
SEARCHES: Final = 400
_WALK_S: Final = 570
_HELP: Final = 5


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (every benchmark has this form)
    """All claims about what people wait for."""
    yield _help()
    yield from asyncio.run(_rows(long=long))
    yield asyncio.run(_notified(5 if long else 3))
    yield from _pages(3)
    yield from _walk()


def _help() -> dict[str, Any]:
    """Of the slowest command; of each the best of a few, as neighbours only add."""
    slowest = max(min(_help_s(name) for _ in range(_HELP)) for name, *_ in COMMANDS)
    return claim("people_help_cpu_s", [slowest], "s", target=0.12, at_most=True)


def _help_s(command: str) -> float:
    before = os.times()
    words = [sys.executable, "-m", "zhidao.cli", command, "--help"]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system


# --- rows -------------------------------------------------------------------------------------


@asynccontextmanager
async def _node() -> AsyncIterator[tuple[NodeProcess, httpx.AsyncClient]]:
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "n", settings=_NO_BOUNDS)
        await node.start()
        try:
            async with httpx.AsyncClient(base_url=node.url, timeout=120.0) as http:
                yield node, http
        finally:
            await node.stop()


_NO_BOUNDS: Final = {
    "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
    "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
    "ZHIDAO_LOG_LEAVES_PER_PARTY_HOUR": "0",
}


async def _rows(*, long: bool) -> list[dict[str, Any]]:
    async with _node() as (node, http):
        admin = await admin_of(node, http)
        operator = await operator_of(node, admin, http)
        for party, name, role, country in participants.PARTIES:
            about = {"party": party, "name": name, "trade_role": role, "country": country}
            await admin.post("/v1/parties", about)
        wanted = {"party": "exporter", "role": "party"}
        exporter = Caller(http, await agreed_token(admin, operator, wanted))
        return [
            *await _searched(exporter, CONSIGNMENTS[long]),
            *await _listed(operator, TERMINALS[long]),
        ]


async def _all(count: int, make: Any) -> float:
    """Makes so many, some at once; how many came each second."""
    numbers = iter(range(count))
    began_s = time.perf_counter()

    async def one_after_the_other() -> None:
        for number in numbers:
            await make(number)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - began_s)


async def _searched(exporter: Caller, count: int) -> list[dict[str, Any]]:
    async def enter(number: int) -> None:
        entry = participants.entry(f"C-{number:06d}", participants.TO_ALMATY, order="")
        # The goods of a party that keeps no order: nothing has to be finished before.
        entry.pop("productionOrderDocument")
        for item in entry["includedConsignmentItem"]:
            item.pop("lotId", None)
        entry["invoiceDocument"]["id"] = f"INV-{number:06d}"
        entry["packingListDocument"]["id"] = f"PL-{number:06d}"
        entry["originStatementDocument"]["id"] = f"OS-{number:06d}"
        entry["utilizedTransportEquipment"] = [{"id": participants.CONTAINER}]
        await exporter.post("/v1/trade/consignments", entry)

    rate = await _all(count, enter)
    # Entries that were made at once are found in any order.
    for number in range(max(0, count - 2 * AT_ONCE), count):
        await _findable(exporter, f"C-{number:06d}")
    chance = random.Random(417)
    taken_ms = []
    for _ in range(SEARCHES):
        number = chance.randrange(count)
        typed = chance.choice(
            (f"C-{number:06d}", f"inv {number:06d}", f"c-{number:06d}"[:6], "INV")
        )
        began_s = time.perf_counter()
        found = (await exporter.ask("GET", f"/v1/search?q={typed}")).json()["found"]
        taken_ms.append((time.perf_counter() - began_s) * 1e3)
        assert found, typed
    p99 = quantiles(taken_ms, n=100)[98]
    return [
        claim(f"people_entries_per_s_{count}", [rate], "1/s"),
        claim(f"people_search_p50_ms_{count}", taken_ms, "ms"),
        claim(f"people_search_p99_ms_{count}", [p99], "ms", target=200, at_most=True),
    ]


async def _findable(caller: Caller, name: str) -> None:
    """Until the index has what was entered last."""
    for _ in range(6_000):
        if (await caller.ask("GET", f"/v1/search?q={name}")).json()["found"]:
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"{name} cannot be found")


async def _listed(operator: Caller, count: int) -> list[dict[str, Any]]:
    async def register(number: int) -> None:
        about = {
            "terminal": f"T-{number:05d}",
            "phone": f"+86138{number:08d}",
            "owner": "carrier",
            "surroundings": "vehicle",
        }
        await operator.post("/v1/devices/terminals", about)

    await _all(count, register)
    first, last = [], []
    path = "/v1/lists/terminals?limit=25"
    for _ in range(15):
        began_s = time.perf_counter()
        page = (await operator.ask("GET", path)).json()
        first.append((time.perf_counter() - began_s) * 1e3)
        assert len(page["rows"]) == 25
        began_s = time.perf_counter()
        page = (await operator.ask("GET", f"{path}&sort=-terminal")).json()
        last.append((time.perf_counter() - began_s) * 1e3)
        assert page["rows"][0]["terminal"] == f"T-{count - 1:05d}"
    whole = (await operator.ask("GET", "/v1/lists/terminals/csv")).text
    assert whole.count("\n") >= count
    return [
        claim(f"people_list_first_page_ms_{count}", first, "ms", target=300, at_most=True),
        claim(f"people_list_last_page_ms_{count}", last, "ms", target=300, at_most=True),
    ]


# --- notices, pages, the walk -----------------------------------------------------------------


async def _notified(runs: int) -> dict[str, Any]:
    taken_s = []
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        async with corridor(Path(folder)) as made:
            await made.mailed()
            for number in range(runs):
                began_s = time.perf_counter()
                await made.wait_for_mia(f"machine {number} of mia")
                await made.mail_of(f"machine {number} of mia", within_s=60.0)
                taken_s.append(time.perf_counter() - began_s)
    return claim("people_notification_s", taken_s, "s", target=10, at_most=True)


def _pages(runs: int) -> Iterator[dict[str, Any]]:
    found = next((p for p in map(shutil.which, ("chromium", "google-chrome")) if p), None)
    if found is None:
        print("no Chromium here: the pages are left out", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        node = NodeProcess(Path(folder) / "n", settings=_NO_BOUNDS)
        loop = asyncio.new_event_loop()
        state = loop.run_until_complete(node.start())
        try:
            # Playwright's own loop runs in a thread that has no other.
            words = [sys.executable, "-m", "benchmarks.people_pages", found, str(runs)]
            done = subprocess.run(
                [*words, state["url"], state["admin_code"]],
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        finally:
            loop.run_until_complete(node.stop())
            loop.close()
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    told = json.loads(done.stdout)
    yield claim("people_home_cold_kb", told["cold_kb"], "kB", target=100, at_most=True)
    yield claim("people_useful_warm_50kbit_s", told["warm_s"], "s", target=4, at_most=True)


def _walk() -> Iterator[dict[str, Any]]:
    words = [sys.executable, "-m", "pytest", "-q", "-s", "-n", "0", "-p", "no:cacheprovider", WALK]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_WALK_S, check=False)
    told = KEYED.search(done.stdout)
    if done.returncode or told is None:
        raise SystemExit(f"the walk did not come to its end: {done.stdout[-1500:]}")
    yield claim("people_walk_keyed_values", [int(told[1])], "values", target=100, at_most=True)
    yield claim("people_walk_s", [int(told[2])], "s", target=240, at_most=True)
