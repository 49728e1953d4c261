"""`kill -9` of a whole node while units and a platform of EGTS report: what was told is there, once.

The units write every byte themselves. After a lost answer they send what was not told again, under
new numbers and beside newer records. Two of them are heard by a platform alone. The positions are
then read by the API, day by day. Twenty kills by `--long`, of more seeds.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import httpx
import pytest
from tests.devices.egts_unit import (
    Unit,
    dispatcher_identity,
    position,
    record,
    terminal_identity,
)
from tests.end_to_end.test_teltonika_kills import DAY_MS, DAYS, LAST_MS, PER_DAY, told
from tests.node.live_node import admin_of, operator_of

from zhidao.core.programs.child import free_port
from zhidao.simulation.client import Caller
from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(570)]

# Units with a line of their own, and those for which the platform speaks.
ALONE, PASSED_ON, PLATFORM = (101, 102, 103), (201, 202), 900


class Speaker:
    """A line that is taken up again whatever becomes of the node, and what it was not told yet."""

    def __init__(self, identity: tuple[int, bytes], units: tuple[int, ...], port: int) -> None:
        self.identity, self.units, self.port = identity, units, port
        self.acknowledged: dict[int, set[int]] = {unit: set() for unit in units}
        self.sent: dict[int, set[int]] = {unit: set() for unit in units}
        self.waiting: list[tuple[int, int]] = []
        self.refused = 0
        self._count = self._number = 0

    def _next(self) -> tuple[int, int]:
        """A unit, and a time in ms: so many a day that one page holds a day."""
        unit = self.units[self._count % len(self.units)]
        day, second = divmod(self._count // len(self.units), PER_DAY)
        self._count += 1
        at_ms = LAST_MS - (DAYS - day % DAYS) * DAY_MS + (second + day // DAYS * PER_DAY) * 1000
        return unit, at_ms

    async def speak(self, until: asyncio.Event, rng: random.Random) -> None:
        while not until.is_set() or self.waiting:
            try:
                line = await Unit.call(self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            try:
                if await line.come_in(self.identity):
                    self.refused += 1
                    return
                await self._report(line, until, rng)
            except (OSError, EOFError, TimeoutError):
                pass
            finally:
                line.close()

    async def _report(self, line: Unit, until: asyncio.Event, rng: random.Random) -> None:
        most = DAYS * PER_DAY * len(self.units)
        while not until.is_set() or self.waiting:
            if not until.is_set() and self._count < most:
                self.waiting += [self._next() for _ in range(rng.randint(1, 4))]
            now = self.waiting[-20:]
            if not now:
                return
            numbered = {}
            for unit, at_ms in now:
                self._number = (self._number + 1) % 65_536
                self.sent[unit].add(at_ms)
                numbered[self._number] = (unit, at_ms)
            said = [
                record(position(at_ms // 1000), number=number, oid=unit)
                for number, (unit, at_ms) in numbered.items()
            ]
            answer = await line.say(*said)
            assert answer.records == dict.fromkeys(numbered, 0)
            for unit, at_ms in now:
                self.acknowledged[unit].add(at_ms)
            self.waiting = self.waiting[: -len(now)]


@pytest.mark.parametrize(
    ("kills", "seed"),
    [(3, 417), *(pytest.param(20, seed, marks=pytest.mark.long) for seed in (1, 2, 3))],
)
async def test_what_was_told_is_there_and_stands_once(
    tmp_path: Path, kills: int, seed: int
) -> None:
    port, rng = free_port(), random.Random(seed)
    settings = {
        "ZHIDAO_DEVICES_EGTS_PORT": str(port),
        "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
        "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
    }
    node = NodeProcess(tmp_path, settings=settings)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            operator = await _registered(node, http, port)
            speakers = [Speaker(terminal_identity(unit), (unit,), port) for unit in ALONE]
            speakers.append(Speaker(dispatcher_identity(PLATFORM), PASSED_ON, port))
            until = asyncio.Event()
            lines = [asyncio.create_task(each.speak(until, rng)) for each in speakers]
            for _ in range(kills):
                await asyncio.sleep(rng.uniform(0.5, 3))
                before = node.starts
                os.kill(node.pid, signal.SIGKILL)
                while node.starts == before or node.state() is None:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            until.set()
            await asyncio.gather(*lines)
            counted = sum([await _judged(each, operator) for each in speakers])
        sys.stderr.write(f"{counted} records told over {kills} kills: 0 lost, 0 doubled\n")
    finally:
        await node.stop()


async def _judged(speaker: Speaker, operator: Caller) -> int:
    """How many records were told; none of them is lost, and none stands twice."""
    assert not speaker.refused
    for unit in speaker.units:
        found = await told(operator, f"unit-{unit}")
        assert len(found) == len(set(found)), f"{unit}: doubled"
        assert speaker.acknowledged[unit] <= set(found), f"{unit}: lost"
        assert set(found) <= speaker.sent[unit]
        assert speaker.acknowledged[unit]
    return sum(map(len, speaker.acknowledged.values()))


async def _registered(node: NodeProcess, http: httpx.AsyncClient, port: int) -> Caller:
    admin = await admin_of(node, http)
    party = {"party": "haulier", "name": "Haulier", "trade_role": "carrier", "country": "KZ"}
    await admin.post("/v1/parties", party)
    operator = await operator_of(node, admin, http)
    for number in (*ALONE, *PASSED_ON, PLATFORM):
        protocol = "egts-dispatcher" if number == PLATFORM else "egts"
        body = {
            "terminal": f"unit-{number}",
            "phone": f"+7701555{number:04d}",
            "owner": "haulier",
            "number": str(number),
            "protocol": protocol,
        }
        made = await operator.post("/v1/devices/terminals", body)
        assert made["protocol"] == protocol
    gateway = await operator.get("/v1/devices/gateway")
    assert {"protocol": "egts", "port": port, "tls": False} in gateway["listeners"]
    return operator
