"""`kill -9` of a whole node while Teltonika trackers report: what it counted is there, and once.

The trackers write every byte themselves. After a lost answer they send what was not counted again,
beside newer records, as trackers do. The positions are then read by the API, day by day. Twenty
kills by `--long`.
"""

from __future__ import annotations

import asyncio
import calendar
import os
import random
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.devices.teltonika_tracker import Tracker, packet, record
from tests.node.live_node import admin_of, operator_of

from zhidao.core.programs.child import free_port
from zhidao.simulation.client import Caller
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(570)]

TRACKERS, DAYS, PER_DAY = 6, 40, 400
DAY_MS = 86_400_000
LAST_MS = int(time.time()) // 86_400 * DAY_MS


class Lorry:
    """A tracker that drives on whatever becomes of the node, and keeps what was not counted."""

    def __init__(self, number: int, port: int) -> None:
        self.name, self.imei = f"lorry-{number}", f"35209408167{number:04d}"
        self.port = port
        self.acknowledged: set[int] = set()
        self.sent: set[int] = set()
        self.waiting: list[int] = []
        self.refused = 0
        self._count = 0

    def _next(self) -> int:
        """The time of the next record, in ms: so many a day that one page holds a day."""
        day, second = divmod(self._count, PER_DAY)
        self._count += 1
        return LAST_MS - (DAYS - day % DAYS) * DAY_MS + (second + day // DAYS * PER_DAY) * 1000

    async def drive(self, until: asyncio.Event, rng: random.Random) -> None:
        while not until.is_set() or self.waiting:
            try:
                tracker = await Tracker.call(self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            try:
                if await tracker.greet(self.imei) != b"\x01":
                    self.refused += 1
                    return
                await self._report(tracker, until, rng)
            except (OSError, EOFError, TimeoutError):
                pass
            finally:
                tracker.close()

    async def _report(self, tracker: Tracker, until: asyncio.Event, rng: random.Random) -> None:
        while not until.is_set() or self.waiting:
            if not until.is_set() and self._count < DAYS * PER_DAY:
                self.waiting += [self._next() for _ in range(rng.randint(1, 4))]
            now = self.waiting[-20:]
            if not now:
                return
            self.sent |= set(now)
            counted = await tracker.tell(packet(*(record(at_ms) for at_ms in now)))
            assert counted == len(now)
            self.acknowledged |= set(now)
            self.waiting = self.waiting[: -len(now)]


async def told(caller: Caller, name: str) -> list[int]:
    """Every position of a terminal that the API tells, as ms after 1970."""
    found = []
    for day in range(DAYS + 1):
        date = time.strftime("%Y-%m-%d", time.gmtime((LAST_MS - day * DAY_MS) / 1000))
        page = await caller.get(f"/v1/devices/terminals/{name}/positions?limit=500&day={date}")
        assert len(page) < 500
        found += [_ms(point["observed_at"]) for point in page]
    return found


def _ms(text: str) -> int:
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
async def test_what_was_counted_is_told_and_stands_once(tmp_path: Path, kills: int) -> None:
    port, rng = free_port(), random.Random(417)
    settings = {
        "ZHIDAO_DEVICES_TELTONIKA_PORT": str(port),
        "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
        "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
    }
    node = NodeProcess(tmp_path, settings=settings)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            operator = await _registered(node, http, port)
            lorries = [Lorry(number, port) for number in range(TRACKERS)]
            until = asyncio.Event()
            roads = [asyncio.create_task(each.drive(until, rng)) for each in lorries]
            for _ in range(kills):
                await asyncio.sleep(rng.uniform(0.5, 3))
                before = node.starts
                os.kill(node.pid, signal.SIGKILL)
                while node.starts == before or node.state() is None:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            until.set()
            await asyncio.gather(*roads)
            for each in lorries:
                found = await told(operator, each.name)
                assert len(found) == len(set(found)), f"{each.name}: doubled"
                assert each.acknowledged <= set(found), f"{each.name}: lost"
                assert set(found) <= each.sent
                assert not each.refused
                assert each.acknowledged
        counted = sum(len(each.acknowledged) for each in lorries)
        sys.stderr.write(f"{counted} records counted over {kills} kills: 0 lost, 0 doubled\n")
    finally:
        await node.stop()


async def _registered(node: NodeProcess, http: httpx.AsyncClient, port: int) -> Caller:
    admin = await admin_of(node, http)
    party = {"party": "haulier", "name": "Haulier", "trade_role": "carrier", "country": "KZ"}
    await admin.post("/v1/parties", party)
    operator = await operator_of(node, admin, http)
    for number in range(TRACKERS):
        body = {
            "terminal": f"lorry-{number}",
            "phone": f"+7701555{number:04d}",
            "owner": "haulier",
            "number": f"35209408167{number:04d}",
            "protocol": "teltonika",
        }
        made = await operator.post("/v1/devices/terminals", body)
        assert made["protocol"] == "teltonika"
    gateway = await operator.get("/v1/devices/gateway")
    assert {"protocol": "teltonika", "port": port, "tls": False} in gateway["listeners"]
    return operator
