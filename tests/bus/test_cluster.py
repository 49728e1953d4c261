"""What a bus of three servers says of itself while some of them are away."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhidao.bus.embedded import find_nats_server
from zhidao.bus.nats import NatsBus
from zhidao.bus.port import Message
from zhidao.core.errors import Unavailable
from zhidao.core.programs.child import free_port

pytestmark = pytest.mark.service

_CONF = """
server_name: s{number}
listen: 127.0.0.1:{port}
jetstream {{ store_dir: "{folder}/s{number}" }}
cluster {{ name: three, listen: 127.0.0.1:{route}, routes: [{routes}] }}
"""


class Cluster:
    """Three servers on stores of their own, each of which may be ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = [free_port() for _ in range(3)]
        routes = [free_port() for _ in range(3)]
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        for number, (port, route) in enumerate(zip(self.ports, routes, strict=True)):
            text = _CONF.format(
                number=number,
                port=port,
                folder=folder,
                route=route,
                routes=", ".join(f"nats://127.0.0.1:{each}" for each in routes),
            )
            (folder / f"s{number}.conf").write_text(text)

    def start(self, number: int) -> None:
        words = [str(find_nats_server()), "-c", str(self._folder / f"s{number}.conf")]
        with (self._folder / f"s{number}.log").open("wb") as log:
            self._running[number] = subprocess.Popen(words, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        child = self._running.pop(number)
        child.kill()
        child.wait()

    def end(self) -> None:
        for number in list(self._running):
            self.kill(number)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    three = Cluster(tmp_path)
    try:
        for number in range(3):
            three.start(number)
        yield three
    finally:
        three.end()


async def _connected(cluster: Cluster) -> NatsBus:
    """Over the first server; the cluster takes a while until it has a leader."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await NatsBus.connect(f"nats://127.0.0.1:{cluster.ports[0]}", replicas=3)
            except Unavailable:
                await asyncio.sleep(0.2)


async def _until(bus: NatsBus, wanted: bool) -> None:  # noqa: FBT001
    async with asyncio.timeout(60):
        while await bus.ready() is not wanted:
            await asyncio.sleep(0.1)


async def test_a_stream_without_a_leader_is_not_ready_though_the_server_answers(
    cluster: Cluster,
) -> None:
    bus = await _connected(cluster)
    try:
        await _until(bus, wanted=True)
        await bus.publish([Message("zhidao.trade.Said.v1", "leaf-1", b"1")])
        cluster.kill(1)
        # Two of three have a leader, at once or after an election.
        await _until(bus, wanted=True)
        cluster.kill(2)
        await _until(bus, wanted=False)
        # The server that is left still answers.
        await bus._client.flush(timeout=2)
    finally:
        await bus.close()
